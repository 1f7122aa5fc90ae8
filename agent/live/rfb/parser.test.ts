import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClientMessage } from './messages.ts';
import { ClientParser, MAX_CLIPBOARD_BYTES } from './parser.ts';

const bytes = (...parts: (string | number[] | Buffer)[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
  );

const V38 = 'RFB 003.008\n';
const NONE = [1];
const SHARED = [1];
const FORMAT = [0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
const ENCODINGS = [2, 0, 0, 2, 0, 0, 0, 21, 0xff, 0xff, 0xff, 0x21];
const REQUEST = [3, 1, 0, 1, 0, 2, 3, 4, 5, 6];
const KEY = [4, 1, 0, 0, 0, 0, 0xff, 0x0d];
const POINTER = [5, 1, 0, 10, 1, 0];
const QEMU_KEY = [255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 0, 0x1e];
const cutText = (text: string): number[] => [
  6,
  0,
  0,
  0,
  0,
  0,
  text.length >> 8,
  text.length & 255,
  ...Buffer.from(text, 'latin1'),
];

const WHOLE = bytes(
  V38,
  NONE,
  SHARED,
  FORMAT,
  ENCODINGS,
  REQUEST,
  KEY,
  POINTER,
  cutText('gr\u00fcn'),
  cutText(''),
  QEMU_KEY,
);
const SAID: ClientMessage[] = [
  { type: 'version', version: '3.8' },
  { type: 'security', kind: 'none' },
  { type: 'init', shared: true },
  {
    type: 'pixel-format',
    format: {
      bitsPerPixel: 32,
      depth: 24,
      bigEndian: false,
      redMax: 255,
      greenMax: 255,
      blueMax: 255,
      redShift: 16,
      greenShift: 8,
      blueShift: 0,
    },
  },
  { type: 'encodings', encodings: [21, -223] },
  { type: 'update-request', incremental: true, area: { x: 1, y: 2, width: 772, height: 1286 } },
  { type: 'key', down: true, keysym: 0xff0d, scancode: null },
  { type: 'pointer', buttons: 1, x: 10, y: 256 },
  { type: 'clipboard', text: 'gr\u00fcn' },
  { type: 'clipboard', text: '' },
  { type: 'key', down: true, keysym: 0x61, scancode: 0x1e },
];

function read(pieces: Buffer[], security: 'none' | 'vnc' = 'none') {
  const parser = new ClientParser({ security });
  const messages: ClientMessage[] = [];
  let reason: string | null = null;
  for (const piece of pieces) {
    const parsed = parser.push(piece);
    messages.push(...parsed.messages);
    if (!parsed.ok) ({ reason } = parsed);
  }
  return { messages, reason };
}

describe('what an RFB client says', () => {
  test('is read whole', () => {
    expect(read([WHOLE])).toEqual({ messages: SAID, reason: null });
  });

  test('is read the same when cut at any byte', () => {
    for (let at = 0; at <= WHOLE.length; at += 1) {
      expect(read([WHOLE.subarray(0, at), WHOLE.subarray(at)]).messages).toEqual(SAID);
    }
  });

  test('is read the same byte by byte', () => {
    expect(read([...WHOLE].map((byte) => Buffer.from([byte]))).messages).toEqual(SAID);
  });

  test('is read the same in any pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(WHOLE.length), { maxLength: 20 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), WHOLE.length];
        const pieces = at.slice(1).map((end, index) => WHOLE.subarray(at[index], end));
        expect(read(pieces)).toEqual({ messages: SAID, reason: null });
      }),
    );
  });

  test('a client of 3.3 chooses no security type; one of 3.7 does', () => {
    expect(read([bytes('RFB 003.003\n', SHARED)]).messages).toEqual([
      { type: 'version', version: '3.3' },
      { type: 'security', kind: 'none' },
      { type: 'init', shared: true },
    ]);
    expect(read([bytes('RFB 003.007\n', NONE, [0])]).messages.at(-1)).toEqual({
      type: 'init',
      shared: false,
    });
  });

  test('what some clients send for 3.3 and 3.8 is taken for them', () => {
    expect(read([bytes('RFB 003.005\n')]).messages).toEqual([
      { type: 'version', version: '3.3' },
      { type: 'security', kind: 'none' },
    ]);
    expect(read([bytes('RFB 003.889\n')]).messages).toEqual([{ type: 'version', version: '3.8' }]);
  });

  test('with VNC authentication the answer to the challenge comes before the rest', () => {
    const response = [...Buffer.from('0123456789abcdef')];
    const { messages } = read([bytes(V38, [2], response, SHARED)], 'vnc');
    expect(messages.slice(1)).toEqual([
      { type: 'security', kind: 'vnc' },
      { type: 'authentication', response: Buffer.from(response) },
      { type: 'init', shared: true },
    ]);
  });
});

describe('what is wrong is said in words, and ends the conversation', () => {
  const before = bytes(V38, NONE, SHARED);
  const cases: [string, Buffer, RegExp][] = [
    ['no RFB at all', bytes('GET / HTTP/1.1\r\n'), /no RFB client/],
    ['RFB 4', bytes('RFB 004.000\n'), /RFB 4\.0 is not spoken here/],
    ['RFB 3.2', bytes('RFB 003.002\n'), /RFB 3\.2 is not spoken here/],
    ['a security type that was not offered', bytes(V38, [2]), /security type 2 was not offered/],
    ['an unknown message', bytes(before, [99]), /client message of type 99/],
    ['an unknown QEMU message', bytes(before, [255, 1]), /QEMU client message 1/],
    ['too many encodings', bytes(before, [2, 0, 0xff, 0xff]), /65535 encodings/],
    ['too large a clipboard', bytes(before, [6, 0, 0, 0, 0, 16, 0, 0]), /clipboard is larger/],
    ['a negative clipboard', bytes(before, [6, 0, 0, 0, 0xff, 0xff, 0xff, 0xf0]), /clipboard is larger/],
    ['colour maps', bytes(before, FORMAT.with(7, 0)), /colour maps/],
    ['pixels of 24 bits', bytes(before, FORMAT.with(4, 24)), /not 24/],
    ['colours outside the pixel', bytes(before, FORMAT.with(14, 30)), /outside its bits/],
  ];

  test.each(cases)('%s', (_title, input, reason) => {
    const whole = read([input]);
    expect(whole.reason).toMatch(reason);
    const split = read([...input].map((byte) => Buffer.from([byte])));
    expect(split).toEqual(whole);
  });

  test('and nothing is read after it', () => {
    const parser = new ClientParser({ security: 'none' });
    parser.push(bytes(before, [99]));
    expect(parser.push(bytes(KEY))).toMatchObject({ ok: false, messages: [] });
  });

  test('the largest clipboard is taken, in small pieces too', () => {
    const text = Buffer.alloc(MAX_CLIPBOARD_BYTES, 'a');
    const head = Buffer.from([6, 0, 0, 0, 0, 4, 0, 0]);
    const pieces = [before, head];
    for (let at = 0; at < text.length; at += 3) pieces.push(text.subarray(at, at + 3));
    expect(read(pieces).messages.at(-1)).toEqual({ type: 'clipboard', text: text.toString() });
  });
});

describe('whatever comes', () => {
  const start = fc.constantFrom(bytes(), bytes(V38), bytes(V38, NONE, SHARED), WHOLE);
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map((list) => Buffer.from(list)),
    fc.constantFrom(bytes(FORMAT), bytes(ENCODINGS), bytes(REQUEST), bytes(KEY), bytes(QEMU_KEY)),
  );

  test('the parser never throws, and reads it the same in one piece and byte by byte', () => {
    fc.assert(
      fc.property(start, fc.array(piece, { maxLength: 8 }), (first, rest) => {
        const all = Buffer.concat([first, ...rest]);
        const whole = read([all]);
        expect(read([...all].map((byte) => Buffer.from([byte])))).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });
});
