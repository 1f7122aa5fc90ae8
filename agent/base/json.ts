/**
 * Reads JSON that this process did not just write: parses it, validates it, and says in one error which file or
 * text it was, where in it and what is wrong. Never quotes the text itself, because it may hold a secret.
 */
import { readFileSync } from 'node:fs';
import { parse as findErrors, printParseErrorCode, type ParseError } from 'jsonc-parser';
import type { z } from 'zod';
import { AgentError, messageOf } from './errors.ts';

/** `missing`: no such file; `unreadable`: the system refused; `syntax`: not JSON; `shape`: JSON of another form. */
export type JsonFault = 'missing' | 'unreadable' | 'syntax' | 'shape';

/** An error of this name and kind: `FILE is not JSON: line 3, column 7: comma expected`. */
export class JsonError extends AgentError {
  readonly fault: JsonFault;

  constructor(fault: JsonFault, message: string, cause?: unknown) {
    super('BrowserAgent.InvalidInput', message, { cause });
    this.fault = fault;
  }
}

/** More of them say nothing new: the rest usually follows from the first. */
const MAX_ISSUES = 3;

/**
 * @param what names the file in the error; default: its path
 * @throws JsonError
 */
export function readJsonFile<T>(path: string, schema: z.ZodType<T>, what = path): T {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    const isMissing = (thrown as NodeJS.ErrnoException).code === 'ENOENT';
    const message = isMissing ? `${what} does not exist` : `${what} cannot be read: ${messageOf(thrown)}`;
    throw new JsonError(isMissing ? 'missing' : 'unreadable', message, thrown);
  }
  return parseJson(text, schema, what);
}

/**
 * @param what names the text in the error
 * @throws JsonError with fault `syntax` or `shape`
 */
export function parseJson<T>(text: string, schema: z.ZodType<T>, what: string): T {
  // Editors on Windows begin a file with a byte order mark, which JSON does not know.
  const clean = text.startsWith('\uFEFF') ? text.slice(1) : text;
  let value: unknown;
  try {
    value = JSON.parse(clean);
  } catch {
    // Without the parser's error as cause: it quotes the text.
    throw new JsonError('syntax', `${what} is not JSON: ${firstErrorOf(clean)}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const shown = issues.slice(0, MAX_ISSUES).map(({ path, message }) => `${placeOf(path)}${message}`);
  const more = issues.length > shown.length ? `; and ${issues.length - shown.length} more` : '';
  throw new JsonError('shape', `${what} is not as expected: ${shown.join('; ')}${more}`);
}

function firstErrorOf(text: string): string {
  if (text.trim() === '') return 'it is empty';
  const errors: ParseError[] = [];
  findErrors(text, errors, { disallowComments: true });
  const [first] = errors;
  if (!first) return 'it has a character that JSON does not allow';
  const before = text.slice(0, first.offset);
  const line = before.split('\n').length;
  const column = first.offset - before.lastIndexOf('\n');
  // `CommaExpected`
  const words = printParseErrorCode(first.error).replaceAll(/\B[A-Z]/g, (letter) => ` ${letter}`);
  return `line ${line}, column ${column}: ${words.toLowerCase()}`;
}

function placeOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '' : `${path.map(String).join('.')}: `;
}
