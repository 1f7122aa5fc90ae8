import { z } from 'zod';

/**
 * Building blocks of the script schema. Every schema exists more than once: `written`, for a script as
 * written, where any value of a step may also be one whole template (`"timeout": "{{wait_ms}}"`);
 * `resolved`, for a step whose templates are resolved, where text may have become a number; and `plain`,
 * for what is read before the first step. All have the same types: code that sees a step sees it
 * resolved.
 */
export type Stage = 'written' | 'resolved' | 'plain';

/** A string that is one template and nothing else; it takes the type of its value. */
export const WHOLE_TEMPLATE = /^\{\{[^{}]+\}\}$/;

/** What a navigation can wait for. */
export const LOAD_STATES = ['load', 'domcontentloaded', 'networkidle'] as const;

/** Longest wait a script may ask for in one place: a day, in milliseconds. Catches seconds times 1,000 twice. */
export const MAX_DURATION_MS = 86_400_000;

/** Most attempts of one step: beyond it a retry is a loop that hides a broken page. */
export const MAX_ATTEMPTS = 100;

// `abort`: else a union takes this for the shape that was meant, and complains of braces.
const template = z.string().regex(WHOLE_TEMPLATE, { abort: true });

/** The field types at that stage. */
export function makeFields(stage: Stage) {
  /** The schema itself, or it or a template, with the schema's own type either way. */
  const orTemplate = <T extends z.ZodType>(schema: T): T =>
    stage === 'written' ? (z.union([schema, template]) as unknown as T) : schema;

  const number = () => orTemplate(z.number());
  const integer = (min: number, max: number) => orTemplate(z.int().min(min).max(max));
  const boolean = () => orTemplate(z.boolean());
  /** Milliseconds. */
  const durationMs = () => orTemplate(z.number().min(0).max(MAX_DURATION_MS));
  /** What a template gave may be a number where text is wanted. */
  const asText = (schema: z.ZodString): z.ZodString =>
    stage === 'resolved'
      ? (z
          .union([z.string(), z.number(), z.boolean()])
          .transform(String)
          .pipe(schema) as unknown as z.ZodString)
      : schema;
  const text = () => asText(z.string());
  /** A string that must say something. */
  const filled = () => asText(z.string().min(1));
  /** What is typed into a page: numbers and booleans are taken as they are written. */
  const typed = () => z.union([z.string(), z.number(), z.boolean()]).transform(String);
  const oneOf = <const T extends readonly [string, ...string[]]>(values: T) => orTemplate(z.enum(values));
  const strings = () => orTemplate(z.array(z.string()));
  const json = () => z.json();
  /** A name that templates can say. */
  const variableName = () =>
    z.string().regex(/^(?!__proto__$)\w[\w-]*$/, 'a variable has a name of letters, digits, "_" and "-"');

  return {
    orTemplate,
    number,
    integer,
    boolean,
    durationMs,
    text,
    filled,
    typed,
    oneOf,
    strings,
    json,
    variableName,
  };
}

export type Fields = ReturnType<typeof makeFields>;
