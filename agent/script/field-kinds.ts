import { z } from 'zod';
import { ACTION_TRAITS, type Action } from './actions/index.ts';
import { isListOfOne } from './actions/parts.ts';
import { lenientSchemas } from './schema.ts';

/** What the fields of an action are, read from their schemas. */
export interface FieldKinds {
  /** Its own fields, without those of every step. */
  own: readonly string[];
  /** All keys that the parser accepts in its steps. */
  accepted: readonly string[];
  /** Fields that name an element. */
  elements: readonly string[];
  /** It takes `selector` for a `locator`, of its own or of the step inside it. */
  takesSelector: boolean;
  /** One of `locator` and `escalation_chain` must be given. */
  needsElement: boolean;
  /** Fields that hold a condition, without `when` and `retry_if`, which every step has. */
  conditions: readonly string[];
  /** Fields that hold a list and take one value for a list of one. */
  lists: readonly string[];
  /** Fields that hold a URL pattern, which may be a regular expression. */
  urlPatterns: readonly string[];
}

const BASE_KEYS = new Set(Object.keys(lenientSchemas.base.shape));

const KINDS: ReadonlyMap<string, FieldKinds> = new Map(
  lenientSchemas.step.options.map(({ shape }) => [shape.action.value, kindsOf(shape.action.value, shape)]),
);

export function fieldKinds(action: Action): FieldKinds {
  return KINDS.get(action)!;
}

function kindsOf(action: Action, shape: Readonly<Record<string, z.core.$ZodType>>): FieldKinds {
  const { also } = ACTION_TRAITS[action];
  const { locator, condition, urlPattern } = lenientSchemas.parts;
  const own = Object.entries(shape)
    .filter(([key]) => key !== 'action' && !BASE_KEYS.has(key))
    .map(([key, schema]) => [key, unwrapped(schema)] as const);
  const those = (test: (schema: unknown) => boolean): string[] =>
    own.flatMap(([key, schema]) => (test(schema) ? [key] : []));
  const elements = those((schema) => schema === locator);
  const takesSelector = elements.includes('locator') || also.includes('locator');
  return {
    own: own.map(([key]) => key),
    accepted: [...Object.keys(shape), ...also, 'type', ...(takesSelector ? ['selector'] : [])],
    elements,
    takesSelector,
    needsElement: Object.hasOwn(shape, 'escalation_chain'),
    conditions: those((schema) => schema === condition),
    lists: those((schema) => isListOfOne(schema as z.ZodType)),
    urlPatterns: those((schema) => schema === urlPattern),
  };
}

/** The schema inside `.optional()` and `.default(…)`. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? unwrapped(schema.def.innerType)
    : schema;
}
