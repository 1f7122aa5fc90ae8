/** The uploads on their way, and how many more may start. */
import { SMALL_MAX_BYTES, type UploadRow } from '../store/uploads.ts';
import { UploadWindow } from './window.ts';

/**
 * Small files (up to 1 MiB) mostly wait for answers: this many fill a line whose answers are 40 ms late. Three
 * large ones, in parts, fill any line. Both bound the memory: 24 MiB, and three times three parts of 5 MiB.
 */
const MOST_AT_ONCE: AtOnce = { small: 24, large: 3 };

/** Part of the small uploads that must have ended before others follow, while many are on their way. */
const REFILL = 6;

export interface AtOnce {
  small: number;
  large: number;
}

interface Flight {
  row: UploadRow;
  abort: AbortController;
  ended: Promise<void>;
}

export class Flights {
  /** How many of the most at once are on their way, by how quickly they arrive. */
  readonly window: UploadWindow;
  readonly #mostAtOnce: AtOnce;
  readonly #flights = new Map<number, Flight>();

  constructor(mostAtOnce: AtOnce = MOST_AT_ONCE) {
    this.#mostAtOnce = mostAtOnce;
    this.window = new UploadWindow(Math.max(mostAtOnce.small, mostAtOnce.large));
  }

  get size(): number {
    return this.#flights.size;
  }

  /** Of the rows in the queue. */
  get ids(): number[] {
    return [...this.#flights.keys()];
  }

  /** @param send sends the row until the signal is aborted; never rejects */
  begin(row: UploadRow, send: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const abort = new AbortController();
    const ended = send(abort.signal).finally(() => this.#flights.delete(row.upload_id));
    this.#flights.set(row.upload_id, { row, abort, ended });
    return ended;
  }

  hasRun(runId: string): boolean {
    for (const { row } of this.#flights.values()) if (row.run_id === runId) return true;
    return false;
  }

  /** How many more of each size may start. */
  free(): AtOnce {
    const mostSmall = Math.min(this.#mostAtOnce.small, this.window.size);
    let small = mostSmall;
    let large = Math.min(this.#mostAtOnce.large, this.window.size);
    for (const { row } of this.#flights.values()) {
      if (row.size_bytes <= SMALL_MAX_BYTES) small -= 1;
      else large -= 1;
    }
    // A look into the queue costs as much as a fifth of an upload: not one look for each upload that ends.
    if (small < mostSmall && small < Math.floor(mostSmall / REFILL)) return { small: 0, large: 0 };
    return { small: Math.max(0, small), large: Math.max(0, large) };
  }

  /** Resolves when all of them have ended. */
  async landed(): Promise<void> {
    await Promise.all([...this.#flights.values()].map(({ ended }) => ended));
  }

  abortAll(reason: Error): void {
    for (const { abort } of this.#flights.values()) abort.abort(reason);
  }
}
