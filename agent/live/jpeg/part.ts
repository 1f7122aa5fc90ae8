/** A part of a coded picture as a JPEG of its own: the same samples, only coded anew. Nothing is lost. */
import type { Rectangle } from '../rfb/messages.ts';
import { longCode, valueOf, type CodedPicture } from './coded.ts';
import type { Component, HuffmanSpec } from './header.ts';
import { encoderOf, LOOK_BITS, STANDARD, type Encoder } from './huffman.ts';

/** More than any unit can take when it is written, with a zero after each 255. */
const UNIT_BYTES = 8_192;
const FIRST_BYTES = 32_768;

const ENCODERS = {
  luminance: { dc: encoderOf(STANDARD.luminance.dc), ac: encoderOf(STANDARD.luminance.ac) },
  chrominance: { dc: encoderOf(STANDARD.chrominance.dc), ac: encoderOf(STANDARD.chrominance.ac) },
};
const HUFFMAN_TABLES = segment(
  0xc4,
  ...Object.values(STANDARD).flatMap(({ dc, ac }, slot) => [tableOf(dc, slot), tableOf(ac, 0x10 | slot)]),
);
const START = Buffer.from([0xff, 0xd8]);
const END = Buffer.from([0xff, 0xd9]);

/** `area`: begins at a unit, and ends at one or with the picture. */
export function partOf(picture: CodedPicture, area: Rectangle): Buffer {
  const { header, columns } = picture;
  const writer = new BitWriter();
  const mean = new Int32Array(header.components.length);
  const first = { column: area.x / header.unit.width, row: area.y / header.unit.height };
  const end = {
    column: Math.ceil((area.x + area.width) / header.unit.width),
    row: Math.ceil((area.y + area.height) / header.unit.height),
  };
  for (let row = first.row; row < end.row; row += 1) {
    for (let column = first.column; column < end.column; column += 1) {
      copyUnit(picture, row * columns + column, mean, writer);
    }
  }
  return Buffer.concat([
    START,
    header.tables,
    frameHeader(header.components, area),
    HUFFMAN_TABLES,
    scanHeader(header.components),
    writer.end(),
    END,
  ]);
}

/** `mean`: those of the unit written before, and then of this one. */
function copyUnit(picture: CodedPicture, unit: number, mean: Int32Array, writer: BitWriter): void {
  const { data, starts, means, plan, decoders } = picture;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const read = means.slice(unit * mean.length, (unit + 1) * mean.length);
  let bit = starts[unit]!;
  writer.makeRoom();
  for (const index of plan) {
    const { dc, ac } = decoders[index]!;
    const encoder = index === 0 ? ENCODERS.luminance : ENCODERS.chrominance;
    let word = view.getInt32(bit >>> 3) << (bit & 7);
    let found = dc.look[word >>> (32 - LOOK_BITS)]! || longCode(word, dc);
    let count = found & 255;
    bit += found >> 8;
    if (count > 0) {
      word = view.getInt32(bit >>> 3) << (bit & 7);
      read[index]! += valueOf(word >>> (32 - count), count);
      bit += count;
    }
    writeMean(writer, encoder.dc, read[index]! - mean[index]!);
    mean[index] = read[index]!;
    for (let place = 1; place < 64; place += 1) {
      word = view.getInt32(bit >>> 3) << (bit & 7);
      found = ac.look[word >>> (32 - LOOK_BITS)]! || longCode(word, ac);
      const symbol = found & 255;
      count = symbol & 15;
      bit += found >> 8;
      writer.write(encoder.ac.codes[symbol]!, encoder.ac.lengths[symbol]!);
      if (symbol === 0) break;
      place += symbol >> 4;
      if (count === 0) continue;
      word = view.getInt32(bit >>> 3) << (bit & 7);
      writer.write(word >>> (32 - count), count);
      bit += count;
    }
  }
}

function writeMean(writer: BitWriter, { codes, lengths }: Encoder, difference: number): void {
  const count = 32 - Math.clz32(Math.abs(difference));
  writer.write(codes[count]!, lengths[count]!);
  if (count > 0) writer.write(difference > 0 ? difference : difference + (1 << count) - 1, count);
}

class BitWriter {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  #pending = 0;
  #count = 0;

  /** For one more unit. */
  makeRoom(): void {
    if (this.#length + UNIT_BYTES <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(this.#bytes.length * 2);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  /** The lowest so many bits, 16 at most. */
  write(bits: number, count: number): void {
    this.#pending = (this.#pending << count) | bits;
    this.#count += count;
    while (this.#count >= 8) {
      this.#count -= 8;
      const byte = (this.#pending >>> this.#count) & 255;
      this.#bytes[this.#length] = byte;
      this.#length += 1;
      if (byte !== 0xff) continue;
      this.#bytes[this.#length] = 0;
      this.#length += 1;
    }
  }

  /** The last byte is filled with ones. */
  end(): Buffer {
    if (this.#count > 0) this.write((1 << (8 - this.#count)) - 1, 8 - this.#count);
    return this.#bytes.subarray(0, this.#length);
  }
}

function frameHeader(components: readonly Component[], { width, height }: Rectangle): Buffer {
  const size = Buffer.alloc(6);
  size.writeUInt8(8, 0);
  size.writeUInt16BE(height, 1);
  size.writeUInt16BE(width, 3);
  size.writeUInt8(components.length, 5);
  const each = components.flatMap(({ id, across, down, quantization }) => [
    id,
    (across << 4) | down,
    quantization,
  ]);
  return segment(0xc0, size, Buffer.from(each));
}

function scanHeader(components: readonly Component[]): Buffer {
  const each = components.flatMap(({ id }, index) => [id, index === 0 ? 0x00 : 0x11]);
  return segment(0xda, Buffer.from([components.length, ...each, 0, 63, 0]));
}

function tableOf({ counts, symbols }: HuffmanSpec, place: number): Buffer {
  return Buffer.concat([Buffer.from([place]), counts, symbols]);
}

function segment(marker: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}
