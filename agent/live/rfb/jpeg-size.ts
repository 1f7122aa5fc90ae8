const START_OF_SCAN = 0xda;
/** Frame headers, of all kinds of JPEG; three numbers among them mean other things. */
const isFrameHeader = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/**
 * The size that a JPEG says it has. A rectangle of another size stops noVNC's drawing for good, so nothing
 * else is to be believed. Null: not a JPEG, or cut off.
 */
export function jpegSize(jpeg: Buffer): { width: number; height: number } | null {
  if (jpeg.length < 4 || jpeg.readUInt16BE(0) !== 0xff_d8) return null;
  for (let at = 2; at + 9 <= jpeg.length;) {
    if (jpeg[at] !== 0xff) return null;
    const marker = jpeg[at + 1]!;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (isFrameHeader(marker)) {
      const size = { width: jpeg.readUInt16BE(at + 7), height: jpeg.readUInt16BE(at + 5) };
      return size.width > 0 && size.height > 0 ? size : null;
    }
    if (marker === START_OF_SCAN) return null;
    at += 2 + jpeg.readUInt16BE(at + 2);
  }
  return null;
}
