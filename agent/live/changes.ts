/**
 * What differs between two pictures of one page, as few rectangles. Pure.
 *
 * The comparison is exact. The browser codes every 16×16 block by itself and always alike, so that what did
 * not change comes out of two JPEGs as the very same pixels; a tolerance would only leave stale ones.
 */
import type { Rectangle } from './rfb/messages.ts';

/** The blocks in which Chromium codes a JPEG (4:2:0): a change is never seen in less. */
const CELL_PX = 16;
/** Beyond this share of the page, a rectangle saves less than finding it costs. */
export const LARGE_SHARE = 1 / 8;
/** What one more rectangle costs (its header, JPEG tables, drawing), in pixels that could be sent instead. */
const RECTANGLE_COST_PX = 64 * 64;
/** More are never sent. */
const MAX_RECTANGLES = 8;
/** Clean cells between two dirty ones that are sent with them. */
const GAP_CELLS = 4;

export interface Picture {
  /** Three bytes a pixel, rows from above. */
  rgb: Buffer;
  width: number;
  height: number;
}

/** Null: so much that the whole picture is cheaper. None: the pictures are the same. */
export function changesBetween(before: Picture, after: Picture): Rectangle[] | null {
  const { width, height } = after;
  if (before.width !== width || before.height !== height) return null;
  const runs: Rectangle[] = [];
  let dirtyPx = 0;
  for (let y = 0; y < height; y += CELL_PX) {
    const rows = Math.min(CELL_PX, height - y);
    for (const run of runsOf(dirtyCells(before, after, y, rows))) {
      const x = run.first * CELL_PX;
      const area = { x, y, width: Math.min(width, run.end * CELL_PX) - x, height: rows };
      dirtyPx += area.width * area.height;
      runs.push(area);
    }
    if (dirtyPx > width * height * LARGE_SHARE) return null;
  }
  return few(runs);
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

/** Of a picture's RGB. */
export function cut({ rgb, width }: Picture, area: Rectangle): Buffer {
  if (area.x === 0 && area.width === width) {
    return rgb.subarray(area.y * width * 3, (area.y + area.height) * width * 3);
  }
  const rowBytes = area.width * 3;
  const out = Buffer.allocUnsafe(rowBytes * area.height);
  for (let row = 0; row < area.height; row += 1) {
    const start = ((area.y + row) * width + area.x) * 3;
    rgb.copy(out, row * rowBytes, start, start + rowBytes);
  }
  return out;
}

/** Whole rows are compared first: in most of a picture nothing differs, and that is known at once. */
function dirtyCells(before: Picture, after: Picture, y: number, rows: number): Uint8Array {
  const rowBytes = after.width * 3;
  const cellBytes = CELL_PX * 3;
  const dirty = new Uint8Array(Math.ceil(after.width / CELL_PX));
  const differs = (start: number, end: number): boolean =>
    before.rgb.compare(after.rgb, start, end, start, end) !== 0;
  if (!differs(y * rowBytes, (y + rows) * rowBytes)) return dirty;
  for (let row = y; row < y + rows; row += 1) {
    const start = row * rowBytes;
    const end = start + rowBytes;
    if (!differs(start, end)) continue;
    for (let cell = 0; cell < dirty.length; cell += 1) {
      if (dirty[cell]) continue;
      const from = start + cell * cellBytes;
      if (differs(from, Math.min(from + cellBytes, end))) dirty[cell] = 1;
    }
  }
  return dirty;
}

function runsOf(dirty: Uint8Array): { first: number; end: number }[] {
  const runs: { first: number; end: number }[] = [];
  for (let cell = 0; cell < dirty.length; cell += 1) {
    if (!dirty[cell]) continue;
    const last = runs.at(-1);
    if (last && cell - last.end <= GAP_CELLS) last.end = cell + 1;
    else runs.push({ first: cell, end: cell + 1 });
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
