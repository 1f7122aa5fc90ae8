/** What differs between two pictures of one page, as few rectangles. Pure. */
import { isComparable, type CodedPicture } from './jpeg/coded.ts';
import type { Rectangle } from './rfb/messages.ts';

/** Beyond this share of the page, it is sent as a whole: rectangles would be as large, and are to be found. */
export const LARGE_SHARE = 1 / 2;
/** What one more rectangle costs (its header, JPEG tables, drawing), in pixels that could be sent instead. */
const RECTANGLE_COST_PX = 64 * 64;
/** More are never sent. */
const MAX_RECTANGLES = 8;
/** Units that did not change between two that did, and are sent with them. */
const GAP_UNITS = 4;

/** Null: so much that the whole picture is cheaper, or not to be compared. None: the pictures are the same. */
export function changesBetween(before: CodedPicture, after: CodedPicture): Rectangle[] | null {
  if (!isComparable(before, after)) return null;
  const { width, height, unit } = after.header;
  const areas: Rectangle[] = [];
  let changedPx = 0;
  for (let row = 0; row < after.rows; row += 1) {
    const y = row * unit.height;
    for (const run of runsOf(before, after, row)) {
      const x = run.first * unit.width;
      const area = {
        x,
        y,
        width: Math.min(width, run.end * unit.width) - x,
        height: Math.min(height, y + unit.height) - y,
      };
      changedPx += pixelsOf(area);
      areas.push(area);
    }
    if (changedPx > width * height * LARGE_SHARE) return null;
  }
  return few(areas);
}

/** Few rectangles that cover all of these, and no two of which overlap. */
export function few(areas: readonly Rectangle[]): Rectangle[] {
  let apart: Rectangle[] = [];
  for (const area of areas) apart = withOne(apart, area, RECTANGLE_COST_PX);
  for (let costPx = RECTANGLE_COST_PX; apart.length > MAX_RECTANGLES;) {
    costPx *= 4;
    const rest = apart;
    apart = [];
    for (const area of rest) apart = withOne(apart, area, costPx);
  }
  return apart;
}

export function pixelsOf({ width, height }: { width: number; height: number }): number {
  return width * height;
}

/** The part of the area that is within a picture of this size; null: none. */
export function clipped(area: Rectangle, size: { width: number; height: number }): Rectangle | null {
  const width = Math.min(area.width, size.width - area.x);
  const height = Math.min(area.height, size.height - area.y);
  return width > 0 && height > 0 ? { ...area, width, height } : null;
}

function runsOf(before: CodedPicture, after: CodedPicture, row: number): { first: number; end: number }[] {
  const runs: { first: number; end: number }[] = [];
  const start = row * after.columns;
  for (let column = 0; column < after.columns; column += 1) {
    if (before.signatures[start + column] === after.signatures[start + column]) continue;
    const last = runs.at(-1);
    if (last && column - last.end <= GAP_UNITS) last.end = column + 1;
    else runs.push({ first: column, end: column + 1 });
  }
  return runs;
}

/** Joined with those that it overlaps, or that are cheaper sent as one with it. */
function withOne(apart: readonly Rectangle[], area: Rectangle, costPx: number): Rectangle[] {
  let joined = area;
  let rest = [...apart];
  for (;;) {
    const at = rest.findIndex((other) => {
      const both = pixelsOf(around(joined, other));
      return overlap(joined, other) || both <= pixelsOf(joined) + pixelsOf(other) + costPx;
    });
    if (at < 0) return [...rest, joined];
    joined = around(joined, rest[at]!);
    rest = rest.toSpliced(at, 1);
  }
}

function around(a: Rectangle, b: Rectangle): Rectangle {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
