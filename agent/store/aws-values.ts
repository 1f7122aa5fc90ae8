/** Settings fetched from AWS, cached with the place and time they came from, so that starting needs no network. */
import { z } from 'zod';
import type { Database } from './database.ts';

const row = z.object({ key: z.string(), value: z.string(), source: z.string(), fetched_at: z.number() });

export interface AwsValue {
  /** A settings key, e.g. `aws.activity_arn`. */
  key: string;
  value: string;
  /** e.g. `secret browser-agent-credentials-prod`. */
  source: string;
  /** Milliseconds since the epoch. */
  fetchedAt: number;
}

export class AwsValuesStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Values of one environment; those of another are never mixed in. */
  all(environment: string): AwsValue[] {
    const prefix = `${environment}/`;
    return this.#db
      .prepare(
        'SELECT key, value, source, fetched_at FROM aws_values WHERE substr(key, 1, ?) = ? ORDER BY key',
      )
      .all(prefix.length, prefix)
      .map((raw) => {
        const { key, value, source, fetched_at } = row.parse(raw);
        return { key: key.slice(prefix.length), value, source, fetchedAt: fetched_at };
      });
  }

  /** Replaces everything known of the environment: what is gone from AWS is gone here. */
  replace(environment: string, values: readonly AwsValue[]): void {
    this.#db.transaction(() => {
      const prefix = `${environment}/`;
      this.#db.prepare('DELETE FROM aws_values WHERE substr(key, 1, ?) = ?').run(prefix.length, prefix);
      const insert = this.#db.prepare(
        'INSERT INTO aws_values (key, value, source, fetched_at) VALUES (?, ?, ?, ?)',
      );
      for (const each of values) insert.run(prefix + each.key, each.value, each.source, each.fetchedAt);
    })();
  }
}
