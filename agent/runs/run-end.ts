/** How a run ended: in which state, and with which error. */
import { AgentError, toAgentError } from '../base/errors.ts';
import type { RunEndState } from '../base/events.ts';
import type { ScriptOutcome } from '../script/interpreter.ts';
import { LeaseLost } from './types.ts';

/** What ended the steps: the interpreter returned, or something was thrown before or around it. */
export type StepsEnd = { kind: 'returned'; outcome: ScriptOutcome } | { kind: 'thrown'; thrown: unknown };

export interface RunEnd {
  state: RunEndState;
  /** Null only when the run succeeded. */
  error: AgentError | null;
}

/**
 * A lost lease wins over everything: whatever the steps did, another agent may have the task by now.
 *
 * @param signal of the run
 */
export function endOf(steps: StepsEnd, signal: AbortSignal): RunEnd {
  if (signal.aborted && signal.reason instanceof LeaseLost) {
    return { state: 'lost', error: new AgentError('BrowserAgent.Interrupted', signal.reason.message) };
  }
  if (steps.kind === 'returned' && steps.outcome.success) return { state: 'succeeded', error: null };
  const error =
    steps.kind === 'returned'
      ? (steps.outcome.error ??
        new AgentError('BrowserAgent.StepFailed', 'a step failed; the script went on, because it says so'))
      : toAgentError(steps.thrown);
  if (error.errorName === 'BrowserAgent.Cancelled') return { state: 'cancelled', error };
  return { state: 'failed', error };
}
