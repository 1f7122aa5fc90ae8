import { describe, expect, test } from 'vitest';
import { DEFAULT_FORMAT } from './messages.ts';
import { encrypted, isRightResponse, makeChallenge } from './vnc-auth.ts';
import {
  cursorRectangle,
  desktopSizeRectangle,
  extendedDesktopSizeRectangle,
  jpegRectangle,
  pixelsIn,
  qemuExtendedKeyRectangle,
  rawRectangle,
  refused,
  securityFailed,
  securityType,
  securityTypes,
  serverCutText,
  serverInit,
  tightJpegRectangle,
  updateHeader,
} from './writer.ts';

const hex = (...parts: Buffer[]): string => Buffer.concat(parts).toString('hex');
const plain = (spaced: string): string => spaced.replaceAll(' ', '');
const AREA = { x: 1, y: 2, width: 258, height: 4 };

describe('what the server says, byte by byte', () => {
  test('security', () => {
    expect(hex(securityTypes('none'))).toBe('0101');
    expect(hex(securityTypes('vnc'))).toBe('0102');
    expect(hex(securityType('vnc'))).toBe('00000002');
    expect(hex(securityFailed('no', { withReason: true }))).toBe('00000001000000026e6f');
    expect(hex(securityFailed('no', { withReason: false }))).toBe('00000001');
    expect(hex(refused('no'))).toBe('00000000026e6f');
  });

  test('the start', () => {
    expect(hex(serverInit({ width: 1280, height: 800 }, DEFAULT_FORMAT, 'run'))).toBe(
      plain('05000320 20180001 00ff00ff00ff 100800 000000 00000003 72756e'),
    );
  });

  test('rectangles', () => {
    expect(hex(updateHeader(2))).toBe('00000002');
    const data = Buffer.from('ff', 'hex');
    expect(hex(...jpegRectangle(AREA, data))).toBe(plain('00010002010200040000 0015ff'));
    expect(hex(...rawRectangle(AREA, data))).toBe(plain('00010002010200040000 0000ff'));
    expect(hex(desktopSizeRectangle(AREA))).toBe('0000000001020004ffffff21');
    expect(hex(qemuExtendedKeyRectangle())).toBe('0000000000000000fffffefe');
    expect(hex(extendedDesktopSizeRectangle(AREA))).toBe(
      plain('0000000001020004fffffecc 01000000 0000000000000000 0102000400000000'),
    );
    expect(hex(cursorRectangle(AREA, data, data))).toBe('0001000201020004ffffff11ffff');
  });

  test.each([
    [1, '01'],
    [127, '7f'],
    [128, '8001'],
    [16_383, 'ff7f'],
    [16_384, '808001'],
    [4_194_303, 'ffffff'],
  ])('a Tight rectangle of %i bytes says so in as few bytes as can be', (length, said) => {
    const [head, control, jpeg] = tightJpegRectangle(AREA, Buffer.alloc(length));
    expect(hex(head!)).toBe('000100020102000400000007');
    expect(hex(control!)).toBe(`90${said}`);
    expect(jpeg).toHaveLength(length);
  });

  test('a Tight rectangle has no room for more than 4 MB', () => {
    expect(() => tightJpegRectangle(AREA, Buffer.alloc(4_194_304))).toThrow('too many for Tight');
  });

  test('a clipboard is in ISO 8859-1, with ? for what that cannot say', () => {
    expect(hex(serverCutText('\u00fc\u20ac'))).toBe(plain('03000000 00000002 fc3f'));
  });
});

describe('pixels', () => {
  const rgb = Buffer.from([255, 128, 0]);

  test('of 32 bits', () => {
    expect(hex(pixelsIn(DEFAULT_FORMAT, rgb))).toBe('0080ff00');
    expect(hex(pixelsIn({ ...DEFAULT_FORMAT, bigEndian: true }, rgb))).toBe('00ff8000');
    expect(hex(pixelsIn({ ...DEFAULT_FORMAT, redShift: 24 }, Buffer.from([255, 0, 0])))).toBe('000000ff');
  });

  test('of 16 bits, 5-6-5', () => {
    const format = {
      ...DEFAULT_FORMAT,
      bitsPerPixel: 16 as const,
      redMax: 31,
      greenMax: 63,
      blueMax: 31,
      redShift: 11,
      greenShift: 5,
    };
    expect(pixelsIn(format, rgb).readUInt16LE()).toBe((31 << 11) | (32 << 5));
  });

  test('of 8 bits, 3-3-2', () => {
    const format = {
      ...DEFAULT_FORMAT,
      bitsPerPixel: 8 as const,
      redMax: 7,
      greenMax: 7,
      blueMax: 3,
      redShift: 0,
      greenShift: 3,
      blueShift: 6,
    };
    expect(hex(pixelsIn(format, Buffer.from([255, 0, 255])))).toBe('c7');
  });
});

describe('VNC authentication', () => {
  test('is DES with each byte of the password mirrored', () => {
    // As the client of TigerVNC answers.
    const challenge = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
    expect(encrypted(challenge, 'password')).toHaveLength(16);
    // DES with a key of zeros, a known answer of NIST: mirrored or not, it is the same.
    expect(encrypted(Buffer.from('8000000000000000', 'hex'), '').toString('hex')).toBe('95f8a5e5dd31d900');
  });

  test('takes the right password, of which eight characters count', () => {
    const challenge = makeChallenge();
    expect(isRightResponse(challenge, encrypted(challenge, 'longer password'), 'longer p')).toBe(true);
    expect(isRightResponse(challenge, encrypted(challenge, 'other'), 'longer p')).toBe(false);
    expect(isRightResponse(challenge, Buffer.alloc(0), 'longer p')).toBe(false);
    expect(makeChallenge().equals(challenge)).toBe(false);
  });
});
