/**
 * Events as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). A stream
 * that is read from: as long as the client takes nothing, nothing is made.
 */
import { Readable } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { WireEvent } from '../../journal/index.ts';
import type { EventCursor } from './cursor.ts';
import type { Follower, Lost } from './feed.ts';
import { historyLost } from './shapes.ts';

/** When a client loses the connection it comes back after this, in milliseconds. */
const RETRY_MS = 2_000;
/** Made ahead of what the socket takes, in bytes. */
const AHEAD_BYTES = 16_384;
/** Who takes nothing for so long is not there any more, in milliseconds; it can go on where it was. */
const STALL_MS = 60_000;

export class EventStream extends Readable implements Follower {
  readonly #cursor: EventCursor;
  readonly #wake: (follower: Follower) => void;
  readonly #clock: Clock;
  #takes = false;
  #stalledSince: number | null = null;
  #told: number;

  constructor(options: { cursor: EventCursor; clock: Clock; wake: (follower: Follower) => void }) {
    super({ highWaterMark: AHEAD_BYTES });
    this.#cursor = options.cursor;
    this.#wake = options.wake;
    this.#clock = options.clock;
    this.#told = options.cursor.position;
    // A client that loses the connection before the first event asks for what came after this.
    this.push(`retry: ${RETRY_MS}\nid: ${this.#told}\n\n`);
  }

  override _read(): void {
    this.#takes = true;
    this.#stalledSince = null;
    this.#wake(this);
  }

  pump(): boolean {
    if (!this.#takes || this.destroyed) return false;
    const { lost, events, isMore } = this.#cursor.next();
    const frames = events.map(frameOf);
    if (lost) frames.unshift(lostFrame(lost));
    if (frames.length > 0) {
      this.#told = this.#cursor.position;
      this.#give(frames.length === 1 ? frames[0]! : Buffer.concat(frames));
    }
    return this.#takes && isMore;
  }

  beat(): void {
    if (!this.#takes) {
      const now = this.#clock.monotonic();
      this.#stalledSince ??= now;
      if (now - this.#stalledSince >= STALL_MS) this.cut();
      return;
    }
    // Without data: no event, but a client that filters also knows how far it has come.
    const { position } = this.#cursor;
    const beat = position === this.#told ? ': beat\n\n' : `: beat\nid: ${position}\n\n`;
    this.#told = position;
    this.#give(Buffer.from(beat));
  }

  end(): void {
    if (this.destroyed) return;
    if (this.#takes) this.push(null);
    else this.cut();
    this.#takes = false;
  }

  cut(): void {
    this.destroy();
  }

  #give(bytes: Buffer): void {
    this.#takes = this.push(bytes);
  }
}

const frames = new WeakMap<WireEvent, Buffer>();

/** Made once for all who get it. */
function frameOf(event: WireEvent): Buffer {
  let frame = frames.get(event);
  if (!frame) {
    // JSON has no line breaks of its own.
    frame = Buffer.from(`id: ${event.id}\nevent: ${event.type}\ndata: ${event.json}\n\n`);
    frames.set(event, frame);
  }
  return frame;
}

function lostFrame(lost: Lost): Buffer {
  const event = historyLost(lost);
  return Buffer.from(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}
