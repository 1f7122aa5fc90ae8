/** The numbers of a stretch of time, over everything that is on record of it. */
import { z } from 'zod';
import type { Database } from './database.ts';
import { RUN_STATES, type RunState } from './run-state.ts';

const stateCount = z.object({ state: z.string(), n: z.number() });

const uploadNumbers = z.object({
  done: z.number(),
  done_bytes: z.number(),
  waiting: z.number(),
  waiting_bytes: z.number(),
  failed: z.number(),
});

const signInWanted = z.object({ profile: z.string(), run_id: z.string(), ended_at: z.number() });

export type UploadNumbers = z.infer<typeof uploadNumbers>;
export type SignInWanted = z.infer<typeof signInWanted>;

export class SummaryStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Runs queued since then, by their state now. */
  runs(since: number): Record<RunState, number> {
    const counts = Object.fromEntries(RUN_STATES.map((state) => [state, 0])) as Record<RunState, number>;
    const rows = this.#db
      .prepare('SELECT state, count(*) AS n FROM runs WHERE queued_at >= ? GROUP BY state')
      .all(since)
      .map((row) => stateCount.parse(row));
    for (const { state, n } of rows) counts[state as RunState] = n;
    return counts;
  }

  /** From start to end, in milliseconds, of the run in the middle; null when none has ended. */
  medianDurationMs(since: number): number | null {
    const durations = this.#db
      .prepare(
        `SELECT ended_at - started_at AS ms FROM runs
         WHERE queued_at >= ? AND started_at IS NOT NULL AND ended_at IS NOT NULL ORDER BY ms`,
      )
      .pluck()
      .all(since) as number[];
    return durations[Math.floor(durations.length / 2)] ?? null;
  }

  /** Tasks taken since then, and how many of them are reported or lost. */
  tasks(since: number): { received: number; reported: number; lost: number } {
    const rows = this.#db
      .prepare('SELECT state, count(*) AS n FROM tasks WHERE received_at >= ? GROUP BY state')
      .all(since)
      .map((row) => stateCount.parse(row));
    const of = (state: string): number => rows.find((row) => row.state === state)?.n ?? 0;
    return {
      received: rows.reduce((sum, { n }) => sum + n, 0),
      reported: of('reported'),
      lost: of('lost'),
    };
  }

  /** What came to S3 since then; what waits and what has failed, whenever it was recorded. */
  uploads(since: number): UploadNumbers {
    return uploadNumbers.parse(
      this.#db
        .prepare(
          `SELECT
             (SELECT count(*) FROM uploads WHERE state = 'done' AND done_at >= @since) AS done,
             (SELECT coalesce(sum(size_bytes), 0) FROM uploads WHERE state = 'done' AND done_at >= @since) AS done_bytes,
             (SELECT count(*) FROM uploads WHERE state = 'pending') AS waiting,
             (SELECT coalesce(sum(size_bytes), 0) FROM uploads WHERE state = 'pending') AS waiting_bytes,
             (SELECT count(*) FROM uploads WHERE state = 'failed') AS failed`,
        )
        .get({ since }),
    );
  }

  /** Profiles whose newest run since then ended because nobody was signed in, and no one has signed in after it. */
  signInsWanted(since: number): SignInWanted[] {
    return this.#db
      .prepare(
        // With max(), SQLite takes the other columns from that very row.
        `SELECT profile, run_id, ended_at FROM (
           SELECT runs.profile, runs.run_id, runs.error_name, max(runs.ended_at) AS ended_at FROM runs
           WHERE queued_at >= ? AND profile IS NOT NULL AND ended_at IS NOT NULL GROUP BY profile) AS newest
         WHERE error_name = 'BrowserAgent.LoginRequired'
           AND EXISTS (SELECT 1 FROM profiles
                       WHERE name = newest.profile AND coalesce(signed_in_at, 0) < newest.ended_at)`,
      )
      .all(since)
      .map((row) => signInWanted.parse(row));
  }
}
