/** One frame for all who watch: what is made of it (pixels, parts) is made once, when first asked for. */
import type { Frame } from '../recording/screencast.ts';
import { cut, type Picture } from './changes.ts';
import { jpegSize } from './rfb/jpeg-size.ts';
import type { Rectangle } from './rfb/messages.ts';

/** A part loses next to nothing against the frame that it was cut from. Its size is headers and tables mostly. */
const PART_JPEG = { quality: 90, chromaSubsampling: '4:4:4' } as const;

export interface LiveFrame {
  /** Counts up; a viewer knows by it what it has seen. */
  number: number;
  /** The browser's own. */
  jpeg: Buffer;
  width: number;
  height: number;
  /** When it was drawn: milliseconds since the epoch. */
  wallTimeMs: number;
  /** Decoded off the main thread; the native decoder is loaded with the first. */
  picture(): Promise<Picture>;
  /** RGB, three bytes a pixel, of a part of it. */
  pixels(area: Rectangle): Promise<Buffer>;
  /** A part of it as a JPEG of exactly that size. */
  part(area: Rectangle): Promise<Buffer>;
}

/** Null: not a JPEG. */
export function liveFrame({ jpeg, wallTimeMs }: Frame, number: number): LiveFrame | null {
  const size = jpegSize(jpeg);
  if (!size) return null;
  let decoded: Promise<Picture> | undefined;
  const parts = new Map<string, Promise<Buffer>>();
  const picture = (): Promise<Picture> => (decoded ??= decode(jpeg));
  const pixels = async (area: Rectangle): Promise<Buffer> => cut(await picture(), area);
  return {
    number,
    jpeg,
    ...size,
    wallTimeMs,
    picture,
    pixels,
    part: (area) => {
      const key = `${area.x},${area.y},${area.width},${area.height}`;
      const known = parts.get(key) ?? pixels(area).then((rgb) => encode(rgb, area));
      parts.set(key, known);
      return known;
    },
  };
}

async function decode(jpeg: Buffer): Promise<Picture> {
  const { default: sharp } = await import('sharp');
  const { data, info } = await sharp(jpeg, { sequentialRead: true })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { rgb: data, width: info.width, height: info.height };
}

async function encode(rgb: Buffer, { width, height }: Rectangle): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg(PART_JPEG)
    .toBuffer();
}
