/** Writes what an RFB server says. Pure: bytes out, nothing sent. */
import { ENCODING, SECURITY_TYPE, type PixelFormat, type Rectangle, type SecurityKind } from './messages.ts';

export const SERVER_VERSION = Buffer.from('RFB 003.008\n', 'latin1');

/** A Tight rectangle's data: 22 bits of length. */
const MAX_TIGHT_BYTES = 0x3f_ff_ff;
/** In Tight, a rectangle that is one JPEG. */
const TIGHT_JPEG = 0x90;
/** ISO 8859-1 is all that the plain clipboard message can say. */
const UNSAYABLE = /[^\0-\u00ff]/g;

/** For 3.7 and later: the client chooses. */
export function securityTypes(kind: SecurityKind): Buffer {
  return Buffer.from([1, SECURITY_TYPE[kind]]);
}

/** For 3.3: the server chooses. */
export function securityType(kind: SecurityKind): Buffer {
  return u32(SECURITY_TYPE[kind]);
}

export const SECURITY_OK = u32(0);

/** `withReason`: 3.8 has room for words, those before have none. */
export function securityFailed(reason: string, { withReason }: { withReason: boolean }): Buffer {
  return withReason ? Buffer.concat([u32(1), text(reason)]) : u32(1);
}

/** Ends the conversation before security, in place of the list of types. */
export function refused(reason: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(reason)]);
}

export function serverInit(
  size: { width: number; height: number },
  format: PixelFormat,
  name: string,
): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt16BE(size.width, 0);
  head.writeUInt16BE(size.height, 2);
  head.writeUInt8(format.bitsPerPixel, 4);
  head.writeUInt8(format.depth, 5);
  head.writeUInt8(format.bigEndian ? 1 : 0, 6);
  head.writeUInt8(1, 7);
  head.writeUInt16BE(format.redMax, 8);
  head.writeUInt16BE(format.greenMax, 10);
  head.writeUInt16BE(format.blueMax, 12);
  head.writeUInt8(format.redShift, 14);
  head.writeUInt8(format.greenShift, 15);
  head.writeUInt8(format.blueShift, 16);
  return Buffer.concat([head, text(name)]);
}

/** To be followed by as many rectangles. */
export function updateHeader(rectangles: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(rectangles, 2);
  return head;
}

export function jpegRectangle(area: Rectangle, jpeg: Buffer): Buffer[] {
  return [rectangle(area, ENCODING.jpeg), jpeg];
}

/** @throws RangeError above 4 MB, which is more than Tight has room for */
export function tightJpegRectangle(area: Rectangle, jpeg: Buffer): Buffer[] {
  return [rectangle(area, ENCODING.tight), Buffer.from([TIGHT_JPEG, ...compactLength(jpeg.length)]), jpeg];
}

/** `pixels`: of {@link pixelsIn}, in the client's format. */
export function rawRectangle(area: Rectangle, pixels: Buffer): Buffer[] {
  return [rectangle(area, ENCODING.raw), pixels];
}

export function desktopSizeRectangle({ width, height }: { width: number; height: number }): Buffer {
  return rectangle({ x: 0, y: 0, width, height }, ENCODING.desktopSize);
}

/** One screen of that size; reason and result 0: the server decided. */
export function extendedDesktopSizeRectangle({ width, height }: { width: number; height: number }): Buffer {
  const screen = Buffer.alloc(20);
  screen.writeUInt8(1, 0);
  screen.writeUInt16BE(width, 12);
  screen.writeUInt16BE(height, 14);
  return Buffer.concat([rectangle({ x: 0, y: 0, width, height }, ENCODING.extendedDesktopSize), screen]);
}

/** Says that extended key events are understood. */
export function qemuExtendedKeyRectangle(): Buffer {
  return rectangle({ x: 0, y: 0, width: 0, height: 0 }, ENCODING.qemuExtendedKey);
}

/** `pixels` in the client's format; `mask`: a bit for each pixel, rows in whole bytes. */
export function cursorRectangle(hotspotAndSize: Rectangle, pixels: Buffer, mask: Buffer): Buffer {
  return Buffer.concat([rectangle(hotspotAndSize, ENCODING.cursor), pixels, mask]);
}

/** What ISO 8859-1 cannot say becomes `?`. */
export function serverCutText(clipboard: string): Buffer {
  const body = Buffer.from(clipboard.replaceAll(UNSAYABLE, '?'), 'latin1');
  return Buffer.concat([Buffer.from([3, 0, 0, 0]), u32(body.length), body]);
}

/** Pixels of 8-bit RGB, three bytes each, as the client wants them. */
export function pixelsIn(format: PixelFormat, rgb: Buffer): Buffer {
  const count = Math.floor(rgb.length / 3);
  const bytes = format.bitsPerPixel / 8;
  const out = Buffer.alloc(count * bytes);
  const { redMax, greenMax, blueMax, redShift, greenShift, blueShift, bigEndian } = format;
  for (let pixel = 0; pixel < count; pixel += 1) {
    const red = scaled(rgb[pixel * 3]!, redMax) << redShift;
    const green = scaled(rgb[pixel * 3 + 1]!, greenMax) << greenShift;
    const blue = scaled(rgb[pixel * 3 + 2]!, blueMax) << blueShift;
    const value = (red | green | blue) >>> 0;
    for (let byte = 0; byte < bytes; byte += 1) {
      const place = bigEndian ? bytes - 1 - byte : byte;
      out[pixel * bytes + place] = (value >>> (byte * 8)) & 0xff;
    }
  }
  return out;
}

function scaled(value: number, max: number): number {
  return max === 255 ? value : Math.round((value * max) / 255);
}

function rectangle(area: Rectangle, encoding: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(area.x, 0);
  head.writeUInt16BE(area.y, 2);
  head.writeUInt16BE(area.width, 4);
  head.writeUInt16BE(area.height, 6);
  head.writeInt32BE(encoding, 8);
  return head;
}

function compactLength(length: number): number[] {
  if (length > MAX_TIGHT_BYTES) throw new RangeError(`${length} bytes are too many for Tight`);
  if (length < 0x80) return [length];
  if (length < 0x40_00) return [(length & 0x7f) | 0x80, length >> 7];
  return [(length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14];
}

function text(words: string): Buffer {
  const body = Buffer.from(words, 'utf8');
  return Buffer.concat([u32(body.length), body]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
