import { AgentError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import { InnerFailure, type Done } from './flow.ts';
import type { Condition } from './schema.ts';

/** Errors that another attempt cannot mend. */
const NOT_RETRIED: ReadonlySet<string> = new Set([
  'BrowserAgent.InvalidInput',
  'BrowserAgent.InvalidScript',
  'BrowserAgent.PolicyDenied',
  'BrowserAgent.BrowserUnavailable',
]);

export interface Retry {
  attempts?: number | undefined;
  delay_ms?: number | undefined;
  backoff?: number | undefined;
  retry_if?: Condition | undefined;
}

/**
 * Acts up to `attempts` times. Without `retry_if` a failed attempt is repeated; with it, any attempt after
 * which it holds, one that worked too: a page can take a click and answer "unavailable".
 */
export async function withRetry(
  retry: Retry | undefined,
  options: {
    clock: Clock;
    signal: AbortSignal;
    act: (attempt: number) => Promise<Done>;
    check: (condition: Condition) => Promise<boolean>;
  },
): Promise<Done> {
  const { attempts = 1, delay_ms: delayMs = 0, backoff = 1, retry_if: retryIf } = retry ?? {};
  const { clock, signal, act, check } = options;
  for (let attempt = 1; ; attempt++) {
    let done: Done | undefined;
    let thrown: unknown;
    try {
      done = await act(attempt);
    } catch (caught) {
      if (attempt >= attempts || signal.aborted || !isRetried(caught)) throw caught;
      thrown = caught;
    }
    const again = retryIf ? await check(retryIf) : done === undefined;
    if (!again && done) return done;
    if (!again) throw thrown;
    if (attempt >= attempts) {
      throw new AgentError(
        'BrowserAgent.StepFailed',
        `The step worked, but its "retry_if" still holds after ${attempts} attempt${attempts === 1 ? '' : 's'}: ${JSON.stringify(retryIf)}.`,
      );
    }
    await clock.sleep(delayMs * backoff ** (attempt - 1), signal);
  }
}

function isRetried(thrown: unknown): boolean {
  if (thrown instanceof InnerFailure)
    return !thrown.failed.final && !thrown.failed.explicit && isRetried(thrown.failed.error);
  return !(thrown instanceof AgentError) || !NOT_RETRIED.has(thrown.errorName);
}
