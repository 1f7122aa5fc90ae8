import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changesBetween, clipped, cut, few, type Picture } from './changes.ts';
import type { Rectangle } from './rfb/messages.ts';

function picture(width: number, height: number, value = 200): Picture {
  return { rgb: Buffer.alloc(width * height * 3, value), width, height };
}

/** With some of its pixels another. */
function drawn(from: Picture, spots: readonly (Rectangle & { value: number })[]): Picture {
  const rgb = Buffer.from(from.rgb);
  for (const { value, ...spot } of spots) {
    const area = clipped(spot, from);
    if (!area) continue;
    for (let y = area.y; y < area.y + area.height; y += 1) {
      const start = (y * from.width + area.x) * 3;
      rgb.fill(value, start, start + area.width * 3);
    }
  }
  return { ...from, rgb };
}

/** What a client does with rectangles. */
function painted(onto: Picture, from: Picture, areas: readonly Rectangle[]): Picture {
  const rgb = Buffer.from(onto.rgb);
  for (const area of areas) {
    const pixels = cut(from, area);
    for (let row = 0; row < area.height; row += 1) {
      const to = ((area.y + row) * onto.width + area.x) * 3;
      pixels.copy(rgb, to, row * area.width * 3, (row + 1) * area.width * 3);
    }
  }
  return { ...onto, rgb };
}

const size = fc.record({ width: fc.integer({ min: 1, max: 300 }), height: fc.integer({ min: 1, max: 200 }) });
const spot = fc.record({
  x: fc.integer({ min: 0, max: 299 }),
  y: fc.integer({ min: 0, max: 199 }),
  width: fc.integer({ min: 1, max: 20 }),
  height: fc.integer({ min: 1, max: 20 }),
  value: fc.integer({ min: 0, max: 255 }),
});
const area = fc.record({
  x: fc.integer({ min: 0, max: 1_000 }),
  y: fc.integer({ min: 0, max: 1_000 }),
  width: fc.integer({ min: 1, max: 100 }),
  height: fc.integer({ min: 1, max: 100 }),
});
const isWithin = (point: { x: number; y: number }, one: Rectangle): boolean =>
  point.x >= one.x && point.x < one.x + one.width && point.y >= one.y && point.y < one.y + one.height;

describe('what differs between two pictures', () => {
  test('painted over the one before, it is the new one to the last pixel', () => {
    fc.assert(
      fc.property(size, fc.array(spot, { maxLength: 6 }), ({ width, height }, spots) => {
        const before = picture(width, height);
        const after = drawn(before, spots);
        const changed = changesBetween(before, after);
        if (changed) expect(painted(before, after, changed).rgb.equals(after.rgb)).toBe(true);
      }),
    );
  });

  test('a caret on a large page is one small rectangle', () => {
    const before = picture(1280, 800);
    const after = drawn(before, [{ x: 100, y: 90, width: 2, height: 20, value: 0 }]);
    expect(changesBetween(before, after)).toEqual([{ x: 96, y: 80, width: 16, height: 32 }]);
    expect(changesBetween(before, before)).toEqual([]);
  });

  test('two far from each other are two, and an edge of the page is not crossed', () => {
    const before = picture(1275, 795);
    const after = drawn(before, [
      { x: 0, y: 0, width: 1, height: 1, value: 0 },
      { x: 1274, y: 794, width: 1, height: 1, value: 0 },
    ]);
    expect(changesBetween(before, after)).toEqual([
      { x: 0, y: 0, width: 16, height: 16 },
      { x: 1264, y: 784, width: 11, height: 11 },
    ]);
  });

  test('most of the page, or another size, is taken as a whole', () => {
    const before = picture(1280, 800);
    const quarter = { x: 0, y: 0, width: 640, height: 400, value: 0 };
    expect(changesBetween(before, drawn(before, [quarter]))).toBeNull();
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
