/** What a JPEG says about itself before its coded data. Pure. */
import { isFrameHeader, jpegSize, segmentsOf, START_OF_SCAN, type Size } from '../../recording/jpeg-size.ts';

const MARKER = {
  startOfFrame: 0xc0,
  extendedFrame: 0xc1,
  huffmanTables: 0xc4,
  quantization: 0xdb,
  restartInterval: 0xdd,
  application: 0xe0,
  applicationLast: 0xef,
} as const;
/** Of all that are coded together: the standard allows no more in one unit. */
const MAX_BLOCKS = 10;

export interface Component {
  id: number;
  /** Blocks of 8×8 samples in each unit of the picture, across and down. */
  across: number;
  down: number;
  quantization: number;
  dc: HuffmanSpec;
  ac: HuffmanSpec;
}

/** As JPEG writes a table: how many codes there are of each length from 1 to 16, and what they stand for. */
export interface HuffmanSpec {
  counts: Uint8Array;
  symbols: Uint8Array;
}

export interface Header extends Size {
  components: readonly Component[];
  /** Width and height of a unit in pixels: with half the colour samples, as browsers code them, 16×16. */
  unit: Size;
  /** The segments with quantization tables and application data as they stand, markers included. */
  tables: Buffer;
  /** Where the coded data begins. */
  dataAt: number;
}

/** Null: not a baseline JPEG with all components in one scan, which is what browsers make. */
export function headerOf(jpeg: Buffer): Header | null {
  const dc = new Map<number, HuffmanSpec>();
  const ac = new Map<number, HuffmanSpec>();
  const tables: Buffer[] = [];
  let frame: Buffer | null = null;
  for (const { marker, at, body } of segmentsOf(jpeg)) {
    const whole = jpeg.subarray(at, at + 4 + body.length);
    if (marker === MARKER.quantization) tables.push(whole);
    else if (marker >= MARKER.application && marker <= MARKER.applicationLast) tables.push(whole);
    else if (marker === MARKER.huffmanTables) {
      if (!readTables(body, dc, ac)) return null;
    } else if (marker === MARKER.startOfFrame || marker === MARKER.extendedFrame) frame = body;
    else if (isFrameHeader(marker)) return null;
    else if (marker === MARKER.restartInterval && body.some((byte) => byte !== 0)) return null;
    else if (marker === START_OF_SCAN) {
      const components = frame && componentsOf(frame, body, dc, ac);
      const size = jpegSize(jpeg);
      if (!components || !size) return null;
      const across = Math.max(...components.map((one) => one.across));
      const down = Math.max(...components.map((one) => one.down));
      return {
        ...size,
        components,
        unit: { width: across * 8, height: down * 8 },
        tables: Buffer.concat(tables),
        dataAt: at + 4 + body.length,
      };
    }
  }
  return null;
}

function readTables(body: Buffer, dc: Map<number, HuffmanSpec>, ac: Map<number, HuffmanSpec>): boolean {
  for (let at = 0; at < body.length;) {
    const place = body[at]!;
    const counts = body.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const symbols = body.subarray(at + 17, at + 17 + total);
    if (counts.length < 16 || symbols.length < total || total > 256 || !fits(counts)) return false;
    (place >> 4 === 0 ? dc : ac).set(place & 15, { counts, symbols });
    at += 17 + total;
  }
  return true;
}

/** There are no more codes than their lengths have room for. */
function fits(counts: Uint8Array): boolean {
  let room = 1;
  for (const count of counts) {
    room = room * 2 - count;
    if (room < 0) return false;
  }
  return true;
}

function componentsOf(
  frame: Buffer,
  scan: Buffer,
  dc: ReadonlyMap<number, HuffmanSpec>,
  ac: ReadonlyMap<number, HuffmanSpec>,
): Component[] | null {
  const count = frame[5] ?? 0;
  const isWhole = frame.length === 6 + count * 3 && scan.length === 4 + count * 2 && scan[0] === count;
  if (frame[0] !== 8 || count === 0 || !isWhole) return null;
  const components: Component[] = [];
  let blocks = 0;
  for (let index = 0; index < count; index += 1) {
    const at = 6 + index * 3;
    const [id, sampling, quantization] = [frame[at]!, frame[at + 1]!, frame[at + 2]!];
    const tables = scan[2 + index * 2]!;
    const specs = { dc: dc.get(tables >> 4), ac: ac.get(tables & 15) };
    // One component alone is coded block by block, however it is sampled.
    const [across, down] = count === 1 ? [1, 1] : [sampling >> 4, sampling & 15];
    blocks += across * down;
    if (scan[1 + index * 2] !== id || !specs.dc || !specs.ac) return null;
    if (across < 1 || down < 1 || across > 4 || down > 4 || blocks > MAX_BLOCKS) return null;
    components.push({ id, across, down, quantization, dc: specs.dc, ac: specs.ac });
  }
  return components;
}
