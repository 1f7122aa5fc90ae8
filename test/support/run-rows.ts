import type { Database } from '../../agent/store/database.ts';
import { RunRepository } from '../../agent/store/run-rows.ts';

/** Enters one run for each id, so that rows which refer to a run can be stored. */
export function createRuns(db: Database, runIds: readonly string[]): void {
  const runs = new RunRepository(db);
  for (const runId of runIds) {
    runs.create({
      runId,
      taskId: null,
      scriptName: 's',
      script: '{}',
      level: { level: 'INFO', reason: 'test' },
      profile: null,
      owner: { pid: 1, started: 'boot' },
      now: 1,
    });
  }
}
