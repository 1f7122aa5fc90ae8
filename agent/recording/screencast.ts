import type { CDPSession } from 'playwright';
import type { Logger } from '../base/log.ts';
import type { PageProbe } from './page-probe.ts';

/** Frames wider or higher than this are scaled down by the browser: storage, and nothing is read better. */
const MAX_SIDE_PX = 1280;
/** JPEG quality: text stays legible, at half the size of 90. */
const QUALITY = 60;
/** While a person watches: half as many bytes again, and edges without a halo. */
const LIVE_QUALITY = 80;
/** A running screencast that is silent for so long is started anew: it may have ended with its page's process. */
const LIVE_PATIENCE_MS = 2_000;
/** The first frame of it that does not come is asked for again after that, then after twice that, and so on. */
const FIRST_LIVE_MS = 300;
/** A frame that nobody has taken is acknowledged after that time: the next one is to be no older, in milliseconds. */
const UNTAKEN_MS = 100;
/** Frames that are not acknowledged, above which the browser skips those that it draws. */
const MAX_UNACKNOWLEDGED = 2;
/** One that was skipped may have been the last: after so long without another, what is in view is asked for. */
const SKIPPED_MS = 150;
/** A page at rest is looked at less and less often, down to this. */
const MAX_REST_MS = 400;
const REST_FACTOR = 1.4;
/** A frame that does not come (the page is busy, or a navigation is on) is asked for again. */
const PATIENCE_MS = 1_000;
const RETRY_MS = 100;
/** What was in the pipeline when masks changed may come this much later. */
const MASK_MARGIN_MS = 150;
/** Frames come a little before their time at any rate; only clearly early ones are for somebody else. */
const EARLY = 0.8;

export interface Frame {
  jpeg: Buffer;
  /** When it was drawn: milliseconds since the epoch. */
  wallTimeMs: number;
  /** The same on the monotonic clock of this process. */
  monotonicMs: number;
}

export interface Subscriber {
  /** Most frames per second it wants; the capture runs at the highest rate that anybody wants. */
  fps: number;
  /** Every frame that the page draws, as it comes: for a person who watches. Costs what a running screencast costs. */
  live?: true;
  /**
   * `taken`: of a live frame, to be called when there is use for another. Until then the browser is given a
   * moment's rest: no frame is coded that nobody would see.
   */
  onFrame(frame: Frame, taken: () => void): void;
}

/**
 * ONE capture of the page in use, shared by all who want frames: flight recorder, video, live view.
 *
 * It starts the browser's screencast for one frame at a time. A screencast that is left running copies
 * every frame the page draws, whatever is then done with it: 5 to 15 % of a run's time, against nothing
 * measurable for single frames at 5 a second. Limiting its rate by acknowledging late, or by
 * `everyNthFrame`, saves little and loses the last frame of a burst, so that a page which has come to rest
 * is shown as it was before. A single frame always shows what is in view now; one that equals the last is
 * not passed on.
 *
 * Only while a live subscriber is there the screencast runs on, at the pace of who watches: a frame is
 * acknowledged when it is taken, or soon after. When the browser may have skipped one meanwhile and none
 * follows, what is in view is asked for, so that the last of a burst is shown as every other.
 */
export class Screencast {
  readonly #log: Logger;
  readonly #subscribers = new Map<Subscriber, { lastMs: number; left: Frame | undefined }>();
  #probe: PageProbe | undefined;
  #session: CDPSession | undefined;
  #last: Frame | undefined;
  /** The quality is another then: {@link #last} equals no frame of the other kind. */
  #isLastLive = false;
  #timer: NodeJS.Timeout | undefined;
  #restMs = 0;
  /** The frame that was asked for is older than one that is here already. */
  #overtaken = false;
  #isLive = false;
  #liveMs = FIRST_LIVE_MS;
  /** Acknowledge frames that came while live and are not acknowledged yet. */
  readonly #untaken = new Set<() => void>();
  #isPrivate = false;
  #dropped = 0;
  #frames = 0;

  constructor(options: { log: Logger }) {
    this.#log = options.log;
  }

  /** The newest frame of the present page. */
  get last(): Frame | undefined {
    return this.#isPrivate ? undefined : this.#last;
  }

  /** `frames`: passed on; `dropped`: not used because masks were not in place yet. */
  get stats(): { frames: number; dropped: number } {
    return { frames: this.#frames, dropped: this.#dropped };
  }

  /** Returns a function that unsubscribes. A late subscriber gets the last frame at once. */
  subscribe(subscriber: Subscriber): () => void {
    // To the first who watches live the last frame would be an old one. A new one comes soon, or is the same
    // as the last that was captured live: then it is that one.
    const isOld = subscriber.live === true && this.#probe !== undefined && !(this.#session && this.#isLive);
    const left = isOld && this.#isLastLive ? this.#last : undefined;
    this.#subscribers.set(subscriber, { lastMs: 0, left });
    if (this.#last && this.#isFor(subscriber) && !isOld) this.#hand(subscriber, this.#last);
    this.#restMs = 0;
    if (this.#subscribers.size === 1) this.#start();
    else this.#suitAll();
    return () => {
      if (!this.#subscribers.delete(subscriber)) return;
      if (this.#subscribers.size === 0) this.#stop();
      else this.#suitAll();
    };
  }

  /** Goes on with another page; null: with none. */
  follow(probe: PageProbe | null): void {
    if (this.#probe === probe) return;
    this.#stop();
    this.forget();
    this.#probe = probe ?? undefined;
    if (this.#subscribers.size > 0) this.#start();
  }

  /** Something is to be hidden from now on: the last frame may show it. Frames without masks are dropped. */
  forget(): void {
    this.#last = undefined;
    for (const state of this.#subscribers.values()) state.left = undefined;
  }

  /** A person acts in the page: until they are done, only who watches live sees it. */
  keepPrivate(isPrivate: boolean): void {
    this.#isPrivate = isPrivate;
    this.forget();
    if (this.#isLive) this.#restart();
  }

  /** A picture of the whole viewport that was captured by other means: nothing is captured twice. */
  offer(frame: Frame): void {
    this.#deliver(frame);
    if (!this.#session || this.#isLive) return;
    this.#overtaken = true;
    stopCapture(this.#session);
    this.#after(this.#intervalMs(), () => this.#request());
  }

  close(): void {
    this.#subscribers.clear();
    this.#stop();
    this.#probe = undefined;
    this.#last = undefined;
  }

  #start(): void {
    const probe = this.#probe;
    if (!probe) return;
    this.#session = probe.session;
    this.#isLive = this.#wantsLive();
    this.#liveMs = FIRST_LIVE_MS;
    this.#session.on('Page.screencastFrame', this.#onFrame);
    this.#request();
  }

  #stop(): void {
    const session = this.#session;
    if (!session) return;
    this.#session = undefined;
    this.#untaken.clear();
    clearTimeout(this.#timer);
    session.off('Page.screencastFrame', this.#onFrame);
    stopCapture(session);
  }

  #isFor({ live }: Subscriber): boolean {
    return live === true || !this.#isPrivate;
  }

  #wantsLive(): boolean {
    return [...this.#subscribers.keys()].some(({ live }) => live === true);
  }

  /** The first live subscriber has come, or the last has gone. */
  #suitAll(): void {
    if (!this.#session || this.#isLive === this.#wantsLive()) return;
    this.#stop();
    this.#start();
  }

  #restart(): void {
    if (this.#session) stopCapture(this.#session);
    this.#request();
  }

  #intervalMs(): number {
    return 1000 / Math.max(1, ...[...this.#subscribers.keys()].map(({ fps }) => fps));
  }

  #after(ms: number, next: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(next, ms);
    this.#timer.unref();
  }

  #request(): void {
    const session = this.#session;
    if (!session) return;
    this.#overtaken = false;
    // The browser counts anew.
    this.#untaken.clear();
    this.#after(this.#isLive ? this.#liveMs : PATIENCE_MS, () => this.#restart());
    this.#liveMs = Math.min(LIVE_PATIENCE_MS, this.#liveMs * 2);
    const limits = {
      format: 'jpeg',
      quality: this.#isLive ? LIVE_QUALITY : QUALITY,
      maxWidth: MAX_SIDE_PX,
      maxHeight: MAX_SIDE_PX,
    } as const;
    session.send('Page.startScreencast', limits).catch(() => {
      // Refused while a navigation swaps documents.
      if (this.#session === session) this.#after(RETRY_MS, () => this.#request());
    });
  }

  readonly #onFrame = (event: FrameEvent): void => {
    const session = this.#session;
    if (!session || this.#overtaken) return;
    const taken = this.#isLive ? this.#held(session, event) : () => {};
    if (!this.#isLive) stopCapture(session);
    const frame = this.#use(event);
    if (frame) this.#deliver(frame, taken);
    else taken();
  };

  /** Null: not to be passed on. */
  #use(event: FrameEvent): Frame | null {
    const jpeg = Buffer.from(event.data, 'base64');
    const isSame = this.#last?.jpeg.equals(jpeg) === true;
    this.#expectNext(isSame);
    if (isSame) {
      this.#flush();
      return null;
    }
    const wallTimeMs = event.metadata.timestamp ? event.metadata.timestamp * 1000 : Date.now();
    if (this.#lacksMasks(wallTimeMs)) {
      this.#dropped += 1;
      // A page at rest would not be drawn again by itself.
      if (this.#isLive) this.#after(MASK_MARGIN_MS, () => this.#restart());
      return null;
    }
    // A picture that was asked for meanwhile shows more.
    if (this.#isLive && this.#last && wallTimeMs < this.#last.wallTimeMs) return null;
    return { jpeg, wallTimeMs, monotonicMs: performance.now() - Math.max(0, Date.now() - wallTimeMs) };
  }

  /** @returns acknowledges the frame, once; done by itself after {@link UNTAKEN_MS} */
  #held(session: CDPSession, { sessionId }: FrameEvent): () => void {
    const acknowledge = (): void => {
      if (!this.#untaken.delete(acknowledge)) return;
      clearTimeout(timer);
      // Sent as the page may be going: then nobody waits for it.
      session.send('Page.screencastFrameAck', { sessionId }).catch(() => {});
    };
    const timer = setTimeout(acknowledge, UNTAKEN_MS);
    timer.unref();
    this.#untaken.add(acknowledge);
    return acknowledge;
  }

  #expectNext(isSame: boolean): void {
    if (this.#isLive) {
      const maySkip = this.#untaken.size >= MAX_UNACKNOWLEDGED;
      this.#after(maySkip ? SKIPPED_MS : LIVE_PATIENCE_MS, () => this.#restart());
      return;
    }
    const intervalMs = this.#intervalMs();
    this.#restMs = isSame ? Math.min(MAX_REST_MS, Math.max(intervalMs, this.#restMs) * REST_FACTOR) : 0;
    this.#after(Math.max(intervalMs, this.#restMs), () => this.#request());
  }

  #lacksMasks(wallTimeMs: number): boolean {
    const probe = this.#probe;
    return probe !== undefined && (probe.settling || wallTimeMs < probe.settledAtMs + MASK_MARGIN_MS);
  }

  #deliver(frame: Frame, taken: () => void = () => {}): void {
    this.#frames += 1;
    this.#last = frame;
    this.#isLastLive = this.#isLive;
    let isWatched = false;
    for (const [subscriber, state] of this.#subscribers) {
      if (!this.#isFor(subscriber)) continue;
      // A subscriber that wants few frames is not sent those meant for one that wants many, but the last.
      const early = frame.wallTimeMs - state.lastMs < (1000 / subscriber.fps) * EARLY;
      if (early && this.#subscribers.size > 1) state.left = frame;
      else {
        isWatched ||= subscriber.live === true;
        this.#hand(subscriber, frame, taken);
      }
    }
    if (!isWatched) taken();
  }

  /** The page has come to rest: whoever was spared the last frame gets it. */
  #flush(): void {
    for (const [subscriber, { left }] of this.#subscribers) if (left) this.#hand(subscriber, left);
  }

  #hand(subscriber: Subscriber, frame: Frame, taken: () => void = () => {}): void {
    this.#subscribers.set(subscriber, { lastMs: frame.wallTimeMs, left: undefined });
    try {
      subscriber.onFrame(frame, taken);
    } catch (thrown) {
      this.#log.warn({ err: thrown }, 'a receiver of frames failed');
    }
  }
}

interface FrameEvent {
  data: string;
  metadata: { timestamp?: number };
  /** Of this frame, for its acknowledgement. */
  sessionId: number;
}

function stopCapture(session: CDPSession): void {
  // The page may be gone: then there is nothing to stop.
  session.send('Page.stopScreencast').catch(() => {});
}
