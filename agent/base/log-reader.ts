/** Reads the log file backwards, newest lines first, through the parts that were put aside. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseLogLine, type LogLevel, type LogLine, LOG_LEVELS } from './log-line.ts';

/** Looked through for one answer, so that a word that is nowhere does not keep the agent busy: some 0.2 s. */
const MAX_SCAN_BYTES = 20_000_000;
const CHUNK_BYTES = 262_144;
/** A longer line is no line of ours; it is left out. */
const MAX_LINE_BYTES = 1_000_000;

export interface LogFilter {
  /** This level or above. */
  level?: LogLevel | undefined;
  /** In message or fields, in any case. */
  q?: string | undefined;
  runId?: string | undefined;
}

export interface LogPage {
  /** Newest first. */
  lines: LogLine[];
  /** Where the next page begins; null: there is no more. */
  next: LogPlace | null;
}

/** Before this byte of the file with this inode: renaming, as rotation does, changes neither. */
export interface LogPlace {
  ino: string;
  offset: number;
}

export function readLog(
  path: string,
  options: LogFilter & { before: LogPlace | null; limit: number },
): LogPage {
  const lines: LogLine[] = [];
  let scanned = 0;
  let isReached = options.before === null;
  for (const file of partsOf(path)) {
    let handle: number;
    try {
      handle = openSync(file, 'r');
    } catch {
      continue; // Rotated away meanwhile.
    }
    try {
      const { ino, size } = fstatSync(handle, { bigint: true });
      let end = Number(size);
      if (!isReached) {
        if (String(ino) !== options.before?.ino) continue;
        isReached = true;
        end = Math.min(end, options.before.offset);
      }
      for (const { text, offset } of backwards(handle, end)) {
        scanned += text.length + 1;
        const line = parseLogLine(text);
        if (line && matches(line, text, options)) lines.push(line);
        if (lines.length >= options.limit || scanned >= MAX_SCAN_BYTES)
          return { lines, next: { ino: String(ino), offset } };
      }
    } finally {
      closeSync(handle);
    }
  }
  return { lines, next: null };
}

export function matches(line: LogLine, text: string, { level, q, runId }: LogFilter): boolean {
  if (level !== undefined && LOG_LEVELS.indexOf(line.level) < LOG_LEVELS.indexOf(level)) return false;
  if (runId !== undefined && line.runId !== runId) return false;
  return q === undefined || text.toLowerCase().includes(q.toLowerCase());
}

/** The current file, then `<path>.1`, `<path>.2`…: newest first. */
function partsOf(path: string): string[] {
  const name = basename(path);
  let names: string[];
  try {
    names = readdirSync(dirname(path));
  } catch {
    return [];
  }
  const aside = names
    .map((each) => (each.startsWith(`${name}.`) ? Number(each.slice(name.length + 1)) : Number.NaN))
    .filter((number) => Number.isInteger(number))
    .sort((a, b) => a - b);
  return [path, ...aside.map((number) => join(dirname(path), `${name}.${number}`))];
}

function* backwards(handle: number, end: number): Generator<{ text: string; offset: number }> {
  let rest = Buffer.alloc(0);
  let from = end;
  while (from > 0) {
    const size = Math.min(CHUNK_BYTES, from);
    from -= size;
    const chunk = Buffer.alloc(size);
    readSync(handle, chunk, 0, size, from);
    rest = Buffer.concat([chunk, rest]);
    for (;;) {
      // The last byte may be the line break that ends the last line.
      const at = rest.lastIndexOf(0x0a, rest.length - 2);
      if (at < 0) break;
      const text = rest
        .subarray(at + 1)
        .toString('utf8')
        .trimEnd();
      rest = rest.subarray(0, at + 1);
      if (text !== '') yield { text, offset: from + at + 1 };
    }
    if (rest.length > MAX_LINE_BYTES) rest = Buffer.alloc(0);
  }
  const text = rest.toString('utf8').trimEnd();
  if (text !== '') yield { text, offset: 0 };
}
