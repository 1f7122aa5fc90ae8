/** What stored scripts were before they were changed, and who changed them. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Actor } from '../base/actor.ts';
import type { Database } from './database.ts';

/** Of one script; the oldest go first. Some 20 kB each at most. */
const MAX_KEPT = 100;

const versionRow = z.object({
  version_id: z.number(),
  reference: z.string(),
  text: z.string(),
  sha256: z.string(),
  saved_at: z.number(),
  by_kind: z.string().nullable(),
  by_id: z.string().nullable(),
});

export type ScriptVersionRow = z.infer<typeof versionRow>;

export class ScriptVersionStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Notes a text, unless it is the newest already. `by` null: somebody changed the file itself.
   *
   * @param at milliseconds since the epoch
   */
  add(reference: string, text: string, by: Actor | null, at: number): void {
    const sha256 = createHash('sha256').update(text).digest('hex');
    this.#db
      .transaction(() => {
        const newest = this.#db
          .prepare('SELECT sha256 FROM script_versions WHERE reference = ? ORDER BY version_id DESC LIMIT 1')
          .pluck()
          .get(reference);
        if (newest === sha256) return;
        this.#db
          .prepare(
            `INSERT INTO script_versions (reference, text, sha256, saved_at, by_kind, by_id)
             VALUES (?, ?, ?, ?, ?, ?)`,
          )
          .run(reference, text, sha256, at, by?.kind ?? null, by?.id ?? null);
        this.#db
          .prepare(
            `DELETE FROM script_versions WHERE reference = @reference AND version_id NOT IN (
               SELECT version_id FROM script_versions WHERE reference = @reference
               ORDER BY version_id DESC LIMIT @most)`,
          )
          .run({ reference, most: MAX_KEPT });
      })
      .immediate();
  }

  /** Newest first. */
  list(reference: string): ScriptVersionRow[] {
    return this.#db
      .prepare('SELECT * FROM script_versions WHERE reference = ? ORDER BY version_id DESC')
      .all(reference)
      .map((row) => versionRow.parse(row));
  }

  get(reference: string, versionId: number): ScriptVersionRow | undefined {
    const row = this.#db
      .prepare('SELECT * FROM script_versions WHERE reference = ? AND version_id = ?')
      .get(reference, versionId);
    return row === undefined ? undefined : versionRow.parse(row);
  }
}
