/** The segments that stand before a JPEG's coded data (ITU-T T.81, annex B). Pure. */

export const START_OF_SCAN = 0xda;

export interface Size {
  width: number;
  height: number;
}

export interface Segment {
  marker: number;
  /** Of its marker. */
  at: number;
  /** What follows its length. */
  body: Buffer;
}

/**
 * The size that a JPEG says it has. A rectangle of another size stops noVNC's drawing for good, so nothing
 * else is to be believed. Null: not a JPEG, or cut off.
 */
export function jpegSize(jpeg: Buffer): Size | null {
  for (const { marker, body } of segmentsOf(jpeg)) {
    if (!isFrameHeader(marker)) continue;
    if (body.length < 6) return null;
    const size = { width: body.readUInt16BE(3), height: body.readUInt16BE(1) };
    return size.width > 0 && size.height > 0 ? size : null;
  }
  return null;
}

/** Up to the first scan, or to what is no segment. */
export function* segmentsOf(jpeg: Buffer): Generator<Segment> {
  if (jpeg.length < 4 || jpeg.readUInt16BE(0) !== 0xff_d8) return;
  for (let at = 2; at + 4 <= jpeg.length;) {
    if (jpeg[at] !== 0xff) return;
    const marker = jpeg[at + 1]!;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const length = jpeg.readUInt16BE(at + 2);
    if (length < 2 || at + 2 + length > jpeg.length) return;
    yield { marker, at, body: jpeg.subarray(at + 4, at + 2 + length) };
    if (marker === START_OF_SCAN) return;
    at += 2 + length;
  }
}

/** Of all kinds of JPEG; three numbers among them mean other things. */
export function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}
