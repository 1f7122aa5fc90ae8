import type { JsonObject, JsonValue } from '../base/words.ts';
import { didYouMean, type Finding, type Path } from './problem.ts';

/** An object on its way to the canonical form: shape not yet checked. */
export type Canon = Record<string, unknown>;

/** Stands in for a step that is already reported, so that it is reported once; jumps still find it. */
export function reportedStep(raw: unknown): Canon {
  const name = isPlainObject(raw) ? raw['name'] : undefined;
  return { action: 'wait', duration: 0, ...(typeof name === 'string' && name !== '' ? { name } : {}) };
}

/** Most errors, and most warnings, reported for one script: a person fixes the first ones and looks again. */
export const MAX_FINDINGS = 200;

const NO_RENAMES: Readonly<Record<string, string>> = {};

/** Collects what is wrong, and remembers where each rewritten object stood in the script as written. */
export class Findings {
  readonly list: Finding[] = [];
  readonly #counts = { error: 0, warning: 0 };
  readonly #origins = new WeakMap<object, { path: Path; renamed: Record<string, Path> }>();

  /**
   * Functions are called only for findings that are listed: a script of many errors would spend most of the
   * time on places and suggestions that are never shown.
   */
  error(path: Path | (() => Path), message: string, suggest?: () => string | undefined): void {
    this.#add('error', path, message, suggest);
  }

  /** As {@link error}; a warning never stops a script. */
  warn(path: Path | (() => Path), message: string, suggest?: () => string | undefined): void {
    this.#add('warning', path, message, suggest);
  }

  get hasErrors(): boolean {
    return this.#counts.error > 0;
  }

  /** Errors beyond {@link MAX_FINDINGS}, which are counted and not listed. */
  get unlistedErrors(): number {
    return Math.max(0, this.#counts.error - MAX_FINDINGS);
  }

  /** `renamed`: where a key of the canonical object has its value from, when not from the same key. */
  origin(object: object, path: Path, renamed: Record<string, Path> = {}): void {
    this.#origins.set(object, { path, renamed: { ...this.#origins.get(object)?.renamed, ...renamed } });
  }

  /** A path into the canonical script as a path into the script as written. */
  writtenPath(root: unknown, path: Path): Path {
    let node: unknown = root;
    let written: Path = [];
    for (const part of path) {
      const origin = typeof node === 'object' && node !== null ? this.#origins.get(node) : undefined;
      if (origin) written = origin.renamed[part] ?? [...origin.path, part];
      else written = [...written, part];
      node = typeof node === 'object' && node !== null ? (node as Canon)[part] : undefined;
    }
    const own = typeof node === 'object' && node !== null ? this.#origins.get(node) : undefined;
    return own?.path ?? written;
  }

  /**
   * A shallow copy with only known keys, comments (`_…`) left out and the others reported; keys in
   * `renames` are other names of known ones.
   */
  copy(
    raw: JsonObject,
    path: Path,
    known: readonly string[],
    what: string,
    renames: Readonly<Record<string, string>> = NO_RENAMES,
  ): Canon {
    const accepted = renames === NO_RENAMES ? known : [...known, ...Object.keys(renames)];
    this.checkKeys(raw, path, accepted, what);
    const copied: Canon = {};
    const renamed: Record<string, Path> = {};
    for (const key of known) if (Object.hasOwn(raw, key)) copied[key] = raw[key];
    for (const [alias, key] of Object.entries(renames)) {
      if (copied[key] !== undefined || raw[alias] === undefined) continue;
      copied[key] = raw[alias];
      renamed[key] = [...path, alias];
    }
    this.origin(copied, path, renamed);
    return copied;
  }

  checkKeys(raw: JsonObject, path: Path, known: readonly string[], what: string): void {
    for (const key of Object.keys(raw)) {
      if (key.startsWith('_') || known.includes(key)) continue;
      this.warn([...path, key], `unknown key "${key}" in ${what}; it is ignored`, () =>
        didYouMean(key, known),
      );
    }
  }

  #add(
    severity: Finding['severity'],
    path: Path | (() => Path),
    message: string,
    suggest: (() => string | undefined) | undefined,
  ): void {
    this.#counts[severity] += 1;
    if (this.#counts[severity] > MAX_FINDINGS) return;
    const where = typeof path === 'function' ? path() : path;
    this.list.push({ severity, path: where, message, suggestion: suggest?.() });
  }
}

export function isPlainObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON value's type, as in an error message. */
export function typeName(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
