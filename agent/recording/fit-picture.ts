import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { ProcessRegistry } from './types.ts';

/** At INFO a run may upload 0.6 MB: no single picture takes more than a sixth of it. */
export const INFO_PICTURE_BYTES = 100_000;
/** JPEG scales of ffmpeg (2 best … 31 worst), and how much the picture is scaled down. */
const ATTEMPTS = [
  { quality: 9, scale: 1 },
  { quality: 14, scale: 0.8 },
  { quality: 20, scale: 0.6 },
] as const;
const TIMEOUT_MS = 10_000;

/**
 * A JPEG that is larger than it may be, made smaller; the smallest that was reached if nothing fits. It
 * happens beside the run, at low priority. Without ffmpeg the picture stays as it is.
 */
export async function fitPicture(
  jpeg: Buffer,
  options: { ffmpeg: string | null; maxBytes: number; processes?: ProcessRegistry },
): Promise<Buffer> {
  if (jpeg.length <= options.maxBytes || options.ffmpeg === null) return jpeg;
  let best = jpeg;
  for (const { quality, scale } of ATTEMPTS) {
    const smaller = await recode(options.ffmpeg, jpeg, quality, scale, options.processes);
    if (smaller && smaller.length > 0 && smaller.length < best.length) best = smaller;
    if (best.length <= options.maxBytes) break;
  }
  return best;
}

function recode(
  ffmpeg: string,
  jpeg: Buffer,
  quality: number,
  scale: number,
  processes: ProcessRegistry | undefined,
): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const args = [
      '-loglevel',
      'error',
      '-f',
      'image2pipe',
      '-c:v',
      'mjpeg',
      '-i',
      'pipe:0',
      '-frames:v',
      '1',
    ];
    args.push(
      '-vf',
      `scale=trunc(iw*${scale}/2)*2:-2`,
      '-q:v',
      String(quality),
      '-f',
      'image2pipe',
      '-c:v',
      'mjpeg',
      'pipe:1',
    );
    const child = spawn(ffmpeg, args, {
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
      timeout: TIMEOUT_MS,
    });
    const pid = child.pid;
    if (pid !== undefined) {
      processes?.add(pid, 'ffmpeg');
      try {
        setPriority(pid, constants.priority.PRIORITY_LOW);
      } catch {
        // Ended already.
      }
    }
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.stdin.on('error', () => {});
    child.once('error', () => resolve(null));
    child.once('close', (code) => {
      if (pid !== undefined) processes?.remove(pid);
      resolve(code === 0 ? Buffer.concat(parts) : null);
    });
    child.stdin.end(jpeg);
  });
}
