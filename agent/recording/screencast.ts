import type { CDPSession } from 'playwright';
import { drop } from '../base/drop.ts';
import type { Logger } from '../base/log.ts';
import type { PageProbe } from './page-probe.ts';

/** Frames wider or higher than this are scaled down by the browser: storage, and nothing is read better. */
const MAX_WIDTH = 1280;
const MAX_HEIGHT = 1280;
/** JPEG quality: text stays legible, at half the size of 90. */
const QUALITY = 60;
/** After a pause in drawing, one more frame is asked for: the last one before it may have been left out. */
const TRAILING_MS = 150;
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
  onFrame(frame: Frame): void;
}

/**
 * ONE capture of the page in use, shared by all who want frames: flight recorder, video, live view. Frames
 * come only when something is drawn, one at a time: the browser sends the next one after the last was
 * acknowledged, so the rate of acknowledging is the frame rate, and nothing is captured to be thrown away.
 *
 * Playwright's own `page.screencast` starts the same capture, but keeps five frames in flight whatever
 * `fps` says and then loses the last one of a burst, so a page that comes to rest would be shown as it was
 * before. Here one frame is in flight, and after each burst one frame more is asked for.
 */
export class Screencast {
  readonly #log: Logger;
  readonly #subscribers = new Map<Subscriber, { lastMs: number; left: Frame | undefined }>();
  #probe: PageProbe | undefined;
  #session: CDPSession | undefined;
  #last: Frame | undefined;
  #trailing: NodeJS.Timeout | undefined;
  #ack: NodeJS.Timeout | undefined;
  #refreshing = false;
  /** Frames drawn before this are dropped: masks were not in place yet. */
  #notBeforeMs = 0;
  #dropped = 0;
  #frames = 0;

  constructor(options: { log: Logger }) {
    this.#log = options.log;
  }

  /** The newest frame of the present page. */
  get last(): Frame | undefined {
    return this.#last;
  }

  get stats(): { frames: number; dropped: number } {
    return { frames: this.#frames, dropped: this.#dropped };
  }

  /** Returns a function that unsubscribes. A late subscriber gets the last frame at once. */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.set(subscriber, { lastMs: 0, left: undefined });
    if (this.#last) subscriber.onFrame(this.#last);
    if (this.#subscribers.size === 1) this.#start();
    return () => {
      if (this.#subscribers.delete(subscriber) && this.#subscribers.size === 0) this.#stop();
    };
  }

  /** Goes on with another page; null: with none. */
  follow(probe: PageProbe | null): void {
    if (this.#probe === probe) return;
    this.#stop();
    this.#last = undefined;
    this.#probe = probe ?? undefined;
    if (this.#subscribers.size > 0) this.#start();
  }

  /** Frames drawn until the masks of the page are in place are dropped. */
  holdForMasks(): void {
    this.#last = undefined;
    this.#notBeforeMs = Number.POSITIVE_INFINITY;
    const probe = this.#probe;
    if (!probe) {
      this.#notBeforeMs = 0;
      return;
    }
    drop(this.#release(probe), this.#log, 'waiting for masks');
  }

  async #release(probe: PageProbe): Promise<void> {
    await probe.settled();
    this.#notBeforeMs = Date.now() + MASK_MARGIN_MS;
    this.#restTimer(MASK_MARGIN_MS * 2);
  }

  /** A frame that was captured by other means, so that nothing is captured twice. */
  offer(frame: Frame): void {
    this.#deliver(frame);
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
    this.#session.on('Page.screencastFrame', this.#onFrame);
    this.#request();
  }

  #stop(): void {
    const session = this.#session;
    if (!session) return;
    this.#session = undefined;
    clearTimeout(this.#trailing);
    clearTimeout(this.#ack);
    session.off('Page.screencastFrame', this.#onFrame);
    this.#send(session, 'Page.stopScreencast');
  }

  /** Starts the capture, or makes a running one send what is in view now. */
  #request(): void {
    const session = this.#session;
    if (!session) return;
    const started = session.send('Page.startScreencast', {
      format: 'jpeg',
      quality: QUALITY,
      maxWidth: MAX_WIDTH,
      maxHeight: MAX_HEIGHT,
      // Newer than Playwright's type of this command; older browsers ignore it and keep two in flight.
      ...({ maxFramesInFlight: 1 } as object),
    });
    started.catch(() => {
      // Refused while a navigation swaps documents: asked again when it is over.
      if (this.#session === session) this.#restTimer(TRAILING_MS);
    });
  }

  readonly #onFrame = (event: {
    data: string;
    sessionId: number;
    metadata: { timestamp?: number };
  }): void => {
    const session = this.#session;
    if (!session) return;
    const intervalMs = 1000 / Math.max(1, ...[...this.#subscribers.keys()].map(({ fps }) => fps));
    clearTimeout(this.#ack);
    this.#ack = setTimeout(() => {
      this.#send(session, 'Page.screencastFrameAck', { sessionId: event.sessionId });
      if (!this.#refreshing) this.#restTimer(TRAILING_MS);
      this.#refreshing = false;
    }, intervalMs);
    clearTimeout(this.#trailing);
    const wallTimeMs = event.metadata.timestamp ? event.metadata.timestamp * 1000 : Date.now();
    const probe = this.#probe;
    if (wallTimeMs < this.#notBeforeMs || probe?.settling) {
      this.#dropped += 1;
      if (probe?.settling && this.#notBeforeMs !== Number.POSITIVE_INFINITY) this.holdForMasks();
      return;
    }
    this.#deliver({
      jpeg: Buffer.from(event.data, 'base64'),
      wallTimeMs,
      monotonicMs: performance.now() - Math.max(0, Date.now() - wallTimeMs),
    });
  };

  /** If nothing more is drawn for a moment, asks once for what is in view now. */
  #restTimer(afterMs: number): void {
    clearTimeout(this.#trailing);
    this.#trailing = setTimeout(() => {
      for (const [subscriber, state] of this.#subscribers) {
        if (state.left) this.#hand(subscriber, state.left);
      }
      this.#refreshing = true;
      // Only a capture that starts sends what is in view without anything being drawn.
      if (this.#session) this.#send(this.#session, 'Page.stopScreencast');
      this.#request();
    }, afterMs);
    this.#trailing.unref();
  }

  #deliver(frame: Frame): void {
    this.#frames += 1;
    this.#last = frame;
    for (const [subscriber, state] of this.#subscribers) {
      // A subscriber that wants few frames is not sent those meant for one that wants many, but the last.
      const early = frame.wallTimeMs - state.lastMs < (1000 / subscriber.fps) * EARLY;
      if (early && this.#subscribers.size > 1) state.left = frame;
      else this.#hand(subscriber, frame);
    }
  }

  #hand(subscriber: Subscriber, frame: Frame): void {
    this.#subscribers.set(subscriber, { lastMs: frame.wallTimeMs, left: undefined });
    try {
      subscriber.onFrame(frame);
    } catch (thrown) {
      this.#log.warn({ err: thrown }, 'a receiver of frames failed');
    }
  }

  #send(session: CDPSession, method: 'Page.stopScreencast'): void;
  #send(session: CDPSession, method: 'Page.screencastFrameAck', params: { sessionId: number }): void;
  #send(session: CDPSession, method: string, params?: object): void {
    // The page may be gone: then there is nothing to acknowledge or stop.
    session.send(method as 'Page.screencastFrameAck', params as { sessionId: number }).catch(() => {});
  }
}
