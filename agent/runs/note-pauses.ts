import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import type { RunRepository } from '../store/run-rows.ts';
import type { PauseState } from './pause-gate.ts';

/** Makes it seen everywhere that a run stands still, or goes on: in its row and as an event. */
export function notePauses(to: {
  runs: Pick<RunRepository, 'setPaused'>;
  events: EventBus;
  log: Logger;
}): (runId: string, state: PauseState | null, heldMs: number) => void {
  const { runs, events, log } = to;
  return (runId, state, heldMs) => {
    try {
      runs.setPaused(runId, state);
    } catch (thrown) {
      // Only for showing: the run stands still all the same.
      log.warn({ err: thrown, runId }, 'a pause could not be written down');
    }
    if (state === null) events.emit({ type: 'run.resumed', runId, pausedMs: heldMs });
    else {
      const { by, reason, since, isStanding } = state;
      events.emit({ type: 'run.paused', runId, by, reason, since, isStanding });
    }
  };
}
