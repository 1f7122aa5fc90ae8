/**
 * Decides which frames are compared with the one before, and hands all of them on in their order, each with
 * what changed.
 *
 * States: `still` (every frame is compared before it is handed on, in a quarter of the time at most; the
 * newest of those that come meanwhile waits) → `moving` (after some large changes in a row: frames are handed
 * on as they come, unread; now and then, and after a lull, two are compared) → `still` when less changed.
 */
import { changesBetween } from './changes.ts';
import type { LiveFrame } from './live-frame.ts';
import type { Rectangle } from './rfb/messages.ts';

/** Large changes in a row after which frames are no longer compared. */
const LARGE_IN_A_ROW = 3;
/** On a moving page two frames are compared so often, in milliseconds. */
const PROBE_MS = 1_000;
/** A page that drew nothing for so long may have come to rest: the next frame is looked at, in milliseconds. */
const LULL_MS = 80;
/** So many times as long as a comparison took, none follows: other work of this thread waits for it. */
const REST_FACTOR = 3;
/** A whole JPEG of this size costs no more than its parts. */
const SMALL_BYTES = 6_000;

export interface ComparerOptions {
  /** `changed`: null: take it as a whole; none is never told. */
  onFrame: (frame: LiveFrame, changed: readonly Rectangle[] | null) => void;
  /** Milliseconds, monotonic. */
  now?: () => number;
}

export class Comparer {
  readonly #onFrame: ComparerOptions['onFrame'];
  readonly #now: () => number;
  #state: 'still' | 'moving' = 'still';
  /** Handed on last. */
  #before: LiveFrame | null = null;
  #waiting: LiveFrame | null = null;
  #largeInARow = 0;
  #cameMs = -Infinity;
  #comparedMs = -Infinity;
  /** Before that none is compared in the state `still`. */
  #restUntilMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor({ onFrame, now = () => performance.now() }: ComparerOptions) {
    this.#onFrame = onFrame;
    this.#now = now;
  }

  get state(): 'still' | 'moving' {
    return this.#state;
  }

  push(frame: LiveFrame): void {
    const nowMs = this.#now();
    const lullMs = nowMs - this.#cameMs;
    this.#cameMs = nowMs;
    if (this.#waiting) {
      this.#waiting.taken();
      this.#waiting = frame;
      return;
    }
    const before = this.#before;
    if (!before || frame.jpeg.length <= SMALL_BYTES) this.#hand(frame, null);
    else if (this.#state === 'moving') {
      this.#hand(frame, null);
      if (lullMs > LULL_MS || nowMs - this.#comparedMs > PROBE_MS) this.#compare(before, frame);
    } else if (nowMs >= this.#restUntilMs) this.#show(before, frame);
    else {
      this.#waiting = frame;
      this.#timer = setTimeout(() => this.#next(), this.#restUntilMs - nowMs);
      this.#timer.unref();
    }
  }

  /** What waits is not handed on any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#before = null;
    this.#waiting = null;
  }

  #next(): void {
    const frame = this.#waiting;
    this.#waiting = null;
    if (frame && this.#before) this.#show(this.#before, frame);
  }

  #show(before: LiveFrame, frame: LiveFrame): void {
    const changed = this.#compare(before, frame);
    if (changed?.length === 0) frame.taken();
    else this.#hand(frame, changed);
  }

  #compare(before: LiveFrame, frame: LiveFrame): Rectangle[] | null {
    const begunMs = this.#now();
    const [old, present] = [before.coded(), frame.coded()];
    const changed = old && present && changesBetween(old, present);
    this.#comparedMs = this.#now();
    this.#restUntilMs = this.#comparedMs + (this.#comparedMs - begunMs) * REST_FACTOR;
    this.#largeInARow = changed ? 0 : this.#largeInARow + 1;
    if (changed) this.#state = 'still';
    else if (this.#largeInARow >= LARGE_IN_A_ROW) this.#state = 'moving';
    return changed;
  }

  #hand(frame: LiveFrame, changed: readonly Rectangle[] | null): void {
    this.#before = frame;
    this.#onFrame(frame, changed);
  }
}
