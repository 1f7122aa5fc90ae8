/** How long to wait after the n-th failure in a row: exponential, with jitter, so that agents do not march in step. */
import type { Problem } from './problems.ts';

/** Soon enough to be unnoticed after a blip; at most a request a minute while a service is down. */
const FAST = { firstMs: 1_000, mostMs: 60_000 };
/** Only a person can mend it: a few requests an hour are enough to notice that they did. */
const SLOW = { firstMs: 30_000, mostMs: 300_000 };

/**
 * @param failures how many in a row, 1 for the first
 * @param random 0 (incl.) to 1 (excl.)
 * @returns milliseconds: half of the full step, and up to the other half by chance
 */
export function backoffMs(failures: number, pace: Problem['pace'], random: number): number {
  const { firstMs, mostMs } = pace === 'fast' ? FAST : SLOW;
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 20));
  return Math.round(full / 2 + (full / 2) * random);
}
