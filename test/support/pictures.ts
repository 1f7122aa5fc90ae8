import { spawn } from 'node:child_process';
import { findFfmpeg } from '../../agent/recording/ffmpeg.ts';

export const FFMPEG = findFfmpeg() ?? 'ffmpeg';

/** Runs ffmpeg with `input` on its standard input; what it writes to standard output. */
export async function ffmpeg(args: readonly string[], input?: Buffer): Promise<Buffer> {
  const child = spawn(FFMPEG, ['-v', 'error', '-nostdin', ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  const code = await new Promise((resolve) => {
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`ffmpeg ${args.join(' ')} ended with ${String(code)}`);
  return Buffer.concat(parts);
}

/** A JPEG of one colour. */
export function plainJpeg(color: string, size = '64x48'): Promise<Buffer> {
  return ffmpeg(['-f', 'lavfi', '-i', `color=${color}:s=${size}`, '-frames:v', '1', '-f', 'mjpeg', 'pipe:1']);
}

/** A JPEG that does not pack well. */
export function noiseJpeg(size: string, seed = 1): Promise<Buffer> {
  const source = `nullsrc=s=${size},geq=random(${seed})*255:128:128`;
  return ffmpeg(['-f', 'lavfi', '-i', source, '-frames:v', '1', '-q:v', '2', '-f', 'mjpeg', 'pipe:1']);
}

export interface Pixels {
  width: number;
  height: number;
  /** Brightness from 0 (black) to 255 (white). */
  at(x: number, y: number): number;
  /** How many pixels of a box are darker than `below`. */
  dark(box: { x: number; y: number; width: number; height: number }, below?: number): number;
}

/** The picture's pixels in grey. */
export async function pixelsOf(picture: Buffer, size: { width: number; height: number }): Promise<Pixels> {
  const { width, height } = size;
  const scale = `scale=${width}:${height}`;
  const grey = await ffmpeg(
    ['-i', 'pipe:0', '-frames:v', '1', '-vf', scale, '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'],
    picture,
  );
  return pixelsFrom(grey, width, height);
}

/** Every frame of a video file, in grey. */
export async function videoFrames(path: string, size: { width: number; height: number }): Promise<Pixels[]> {
  const { width, height } = size;
  const scale = `scale=${width}:${height}`;
  const grey = await ffmpeg([
    '-i',
    path,
    '-vf',
    scale,
    '-vsync',
    '0',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'gray',
    'pipe:1',
  ]);
  const frames: Pixels[] = [];
  for (let at = 0; at + width * height <= grey.length; at += width * height) {
    frames.push(pixelsFrom(grey.subarray(at, at + width * height), width, height));
  }
  return frames;
}

function pixelsFrom(grey: Buffer, width: number, height: number): Pixels {
  const at = (x: number, y: number): number => grey[Math.round(y) * width + Math.round(x)] ?? -1;
  return {
    width,
    height,
    at,
    dark: (box, below = 128) => {
      let dark = 0;
      for (let y = Math.floor(box.y); y < box.y + box.height; y += 1) {
        for (let x = Math.floor(box.x); x < box.x + box.width; x += 1) if (at(x, y) < below) dark += 1;
      }
      return dark;
    },
  };
}
