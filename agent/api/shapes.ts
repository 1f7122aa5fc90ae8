/** Shapes and words that more than one resource uses. */
import { z } from 'zod';
import { RECORDING_LEVELS } from '../base/words.ts';
import { ApiError } from './problem.ts';

/** How many entries a page of a list may have: read at a glance by default, never more than a moment's work. */
const DEFAULT_PAGE = 50;
const MAX_PAGE = 500;

export const time = z.iso.datetime().describe('RFC 3339, UTC.');
export const runId = z.uuid().describe('Id of a run; sorts by time.');
export const level = z.enum(RECORDING_LEVELS);
export const limit = z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE);
export const cursor = z.string().min(1).max(200).describe('`next_cursor` of the page before.');

/** Several of the words, with commas between, in one parameter. */
export function listOf<const Word extends string>(words: readonly Word[]) {
  const known: ReadonlySet<string> = new Set(words);
  const one = `(?:${words.join('|')})`;
  return z
    .string()
    .refine((text) => text.split(',').every((word) => known.has(word)), {
      error: `must be one or more of ${words.join(', ')}, with commas between`,
    })
    .meta({ pattern: `^${one}(?:,${one})*$` })
    .transform((text) => text.split(',') as Word[]);
}

export function isoTime(ms: number): string;
export function isoTime(ms: number | null): string | null;
export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** A page of a list: its entries, and where the next page begins. */
export function page<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    next_cursor: z.string().nullable().describe('Null: this is the last page.'),
  });
}

/** The page out of one row more than asked for, which says whether there is a next one. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  size: number,
  item: (row: Row) => Item,
  place: (row: Row) => string,
): { items: Item[]; next_cursor: string | null } {
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  const isMore = rows.length > size && last !== undefined;
  return { items: shown.map(item), next_cursor: isMore ? encodeCursor(place(last)) : null };
}

export function encodeCursor(place: string): string {
  return Buffer.from(`v1:${place}`).toString('base64url');
}

/** @throws ApiError 400 for a text that is no cursor of ours */
export function decodeCursor<T>(text: string, schema: z.ZodType<T>): T {
  const plain = Buffer.from(text, 'base64url').toString('utf8');
  const place = plain.startsWith('v1:') ? schema.safeParse(plain.slice(3)) : undefined;
  if (place?.success === true) return place.data;
  throw new ApiError(400, 'BrowserAgent.InvalidInput', '`cursor` is not the next_cursor of a page.');
}

/** Deeper JSON than any script has, and far less than what exhausts the stack of those who walk it. */
const MAX_DEPTH = 100;

/** @throws ApiError 400 for JSON that is nested too deep to be walked safely */
export function checkDepth(value: unknown, what: string): void {
  let here: unknown[] = [value];
  for (let depth = 0; here.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) {
      throw new ApiError(400, 'BrowserAgent.InvalidInput', `${what} is nested more than ${MAX_DEPTH} deep.`);
    }
    here = here.flatMap((node) =>
      typeof node === 'object' && node !== null ? (Object.values(node) as unknown[]) : [],
    );
  }
}
