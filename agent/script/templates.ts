/**
 * The template syntax: `{{name.path}}`, `{{steps.Step name.data.field}}`, `{{env.NAME}}`,
 * `{{secret:NAME}}`. What stands inside braces and is none of these is text: a script in a script may
 * have braces of its own. Mustache sections belong to whatever renders before, tags and content alike.
 */

export type Reference =
  | { kind: 'variable'; path: string[] }
  /** Name and path are not parted yet: a step's name may have dots. */
  | { kind: 'steps'; rest: string }
  | { kind: 'env'; name: string }
  | { kind: 'secret'; name: string };

export type Token = { text: string } | { reference: Reference; written: string };

/** An escaped pair of braces, or a pair of braces with something inside. */
const PIECES = /\\\{\{|\{\{([^{}]*)\}\}/g;

/** Longer text between braces is not a reference: trying a step's name at each dot takes quadratic time. */
const MAX_REFERENCE_CHARACTERS = 1_000;

const VARIABLE = /^\w[\w-]*(?:\.[\w-]+)*$/;
const ENV = /^env\.(\w+)$/;
const SECRET = /^secret:\s*(\S+)$/;
const STEPS = /^steps\.(.+)$/s;

/** Parts a string into text and references; `\{{` is the text `{{`. */
export function tokenise(text: string): Token[] {
  const pieces = [...text.matchAll(PIECES)].map((match) => ({
    written: match[0],
    inner: match[1]?.trim(),
    start: match.index,
    end: match.index + match[0].length,
  }));
  const sectionEnds = new Map<string, number[]>();
  for (const { inner, end } of pieces) {
    if (inner?.startsWith('/') !== true) continue;
    const name = inner.slice(1).trim();
    const ends = sectionEnds.get(name);
    if (ends) ends.push(end);
    else sectionEnds.set(name, [end]);
  }

  const tokens: Token[] = [];
  let plain = '';
  let from = 0;
  for (const { written, inner, start, end } of pieces) {
    if (start < from) continue;
    plain += text.slice(from, start);
    from = end;
    const reference = inner === undefined ? undefined : parseReference(inner);
    if (reference !== undefined) {
      if (plain !== '') tokens.push({ text: plain });
      plain = '';
      tokens.push({ reference, written });
    } else if (inner === undefined) {
      plain += '{{';
    } else {
      from = sectionEnd(inner, end, sectionEnds) ?? end;
      plain += text.slice(start, from);
    }
  }
  plain += text.slice(from);
  if (plain !== '') tokens.push({ text: plain });
  return tokens;
}

/** Where the section ends that `inner` opens, if it opens one that is closed. */
function sectionEnd(inner: string, after: number, ends: Map<string, number[]>): number | undefined {
  if (!inner.startsWith('#') && !inner.startsWith('^')) return undefined;
  const ascending = ends.get(inner.slice(1).trim()) ?? [];
  const next = ascending.findIndex((end) => end > after);
  // Sections are read in order: an end before this one is also before all that follow.
  ascending.splice(0, next < 0 ? ascending.length : next);
  return ascending[0];
}

/** The references in a string. */
export function referencesIn(text: string): { reference: Reference; written: string }[] {
  return tokenise(text).filter((token) => 'reference' in token);
}

function parseReference(inner: string): Reference | undefined {
  if (inner.length > MAX_REFERENCE_CHARACTERS) return undefined;
  const env = ENV.exec(inner)?.[1];
  if (env !== undefined) return { kind: 'env', name: env };
  const secret = SECRET.exec(inner)?.[1];
  if (secret !== undefined) return { kind: 'secret', name: secret };
  const rest = STEPS.exec(inner)?.[1];
  if (rest !== undefined) return { kind: 'steps', rest };
  if (VARIABLE.test(inner)) return { kind: 'variable', path: inner.split('.') };
  return undefined;
}
