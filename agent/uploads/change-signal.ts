import type { Clock } from '../base/clock.ts';

/** Tells several waiters that something has changed. Changes within one turn of the event loop are one change. */
export class ChangeSignal {
  readonly #clock: Clock;
  #next = Promise.withResolvers<void>();
  #isPlanned = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The next change. Take it before the state is read, so that no change between read and wait is missed. */
  get next(): Promise<void> {
    return this.#next.promise;
  }

  changed(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      const { resolve } = this.#next;
      this.#next = Promise.withResolvers<void>();
      resolve();
    });
  }

  /** Resolves with that change, after `ms`, or when the signal is aborted. */
  async wait(change: Promise<void>, ms: number, signal?: AbortSignal): Promise<void> {
    const timer = new AbortController();
    const stop = signal ? AbortSignal.any([timer.signal, signal]) : timer.signal;
    await Promise.race([change, this.#clock.sleep(ms, stop).catch(() => undefined)]);
    timer.abort();
  }
}
