/** How many tasks may be worked on at once: a slot is taken before a poll, so that no task is ever left over. */

export class Slots {
  readonly #size: number;
  #taken = 0;
  #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  get free(): number {
    return this.#size - this.#taken;
  }

  /** @returns a function that gives the slot back (once; more often does nothing), or null if none is free */
  tryTake(): (() => void) | null {
    if (this.#taken >= this.#size) return null;
    this.#taken += 1;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#taken -= 1;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    };
  }

  /** Waits for a slot. @throws the signal's reason when aborted */
  async take(signal: AbortSignal): Promise<() => void> {
    for (;;) {
      signal.throwIfAborted();
      const release = this.tryTake();
      if (release) return release;
      await this.freed(signal);
    }
  }

  /** Resolves when a slot was given back, or when the signal is aborted. */
  async freed(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    const onAbort = (): void => resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    await promise;
    signal.removeEventListener('abort', onAbort);
    this.#waiting = this.#waiting.filter((wake) => wake !== resolve);
  }
}
