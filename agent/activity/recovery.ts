/**
 * What an earlier process left behind, and what to do about it. Starting after a crash is the ordinary way
 * to start: nothing here is skipped after a clean stop, there is just nothing to find.
 *
 * - `received`: nothing was done yet. It is run, once a heartbeat has shown that the token still lives.
 * - `running`, and the run had ended: its outcome is known, only the report was not written. It is reported
 *   as it would have been: a failure under `on_failure: return` is its result.
 * - `running`, and the run had not ended: nobody knows what the step in doubt did. It is failed with
 *   `BrowserAgent.Interrupted`, never run again; there is no result, so `on_failure: return` has none to give.
 * - `reporting`: the outbox has it.
 */
import type { JsonObject } from '../base/words.ts';
import type { RunOutcome } from '../runs/types.ts';
import type { RunRepository } from '../store/run-rows.ts';
import type { StepJournal } from '../store/step-journal.ts';
import type { TaskRow, TaskStore } from '../store/tasks.ts';

/** What the run engine wrote down about a run. */
export type RunJournal = Pick<RunRepository, 'get' | 'result'> & Pick<StepJournal, 'lastSteps'>;

export interface RecoveryPlan {
  toRun: TaskRow[];
  toReport: { row: TaskRow; outcome: RunOutcome }[];
}

export function planRecovery(tasks: TaskStore, journal: RunJournal): RecoveryPlan {
  const open = tasks.open();
  return {
    toRun: open.filter((row) => row.state === 'received'),
    toReport: open
      .filter((row) => row.state === 'running')
      .map((row) => ({ row, outcome: outcomeOf(row, journal) })),
  };
}

function outcomeOf(row: TaskRow, journal: RunJournal): RunOutcome {
  const runId = row.run_id;
  const run = journal.get(runId);
  const result = journal.result(runId) ?? {};
  if (run?.state === 'succeeded') {
    return { runId, state: 'succeeded', result, returnOnFailure: false };
  }
  const ended = run?.state === 'failed' || run?.state === 'cancelled';
  if (ended && run.error_name !== null && run.error_name !== 'BrowserAgent.Interrupted') {
    const message = run.error_message ?? '';
    return {
      runId,
      state: run.state === 'cancelled' ? 'cancelled' : 'failed',
      result,
      error: {
        name: run.error_name,
        message,
        cause: { run_id: runId, ...lastStep(runId, journal), message },
      },
      returnOnFailure: run.on_failure === 'return',
    };
  }
  return interrupted(runId, journal);
}

function interrupted(runId: string, journal: RunJournal): RunOutcome {
  const { finished, inDoubt } = journal.lastSteps(runId);
  const message = inDoubt
    ? `The agent stopped inside step ${show(inDoubt)}; whether it acted is not known. Check the site before running this again. ${finished ? `Last finished step: ${show(finished)}.` : 'No step had finished.'}`
    : finished
      ? `The agent stopped after step ${show(finished)} and before the next one.`
      : 'The agent stopped before the first step: nothing was done in the browser.';
  const at = inDoubt ?? finished;
  return {
    runId,
    state: 'failed',
    result: {},
    error: {
      name: 'BrowserAgent.Interrupted',
      message,
      cause: {
        run_id: runId,
        ...(at ? stepFacts(at) : {}),
        message,
        last_finished_step: finished ? stepFacts(finished) : null,
        step_in_doubt: inDoubt ? stepFacts(inDoubt) : null,
      },
    },
    returnOnFailure: false,
  };
}

type Step = NonNullable<ReturnType<RunJournal['lastSteps']>['finished']>;

function lastStep(runId: string, journal: RunJournal): JsonObject {
  const { finished } = journal.lastSteps(runId);
  return finished ? stepFacts(finished) : {};
}

function stepFacts(step: Step): JsonObject {
  return { step: step.step_number, name: step.name, action: step.action };
}

function show(step: Step): string {
  return `${step.step_number} "${step.name}" (${step.action})`;
}
