import { describe, expect, test } from 'vitest';
import { plainJpeg } from '../../test/support/pictures.ts';
import { jpegSize } from './jpeg-size.ts';

describe('the size that a JPEG says it has', () => {
  const header = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2];
  const frame = (marker: number, height = 3, width = 5): number[] => [
    0xff,
    marker,
    0,
    11,
    8,
    0,
    height,
    0,
    width,
    1,
    0,
    0,
    0,
  ];

  test('is what ffmpeg wrote', async () => {
    expect(jpegSize(await plainJpeg('red', '320x200'))).toEqual({ width: 320, height: 200 });
  });

  test('is found behind other segments, in all kinds of JPEG', () => {
    expect(jpegSize(Buffer.from([...header, ...frame(0xc0)]))).toEqual({ width: 5, height: 3 });
    expect(jpegSize(Buffer.from([...header, 0xff, ...frame(0xc2)]))).toEqual({ width: 5, height: 3 });
  });

  test.each([
    ['nothing', []],
    ['something else', [0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0]],
    ['cut off', header],
    ['a segment that claims more than there is', [...header.slice(0, 3), 0xc0, 0, 200, ...frame(0xc0)]],
    ['garbage inside', [...header, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['no height', [...header, ...frame(0xc0, 0)]],
    ['no frame before the data', [...header, 0xff, 0xda, 0, 2, ...frame(0xc0)]],
  ])('is not found in %s', (_title, bytes) => {
    expect(jpegSize(Buffer.from(bytes))).toBeNull();
  });
});
