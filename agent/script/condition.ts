import { z } from 'zod';
import type { JsonValue } from '../base/words.ts';
import type { Fields } from './fields.ts';
import type { Locator, makeLocator } from './locator.ts';

/**
 * The table of all kinds of conditions. Schema, parser, interpreter, JSON Schema and messages take what they
 * know about a condition from here; agent/browser/conditions.ts looks at the page. No trait has a default.
 */

/** How long an element condition waits to become true, in milliseconds, as the earlier program did. */
export const CONDITION_TIMEOUT_MS = 5_000;

export interface ConditionTraits {
  /** Its own fields, without `type` and `timeout`. */
  fields: (parts: ConditionParts) => z.core.$ZodLooseShape;
  /** What it is about; `others`: the conditions inside it. */
  about: 'page' | 'variables' | 'others';
  /**
   * It has a `timeout`, and waits up to that long to become true. The default in milliseconds; null: it has
   * none and looks once.
   */
  waitsMs: number | null;
  /** At least one of these fields must be given, where this is not empty. */
  needsOneOf: readonly string[];
  /** Fields that hold a regular expression. */
  patterns: readonly string[];
  /** It may be written `{"<name>": <value of this field>}`; `negated` is the name of the opposite. */
  shorthand: { field: string; negated?: string } | null;
  /** What it expects, as in "expected … to exist". */
  words: (condition: never, words: Words) => string;
}

export interface ConditionParts {
  f: Fields;
  locator: ReturnType<typeof makeLocator>;
  json: z.ZodType<JsonValue>;
  nested: z.ZodType<Condition>;
}

/** Turns the parts of a condition into words. */
export interface Words {
  locator(locator: Locator): string;
  condition(condition: Condition): string;
}

interface Located {
  locator: Locator;
}
interface Text {
  contains?: string | undefined;
  equals?: string | undefined;
  matches?: string | undefined;
}
interface Count {
  min?: number | undefined;
  max?: number | undefined;
  exact?: number | undefined;
}

const WAITS = { about: 'page', waitsMs: CONDITION_TIMEOUT_MS } as const;
const LOOKS_ONCE = { about: 'page', waitsMs: null } as const;
const PLAIN = { needsOneOf: [], patterns: [], shorthand: null } as const;
const ELEMENT = { ...WAITS, ...PLAIN, fields: ({ locator }: ConditionParts) => ({ locator }) } as const;

const SIMPLE = {
  element_exists: {
    ...ELEMENT,
    shorthand: { field: 'selector' },
    words: ({ locator }: Located, words) => `${words.locator(locator)} to exist`,
  },
  element_visible: {
    ...ELEMENT,
    shorthand: { field: 'selector', negated: 'element_not_visible' },
    words: ({ locator }: Located, words) => `${words.locator(locator)} to be visible`,
  },
  element_hidden: {
    ...ELEMENT,
    shorthand: { field: 'selector' },
    words: ({ locator }: Located, words) => `${words.locator(locator)} to be hidden`,
  },
  element_text: {
    ...WAITS,
    ...PLAIN,
    fields: ({ f, locator }) => ({
      locator,
      contains: f.text().optional(),
      equals: f.text().optional(),
      /** A regular expression, as in JavaScript, without flags. */
      matches: f.text().optional(),
    }),
    needsOneOf: ['contains', 'equals', 'matches'],
    patterns: ['matches'],
    words: ({ locator, contains, equals, matches }: Located & Text, words) => {
      const text =
        equals === undefined
          ? contains === undefined
            ? `match ${matches}`
            : `contain "${contains}"`
          : `be "${equals}"`;
      return `the text of ${words.locator(locator)} to ${text}`;
    },
  },
  element_count: {
    ...PLAIN,
    about: 'page',
    // Waiting is the exception here: also a count that is not reached yet is an answer.
    waitsMs: 0,
    fields: ({ f, locator }) => {
      const count = f.integer(0, 1_000_000).optional();
      return { locator, min: count, max: count, exact: count };
    },
    needsOneOf: ['min', 'max', 'exact'],
    words: ({ locator, min, max, exact }: Located & Count, words) => {
      const count =
        exact === undefined
          ? [min === undefined ? '' : `at least ${min}`, max === undefined ? '' : `at most ${max}`]
              .filter(Boolean)
              .join(', ')
          : `${exact}`;
      return `${words.locator(locator)} to be there ${count} times`;
    },
  },
  text_visible: {
    ...WAITS,
    ...PLAIN,
    fields: ({ f }) => ({ text: f.filled(), exact: f.boolean().optional() }),
    shorthand: { field: 'text', negated: 'text_not_visible' },
    words: ({ text }: { text: string }) => `the text "${text}" to be visible`,
  },
  url_contains: {
    ...LOOKS_ONCE,
    ...PLAIN,
    fields: ({ f }) => ({ pattern: f.filled() }),
    shorthand: { field: 'pattern' },
    words: ({ pattern }: { pattern: string }) => `the address to contain "${pattern}"`,
  },
  url_matches: {
    ...LOOKS_ONCE,
    ...PLAIN,
    fields: ({ f }) => ({ pattern: f.filled() }),
    patterns: ['pattern'],
    shorthand: { field: 'pattern' },
    words: ({ pattern }: { pattern: string }) => `the address to match ${pattern}`,
  },
  url_equals: {
    ...LOOKS_ONCE,
    ...PLAIN,
    fields: ({ f }) => ({ url: f.filled() }),
    shorthand: { field: 'url' },
    words: ({ url }: { url: string }) => `the address to be ${url}`,
  },
  variable: {
    ...PLAIN,
    about: 'variables',
    waitsMs: null,
    fields: ({ f, json }) => ({
      name: f.filled(),
      equals: json.optional(),
      contains: json.optional(),
      exists: f.boolean().optional(),
    }),
    needsOneOf: ['equals', 'contains', 'exists'],
    words: ({ name }: { name: string }) => `the variable "${name}" to be as asked`,
  },
  js_eval: {
    ...LOOKS_ONCE,
    ...PLAIN,
    fields: ({ f, json }) => ({ expression: f.filled(), expected: json.default(true) }),
    shorthand: { field: 'expression' },
    words: ({ expected }: { expected: JsonValue }) => `the JavaScript to give ${JSON.stringify(expected)}`,
  },
} as const satisfies Record<string, ConditionTraits>;

type Simple = typeof SIMPLE;
type FieldsOf<T extends keyof Simple> = z.infer<z.ZodObject<ReturnType<Simple[T]['fields']>>>;
type Waits<T extends keyof Simple> = Simple[T]['waitsMs'] extends number ? { timeout: number } : unknown;
type SimpleCondition = { [T in keyof Simple]: { type: T } & FieldsOf<T> & Waits<T> }[keyof Simple];

/** Conditions that look at the page; the interpreter does the others itself. */
export type PageCondition = Exclude<SimpleCondition, { type: 'variable' }>;

export type Condition =
  | SimpleCondition
  | { type: 'and'; conditions: Condition[] }
  | { type: 'or'; conditions: Condition[] }
  | { type: 'not'; condition: Condition };

const OTHERS = { ...PLAIN, about: 'others', waitsMs: null } as const;
const SEVERAL = {
  ...OTHERS,
  fields: ({ nested }: ConditionParts) => ({ conditions: z.array(nested).min(1) }),
} as const;

type Row<T extends Condition['type']> = Omit<ConditionTraits, 'words'> & {
  words: (condition: Extract<Condition, { type: T }>, words: Words) => string;
};

export const CONDITION_TRAITS: { readonly [T in Condition['type']]: Row<T> } = {
  ...SIMPLE,
  and: {
    ...SEVERAL,
    words: ({ conditions }, words) => conditions.map((part) => words.condition(part)).join(' and '),
  },
  or: {
    ...SEVERAL,
    words: ({ conditions }, words) => conditions.map((part) => words.condition(part)).join(' or '),
  },
  not: {
    ...OTHERS,
    fields: ({ nested }) => ({ condition: nested }),
    words: ({ condition }, words) => `not (${words.condition(condition)})`,
  },
};

export const CONDITION_TYPES = Object.keys(CONDITION_TRAITS) as readonly Condition['type'][];

export function isConditionType(name: unknown): name is Condition['type'] {
  return typeof name === 'string' && Object.hasOwn(CONDITION_TRAITS, name);
}

/** The schema of all conditions, with that of each kind. */
export type ConditionUnion = z.ZodType<Condition> & { options: readonly z.ZodObject[] };

/** In words, for messages. */
export function describeCondition(condition: Condition, locator: (locator: Locator) => string): string {
  const row = CONDITION_TRAITS[condition.type] as Row<never>;
  return row.words(condition as never, { locator, condition: (part) => describeCondition(part, locator) });
}

/** Something that is true of the page or of the run. */
export function makeCondition(f: Fields, locator: ReturnType<typeof makeLocator>): ConditionUnion {
  const parts: ConditionParts = {
    f,
    locator,
    json: f.json() as z.ZodType<JsonValue>,
    nested: z.lazy((): ConditionUnion => condition),
  };
  const options = CONDITION_TYPES.map((type) => {
    const { fields, waitsMs } = CONDITION_TRAITS[type];
    const waits = waitsMs === null ? {} : { timeout: f.durationMs().default(waitsMs) };
    return z.object({ type: z.literal(type), ...fields(parts), ...waits });
  });
  const [first, ...others] = options;
  const condition = z.discriminatedUnion('type', [first!, ...others]) as unknown as ConditionUnion;
  return condition.meta({ title: 'Condition' });
}
