/**
 * How many uploads may be on their way at once: more while they are quick, fewer when they crawl, half when
 * the service asks to slow down or a connection dies. A network far away needs many small files at once,
 * whose answers are all late; on a slow uplink the same number would make each so slow that it times out.
 */

/** A round or two from any of the other figures, and 8 MB at most: a minute on an uplink of 1 Mbit/s. */
const FIRST = 8;

/** What an uplink got before there was a window; slowness alone takes nobody below it. */
const LEAST_WHEN_SLOW = 3;

/** An upload that took less left room for one more. */
const QUICK_MS = 2_000;

/** One that took more shares the line with too many; far below what the connection's timeout is. */
const SLOW_MS = 15_000;

export class UploadWindow {
  readonly #most: number;
  #size: number;

  constructor(most: number) {
    this.#most = most;
    this.#size = Math.min(FIRST, most);
  }

  /** 1 or more. */
  get size(): number {
    return this.#size;
  }

  /** Something arrived that had been on its way for so long. */
  arrived(tookMs: number): void {
    if (tookMs <= QUICK_MS) this.#size = Math.min(this.#most, this.#size + 1);
    else if (tookMs > SLOW_MS && this.#size > LEAST_WHEN_SLOW) this.#size -= 1;
  }

  /** Once for each refusal, however many were on their way when it came. */
  halve(): void {
    this.#size = Math.max(1, Math.floor(this.#size / 2));
  }
}
