/** One frame for all who watch: what is made of it (pixels, parts) is made once, when first asked for. */
import { jpegSize } from '../recording/jpeg-size.ts';
import type { Frame } from '../recording/screencast.ts';
import { readCoded, type CodedPicture } from './jpeg/coded.ts';
import { partOf } from './jpeg/part.ts';
import type { Rectangle } from './rfb/messages.ts';

export interface LiveFrame {
  /** Counts up; a viewer knows by it what it has seen. */
  number: number;
  /** The browser's own. */
  jpeg: Buffer;
  width: number;
  height: number;
  /** When it was drawn: milliseconds since the epoch. */
  wallTimeMs: number;
  /** There is use for another: somebody has been sent this one, or nobody needs it. */
  taken: () => void;
  /** Null: of a kind that can neither be compared nor cut. */
  coded(): CodedPicture | null;
  /** A part of it, at the borders of its units, as a JPEG of exactly that size; without loss. */
  part(area: Rectangle): Buffer;
  /** RGB, three bytes a pixel, of a part of it. Decoded off the main thread; the native decoder is loaded with the first. */
  pixels(area: Rectangle): Promise<Buffer>;
}

/** Null: not a JPEG. */
export function liveFrame(
  { jpeg, wallTimeMs }: Frame,
  number: number,
  taken: () => void = () => {},
): LiveFrame | null {
  const size = jpegSize(jpeg);
  if (!size) return null;
  let coded: CodedPicture | null | undefined;
  let decoded: Promise<Buffer> | undefined;
  const parts = new Map<string, Buffer>();
  const read = (): CodedPicture | null => (coded === undefined ? (coded = readCoded(jpeg)) : coded);
  return {
    number,
    jpeg,
    ...size,
    wallTimeMs,
    taken,
    coded: read,
    part: (area) => {
      const key = `${area.x},${area.y},${area.width},${area.height}`;
      const known = parts.get(key) ?? partOf(read()!, area);
      parts.set(key, known);
      return known;
    },
    pixels: async (area) => cut(await (decoded ??= decode(jpeg)), size.width, area),
  };
}

async function decode(jpeg: Buffer): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return await sharp(jpeg, { sequentialRead: true }).removeAlpha().toColourspace('srgb').raw().toBuffer();
}

function cut(rgb: Buffer, width: number, area: Rectangle): Buffer {
  if (area.x === 0 && area.width === width) {
    return rgb.subarray(area.y * width * 3, (area.y + area.height) * width * 3);
  }
  const rowBytes = area.width * 3;
  const out = Buffer.allocUnsafe(rowBytes * area.height);
  for (let row = 0; row < area.height; row += 1) {
    const start = ((area.y + row) * width + area.x) * 3;
    rgb.copy(out, row * rowBytes, start, start + rowBytes);
  }
  return out;
}
