/** Small facts about this agent that outlive a process, one JSON value per key. */
import { z } from 'zod';
import type { JsonValue } from '../base/words.ts';
import type { Database } from './database.ts';

export class AgentStateStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  set(key: string, value: JsonValue, now: number): void {
    this.#db
      .prepare(
        `INSERT INTO agent_state (key, value, updated_at) VALUES (?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
      )
      .run(key, JSON.stringify(value), now);
  }

  /** The value as `schema` reads it; absent, or no longer of that shape: `undefined`. */
  get<T>(key: string, schema: z.ZodType<T>): { value: T; updatedAt: number } | undefined {
    const row = this.#db.prepare('SELECT value, updated_at FROM agent_state WHERE key = ?').get(key) as
      | { value: string; updated_at: number }
      | undefined;
    if (!row) return undefined;
    const parsed = schema.safeParse(JSON.parse(row.value));
    return parsed.success ? { value: parsed.data, updatedAt: row.updated_at } : undefined;
  }

  delete(key: string): void {
    this.#db.prepare('DELETE FROM agent_state WHERE key = ?').run(key);
  }
}

/**
 * Key of the last answer to `GetActivityTask`. The worker writes it; `doctor` reads it, because asking
 * for itself could take a task.
 */
export const LAST_POLL_KEY = 'activity.last_poll';

export const lastPollSchema = z.object({
  activityArn: z.string(),
  ok: z.boolean(),
  /** Of the failure, when `ok` is false. */
  code: z.string().optional(),
  message: z.string().optional(),
});

export type LastPoll = z.infer<typeof lastPollSchema>;
