import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FFMPEG, ffmpeg, noiseJpeg, plainJpeg, videoFrames } from '../../test/support/pictures.ts';
import { Encoder } from './encoder.ts';
import { fitPicture } from './fit-picture.ts';
import { jpegSize } from './jpeg-size.ts';
import type { Frame } from './screencast.ts';
import { encodeClip, VideoRecorder } from './video.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'video-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Remembers which processes were put on record, and that all were struck off. */
function registry() {
  const running = new Set<number>();
  let seen = 0;
  return {
    add: (pid: number) => {
      running.add(pid);
      seen += 1;
    },
    remove: (pid: number) => running.delete(pid),
    running,
    seen: () => seen,
  };
}

function program(script: string): string {
  const path = join(folder, 'fake-ffmpeg');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

function options(more: object = {}) {
  return {
    ffmpeg: FFMPEG,
    output: join(folder, 'deep', 'out.webm'),
    bitrateKbps: 300,
    crf: 30,
    maxSide: 1280,
    ...more,
  };
}

async function durationMs(path: string): Promise<number> {
  const frames = await ffmpeg(['-i', path, '-f', 'framemd5', '-vsync', '0', '-an', 'pipe:1']);
  const lines = frames
    .toString()
    .split('\n')
    .filter((line) => /^\d/.test(line));
  const timeBase = /#tb 0: (\d+)\/(\d+)/.exec(frames.toString())!;
  return (Number(lines.at(-1)!.split(',')[2]) * Number(timeBase[1]) * 1000) / Number(timeBase[2]);
}

describe('Encoder', () => {
  test('each picture is shown from its time on, and the last one until the end', async () => {
    const processes = registry();
    const encoder = new Encoder(options({ processes }));
    const [black, white] = await Promise.all([plainJpeg('black'), plainJpeg('white')]);
    encoder.write(black, 1_000_000);
    encoder.write(white, 1_002_000);
    expect(processes.running.size).toBe(1);
    const result = await encoder.finish({ endMs: 1_005_000, timeoutMs: 20_000 });
    expect(result).toMatchObject({ ok: true, frames: 3, droppedFrames: 0 });
    const output = join(folder, 'deep', 'out.webm');
    expect(statSync(output).size).toBe(result.ok ? result.sizeBytes : 0);
    const frames = await videoFrames(output, { width: 64, height: 48 });
    expect(frames.map((frame) => Math.round(frame.at(30, 20) / 255))).toEqual([0, 1, 1]);
    expect(await durationMs(output)).toBeCloseTo(5000, -2);
    expect(processes.running.size).toBe(0);
    expect(processes.seen()).toBe(1);
  });

  test('times that go back or stand still are put in order', async () => {
    const encoder = new Encoder(options());
    const jpeg = await plainJpeg('gray');
    for (const at of [100, 50, 50, 200]) encoder.write(jpeg, at);
    expect(await encoder.finish({ endMs: 150, timeoutMs: 20_000 })).toMatchObject({ ok: true, frames: 4 });
  });

  test('a page of another size is fitted in, and a large one scaled down', async () => {
    const encoder = new Encoder(options({ maxSide: 50 }));
    encoder.write(await plainJpeg('white', '101x61'), 0);
    encoder.write(await plainJpeg('white', '40x80'), 100);
    expect(await encoder.finish({ endMs: 200, timeoutMs: 20_000 })).toMatchObject({ ok: true });
    const png = await ffmpeg([
      '-i',
      join(folder, 'deep', 'out.webm'),
      '-frames:v',
      '1',
      '-f',
      'mjpeg',
      'pipe:1',
    ]);
    expect(jpegSize(png)).toEqual({ width: 50, height: 30 });
  });

  test('a machine that cannot keep up loses pictures, never memory, and says how many', async () => {
    const slow = program(`sleep 0.3; exec "${FFMPEG}" "$@"`);
    const encoder = new Encoder(options({ maxWaiting: 3, ffmpeg: slow }));
    const jpeg = await noiseJpeg('640x480');
    for (let at = 0; at < 10; at += 1) encoder.write(jpeg, at * 10);
    const result = await encoder.finish({ endMs: 100, timeoutMs: 20_000 });
    expect(result).toMatchObject({ ok: true });
    expect(result.ok && result.droppedFrames).toBeGreaterThan(3);
  });

  test('much at once is written as fast as ffmpeg takes it', async () => {
    const encoder = new Encoder(options());
    const jpeg = await noiseJpeg('320x240');
    for (let at = 0; at < 60; at += 1) encoder.write(jpeg, at * 100);
    expect(await encoder.finish({ endMs: 7000, timeoutMs: 40_000 })).toMatchObject({ ok: true, frames: 61 });
  });

  test('nothing drawn is no video', async () => {
    expect(await new Encoder(options()).finish({ endMs: 1, timeoutMs: 1 })).toEqual({
      ok: false,
      reason: 'nothing was drawn',
    });
  });

  test('what is no JPEG starts nothing', async () => {
    const encoder = new Encoder(options());
    encoder.write(Buffer.from('no picture'), 0);
    encoder.write(await plainJpeg('gray'), 0);
    expect(await encoder.finish({ endMs: 1, timeoutMs: 1000 })).toEqual({
      ok: false,
      reason: 'the first picture is no JPEG',
    });
  });

  test('an ffmpeg that is not there is said by name', async () => {
    const missing = join(folder, 'missing');
    const encoder = new Encoder(options({ ffmpeg: missing }));
    encoder.write(await plainJpeg('gray'), 0);
    const result = await encoder.finish({ endMs: 1, timeoutMs: 5000 });
    expect(result).toMatchObject({ ok: false });
    expect(!result.ok && result.reason).toContain(missing);
  });

  test('an ffmpeg that fails is quoted', async () => {
    const processes = registry();
    const encoder = new Encoder(
      options({ ffmpeg: program('echo "Unknown encoder" >&2; exit 3'), processes }),
    );
    encoder.write(await plainJpeg('gray'), 0);
    expect(await encoder.finish({ endMs: 1, timeoutMs: 5000 })).toEqual({
      ok: false,
      reason: 'ffmpeg ended with 3: Unknown encoder',
    });
    expect(processes.running.size).toBe(0);
  });

  test('an ffmpeg that says nothing and writes nothing made no video', async () => {
    const encoder = new Encoder(options({ ffmpeg: program('exec cat >/dev/null') }));
    encoder.write(await plainJpeg('gray'), 0);
    expect(await encoder.finish({ endMs: 1, timeoutMs: 5000 })).toEqual({
      ok: false,
      reason: 'ffmpeg wrote no file',
    });
  });

  test('an ffmpeg that never ends is ended', async () => {
    const processes = registry();
    const encoder = new Encoder(options({ ffmpeg: program('exec sleep 600'), processes }));
    encoder.write(await plainJpeg('gray'), 0);
    expect(await encoder.finish({ endMs: 1, timeoutMs: 200 })).toEqual({
      ok: false,
      reason: 'ffmpeg did not finish within 200 ms',
    });
    expect(processes.running.size).toBe(0);
  });

  test('an aborted one leaves no process, and takes no more pictures', async () => {
    const processes = registry();
    const encoder = new Encoder(options({ ffmpeg: program('exec sleep 600'), processes }));
    const jpeg = await plainJpeg('gray');
    encoder.write(jpeg, 0);
    await encoder.abort();
    expect(processes.running.size).toBe(0);
    encoder.write(jpeg, 1);
    expect(await encoder.finish({ endMs: 1, timeoutMs: 200 })).toEqual({ ok: false, reason: 'aborted' });
  });
});

describe('VideoRecorder', () => {
  test('encodes while the run goes on', async () => {
    const processes = registry();
    const video = new VideoRecorder({ ffmpeg: FFMPEG, output: join(folder, 'video.webm'), processes });
    const jpeg = await plainJpeg('white');
    video.onFrame({ jpeg, wallTimeMs: 5000, monotonicMs: 0 });
    expect(processes.running.size).toBe(1);
    expect(await video.finish(6000)).toMatchObject({ ok: true, frames: 2 });
    const other = new VideoRecorder({ ffmpeg: FFMPEG, output: join(folder, 'other.webm') });
    await other.abort();
    other.onFrame({ jpeg, wallTimeMs: 5000, monotonicMs: 0 });
    expect(existsSync(join(folder, 'other.webm'))).toBe(false);
  });
});

describe('encodeClip', () => {
  const at = (jpeg: Buffer, wallTimeMs: number): Frame => ({ jpeg, wallTimeMs, monotonicMs: 0 });

  test('thirty seconds in which everything moves stay below 600 kB', async () => {
    const noise = await Promise.all([1, 2, 3].map((seed) => noiseJpeg('800x600', seed)));
    const frames = Array.from({ length: 90 }, (_, index) => at(noise[index % 3]!, index * 333));
    const output = join(folder, 'clip.webm');
    const result = await encodeClip(frames, 30_000, { ffmpeg: FFMPEG, output });
    if (result.ok) {
      expect(result.sizeBytes).toBeLessThanOrEqual(600_000);
      expect(statSync(output).size).toBe(result.sizeBytes);
    } else {
      // Noise is the worst there is; then there is no clip, and its reason is told.
      expect(result.reason).toContain('stay above 600000 bytes');
      expect(existsSync(output)).toBe(false);
    }
  });

  test('what cannot be made small enough is left out, with the reason', async () => {
    const output = join(folder, 'clip.webm');
    const jpeg = await noiseJpeg('320x240');
    const clip = await encodeClip([at(jpeg, 0)], 1000, { ffmpeg: FFMPEG, output, maxBytes: 100 });
    expect(clip).toEqual({ ok: false, reason: 'the last seconds stay above 100 bytes even when shrunk' });
    expect(existsSync(output)).toBe(false);
  });

  test('without frames there is no clip', async () => {
    expect(await encodeClip([], 0, { ffmpeg: FFMPEG, output: join(folder, 'x.webm') })).toEqual({
      ok: false,
      reason: 'nothing was drawn',
    });
  });
});

describe('fitPicture', () => {
  test('a picture that is small enough stays byte for byte', async () => {
    const jpeg = await plainJpeg('white');
    expect(await fitPicture(jpeg, { ffmpeg: FFMPEG, maxBytes: 100_000 })).toBe(jpeg);
  });

  test('a larger one is made to fit, and no process is left', async () => {
    const processes = registry();
    const jpeg = await noiseJpeg('800x600');
    const maxBytes = Math.round(jpeg.length / 3);
    const fitted = await fitPicture(jpeg, { ffmpeg: FFMPEG, maxBytes, processes });
    expect(fitted.length).toBeLessThanOrEqual(maxBytes);
    expect(jpegSize(fitted)).not.toBeNull();
    expect(processes.running.size).toBe(0);
    expect(processes.seen()).toBeGreaterThan(0);
  });

  test('what cannot fit comes as small as it gets; without ffmpeg, or with a broken one, as it is', async () => {
    const jpeg = await noiseJpeg('320x240');
    const smallest = await fitPicture(jpeg, { ffmpeg: FFMPEG, maxBytes: 10 });
    expect(smallest.length).toBeLessThan(jpeg.length);
    expect(await fitPicture(jpeg, { ffmpeg: null, maxBytes: 10 })).toBe(jpeg);
    expect(await fitPicture(jpeg, { ffmpeg: join(folder, 'missing'), maxBytes: 10 })).toBe(jpeg);
    expect(await fitPicture(jpeg, { ffmpeg: program('exit 1'), maxBytes: 10 })).toBe(jpeg);
  });
});
