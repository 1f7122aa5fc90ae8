import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { wait } from './wait.ts';

/** Longer than any test: a wait of this length ends by its signal or not at all. */
const FOREVER_MS = 600_000;

test('a wait ends after its time and leaves no listener behind', async () => {
  const { signal } = new AbortController();
  const startedAt = performance.now();
  await wait(20, signal);
  // Node's timers may fire up to a millisecond early.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(19);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('an abort ends a wait at once with its reason', async () => {
  const abort = new AbortController();
  const waiting = wait(FOREVER_MS, abort.signal);
  const reason = new Error('the run was cancelled');
  abort.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
});

test('a wait does not begin when its signal is aborted already', async () => {
  const reason = new Error('over');
  await expect(wait(FOREVER_MS, AbortSignal.abort(reason))).rejects.toBe(reason);
});
