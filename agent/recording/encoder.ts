import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { jpegSize } from './jpeg-size.ts';
import { matroskaFrame, matroskaHeader } from './matroska.ts';
import type { ProcessRegistry } from './types.ts';

/** Pictures waiting for ffmpeg; at 5 a second this is 20 s of a machine that cannot keep up. */
const MAX_WAITING = 100;
/** What ffmpeg says on its way out; only the end is of use. */
const MAX_STDERR_CHARACTERS = 2_000;

export interface EncoderOptions {
  ffmpeg: string;
  output: string;
  /** Upper bound of the bit rate, in kbit/s. */
  bitrateKbps: number;
  /** Constant-quality figure of VP9, 0–63: higher is smaller. */
  crf: number;
  /** Longest side of the video in pixels. */
  maxSide: number;
  /** Pictures that may wait for ffmpeg; more are dropped. */
  maxWaiting?: number;
  processes?: ProcessRegistry;
}

export type EncodeResult =
  | { ok: true; sizeBytes: number; frames: number; droppedFrames: number }
  | { ok: false; reason: string };

/**
 * Pictures with times in, a WebM file out (VP9), by one ffmpeg with one thread at low priority, so that the
 * run keeps the machine. A picture lasts until the next one: a page that rests costs nothing.
 */
export class Encoder {
  readonly #options: EncoderOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<{ code: number | null; stderr: string }> | undefined;
  #waiting: Buffer[] = [];
  #writing = false;
  #startMs = 0;
  #lastMs = -1;
  #last: Buffer | undefined;
  #frames = 0;
  #dropped = 0;
  #broken: string | undefined;
  #idle: Promise<void> = Promise.resolve();

  constructor(options: EncoderOptions) {
    this.#options = options;
  }

  /** Times must not go back; one that does is moved to just after the one before. */
  write(jpeg: Buffer, timeMs: number): void {
    if (this.#broken !== undefined) return;
    if (!this.#exited && !this.#start(jpeg, timeMs)) return;
    const at = Math.max(Math.round(timeMs - this.#startMs), this.#lastMs + 1);
    this.#last = jpeg;
    if (this.#waiting.length >= (this.#options.maxWaiting ?? MAX_WAITING)) {
      this.#dropped += 1;
      return;
    }
    this.#lastMs = at;
    this.#frames += 1;
    this.#waiting.push(matroskaFrame(at, jpeg));
    void this.#pump();
  }

  /** `endMs`: until then the last picture was seen. */
  async finish(options: { endMs: number; timeoutMs: number }): Promise<EncodeResult> {
    const exited = this.#exited;
    if (!exited || !this.#last) return { ok: false, reason: this.#broken ?? 'nothing was drawn' };
    const endMs = options.endMs - this.#startMs;
    if (endMs > this.#lastMs) this.write(this.#last, options.endMs);
    const timer = setTimeout(() => {
      this.#broken ??= `ffmpeg did not finish within ${options.timeoutMs} ms`;
      this.#child?.kill('SIGKILL');
    }, options.timeoutMs);
    try {
      await this.#pump();
      this.#child?.stdin?.end();
      const { code, stderr } = await exited;
      if (this.#broken !== undefined) return { ok: false, reason: this.#broken };
      if (code !== 0) return { ok: false, reason: `ffmpeg ended with ${code}: ${stderr.trim()}` };
      const written = await stat(this.#options.output).catch(() => null);
      if (!written) return { ok: false, reason: 'ffmpeg wrote no file' };
      return { ok: true, sizeBytes: written.size, frames: this.#frames, droppedFrames: this.#dropped };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends ffmpeg at once; what it wrote is of no use. */
  async abort(): Promise<void> {
    this.#broken ??= 'aborted';
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  #start(jpeg: Buffer, timeMs: number): boolean {
    const size = jpegSize(jpeg);
    if (!size) {
      this.#broken = 'the first picture is no JPEG';
      return false;
    }
    this.#startMs = timeMs;
    this.#waiting.push(matroskaHeader(size.width, size.height));
    this.#exited = this.#run(size);
    return true;
  }

  async #run(size: { width: number; height: number }): Promise<{ code: number | null; stderr: string }> {
    mkdirSync(dirname(this.#options.output), { recursive: true });
    const child = spawn(this.#options.ffmpeg, this.#arguments(size), {
      stdio: ['pipe', 'ignore', 'pipe'],
      windowsHide: true,
    });
    this.#child = child;
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-MAX_STDERR_CHARACTERS);
    });
    // Writing to one that has ended: its exit tells more.
    child.stdin.on('error', () => {});
    const pid = child.pid;
    if (pid !== undefined) {
      this.#options.processes?.add(pid, 'ffmpeg');
      lowerPriority(pid);
    }
    void this.#pump();
    const code = await new Promise<number | null>((resolve) => {
      child.once('error', (error) => {
        this.#broken ??= `ffmpeg could not be started (${this.#options.ffmpeg}): ${error.message}`;
        resolve(null);
      });
      child.once('close', resolve);
    });
    if (pid !== undefined) this.#options.processes?.remove(pid);
    return { code, stderr };
  }

  #arguments(size: { width: number; height: number }): string[] {
    const { bitrateKbps, crf, maxSide, output } = this.#options;
    const scale = Math.min(1, maxSide / Math.max(size.width, size.height));
    const width = Math.max(2, Math.floor((size.width * scale) / 2) * 2);
    const height = Math.max(2, Math.floor((size.height * scale) / 2) * 2);
    return [
      ['-hide_banner', '-loglevel', 'error', '-threads', '1'],
      ['-f', 'matroska', '-probesize', '32', '-analyzeduration', '0', '-i', 'pipe:0'],
      // A page of another size is fitted in.
      ['-vf', `scale=${width}:${height}:force_original_aspect_ratio=decrease,pad=${width}:${height}:0:0`],
      ['-an', '-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-threads', '1'],
      ['-lag-in-frames', '0', '-crf', String(crf), '-b:v', `${bitrateKbps}k`, '-pix_fmt', 'yuv420p'],
      ['-y', output],
    ].flat();
  }

  async #pump(): Promise<void> {
    if (this.#writing) {
      await this.#idle;
      return;
    }
    const stdin = this.#child?.stdin;
    if (!stdin) return;
    this.#writing = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle = promise;
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
        if (stdin.destroyed) break;
        if (!stdin.write(next)) await drained(stdin);
      }
    } finally {
      this.#writing = false;
      resolve();
    }
  }
}

/** Resolves also when the reader has gone. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It ended already, or the system does not allow it: then it runs as it is.
  }
}
