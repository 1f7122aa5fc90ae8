import { AgentError } from '../../base/errors.ts';
import { abortError } from '../../browser/errors.ts';

/** For what Playwright gives no timeout and no signal: stops waiting for it, with the error that fits. */
export async function race<T>(
  work: Promise<T>,
  limits: { signal: AbortSignal; timeoutMs: number; what: string },
): Promise<T> {
  const { signal, timeoutMs, what } = limits;
  if (signal.aborted) throw abortError(signal);
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const seconds = Number((timeoutMs / 1000).toFixed(1));
    reject(
      new AgentError(
        'BrowserAgent.StepTimeout',
        `${what} was not done within ${seconds} s. Raise the step's "timeout" if it may take that long.`,
      ),
    );
  }, timeoutMs);
  const stop = () => reject(abortError(signal));
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    // Whichever lost must not become an unhandled rejection.
    work.catch(() => undefined);
  }
}
