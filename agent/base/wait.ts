/**
 * Resolves after `ms` milliseconds; as soon as the signal is aborted, rejects with the signal's reason.
 *
 * The one wait of the product. Code whose waits a test must hold waits through the `sleep` of its clock, which is
 * this function (clock.ts).
 */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
