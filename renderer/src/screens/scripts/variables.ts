/** The variables that a script declares, as fields of a form, and what a person wrote in it as values. */
import { z } from 'zod';

const TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'any'] as const;

const specSchema = z.strictObject({
  type: z.enum(TYPES).default('any'),
  default: z.unknown().optional(),
  required: z.boolean().default(false),
  secret: z.boolean().default(false),
  enum: z.array(z.unknown()).optional(),
  pattern: z.string().optional(),
  description: z.string().default(''),
});

export interface VariableField {
  name: string;
  description: string;
  kind: 'text' | 'number' | 'switch' | 'choice' | 'json';
  isInteger: boolean;
  isRequired: boolean;
  isSecret: boolean;
  /** As it is written in the form; empty without one. */
  defaultText: string;
  choices: readonly string[];
  /** A regular expression, which the agent compares values with; empty without one. */
  pattern: string;
}

/** What is written in the form, by name; a name that is not there is left to the default. */
export type VariableTexts = Readonly<Record<string, string>>;

/** @returns null while the script is no JSON object */
export function fieldsOf(text: string): VariableField[] | null {
  let script: unknown;
  try {
    script = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(script)) return null;
  const { variables } = script;
  if (!isObject(variables)) return [];
  return Object.entries(variables)
    .filter(([name]) => !name.startsWith('_'))
    .map(([name, declared]) => fieldOf(name, declared));
}

function fieldOf(name: string, declared: unknown): VariableField {
  // As the agent reads it: an object of these keys alone says what is known; anything else is a default.
  const isSpec = isObject(declared) && Object.keys(declared).length > 0;
  const read = isSpec ? specSchema.safeParse(declared) : undefined;
  const spec = read?.success === true ? read.data : specSchema.parse({ default: declared });
  const choices = spec.enum?.map(asText) ?? [];
  const type = spec.type === 'any' ? typeOf(spec.default ?? spec.enum?.[0]) : spec.type;
  return {
    name,
    description: spec.description,
    kind: choices.length > 0 ? 'choice' : KINDS[type],
    isInteger: type === 'integer',
    isRequired: spec.required && spec.default === undefined,
    isSecret: spec.secret,
    defaultText: spec.default === undefined ? '' : asText(spec.default),
    choices,
    pattern: spec.pattern ?? '',
  };
}

const KINDS: Record<(typeof TYPES)[number], VariableField['kind']> = {
  string: 'text',
  any: 'text',
  number: 'number',
  integer: 'number',
  boolean: 'switch',
  array: 'json',
  object: 'json',
};

function typeOf(value: unknown): (typeof TYPES)[number] {
  if (Array.isArray(value)) return 'array';
  if (value === null || value === undefined) return 'any';
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' || type === 'object' ? type : 'any';
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The values to start a run with, and by name what a person has to put right. */
export function valuesOf(
  fields: readonly VariableField[],
  texts: VariableTexts,
): { values: Record<string, unknown>; wrong: Record<string, string> } {
  const values: Record<string, unknown> = {};
  const wrong: Record<string, string> = {};
  for (const field of fields) {
    const text = texts[field.name] ?? '';
    if (text === '') {
      if (field.isRequired) wrong[field.name] = 'The script needs a value here.';
      continue;
    }
    const complaint = complaintAbout(field, text);
    if (complaint === undefined) values[field.name] = valueOf(field, text);
    else wrong[field.name] = complaint;
  }
  return { values, wrong };
}

function complaintAbout({ kind, isInteger }: VariableField, text: string): string | undefined {
  if (kind === 'number') {
    const value = Number(text);
    if (Number.isNaN(value)) return 'This is no number.';
    if (isInteger && !Number.isInteger(value)) return 'This has to be a whole number.';
  }
  if (kind === 'json' && readJson(text) === undefined) {
    return 'This is no valid JSON. A list is written ["a", "b"], an object {"key": "value"}.';
  }
  return undefined;
}

function valueOf({ kind, choices }: VariableField, text: string): unknown {
  switch (kind) {
    case 'number':
      return Number(text);
    case 'switch':
      return text === 'true';
    case 'json':
      return readJson(text);
    case 'choice':
      return choices.every((choice) => readJson(choice) !== undefined) ? readJson(text) : text;
    case 'text':
      return text;
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
