import fc from 'fast-check';
import sharp, { type JpegOptions } from 'sharp';
import { describe, expect, test } from 'vitest';
import { noiseJpeg } from '../../../test/support/pictures.ts';
import { changesBetween } from '../changes.ts';
import type { Rectangle } from '../rfb/messages.ts';
import { readCoded } from './coded.ts';
import { partOf } from './part.ts';

interface Picture {
  rgb: Buffer;
  width: number;
  height: number;
}

/** Smooth colours and sharp edges: codes of all lengths, the longest too. */
function pictureOf(seed: number, width: number, height: number): Picture {
  const rgb = Buffer.alloc(width * height * 3);
  let state = seed;
  for (let at = 0; at < rgb.length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const noise = Math.floor(at / 3 / 37) % 3 === 0 ? state >>> 24 : 0;
    rgb[at] = (((at % (width * 3)) * 255) / (width * 3) + noise) & 255;
  }
  return { rgb, width, height };
}

const coded = (picture: Picture, options: JpegOptions): Promise<Buffer> =>
  sharp(picture.rgb, { raw: { width: picture.width, height: picture.height, channels: 3 } })
    .jpeg(options)
    .toBuffer();

async function decoded(jpeg: Buffer): Promise<Picture> {
  const { data, info } = await sharp(jpeg).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { rgb: data, width: info.width, height: info.height };
}

function cut({ rgb, width }: Picture, area: Rectangle): Buffer {
  const rows: Buffer[] = [];
  for (let y = area.y; y < area.y + area.height; y += 1) {
    rows.push(rgb.subarray((y * width + area.x) * 3, (y * width + area.x + area.width) * 3));
  }
  return Buffer.concat(rows);
}

const side = fc.integer({ min: 1, max: 150 });
const kind = fc.record({
  quality: fc.integer({ min: 1, max: 100 }),
  // Without mixing colours between units, so that a part can be compared to the last pixel.
  chromaSubsampling: fc.constant('4:4:4'),
  optimiseCoding: fc.boolean(),
});

describe('a part of a coded picture', () => {
  test('has the very pixels of the whole, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1e6 }),
        side,
        side,
        kind,
        fc.array(fc.nat(1_000), { minLength: 4, maxLength: 4 }),
        async (seed, width, height, options, [a, b, c, d]) => {
          const jpeg = await coded(pictureOf(seed, width, height), options);
          const whole = await decoded(jpeg);
          const picture = readCoded(jpeg)!;
          const { unit } = picture.header;
          const [left, right] = [a! % picture.columns, b! % picture.columns].toSorted((x, y) => x - y);
          const [top, bottom] = [c! % picture.rows, d! % picture.rows].toSorted((x, y) => x - y);
          const x = left! * unit.width;
          const y = top! * unit.height;
          const area = {
            x,
            y,
            width: Math.min(width, (right! + 1) * unit.width) - x,
            height: Math.min(height, (bottom! + 1) * unit.height) - y,
          };
          const part = await decoded(partOf(picture, area));
          expect([part.width, part.height]).toEqual([area.width, area.height]);
          expect(part.rgb.equals(cut(whole, area))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('is the whole again when nothing is cut off, also with half the colour samples and in grey', async () => {
    const grey = await sharp(pictureOf(3, 97, 61).rgb, { raw: { width: 97, height: 61, channels: 3 } })
      .toColourspace('b-w')
      .jpeg({ quality: 70 })
      .toBuffer();
    const colours = [await noiseJpeg('333x77'), await coded(pictureOf(7, 333, 77), { quality: 80 })];
    for (const jpeg of [grey, ...colours]) {
      const picture = readCoded(jpeg)!;
      const { width, height } = picture.header;
      const again = partOf(picture, { x: 0, y: 0, width, height });
      expect((await decoded(again)).rgb.equals((await decoded(jpeg)).rgb)).toBe(true);
    }
  });

  test('with half the colour samples differs in no more than a line of colour at its border', async () => {
    const jpeg = await coded(pictureOf(5, 320, 200), { quality: 80 });
    const area = { x: 64, y: 32, width: 96, height: 64 };
    const whole = cut(await decoded(jpeg), area);
    const { rgb } = await decoded(partOf(readCoded(jpeg)!, area));
    for (let at = 0; at < rgb.length; at += 1) {
      if (rgb[at] === whole[at]) continue;
      const [x, y] = [Math.floor(at / 3) % area.width, Math.floor(at / 3 / area.width)];
      expect(x === 0 || y === 0 || x === area.width - 1 || y === area.height - 1).toBe(true);
    }
  });
});

describe('what differs between two coded pictures', () => {
  test('painted over the one before is the new one, whatever the codes of the two are', async () => {
    await fc.assert(
      fc.asyncProperty(
        side,
        side,
        fc.array(fc.record({ x: side, y: side, size: fc.integer({ min: 1, max: 12 }), value: fc.nat(255) }), {
          maxLength: 4,
        }),
        async (width, height, spots) => {
          const before = pictureOf(9, width, height);
          const after = { ...before, rgb: Buffer.from(before.rgb) };
          for (const { x, y, size, value } of spots) {
            for (let row = y; row < Math.min(height, y + size); row += 1) {
              if (x >= width) continue;
              after.rgb.fill(value, (row * width + x) * 3, (row * width + Math.min(width, x + size)) * 3);
            }
          }
          const options = { quality: 80, chromaSubsampling: '4:4:4' };
          const old = await coded(before, { ...options, optimiseCoding: true });
          const present = await coded(after, { ...options, optimiseCoding: false });
          const [one, other] = [readCoded(old)!, readCoded(present)!];
          const changed = changesBetween(one, other);
          if (!changed) return;
          const painted = await decoded(old);
          for (const area of changed) {
            const part = await decoded(partOf(other, area));
            for (let row = 0; row < area.height; row += 1) {
              const to = ((area.y + row) * width + area.x) * 3;
              part.rgb.copy(painted.rgb, to, row * area.width * 3, (row + 1) * area.width * 3);
            }
          }
          expect(painted.rgb.equals((await decoded(present)).rgb)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('is not told of pictures of another size or quality', async () => {
    const one = readCoded(await coded(pictureOf(1, 64, 64), { quality: 80 }))!;
    const coarser = readCoded(await coded(pictureOf(1, 64, 64), { quality: 60 }))!;
    const wider = readCoded(await coded(pictureOf(1, 65, 64), { quality: 80 }))!;
    expect(changesBetween(one, coarser)).toBeNull();
    expect(changesBetween(one, wider)).toBeNull();
    expect(changesBetween(one, one)).toEqual([]);
  });
});

describe('what cannot be read', () => {
  test('is said to be so: other kinds of JPEG, and other files', async () => {
    const progressive = await coded(pictureOf(1, 64, 64), { progressive: true });
    const png = await sharp(progressive).png().toBuffer();
    for (const bytes of [progressive, png, Buffer.alloc(0), Buffer.from('ffd8ffda0002ffd9', 'hex')]) {
      expect(readCoded(bytes)).toBeNull();
    }
  });

  test('never throws, however it is cut off or damaged', async () => {
    const jpeg = await coded(pictureOf(2, 80, 48), { quality: 50 });
    for (let length = 0; length < jpeg.length; length += 1) {
      expect(readCoded(jpeg.subarray(0, length))).toBeNull();
    }
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(jpeg.length - 1), byte: fc.nat(255) }), {
          minLength: 1,
          maxLength: 6,
        }),
        (damages) => {
          const damaged = Buffer.from(jpeg);
          for (const { at, byte } of damages) damaged[at] = byte;
          const picture = readCoded(damaged);
          if (!picture) return;
          const { width, height } = picture.header;
          partOf(picture, { x: 0, y: 0, width, height });
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
