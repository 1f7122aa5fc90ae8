/** Cleans up after an agent that died: browsers, folders, sessions, and runs that no process executes. */
import type { Clock } from '../base/clock.ts';
import type { EventBus } from '../base/events.ts';
import type { Processes } from '../browser/processes.ts';
import type { TemporaryFolders } from '../browser/temporary.ts';
import type { RunRow } from '../store/run-rows.ts';
import type { RunStore } from '../store/runs.ts';
import type { BrowserSessions } from './browser-sessions.ts';

export interface RecoveryOptions {
  processes: Pick<Processes, 'reapOrphans' | 'isAlive'>;
  temporary: Pick<TemporaryFolders, 'removeAbandoned'>;
  sessions: Pick<BrowserSessions, 'recover'>;
  runs: RunStore;
  events: EventBus;
  clock: Clock;
}

export async function recoverRuns(options: RecoveryOptions): Promise<void> {
  const { processes, temporary, sessions, runs } = options;
  await processes.reapOrphans();
  await temporary.removeAbandoned();
  await sessions.recover((owner) => processes.isAlive(owner));
  for (const run of runs.unfinished()) {
    if (await processes.isAlive({ pid: run.owner_pid, started: run.owner_started })) continue;
    failInterrupted(run, options);
  }
}

/** The error names the last finished step, and the step that may or may not have acted. */
function failInterrupted(run: RunRow, { runs, events, clock }: RecoveryOptions): void {
  const { run_id: runId } = run;
  const { finished, inDoubt } = runs.lastSteps(runId);
  const where = inDoubt ? ` inside step ${inDoubt.step_number} "${inDoubt.name}"` : '';
  const last = finished ? `; the last finished step is ${finished.step_number} "${finished.name}"` : '';
  const now = clock.now();
  const errorName = 'BrowserAgent.Interrupted';
  const message = `the agent stopped${where}${last}`;
  runs.transition(runId, 'failed', { now, errorName, errorMessage: message });
  events.emit({
    type: 'run.finished',
    runId,
    state: 'failed',
    errorName,
    message,
    durationMs: Math.max(0, now - (run.started_at ?? run.queued_at)),
  });
}
