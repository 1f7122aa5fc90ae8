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
  const tooDeepAt = findTooDeep(text);
  if (tooDeepAt !== undefined) return refuse(TOO_DEEP, [], positionAt(text, tooDeepAt));

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
  const locate = (path: Path): Position | undefined => {
    tree ??= parseTree(text);
    const node = tree && nearestNode(tree, path);
    return node && positionAt(text, node.offset);
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
    if (isTooDeep(source)) return refuse(TOO_DEEP);
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

function tooLarge(sizeBytes: number): string {
  return `the script has ${sizeBytes} bytes, more than ${MAX_SCRIPT_BYTES}; store it on the machine and name it instead`;
}

function forbidden(path: Path): Finding {
  return { severity: 'error', path, message: 'the key "__proto__" is not allowed' };
}

function refuse(message: string, path: Path = [], position?: Position): Source {
  return { ok: false, finding: { severity: 'error', path, message }, ...(position ? { position } : {}) };
}

/** Offset of the bracket that goes beyond the depth, found without recursion, strings skipped. */
function findTooDeep(text: string): number | undefined {
  let depth = 0;
  let inString = false;
  for (let offset = 0; offset < text.length; offset++) {
    const char = text[offset];
    if (inString) {
      if (char === '\\') offset++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') {
      if (++depth > MAX_DEPTH) return offset;
    } else if (char === '}' || char === ']') depth--;
  }
  return undefined;
}

/** Level by level, so neither depth nor a cycle overflows the stack; a cycle is too deep. */
function isTooDeep(value: unknown): boolean {
  let level = new Set<object>(isObject(value) ? [value] : []);
  for (let depth = 0; level.size > 0; depth++) {
    if (depth >= MAX_DEPTH) return true;
    const next = new Set<object>();
    for (const item of level) for (const child of Object.values(item)) if (isObject(child)) next.add(child);
    level = next;
  }
  return false;
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
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}
