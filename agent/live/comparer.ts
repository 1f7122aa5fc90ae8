/**
 * Decides which frames are compared with the one before, and hands all of them on in their order, each with
 * what changed.
 *
 * States: `still` (little changes: every frame is compared before it is handed on; one that comes meanwhile
 * waits, the newest wins) → `moving` (after some large changes in a row: frames are handed on as they come,
 * undecoded; now and then, and after a lull, two are compared on the side) → `still` when little changed.
 */
import { changesBetween } from './changes.ts';
import type { LiveFrame } from './live-frame.ts';
import type { Rectangle } from './rfb/messages.ts';

/** Large changes in a row after which frames are no longer compared. */
const LARGE_IN_A_ROW = 3;
/** On a moving page two frames are compared so often, in milliseconds: 2 % of a core. */
const PROBE_MS = 1_000;
/** A page that drew nothing for so long may have come to rest: the next frame is looked at, in milliseconds. */
const LULL_MS = 80;
/** A small thing that moves all the time is shown at 30 frames a second: comparing costs 10 ms of a core each. */
const MIN_INTERVAL_MS = 30;
/** So long after the first frame it is decoded, so that the second need not wait for two, in milliseconds. */
const WARM_UP_MS = 100;
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
  #isComparing = false;
  #isProbing = false;
  #largeInARow = 0;
  #cameMs = -Infinity;
  #comparedMs = -Infinity;
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
    if (this.#isComparing || this.#waiting) {
      this.#waiting = frame;
      return;
    }
    const before = this.#before;
    if (!before) {
      this.#hand(frame, null);
      this.#after(WARM_UP_MS, () => void changesOf(frame, frame));
    } else if (!isComparable(before, frame)) this.#hand(frame, null);
    else if (this.#state === 'moving') {
      this.#hand(frame, null);
      const isDue = lullMs > LULL_MS || nowMs - this.#comparedMs > PROBE_MS;
      if (isDue && !this.#isProbing) void this.#probe(before, frame);
    } else this.#compareInTime(frame);
  }

  /** What is on its way is not handed on any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#before = null;
    this.#waiting = null;
  }

  #compareInTime(frame: LiveFrame): void {
    const waitMs = this.#comparedMs + MIN_INTERVAL_MS - this.#now();
    if (waitMs <= 0) {
      void this.#compare(frame);
      return;
    }
    this.#waiting = frame;
    this.#after(waitMs, () => this.#next());
  }

  #next(): void {
    const frame = this.#waiting;
    this.#waiting = null;
    if (!frame || !this.#before) return;
    if (this.#state === 'moving' || !isComparable(this.#before, frame)) this.#hand(frame, null);
    else this.#compareInTime(frame);
  }

  async #compare(frame: LiveFrame): Promise<void> {
    const before = this.#before;
    if (!before) return;
    this.#isComparing = true;
    this.#comparedMs = this.#now();
    const changed = await changesOf(before, frame);
    this.#isComparing = false;
    // Closed meanwhile.
    if (this.#before !== before) return;
    this.#learn(changed);
    if (changed?.length !== 0) this.#hand(frame, changed);
    this.#next();
  }

  /** On the side: nobody waits for it. */
  async #probe(before: LiveFrame, frame: LiveFrame): Promise<void> {
    this.#isProbing = true;
    this.#comparedMs = this.#now();
    this.#learn(await changesOf(before, frame));
    this.#isProbing = false;
  }

  #learn(changed: readonly Rectangle[] | null): void {
    this.#largeInARow = changed ? 0 : this.#largeInARow + 1;
    if (changed) this.#state = 'still';
    else if (this.#largeInARow >= LARGE_IN_A_ROW) this.#state = 'moving';
  }

  #hand(frame: LiveFrame, changed: readonly Rectangle[] | null): void {
    this.#before = frame;
    this.#onFrame(frame, changed);
  }

  #after(ms: number, next: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(next, ms);
    this.#timer.unref();
  }
}

function isComparable(before: LiveFrame, frame: LiveFrame): boolean {
  return frame.jpeg.length > SMALL_BYTES && before.width === frame.width && before.height === frame.height;
}

/** What cannot be decoded is taken as a whole. Never rejects. */
async function changesOf(before: LiveFrame, frame: LiveFrame): Promise<Rectangle[] | null> {
  try {
    const [old, present] = await Promise.all([before.picture(), frame.picture()]);
    return changesBetween(old, present);
  } catch {
    return null;
  }
}
