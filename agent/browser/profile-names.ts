import { distance } from 'fastest-levenshtein';
import { AgentError } from '../base/errors.ts';

/** Long enough for "portal name - account - environment", short enough for a table. */
const MAX_NAME_LENGTH = 64;
const MAX_TAGS = 32;
/** Names that Windows gives to devices, with any extension. https://learn.microsoft.com/windows/win32/fileio/naming-a-file */
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
/** Any letters and digits; no separators, quotes or wildcards, so that a name fits a file name and a shell everywhere. */
const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._@+-]*[\p{L}\p{M}\p{N}_@+-])?$/u;

/** @throws AgentError InvalidInput, saying what a name may be */
export function checkProfileName(name: string): string {
  return check(name, 'profile name');
}

/** The tags without repeats. @throws AgentError InvalidInput */
export function checkTags(tags: readonly string[]): string[] {
  const unique = [...new Set(tags.map((tag) => check(tag, 'tag')))];
  if (unique.length > MAX_TAGS) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `A profile has at most ${MAX_TAGS} tags, these are ${unique.length}.`,
    );
  }
  return unique;
}

function check(text: string, what: string): string {
  const wrong = problem(text);
  if (wrong === undefined) return text;
  throw new AgentError(
    'BrowserAgent.InvalidInput',
    `${JSON.stringify(text)} is no ${what}: ${wrong}. Use 1 to ${MAX_NAME_LENGTH} letters, digits, spaces or . _ - + @, beginning with a letter or digit.`,
  );
}

function problem(text: string): string | undefined {
  if (text.length === 0) return 'it is empty';
  if (text.length > MAX_NAME_LENGTH) return `it has ${text.length} characters`;
  if (WINDOWS_DEVICE.test(text)) return 'Windows keeps that name for a device';
  if (text.endsWith(' ') || text.endsWith('.')) return 'it ends with a space or a dot';
  if (!NAME.test(text)) return 'it has a character that is not allowed';
  return undefined;
}

/** How many near names an error lists. */
const MAX_NEAR = 3;

/** Names that somebody may have meant, nearest first. */
export function nearNames(wanted: string, names: readonly string[]): string[] {
  const lower = wanted.toLowerCase();
  return names
    .map((name) => ({ name, far: distance(lower, name.toLowerCase()) }))
    .filter(
      ({ name, far }) =>
        far <= Math.max(2, Math.floor(wanted.length / 3)) ||
        (lower.length > 2 && name.toLowerCase().includes(lower)),
    )
    .sort((a, b) => a.far - b.far)
    .slice(0, MAX_NEAR)
    .map(({ name }) => name);
}
