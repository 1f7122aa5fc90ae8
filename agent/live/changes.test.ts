import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changesBetween, clipped, few, pixelsOf } from './changes.ts';
import type { CodedPicture } from './jpeg/coded.ts';
import type { Rectangle } from './rfb/messages.ts';

const UNIT = { width: 16, height: 16 };

/** As far as comparing goes: every unit shows the same, but for these. */
function picture(
  width: number,
  height: number,
  changed: readonly { x: number; y: number }[] = [],
): CodedPicture {
  const columns = Math.ceil(width / UNIT.width);
  const rows = Math.ceil(height / UNIT.height);
  const signatures = new Int32Array(columns * rows);
  for (const { x, y } of changed) {
    signatures[Math.floor(y / UNIT.height) * columns + Math.floor(x / UNIT.width)] = 1;
  }
  return {
    header: { width, height, unit: UNIT, components: [], tables: Buffer.alloc(0), dataAt: 0 },
    data: Buffer.alloc(0),
    columns,
    rows,
    signatures,
    starts: new Uint32Array(0),
    means: new Int16Array(0),
    plan: new Uint8Array(0),
    decoders: [],
  };
}

const area = fc.record({
  x: fc.integer({ min: 0, max: 1_000 }),
  y: fc.integer({ min: 0, max: 1_000 }),
  width: fc.integer({ min: 1, max: 100 }),
  height: fc.integer({ min: 1, max: 100 }),
});
const isWithin = (point: { x: number; y: number }, one: Rectangle): boolean =>
  point.x >= one.x && point.x < one.x + one.width && point.y >= one.y && point.y < one.y + one.height;

describe('what differs between two pictures', () => {
  test('is covered, at the borders of units and within the picture', () => {
    const size = fc.record({
      width: fc.integer({ min: 200, max: 1_300 }),
      height: fc.integer({ min: 200, max: 900 }),
    });
    const point = fc.record({ x: fc.nat(199), y: fc.nat(199) });
    fc.assert(
      fc.property(size, fc.array(point, { maxLength: 20 }), ({ width, height }, points) => {
        const changed = changesBetween(picture(width, height), picture(width, height, points));
        if (!changed) return;
        for (const one of points) expect(changed.some((area) => isWithin(one, area))).toBe(true);
        for (const area of changed) {
          expect([area.x % UNIT.width, area.y % UNIT.height]).toEqual([0, 0]);
          expect(clipped(area, { width, height })).toEqual(area);
          if (area.x + area.width < width) expect(area.width % UNIT.width).toBe(0);
          if (area.y + area.height < height) expect(area.height % UNIT.height).toBe(0);
        }
      }),
    );
  });

  test('a caret on a large page is one small rectangle', () => {
    const caret = [
      { x: 100, y: 90 },
      { x: 100, y: 100 },
    ];
    expect(changesBetween(picture(1280, 800), picture(1280, 800, caret))).toEqual([
      { x: 96, y: 80, width: 16, height: 32 },
    ]);
    expect(changesBetween(picture(1280, 800), picture(1280, 800))).toEqual([]);
  });

  test('two far from each other are two, and an edge of the page is not crossed', () => {
    const corners = [
      { x: 0, y: 0 },
      { x: 1274, y: 794 },
    ];
    expect(changesBetween(picture(1275, 795), picture(1275, 795, corners))).toEqual([
      { x: 0, y: 0, width: 16, height: 16 },
      { x: 1264, y: 784, width: 11, height: 11 },
    ]);
  });

  test('most of the page, or another size, is taken as a whole; a quarter is not', () => {
    const upTo = (width: number, height: number): { x: number; y: number }[] => {
      const points: { x: number; y: number }[] = [];
      for (let y = 0; y < height; y += 16) for (let x = 0; x < width; x += 16) points.push({ x, y });
      return points;
    };
    const before = picture(1280, 800);
    const quarter = changesBetween(before, picture(1280, 800, upTo(640, 400)));
    expect(quarter!.reduce((sum, area) => sum + pixelsOf(area), 0)).toBe(640 * 400);
    expect(changesBetween(before, picture(1280, 800, upTo(1280, 500)))).toBeNull();
    expect(changesBetween(before, picture(1280, 801))).toBeNull();
  });
});

test('few rectangles cover all that they are made of, and no two overlap', () => {
  fc.assert(
    fc.property(fc.array(area, { maxLength: 40 }), (areas) => {
      const made = few(areas);
      expect(made.length).toBeLessThanOrEqual(8);
      for (const one of areas) {
        const last = { x: one.x + one.width - 1, y: one.y + one.height - 1 };
        expect(made.some((large) => isWithin(one, large) && isWithin(last, large))).toBe(true);
      }
      made.forEach((one, at) => {
        for (const other of made.slice(at + 1)) {
          const isApart =
            one.x + one.width <= other.x ||
            other.x + other.width <= one.x ||
            one.y + one.height <= other.y ||
            other.y + other.height <= one.y;
          expect(isApart).toBe(true);
        }
      });
    }),
  );
});
