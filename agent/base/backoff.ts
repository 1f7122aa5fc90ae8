/** Exponential backoff: how long to wait after the n-th failure in a row. */

export interface Backoff {
  /** Full wait after the first failure; it doubles with each further one. */
  firstMs: number;
  /** Upper bound of the full wait. */
  mostMs: number;
}

/** Every backoff here is at its bound after fewer doublings; the cap only keeps the power finite. */
const MAX_DOUBLINGS = 20;

/**
 * The wait without jitter, in milliseconds; for a process that restarts alone.
 *
 * @param failures how many in a row, 1 for the first
 */
export function fullBackoffMs({ firstMs, mostMs }: Backoff, failures: number): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(MAX_DOUBLINGS, failures - 1));
}

/**
 * The wait with equal jitter, in milliseconds: at least half of the full wait, so that no retry comes too soon,
 * and a random part of the other half, so that agents that lost the same network do not come back in step.
 *
 * @param failures how many in a row, 1 for the first
 * @param random 0 (inclusive) to 1 (exclusive)
 */
export function backoffMs(backoff: Backoff, failures: number, random: number): number {
  const fullMs = fullBackoffMs(backoff, failures);
  return Math.round(fullMs / 2 + (fullMs / 2) * random);
}
