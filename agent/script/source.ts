import { findNodeAtLocation, parseTree, type Node, type ParseError } from 'jsonc-parser';
import type { JsonValue } from '../base/words.ts';
import type { Finding, Path } from './problem.ts';

/**
 * A script's way in: JSON text or an already parsed value becomes a plain JSON value of bounded size and
 * depth, with a way back from a path to line and column.
 */

/** Largest script in bytes of UTF-8: what Step Functions can hand over. */
export const MAX_SCRIPT_BYTES = 262_144;

/** Most objects and lists inside one another: far beyond any real script, far below the stack. */
export const MAX_DEPTH = 100;

/** Most objects and lists in one script: a step has one or more, so that checks stay below 0.2 s. */
export const MAX_PARTS = 20_000;

export type Source =
  | { ok: true; value: JsonValue; locate: (path: Path) => Position | undefined }
  | { ok: false; finding: Finding; position?: Position };

export interface Position {
  line: number;
  column: number;
}

/** Reads text as strict JSON, and takes any other value as what JSON text would have held. */
export function readSource(source: unknown): Source {
  return typeof source === 'string' ? readText(source) : readValue(source);
}

function readText(written: string): Source {
  const text = written.startsWith('\uFEFF') ? written.slice(1) : written;
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > MAX_SCRIPT_BYTES) return refuse(tooLarge(sizeBytes));
  const excess = findExcess(text);
  if (excess) return refuse(excess.message, [], positionAt(text, excess.offset));

  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (thrown) {
    const errors: ParseError[] = [];
    parseTree(text, errors, { disallowComments: true });
    const offset = errors[0]?.offset ?? 0;
    const detail = text.trim() === '' ? 'it is empty' : (thrown as Error).message;
    return refuse(`not JSON: ${detail}`, [], positionAt(text, offset));
  }

  let tree: Node | undefined;
  let starts: number[] | undefined;
  const locate = (path: Path): Position | undefined => {
    tree ??= parseTree(text);
    starts ??= lineStarts(text);
    const node = tree && nearestNode(tree, path);
    return node && positionIn(starts, node.offset);
  };
  const bad = findForbiddenKey(value);
  if (bad) {
    const position = locate(bad);
    return { ok: false, finding: forbidden(bad), ...(position ? { position } : {}) };
  }
  return { ok: true, value, locate };
}

function readValue(source: unknown): Source {
  let text: string | undefined;
  try {
    const excess = excessOf(source);
    if (excess !== undefined) return refuse(excess);
    text = JSON.stringify(source);
  } catch (thrown) {
    return refuse(`not a JSON value: ${(thrown as Error).message}`);
  }
  if (text === undefined) return refuse(`not a JSON value: it is ${typeof source}`);
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > MAX_SCRIPT_BYTES) return refuse(tooLarge(sizeBytes));
  const value = JSON.parse(text) as JsonValue;
  const bad = findForbiddenKey(value);
  if (bad) return { ok: false, finding: forbidden(bad) };
  return { ok: true, value, locate: () => undefined };
}

const TOO_DEEP = `objects and lists stand more than ${MAX_DEPTH} deep inside one another; split the script with include`;
const TOO_MANY = `the script has more than ${MAX_PARTS} objects and lists; split it with include, or give long lists as variables`;

function tooLarge(sizeBytes: number): string {
  return `the script has ${sizeBytes} bytes, more than ${MAX_SCRIPT_BYTES}; store it on the machine and name it instead`;
}

function forbidden(path: Path): Finding {
  return { severity: 'error', path, message: 'the key "__proto__" is not allowed' };
}

function refuse(message: string, path: Path = [], position?: Position): Source {
  return { ok: false, finding: { severity: 'error', path, message }, ...(position ? { position } : {}) };
}

/** The bracket that goes beyond depth or number, found without recursion, strings skipped. */
function findExcess(text: string): { offset: number; message: string } | undefined {
  let depth = 0;
  let parts = 0;
  let inString = false;
  for (let offset = 0; offset < text.length; offset++) {
    const char = text[offset];
    if (inString) {
      if (char === '\\') offset++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') {
      if (++depth > MAX_DEPTH) return { offset, message: TOO_DEEP };
      if (++parts > MAX_PARTS) return { offset, message: TOO_MANY };
    } else if (char === '}' || char === ']') depth--;
  }
  return undefined;
}

/** Level by level, so neither depth nor a cycle overflows the stack; a cycle is too deep. */
function excessOf(value: unknown): string | undefined {
  let level = new Set<object>(isObject(value) ? [value] : []);
  let parts = 0;
  for (let depth = 0; level.size > 0; depth++) {
    if (depth >= MAX_DEPTH) return TOO_DEEP;
    parts += level.size;
    if (parts > MAX_PARTS) return TOO_MANY;
    const next = new Set<object>();
    for (const item of level) for (const child of Object.values(item)) if (isObject(child)) next.add(child);
    level = next;
  }
  return undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** `__proto__` as a key changes what a copy of an object inherits. */
function findForbiddenKey(value: JsonValue, path: Path = []): Path | undefined {
  if (!isObject(value)) return undefined;
  if (!Array.isArray(value) && Object.hasOwn(value, '__proto__')) return [...path, '__proto__'];
  for (const [key, child] of Object.entries(value)) {
    const found = findForbiddenKey(child as JsonValue, [...path, Array.isArray(value) ? Number(key) : key]);
    if (found) return found;
  }
  return undefined;
}

/** The node at the path, or the nearest one around it when the path names something that is missing. */
function nearestNode(tree: Node, path: Path): Node | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node = findNodeAtLocation(tree, path.slice(0, length));
    if (node) return node;
  }
  return undefined;
}

function positionAt(text: string, offset: number): Position {
  return positionIn(lineStarts(text), offset);
}

/** Offset of the first character of each line. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function positionIn(starts: readonly number[], offset: number): Position {
  let line = 0;
  for (let end = starts.length; end - line > 1;) {
    const middle = (line + end) >> 1;
    if (starts[middle]! <= offset) line = middle;
    else end = middle;
  }
  return { line: line + 1, column: offset - starts[line]! + 1 };
}
