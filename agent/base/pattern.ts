/**
 * Patterns: regular expressions that a script or another input brings. They are JavaScript's, evaluated by V8
 * in a thread of their own, which is ended when one takes too long (docs/decisions/008-patterns.md). This is
 * the only file that makes a RegExp from a text; lint refuses it elsewhere.
 */
import { AgentError, messageOf } from './errors.ts';
import { OnDemandWorker } from './on-demand-worker.ts';

/** What one call may take (ms). Real patterns take microseconds; this leaves room for a busy machine. */
export const PATTERN_LIMIT_MS = 1_000;
/** Longer patterns are refused: V8 takes memory and time by their length before it looks at any text. */
export const MAX_PATTERN_CHARACTERS = 10_000;
/** More text is refused: all of it is copied to the thread. */
export const MAX_SEARCHED_CHARACTERS = 10_000_000;
/** Runs use patterns in every few steps, or not at all. */
const IDLE_MS = 60_000;
const HEAP_MB = 256;

export interface Pattern {
  /** As the script has it, for messages. */
  written: string;
  source: string;
  flags: string;
}

/** A question to the thread. */
export type PatternRequest =
  /** Is it found in any of the texts? */
  | { kind: 'test'; source: string; flags: string; texts: readonly string[] }
  /** All places: the first group where there is one, else the whole match. */
  | { kind: 'find'; source: string; flags: string; texts: readonly string[]; max: number };
export type PatternAnswer = { kind: 'test'; found: boolean } | { kind: 'find'; found: string[] };

const thread = new OnDemandWorker<PatternRequest, PatternAnswer>({
  entry: new URL('./pattern-worker.ts', import.meta.url),
  idleMs: IDLE_MS,
  resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
});

/**
 * A pattern of a script. Scripts of the earlier program were read by Python, so its leading flags (`(?i)`),
 * named groups (`(?P<name>…)`) and anchors (`\A`, `\Z`) are understood.
 *
 * @param more further flags
 * @throws SyntaxError when it is none
 */
export function readPattern(written: string, more = ''): Pattern {
  refuseLong(written);
  const leading = /^\(\?([ims]+)\)/.exec(written);
  const source = written
    .slice(leading?.[0].length ?? 0)
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\\([\\AZ])/g, (whole, char: string) => (char === 'A' ? '^' : char === 'Z' ? '$' : whole));
  const flags = [...new Set(`${leading?.[1] ?? ''}${more}`.split(''))].join('');
  compilePattern({ source, flags });
  return { written, source, flags };
}

/**
 * The pattern of an address: `/…/flags` is a regular expression; with `*` or `{` a glob as in Playwright.
 * Any other text stands for itself, anywhere in the address.
 *
 * @throws SyntaxError
 */
export function readUrlPattern(written: string): Pattern {
  refuseLong(written);
  const slashed = readSlashed(written);
  if (slashed) return { ...readPattern(slashed.source, slashed.flags), written };
  if (!/[*{]/.test(written)) return { written, source: escapePattern(written), flags: '' };
  const source = written.replace(/\*\*\/?|\*|\{[^{}]*\}|[.+?^$()|[\]\\{}]/g, (part) => {
    if (part.startsWith('**')) return '.*';
    if (part === '*') return '[^/]*';
    if (part.length > 1) return `(?:${part.slice(1, -1).split(',').map(escapePattern).join('|')})`;
    return `\\${part}`;
  });
  return { written, source: `^${source}$`, flags: '' };
}

/** As {@link readPattern}. @throws AgentError BrowserAgent.InvalidScript */
export function requirePattern(written: string, more = ''): Pattern {
  return orInvalid(written, () => readPattern(written, more));
}

/** As {@link readUrlPattern}. @throws AgentError BrowserAgent.InvalidScript */
export function requireUrlPattern(written: string): Pattern {
  return orInvalid(written, () => readUrlPattern(written));
}

/** The parts of `/source/flags`; null for any other text. */
export function readSlashed(written: string): { source: string; flags: string } | null {
  const end = written.lastIndexOf('/');
  const flags = written.slice(end + 1);
  if (!written.startsWith('/') || end < 2 || !/^[a-z]*$/.test(flags)) return null;
  return { source: written.slice(1, end), flags };
}

/** The text as a pattern that finds it. */
export function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/**
 * Whether the pattern is found in the text, or in any of the texts.
 *
 * @throws AgentError BrowserAgent.InvalidScript when it takes longer than the limit; the signal's reason
 */
export async function matches(
  pattern: Pattern,
  text: string | readonly string[],
  limit: PatternLimit = {},
): Promise<boolean> {
  const { source, flags } = pattern;
  const texts = typeof text === 'string' ? [text] : text;
  const answer = await ask(pattern, { kind: 'test', source, flags, texts }, limit);
  return answer.kind === 'test' && answer.found;
}

/** All matches in the texts, up to `max`: the first group where there is one. @throws as {@link matches} */
export async function findAll(
  pattern: Pattern,
  texts: readonly string[],
  max: number,
  limit: PatternLimit = {},
): Promise<string[]> {
  const { source, flags } = pattern;
  const answer = await ask(pattern, { kind: 'find', source, flags, texts, max }, limit);
  return answer.kind === 'find' ? answer.found : [];
}

export interface PatternLimit {
  signal?: AbortSignal | undefined;
  /** Default: {@link PATTERN_LIMIT_MS}. */
  limitMs?: number;
}

/**
 * For Playwright, which sends it to the page, and for the thread. It is never evaluated in this process.
 *
 * @throws SyntaxError
 */
export function compilePattern({ source, flags }: Pick<Pattern, 'source' | 'flags'>): RegExp {
  return new RegExp(source, flags);
}

function refuseLong(written: string): void {
  if (written.length <= MAX_PATTERN_CHARACTERS) return;
  throw new SyntaxError(
    `it has ${written.length} characters, and ${MAX_PATTERN_CHARACTERS} are the most; look for a part of the text, or for less at once`,
  );
}

function orInvalid(written: string, read: () => Pattern): Pattern {
  try {
    return read();
  } catch (thrown) {
    throw new AgentError(
      'BrowserAgent.InvalidScript',
      `${quoted(written)} is not a regular expression: ${messageOf(thrown)}`,
    );
  }
}

async function ask(
  pattern: Pattern,
  request: PatternRequest,
  { signal, limitMs = PATTERN_LIMIT_MS }: PatternLimit,
): Promise<PatternAnswer> {
  const characters = request.texts.reduce((sum, text) => sum + text.length, 0);
  if (characters > MAX_SEARCHED_CHARACTERS) {
    throw tooMuch(
      pattern,
      `was not looked for in ${characters} characters, ${MAX_SEARCHED_CHARACTERS} are the most. Name an element that holds less text.`,
    );
  }
  const result = await thread.call(request, { limitMs, signal });
  switch (result.kind) {
    case 'answered':
      return result.answer;
    case 'aborted':
      throw signal?.reason;
    case 'too-slow':
      throw tooMuch(
        pattern,
        `took longer than ${limitMs / 1000} s on ${characters} characters. The usual cause is repetition that can match the same text in many ways, such as (a+)+ or several ** in one address: write a+, use fewer **, or name an element that holds less text.`,
      );
    case 'failed':
      throw tooMuch(pattern, `could not be looked for: ${result.problem}.`);
  }
}

function tooMuch({ written }: Pattern, what: string): AgentError {
  return new AgentError('BrowserAgent.InvalidScript', `The pattern ${quoted(written)} ${what}`);
}

/** In messages: the rest of a long pattern says nothing more. */
const SHOWN_CHARACTERS = 200;

function quoted(written: string): string {
  return JSON.stringify(
    written.length > SHOWN_CHARACTERS ? `${written.slice(0, SHOWN_CHARACTERS)}…` : written,
  );
}
