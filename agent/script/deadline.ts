import type { Clock } from '../base/clock.ts';
import { ABORT_GRACE_MS } from './limits.ts';

/**
 * Runs `act` with a signal that is aborted after `timeoutMs` with `timeoutError`, or with the outer
 * signal's reason. An `act` that does not let go within {@link ABORT_GRACE_MS} is left behind: a stuck
 * page must not hold the run.
 */
export async function withDeadline<T>(
  options: {
    clock: Clock;
    signal: AbortSignal;
    timeoutMs: number | null;
    timeoutError: () => Error;
    /** Null: waits for `act` however long it takes. */
    graceMs?: number | null;
  },
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, signal: outer, timeoutMs, timeoutError, graceMs = ABORT_GRACE_MS } = options;
  outer.throwIfAborted();
  const inner = new AbortController();
  const done = new AbortController();
  const onOuterAbort = (): void => inner.abort(outer.reason);
  outer.addEventListener('abort', onOuterAbort, { once: true });
  if (timeoutMs !== null) {
    clock.sleep(timeoutMs, done.signal).then(
      () => inner.abort(timeoutError()),
      () => undefined,
    );
  }
  const abandoned = Promise.withResolvers<never>();
  const onInnerAbort = (): void => {
    if (graceMs === null) return;
    clock.sleep(graceMs, done.signal).then(
      () => abandoned.reject(inner.signal.reason),
      () => undefined,
    );
  };
  inner.signal.addEventListener('abort', onInnerAbort, { once: true });
  try {
    return await Promise.race([act(inner.signal), abandoned.promise]);
  } catch (thrown) {
    // What an aborted action throws only says that it was aborted; the reason says why.
    if (inner.signal.aborted) throw inner.signal.reason;
    throw thrown;
  } finally {
    outer.removeEventListener('abort', onOuterAbort);
    inner.signal.removeEventListener('abort', onInnerAbort);
    done.abort();
  }
}
