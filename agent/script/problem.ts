import { closest, distance } from 'fastest-levenshtein';

/** Something wrong with a script, where a person can find it. */
export interface Problem {
  severity: 'error' | 'warning';
  /** JSON path into the script as written, e.g. `$.steps[2].action`. */
  path: string;
  /** One-based, when the script came as text. */
  line?: number;
  /** One-based, in UTF-16 code units as editors count. */
  column?: number;
  message: string;
  /** What was probably meant. */
  suggestion?: string;
}

/** Where in a JSON value: keys and indexes from the top. */
export type Path = readonly (string | number)[];

/** A problem before its path is written out and its position looked up. */
export interface Finding {
  severity: 'error' | 'warning';
  path: Path;
  message: string;
  suggestion?: string | undefined;
}

/** One line for a person: `file:3:7 error $.steps[0].action: …`. */
export function formatProblem(problem: Problem, file = ''): string {
  const position = problem.line === undefined ? '' : `${problem.line}:${problem.column ?? 1}`;
  const where = [file, position].filter(Boolean).join(':');
  const hint = problem.suggestion === undefined ? '' : ` Did you mean "${problem.suggestion}"?`;
  return `${where ? `${where} ` : ''}${problem.severity} ${problem.path}: ${problem.message}${hint}`;
}

/** `['steps', 2, 'odd key']` as `$.steps[2]["odd key"]`. */
export function formatPath(path: Path): string {
  let text = '$';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_]\w*$/.test(part)) text += `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

/** Longer names are not compared: the time a comparison takes grows with the square of the length. */
const MAX_NAME_CHARACTERS = 100;
/** Further candidates are not compared: 200 suggestions of one script then take less than 0.1 s. */
const MAX_CANDIDATES = 500;

/** The candidate that `written` is probably a slip of, or nothing: a far guess is worse than none. */
export function didYouMean(written: string, candidates: Iterable<string>): string | undefined {
  if (written.length > MAX_NAME_CHARACTERS) return undefined;
  const mostEdits = Math.max(1, Math.floor(written.length / 3));
  const near = take(candidates, MAX_CANDIDATES).filter(
    (candidate) => Math.abs(candidate.length - written.length) <= mostEdits,
  );
  if (near.length === 0) return undefined;
  const lower = written.toLowerCase();
  const same = near.find((candidate) => candidate.toLowerCase() === lower);
  if (same !== undefined) return same;
  // Two letters swapped are two edits, and the commonest slip.
  const letters = lettersOf(lower);
  const swapped = near.find((candidate) => lettersOf(candidate) === letters);
  if (swapped !== undefined) return swapped;
  const best = closest(written, near);
  return distance(written, best) <= mostEdits ? best : undefined;
}

function take<T>(items: Iterable<T>, count: number): T[] {
  const taken: T[] = [];
  for (const item of items) {
    if (taken.length === count) break;
    taken.push(item);
  }
  return taken;
}

function lettersOf(word: string): string {
  return word.toLowerCase().split('').sort().join('');
}
