/** Huffman codes of JPEG: to read with any table, to write with those of the standard. */
import type { HuffmanSpec } from './header.ts';

export const LONGEST_CODE = 16;
/** Codes of up to so many bits are found at one look: in a browser's pictures nearly all. */
export const LOOK_BITS = 10;

export interface Decoder {
  /** By the next {@link LOOK_BITS} bits: length of the code times 256, and its symbol; 0: the code is longer. */
  look: Uint16Array;
  /** By length: the last code of that length, and what added to a code gives its symbol's place. */
  last: Int32Array;
  offset: Int32Array;
  symbols: Uint8Array;
}

export function decoderOf({ counts, symbols }: HuffmanSpec): Decoder {
  const look = new Uint16Array(1 << LOOK_BITS);
  const last = new Int32Array(LONGEST_CODE + 1).fill(-1);
  const offset = new Int32Array(LONGEST_CODE + 1);
  forEachCode(counts, (code, length, index) => {
    last[length] = code;
    offset[length] = index - code;
    if (length > LOOK_BITS) return;
    const from = code << (LOOK_BITS - length);
    look.fill((length << 8) | symbols[index]!, from, from + (1 << (LOOK_BITS - length)));
  });
  return { look, last, offset, symbols };
}

export interface Encoder {
  /** By symbol. A length of 0: there is no such symbol. */
  codes: Uint16Array;
  lengths: Uint8Array;
}

export function encoderOf({ counts, symbols }: HuffmanSpec): Encoder {
  const codes = new Uint16Array(256);
  const lengths = new Uint8Array(256);
  forEachCode(counts, (code, length, index) => {
    codes[symbols[index]!] = code;
    lengths[symbols[index]!] = length;
  });
  return { codes, lengths };
}

/** Codes are given out in order: shorter ones first, each one more than the one before. */
function forEachCode(counts: Uint8Array, each: (code: number, length: number, index: number) => void): void {
  let code = 0;
  let index = 0;
  for (let length = 1; length <= LONGEST_CODE; length += 1) {
    for (let left = counts[length - 1]!; left > 0; left -= 1) {
      each(code, length, index);
      code += 1;
      index += 1;
    }
    code <<= 1;
  }
}

const spec = (counts: string, symbols: string): HuffmanSpec => ({
  counts: Buffer.from(counts, 'hex'),
  symbols: Buffer.from(symbols, 'hex'),
});

/** ITU-T T.81, annex K.3: they have a code for every symbol that can occur. */
export const STANDARD = {
  luminance: {
    dc: spec('00010501010101010100000000000000', '000102030405060708090a0b'),
    ac: spec(
      '0002010303020403050504040000017d',
      '01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa',
    ),
  },
  chrominance: {
    dc: spec('00030101010101010101010000000000', '000102030405060708090a0b'),
    ac: spec(
      '00020102040403040705040400010277',
      '000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa',
    ),
  },
};
