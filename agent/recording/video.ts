import { rm } from 'node:fs/promises';
import { Encoder, type EncodeResult } from './encoder.ts';
import type { Frame, Subscriber } from './screencast.ts';
import type { ProcessRegistry } from './types.ts';

/** Enough to see what was done; a page at rest has none at all. */
export const VIDEO_FPS = 5;
/** At worst (everything moving) five minutes are 15 MB. */
const VIDEO_BITRATE_KBPS = 400;
const VIDEO_CRF = 34;
const VIDEO_MAX_SIDE = 1280;
const FINISH_TIMEOUT_MS = 60_000;

/** 30 s at this rate are 490 kB. */
const CLIP_BITRATE_KBPS = 130;
const CLIP_CRF = 38;
const CLIP_MAX_SIDE = 1024;
export const MAX_CLIP_BYTES = 600_000;
const CLIP_TIMEOUT_MS = 20_000;

interface VideoOptions {
  ffmpeg: string;
  output: string;
  processes?: ProcessRegistry;
}

/** The whole run as one video. */
export class VideoRecorder implements Subscriber {
  readonly fps = VIDEO_FPS;
  readonly #encoder: Encoder;

  constructor(options: VideoOptions) {
    this.#encoder = new Encoder({
      ...options,
      bitrateKbps: VIDEO_BITRATE_KBPS,
      crf: VIDEO_CRF,
      maxSide: VIDEO_MAX_SIDE,
    });
  }

  onFrame(frame: Frame): void {
    this.#encoder.write(frame.jpeg, frame.wallTimeMs);
  }

  /** `nowMs`: until then the last frame was seen. */
  async finish(nowMs: number): Promise<EncodeResult> {
    return this.#encoder.finish({ endMs: nowMs, timeoutMs: FINISH_TIMEOUT_MS });
  }

  async abort(): Promise<void> {
    await this.#encoder.abort();
  }
}

/** The flight recorder's frames as a short video that stays below {@link MAX_CLIP_BYTES}. */
export async function encodeClip(
  frames: readonly Frame[],
  nowMs: number,
  options: VideoOptions & { maxBytes?: number },
): Promise<EncodeResult> {
  const { maxBytes = MAX_CLIP_BYTES, ...rest } = options;
  let result: EncodeResult = { ok: false, reason: 'nothing was drawn' };
  for (const shrink of [1, 0.45]) {
    const encoder = new Encoder({
      ...rest,
      bitrateKbps: Math.round(CLIP_BITRATE_KBPS * shrink),
      crf: CLIP_CRF,
      maxSide: Math.round(CLIP_MAX_SIDE * Math.sqrt(shrink)),
      // All of them are in memory already.
      maxWaiting: Number.POSITIVE_INFINITY,
    });
    for (const frame of frames) encoder.write(frame.jpeg, frame.wallTimeMs);
    result = await encoder.finish({ endMs: nowMs, timeoutMs: CLIP_TIMEOUT_MS });
    if (!result.ok || result.sizeBytes <= maxBytes) return result;
  }
  await rm(rest.output, { force: true });
  return { ok: false, reason: `the last seconds stay above ${maxBytes} bytes even when shrunk` };
}
