/**
 * What each run did, step by step. The intent of a step is on disk before the step acts: after a crash, the last
 * intent without an end is the step that may or may not have acted.
 */
import { z } from 'zod';
import type { JsonObject } from '../base/words.ts';
import { unhurried, type Database } from './database.ts';

const stepRow = z.object({
  step_number: z.number(),
  name: z.string(),
  action: z.string(),
  path: z.string(),
  state: z.enum(['intent', 'done']),
  success: z.number().nullable(),
  started_at: z.number(),
  ended_at: z.number().nullable(),
});

export type StepRow = z.infer<typeof stepRow>;

export interface NewStep {
  /** From 1, in order of execution. */
  number: number;
  name: string;
  action: string;
  /** JSON path in the script. */
  path: string;
  now: number;
}

export interface StepEnd {
  number: number;
  success: boolean;
  now: number;
  result: JsonObject;
}

const STEP_COLUMNS = 'step_number, name, action, path, state, success, started_at, ended_at';

export class StepJournal {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The intent of a step, on disk before the step acts. */
  stepIntent(runId: string, step: NewStep): void {
    this.#db
      .prepare(
        `INSERT INTO steps (run_id, step_number, name, action, path, state, started_at)
         VALUES (?, ?, ?, ?, ?, 'intent', ?)`,
      )
      .run(runId, step.number, step.name, step.action, step.path, step.now);
  }

  /** On disk with the next step's intent at the latest; until then a power failure leaves the step in doubt. */
  stepDone(runId: string, step: StepEnd): void {
    const statement = this.#db.prepare(
      `UPDATE steps SET state = 'done', success = ?, ended_at = ?, result = ?
         WHERE run_id = ? AND step_number = ?`,
    );
    unhurried(this.#db, () =>
      statement.run(step.success ? 1 : 0, step.now, JSON.stringify(step.result), runId, step.number),
    );
  }

  steps(runId: string): StepRow[] {
    return this.#db
      .prepare(`SELECT ${STEP_COLUMNS} FROM steps WHERE run_id = ? ORDER BY step_number`)
      .all(runId)
      .map((row) => stepRow.parse(row));
  }

  /** The results of the steps that have ended, by step number. */
  stepResults(runId: string): Map<number, JsonObject> {
    const rows = this.#db
      .prepare('SELECT step_number AS number, result FROM steps WHERE run_id = ? AND result IS NOT NULL')
      .all(runId) as { number: number; result: string }[];
    return new Map(rows.map(({ number, result }) => [number, JSON.parse(result) as JsonObject]));
  }

  /** The step that started last. */
  lastStep(runId: string): StepRow | undefined {
    const row = this.#db
      .prepare(`SELECT ${STEP_COLUMNS} FROM steps WHERE run_id = ? ORDER BY step_number DESC LIMIT 1`)
      .get(runId);
    return row === undefined ? undefined : stepRow.parse(row);
  }

  /** After a crash: the last finished step, and the step that may or may not have acted. */
  lastSteps(runId: string): { finished: StepRow | null; inDoubt: StepRow | null } {
    const steps = this.steps(runId);
    return {
      finished: steps.findLast((step) => step.state === 'done') ?? null,
      inDoubt: steps.findLast((step) => step.state === 'intent') ?? null,
    };
  }
}
