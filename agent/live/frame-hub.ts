/**
 * The newest picture of one run for all who watch it: one slot, in which the latest wins. Frames are taken
 * only while somebody watches; what changed from one to the next is found once for all.
 */
import type { Subscriber } from '../recording/screencast.ts';
import { few, LARGE_SHARE, pixelsOf } from './changes.ts';
import { Comparer } from './comparer.ts';
import { liveFrame, type LiveFrame } from './live-frame.ts';
import type { Rectangle } from './rfb/messages.ts';

export type { LiveFrame } from './live-frame.ts';

/** More than this nobody sees, and Chromium does not draw. */
const MAX_FPS = 60;
/** A viewer that is further behind than so many frames gets a whole picture. */
const REMEMBERED_FRAMES = 60;

/** The browser goes no further ahead of who watches. */
const UNTAKEN_FRAMES = 2;

/** The run's one screencast. */
export interface FrameSource {
  /** Returns a function that unsubscribes. A late subscriber gets the last frame at once. */
  subscribe(subscriber: Subscriber): () => void;
}

export class FrameHub {
  readonly #source: FrameSource;
  readonly #listeners = new Set<() => void>();
  #latest: LiveFrame | null = null;
  #number = 0;
  /** What each of the last frames changed, the newest last; begins anew with each whole picture. */
  #history: { number: number; changed: readonly Rectangle[] }[] = [];
  /** The frame before the first of {@link #history}. */
  #base = 0;
  #leave: (() => void) | null = null;
  /** Of the newest frames, as long as nobody has been sent them: lets the browser go on. */
  #untaken: (() => void)[] = [];

  constructor(source: FrameSource) {
    this.#source = source;
  }

  get latest(): LiveFrame | null {
    return this.#latest;
  }

  /** {@link latest} is being sent: the browser may go on with the next. */
  take(): void {
    for (const taken of this.#untaken.splice(0)) taken();
  }

  /** What differs between an earlier frame and {@link latest}; null: that is not known, or too much. */
  changesSince(number: number): Rectangle[] | null {
    if (!this.#latest || number < this.#base) return null;
    const areas = this.#history.filter((one) => one.number > number).flatMap(({ changed }) => changed);
    const united = few(areas);
    const sum = united.reduce((total, area) => total + pixelsOf(area), 0);
    return sum > pixelsOf(this.#latest) * LARGE_SHARE ? null : united;
  }

  /** `onFrame` is called when {@link latest} is another. Returns a function to leave by. */
  join(onFrame: () => void): () => void {
    const listener = (): void => onFrame();
    this.#listeners.add(listener);
    this.#leave ??= this.#watch();
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      this.#leave?.();
      this.#leave = null;
      // By the time somebody comes again it is old.
      this.#latest = null;
      this.#untaken = [];
    };
  }

  #watch(): () => void {
    const comparer = new Comparer({ onFrame: (frame, changed) => this.#show(frame, changed) });
    const leave = this.#source.subscribe({
      fps: MAX_FPS,
      live: true,
      onFrame: (drawn, taken) => {
        this.#number += 1;
        const frame = liveFrame(drawn, this.#number, taken);
        if (frame) comparer.push(frame);
        else taken();
      },
    });
    return () => {
      leave();
      comparer.close();
    };
  }

  #show(frame: LiveFrame, changed: readonly Rectangle[] | null): void {
    this.#latest = frame;
    this.#untaken.push(frame.taken);
    if (this.#untaken.length > UNTAKEN_FRAMES) this.#untaken.shift()!();
    if (!changed) {
      this.#history = [];
      this.#base = frame.number;
    } else {
      this.#history.push({ number: frame.number, changed });
      if (this.#history.length > REMEMBERED_FRAMES) this.#base = this.#history.shift()!.number;
    }
    for (const listener of this.#listeners) listener();
  }
}
