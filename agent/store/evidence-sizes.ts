/** How much evidence the runs of this machine made, for estimates. */
import { z } from 'zod';
import { RECORDING_LEVELS } from '../base/words.ts';
import type { Database } from './database.ts';

/** So many of the newest runs are enough for a middle one. */
const MOST_RUNS = 300;

const row = z.object({
  run_id: z.string(),
  level: z.enum(RECORDING_LEVELS),
  failed: z.number(),
  kind: z.string().nullable(),
  bytes: z.number().nullable(),
});

export interface SizesOfRun {
  level: z.infer<typeof row>['level'];
  failed: boolean;
  /** By kind of artifact. */
  bytes: Record<string, number>;
}

export class EvidenceSizes {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The newest runs that ended well or not, queued since then. */
  since(time: number): SizesOfRun[] {
    const rows = this.#db
      .prepare(
        `SELECT r.run_id, r.level, r.state = 'failed' AS failed, a.kind, sum(a.size_bytes) AS bytes
         FROM (SELECT run_id, level, state FROM runs
               WHERE queued_at >= ? AND state IN ('succeeded', 'failed') ORDER BY queued_at DESC LIMIT ?) AS r
         LEFT JOIN artifacts AS a ON a.run_id = r.run_id
         GROUP BY r.run_id, a.kind`,
      )
      .all(time, MOST_RUNS)
      .map((raw) => row.parse(raw));
    return [...Map.groupBy(rows, (each) => each.run_id).values()].map((kinds) => ({
      level: kinds[0]!.level,
      failed: kinds[0]!.failed === 1,
      bytes: Object.fromEntries(
        kinds.flatMap(({ kind, bytes }) => (kind === null ? [] : [[kind, bytes ?? 0]])),
      ),
    }));
  }

  /** What runs keep on this machine, in bytes. */
  kept(): number {
    const sum = this.#db.prepare('SELECT total(size_bytes) FROM artifacts WHERE keep = 1').pluck().get();
    return z.number().parse(sum);
  }

  /** All that were queued since then, and the first of them. */
  count(time: number): { count: number; firstAt: number | null } {
    return this.#db
      .prepare('SELECT count(*) AS count, min(queued_at) AS firstAt FROM runs WHERE queued_at >= ?')
      .get(time) as { count: number; firstAt: number | null };
  }
}
