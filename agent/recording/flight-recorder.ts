import type { Frame, Subscriber } from './screencast.ts';

/** How far back a failure can be watched. */
export const FLIGHT_WINDOW_MS = 30_000;
/** Frames are JPEGs of 30 to 150 kB: enough for the window at this rate on most pages. */
export const FLIGHT_FPS = 3;
/** Memory the ring may take; the oldest frames go first. */
const MAX_RING_BYTES = 12 * 1024 * 1024;

/** The last 30 seconds of pictures, in memory; looked at only when the run fails. */
export class FlightRecorder implements Subscriber {
  readonly fps = FLIGHT_FPS;
  readonly #windowMs: number;
  readonly #maxBytes: number;
  #frames: Frame[] = [];
  #bytes = 0;

  constructor(options: { windowMs?: number; maxBytes?: number } = {}) {
    this.#windowMs = options.windowMs ?? FLIGHT_WINDOW_MS;
    this.#maxBytes = options.maxBytes ?? MAX_RING_BYTES;
  }

  get bytes(): number {
    return this.#bytes;
  }

  onFrame(frame: Frame): void {
    this.#frames.push(frame);
    this.#bytes += frame.jpeg.length;
    this.#trim(frame.wallTimeMs);
  }

  /** Frames from `nowMs` (milliseconds since the epoch) minus the window on; the first is what was in view then. */
  window(nowMs: number): Frame[] {
    this.#trim(nowMs);
    const startMs = nowMs - this.#windowMs;
    return this.#frames.map((frame) =>
      frame.wallTimeMs < startMs ? { ...frame, wallTimeMs: startMs } : frame,
    );
  }

  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }

  #trim(nowMs: number): void {
    const startMs = nowMs - this.#windowMs;
    // The frame before the window stays: it was in view when the window began.
    while (
      this.#frames.length > 1 &&
      (this.#frames[1]!.wallTimeMs <= startMs || this.#bytes > this.#maxBytes)
    ) {
      this.#bytes -= this.#frames.shift()!.jpeg.length;
    }
  }
}
