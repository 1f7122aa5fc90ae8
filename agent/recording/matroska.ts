/**
 * JPEG pictures with their times as a Matroska stream: the one input format that any ffmpeg reads from a
 * pipe with a time for each picture, so that a picture lasts as long as it was seen (RFC 9559).
 */

/** Header of a stream with one MJPEG track. */
export function matroskaHeader(width: number, height: number): Buffer {
  return Buffer.concat([
    element(0x1a45dfa3, [element(0x4282, Buffer.from('matroska')), uint(0x4287, 4), uint(0x4285, 2)]),
    // A segment of unknown size: it ends with the stream.
    Buffer.from('1853806701ffffffffffffff', 'hex'),
    element(0x1549a966, [
      // Times are milliseconds.
      uint(0x2ad7b1, 1_000_000),
      element(0x4d80, Buffer.from('local-browser-agent')),
      element(0x5741, Buffer.from('local-browser-agent')),
    ]),
    element(0x1654ae6b, [
      element(0xae, [
        uint(0xd7, 1),
        uint(0x73c5, 1),
        uint(0x83, 1),
        element(0x86, Buffer.from('V_MJPEG')),
        element(0xe0, [uint(0xb0, width), uint(0xba, height)]),
      ]),
    ]),
  ]);
}

/** One picture, shown from `timeMs` on, counted from the start of the stream. */
export function matroskaFrame(timeMs: number, jpeg: Buffer): Buffer {
  // Track 1, no time relative to the cluster, key frame.
  const block = Buffer.concat([Buffer.from([0x81, 0, 0, 0x80]), jpeg]);
  return element(0x1f43b675, [uint(0xe7, Math.round(timeMs)), element(0xa3, block)]);
}

function element(id: number, content: Buffer | Buffer[]): Buffer {
  const body = Array.isArray(content) ? Buffer.concat(content) : content;
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(body.length) | (1n << 56n));
  return Buffer.concat([idBytes(id), size, body]);
}

function uint(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return element(id, bytes);
}

function idBytes(id: number): Buffer {
  const hex = id.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}
