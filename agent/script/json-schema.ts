import { z } from 'zod';
import { ACTIONS, ACTION_NAMES, ACTION_TRAITS, namesOf, type Action } from './actions/index.ts';
import { STEPS, definition, type DefinitionName } from './actions/json-refs.ts';
import {
  LOCATOR_INFERENCE,
  LOCATOR_KEY_ALIASES,
  LOCATOR_MOVES,
  STRATEGY_ALIASES,
} from './canonical-parts.ts';
import { CONDITION_TYPES } from './condition.ts';
import { fieldKinds } from './field-kinds.ts';
import { isPlainObject } from './findings.ts';
import { lenientSchemas } from './schema.ts';
import { RECORDING_LEVELS, type JsonObject, type JsonValue } from '../base/words.ts';

/**
 * The JSON Schema of scripts as written, aliases included, for editors: generated from the schemas, so
 * that it cannot say anything else. `npm run generate` writes it to resources/schema.
 */

const STEP = definition('Step');
const CONDITION = definition('Condition');
const LOCATOR = definition('Locator');

const { parts } = lenientSchemas;
const NAMED = new Map<unknown, DefinitionName>([
  [parts.locator, 'Locator'],
  [parts.condition, 'Condition'],
  [lenientSchemas.step, 'Step'],
  [parts.escalation, 'Escalation'],
  [parts.extraction, 'Extraction'],
]);

/** The schema as JSON text, as it stands in the file. */
export function scriptJsonSchema(): string {
  const script = objectOf(lenientSchemas.script);
  const properties = {
    ...script,
    starting_url: script['starting_page']!,
    recording_level: { enum: [...RECORDING_LEVELS] },
    session: {
      type: 'object',
      properties: {
        ...objectOf(lenientSchemas.session),
        post_login_verification: { anyOf: [CONDITION, { type: 'string' }] },
      },
    },
    variables: {
      type: 'object',
      description: 'Defaults by name, or what is known of a variable.',
      additionalProperties: {
        anyOf: [{ type: 'object', properties: objectOf(lenientSchemas.variable) }, {}],
      },
    },
    steps: { ...STEPS, minItems: 1 },
  } satisfies JsonObject;
  const schema: JsonObject = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Local Browser Agent script',
    type: 'object',
    required: ['name', 'steps'],
    properties,
    $defs: {
      Step: stepSchema(),
      ...stepDefinitions(),
      Branch: branchSchema(),
      Condition: conditionSchema(),
      Locator: locatorSchema(),
      Extraction: {
        type: 'object',
        properties: { ...objectOf(parts.extraction), field: { type: 'string' } },
      },
      Escalation: {
        type: 'object',
        properties: {
          ...(Object.assign({}, ...parts.escalation.options.map(objectOf)) as JsonObject),
          method: { enum: parts.escalation.options.map(({ shape }) => shape.method.value) },
        },
      },
    },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

function stepSchema(): JsonObject {
  const names = [...ACTION_NAMES];
  return {
    type: 'object',
    anyOf: [
      { required: ['action'] },
      { required: ['type'] },
      { required: ['goto'] },
      { required: ['continue'] },
    ],
    properties: {
      ...BASE,
      action: { enum: names },
      type: { enum: names },
      key: { type: ['boolean', 'string'] },
    },
    allOf: ACTIONS.map((action) => {
      const own = [...namesOf(action)];
      return {
        if: {
          anyOf: [
            { required: ['action'], properties: { action: { enum: own } } },
            { required: ['type'], properties: { type: { enum: own } } },
          ],
        },
        // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's own key
        then: definition(`step_${action}`),
      };
    }),
  };
}

function stepDefinitions(): JsonObject {
  return Object.fromEntries(
    lenientSchemas.step.options.map((option) => {
      const action = option.shape.action.value;
      const all = Object.entries(objectOf(option));
      const own = Object.fromEntries(all.filter(([key]) => key !== 'action' && !Object.hasOwn(BASE, key)));
      const properties = { ...own, ...alsoTaken(action), ...ACTION_TRAITS[action].written };
      return [`step_${action}`, { type: 'object', properties }];
    }),
  );
}

/** What the parser accepts of an action's fields besides their canonical form. */
function alsoTaken(action: Action): JsonObject {
  const { also } = ACTION_TRAITS[action];
  const { elements, lists, takesSelector } = fieldKinds(action);
  return {
    ...(takesSelector ? { selector: { type: 'string' } } : {}),
    ...Object.fromEntries(also.map((key) => [key, {}])),
    ...(takesSelector ? { locator: LOCATOR } : {}),
    ...Object.fromEntries(elements.map((key) => [key, LOCATOR])),
    ...Object.fromEntries(lists.map((key) => [key, { type: ['string', 'array'] }])),
  };
}

const BASE = objectOf(lenientSchemas.base);

function branchSchema(): JsonObject {
  return {
    description: 'A step, a list of steps, {"goto": "name"} or {"continue": true}.',
    anyOf: [
      STEPS,
      STEP,
      { type: 'object', required: ['goto'], properties: { goto: { type: 'string' } } },
      { type: 'object', required: ['continue'], properties: { continue: { const: true } } },
      { type: 'object', required: ['steps'], properties: { steps: STEPS } },
    ],
  };
}

function conditionSchema(): JsonObject {
  const properties = {
    type: { enum: [...CONDITION_TYPES] },
    selector: { type: 'string' },
    locator: LOCATOR,
    timeout: {},
    condition: CONDITION,
    conditions: { type: 'array', items: CONDITION },
  } satisfies JsonObject;
  const fields = parts.condition.options.flatMap(({ shape }) => Object.keys(shape));
  const others = new Set(fields.filter((key) => !Object.hasOwn(properties, key)));
  return {
    type: 'object',
    properties: { ...properties, ...Object.fromEntries([...others].map((key) => [key, {}])) },
  };
}

function locatorSchema(): JsonObject {
  const properties = Object.assign({}, ...parts.locator.options.map(objectOf)) as JsonObject;
  const options = parts.locator.options.map((option) => {
    const strategy = option.shape.strategy.value;
    const aliases = Object.keys(STRATEGY_ALIASES).filter((alias) => STRATEGY_ALIASES[alias] === strategy);
    return { strategy, spellings: [strategy, ...aliases], required: requiredOf(option) };
  });
  return {
    anyOf: [
      { type: 'string', minLength: 1, description: 'A CSS selector.' },
      {
        type: 'object',
        properties: {
          ...properties,
          strategy: { enum: options.flatMap(({ spellings }) => spellings) },
          frame: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
          ...Object.fromEntries(
            ['selector', 'role', ...Object.keys(LOCATOR_KEY_ALIASES)].map((key) => [key, FILLED]),
          ),
        },
        allOf: [
          ...options.map(({ strategy, spellings, required }) => ({
            if: { required: ['strategy'], properties: { strategy: { enum: spellings } } },
            then: allOf(required.map((field) => oneOfKeys(keysFor(strategy, field)))),
          })),
          {
            if: { not: { required: ['strategy'] } },
            then: {
              anyOf: LOCATOR_INFERENCE.map(([keys]) => allOf(keys.map((key) => oneOfKeys(withAliases(key))))),
            },
          },
        ],
      },
    ],
  };
}

const FILLED: JsonObject = { type: 'string', minLength: 1 };

/** The fields that a locator of this strategy must have, apart from the strategy. */
function requiredOf(option: z.ZodObject): string[] {
  return Object.entries(option.shape).flatMap(([key, field]) =>
    key === 'strategy' || field.safeParse(undefined).success ? [] : [key],
  );
}

/** Every key under which the parser looks for the field. */
function keysFor(strategy: keyof typeof LOCATOR_MOVES, field: string): string[] {
  const keys = [field];
  for (const [from, to] of LOCATOR_MOVES[strategy].toReversed()) if (keys.includes(to)) keys.push(from);
  return keys.flatMap(withAliases);
}

function withAliases(key: string): string[] {
  return [key, ...Object.keys(LOCATOR_KEY_ALIASES).filter((alias) => LOCATOR_KEY_ALIASES[alias] === key)];
}

/** An object with at least one of the keys. */
function oneOfKeys(keys: readonly string[]): JsonObject {
  return oneOrMore(
    'anyOf',
    keys.map((key) => ({ required: [key] })),
  );
}

function allOf(schemas: readonly JsonObject[]): JsonObject {
  return oneOrMore('allOf', schemas);
}

function oneOrMore(joined: 'anyOf' | 'allOf', schemas: readonly JsonObject[]): JsonObject {
  const [only, ...others] = schemas;
  return only && others.length === 0 ? only : { [joined]: [...schemas] };
}

/** The properties of an object schema, with parts that have a name of their own by reference. */
function objectOf(schema: z.ZodType): JsonObject {
  const generated = z.toJSONSchema(schema, {
    io: 'input',
    reused: 'inline',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const named = NAMED.get(zodSchema);
      if (named === undefined || (zodSchema as unknown) === schema) return;
      for (const key of Object.keys(jsonSchema)) delete (jsonSchema as Record<string, unknown>)[key];
      Object.assign(jsonSchema, definition(named));
    },
  }) as unknown as JsonObject;
  return cleaned(generated['properties'] ?? {}) as JsonObject;
}

/**
 * Without what zod says of itself: unknown keys are warnings here, not errors, and what it defines for
 * recursion is any JSON value (steps and conditions inside steps have their own definitions).
 */
function cleaned(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(cleaned);
  if (!isPlainObject(value)) return value;
  const entries = Object.entries(value).filter(
    ([key, child]) =>
      (key !== 'additionalProperties' || child !== false) &&
      (key !== '$ref' || typeof child !== 'string' || !child.includes('/__schema')),
  );
  return Object.fromEntries(entries.map(([key, child]) => [key, cleaned(child)]));
}
