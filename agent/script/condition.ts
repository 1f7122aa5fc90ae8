import { z } from 'zod';
import type { JsonValue } from '../base/words.ts';
import type { Fields } from './fields.ts';
import type { Locator, makeLocator } from './locator.ts';

/** How long an element condition waits to become true, in milliseconds, as the earlier program did. */
export const CONDITION_TIMEOUT_MS = 5_000;

/** Conditions that look at the page; the rest is the interpreter's own. */
export type PageCondition =
  | {
      type: 'element_exists' | 'element_visible' | 'element_hidden';
      locator: Locator;
      timeout: number;
    }
  | {
      type: 'element_text';
      locator: Locator;
      contains?: string | undefined;
      equals?: string | undefined;
      /** A regular expression, as in JavaScript, without flags. */
      matches?: string | undefined;
      timeout: number;
    }
  | {
      type: 'element_count';
      locator: Locator;
      min?: number | undefined;
      max?: number | undefined;
      exact?: number | undefined;
      timeout: number;
    }
  | { type: 'text_visible'; text: string; exact?: boolean | undefined; timeout: number }
  | { type: 'url_contains' | 'url_matches'; pattern: string }
  | { type: 'url_equals'; url: string }
  | { type: 'js_eval'; expression: string; expected: JsonValue };

export type Condition =
  | PageCondition
  | {
      type: 'variable';
      name: string;
      equals?: JsonValue | undefined;
      contains?: JsonValue | undefined;
      exists?: boolean | undefined;
    }
  | { type: 'and' | 'or'; conditions: Condition[] }
  | { type: 'not'; condition: Condition };

export const CONDITION_TYPES = [
  'element_exists',
  'element_visible',
  'element_hidden',
  'element_text',
  'element_count',
  'text_visible',
  'url_contains',
  'url_matches',
  'url_equals',
  'variable',
  'js_eval',
  'and',
  'or',
  'not',
] as const satisfies readonly Condition['type'][];

/** Something that is true of the page or of the run. */
export function makeCondition(f: Fields, locator: ReturnType<typeof makeLocator>): z.ZodType<Condition> {
  const waits = { timeout: f.durationMs().default(CONDITION_TIMEOUT_MS) };
  /** Looked at once: waiting is the exception here. */
  const looks = { timeout: f.durationMs().default(0) };
  const count = f.integer(0, 1_000_000).optional();
  const nested = z.lazy(() => condition);
  const condition: z.ZodType<Condition> = z.discriminatedUnion('type', [
    z.object({ type: z.literal('element_exists'), locator, ...waits }),
    z.object({ type: z.literal('element_visible'), locator, ...waits }),
    z.object({ type: z.literal('element_hidden'), locator, ...waits }),
    z.object({
      type: z.literal('element_text'),
      locator,
      contains: f.text().optional(),
      equals: f.text().optional(),
      matches: f.text().optional(),
      ...waits,
    }),
    z.object({ type: z.literal('element_count'), locator, min: count, max: count, exact: count, ...looks }),
    z.object({ type: z.literal('text_visible'), text: f.filled(), exact: f.boolean().optional(), ...waits }),
    z.object({ type: z.literal('url_contains'), pattern: f.filled() }),
    z.object({ type: z.literal('url_matches'), pattern: f.filled() }),
    z.object({ type: z.literal('url_equals'), url: f.filled() }),
    z.object({
      type: z.literal('variable'),
      name: f.filled(),
      equals: f.json().optional(),
      contains: f.json().optional(),
      exists: f.boolean().optional(),
    }),
    z.object({ type: z.literal('js_eval'), expression: f.filled(), expected: f.json().default(true) }),
    z.object({ type: z.literal('and'), conditions: z.array(nested).min(1) }),
    z.object({ type: z.literal('or'), conditions: z.array(nested).min(1) }),
    z.object({ type: z.literal('not'), condition: nested }),
  ]) as unknown as z.ZodType<Condition>;
  return condition.meta({ title: 'Condition' });
}
