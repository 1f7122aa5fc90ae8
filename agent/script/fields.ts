import { z } from 'zod';

/**
 * Building blocks of the script schema. Every schema exists twice: `lenient`, for a script as written,
 * where any value may also be one whole template (`"timeout": "{{wait_ms}}"`), and strict, for a step
 * whose templates are resolved. Both have the strict types: code that sees a step sees it resolved.
 */

/** A string that is one template and nothing else; it takes the type of its value. */
export const WHOLE_TEMPLATE = /^\{\{[^{}]+\}\}$/;

/** Longest wait a script may ask for in one place: a day, in milliseconds. Catches seconds times 1,000 twice. */
export const MAX_DURATION_MS = 86_400_000;

/** Most attempts of one step: beyond it a retry is a loop that hides a broken page. */
export const MAX_ATTEMPTS = 100;

const template = z
  .string()
  .regex(WHOLE_TEMPLATE, 'expected a value or one whole template such as "{{name}}"');

/** The field types, either accepting whole templates or not. */
export function makeFields(lenient: boolean) {
  /** The schema itself, or it or a template, with the schema's own type either way. */
  const orTemplate = <T extends z.ZodType>(schema: T): T =>
    lenient ? (z.union([schema, template]) as unknown as T) : schema;

  const number = () => orTemplate(z.number());
  const integer = (min: number, max: number) => orTemplate(z.int().min(min).max(max));
  const boolean = () => orTemplate(z.boolean());
  /** Milliseconds. */
  const durationMs = () => orTemplate(z.number().min(0).max(MAX_DURATION_MS));
  const text = () => z.string();
  /** A string that must say something. */
  const filled = () => z.string().min(1);
  /** What is typed into a page: numbers and booleans are taken as they are written. */
  const typed = () => z.union([z.string(), z.number(), z.boolean()]).transform(String);
  const oneOf = <const T extends readonly [string, ...string[]]>(values: T) => orTemplate(z.enum(values));
  const strings = () => orTemplate(z.array(z.string()));
  const json = () => z.json();

  return { orTemplate, number, integer, boolean, durationMs, text, filled, typed, oneOf, strings, json };
}

export type Fields = ReturnType<typeof makeFields>;
