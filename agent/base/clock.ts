import { wait } from './wait.ts';

/** Time comes in through this, so that a test can hold it. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. Jumps when the machine sleeps or the clock is set. */
  now(): number;
  /** Monotonic clock in milliseconds; for durations and deadlines. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: wait,
};
