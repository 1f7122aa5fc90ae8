/**
 * The newest picture of one run for all who watch it: one slot, in which the latest wins. Frames are taken
 * only while somebody watches.
 */
import type { Frame, Subscriber } from '../recording/screencast.ts';
import { jpegSize } from './rfb/jpeg-size.ts';
import type { Rectangle } from './rfb/messages.ts';

/** More than this nobody sees, and Chromium does not draw. */
const MAX_FPS = 60;

/** The run's one screencast. */
export interface FrameSource {
  /** Returns a function that unsubscribes. A late subscriber gets the last frame at once. */
  subscribe(subscriber: Subscriber): () => void;
}

export interface LiveFrame {
  /** Counts up; a viewer knows by it what it has seen. */
  number: number;
  jpeg: Buffer;
  width: number;
  height: number;
  /** When it was drawn: milliseconds since the epoch. */
  wallTimeMs: number;
  /** RGB, three bytes a pixel, of a part of it: decoded when first asked for. */
  pixels(area: Rectangle): Promise<Buffer>;
}

export class FrameHub {
  readonly #source: FrameSource;
  readonly #listeners = new Set<() => void>();
  #latest: LiveFrame | null = null;
  #number = 0;
  #leave: (() => void) | null = null;

  constructor(source: FrameSource) {
    this.#source = source;
  }

  get latest(): LiveFrame | null {
    return this.#latest;
  }

  /** `onFrame` is called when {@link latest} is another. Returns a function to leave by. */
  join(onFrame: () => void): () => void {
    const listener = (): void => onFrame();
    this.#listeners.add(listener);
    this.#leave ??= this.#source.subscribe({
      fps: MAX_FPS,
      live: true,
      onFrame: (frame) => this.#onFrame(frame),
    });
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      this.#leave?.();
      this.#leave = null;
      // By the time somebody comes again it is old.
      this.#latest = null;
    };
  }

  #onFrame({ jpeg, wallTimeMs }: Frame): void {
    const size = jpegSize(jpeg);
    if (!size) return;
    this.#number += 1;
    this.#latest = { number: this.#number, jpeg, ...size, wallTimeMs, pixels: decoder(jpeg) };
    for (const listener of this.#listeners) listener();
  }
}

/** The native decoder is loaded only for clients that cannot take JPEG. */
function decoder(jpeg: Buffer): LiveFrame['pixels'] {
  let whole: Promise<{ data: Buffer; width: number }> | undefined;
  return async (area) => {
    whole ??= import('sharp').then(async ({ default: sharp }) => {
      const { data, info } = await sharp(jpeg).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      return { data, width: info.width };
    });
    const { data, width } = await whole;
    if (area.x === 0 && area.width === width) {
      return data.subarray(area.y * width * 3, (area.y + area.height) * width * 3);
    }
    const rows = Array.from({ length: area.height }, (_, row) => {
      const start = ((area.y + row) * width + area.x) * 3;
      return data.subarray(start, start + area.width * 3);
    });
    return Buffer.concat(rows);
  };
}
