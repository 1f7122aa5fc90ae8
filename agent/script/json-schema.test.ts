import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { STRATEGY_ALIASES } from './canonical-parts.ts';
import { scriptJsonSchema } from './json-schema.ts';
import { parseScript } from './parse.ts';
import { ACTIONS, CONTROL_ACTIONS, LEAF_ACTIONS, LOCATOR_STRATEGIES, lenientSchemas } from './schema.ts';

test('the published JSON Schema is the one the code makes; if not: npm run generate', async () => {
  const file = new URL('../../resources/schema/script.schema.json', import.meta.url);
  await expect(scriptJsonSchema()).toMatchFileSnapshot(fileURLToPath(file));
});

test('every action has its definition, and every reference one to point at', () => {
  const text = scriptJsonSchema();
  const definitions = Object.keys((JSON.parse(text) as { $defs: object }).$defs);
  expect(definitions).toEqual(expect.arrayContaining(ACTIONS.map((action) => `step_${action}`)));
  for (const [, name] of text.matchAll(/"#\/\$defs\/([^"]+)"/g)) expect(definitions).toContain(name);
});

test('the lists of actions name exactly the steps there are', () => {
  const actions = lenientSchemas.step.options.map(
    (option) => (option.shape as { action: { value: string } }).action.value,
  );
  expect(actions.toSorted()).toEqual([...LEAF_ACTIONS, ...CONTROL_ACTIONS].toSorted());
});

describe('locators', () => {
  const schema = JSON.parse(scriptJsonSchema()) as JsonObject;
  // Keys such as `then` stand beside others that say the type; strict mode wants it said again in each.
  const isValid = new Ajv2020({ strict: false }).compile(schema);
  const scriptWith = (locator: JsonValue): JsonObject => ({
    name: 'S',
    steps: [{ action: 'hover', locator }],
  });
  const parses = (locator: JsonValue): boolean => parseScript(scriptWith(locator)).ok;

  /** Any strategy or none, with any choice of fields. */
  const text = fc.constantFrom('a', 'button', '{{name}}', '.css > a');
  const locator = fc.record(
    {
      strategy: fc.constantFrom(...LOCATOR_STRATEGIES, ...Object.keys(STRATEGY_ALIASES), 'nonsense'),
      value: text,
      selector: text,
      css_selector: text,
      role: text,
      label: text,
      name: text,
      x: fc.integer({ min: 0, max: 100 }),
      y: fc.integer({ min: 0, max: 100 }),
      nth: fc.integer({ min: -3, max: 3 }),
      frame: fc.oneof(text, fc.array(text)),
      exact: fc.boolean(),
    },
    { requiredKeys: [] },
  );

  test('the schema takes exactly the locators that the parser takes', () => {
    fc.assert(
      fc.property(locator, (written) => {
        expect([written, isValid(scriptWith(written))]).toEqual([written, parses(written)]);
      }),
      { numRuns: 2_000 },
    );
  });

  const needed: [string, JsonObject][] = [
    ...LOCATOR_STRATEGIES.filter((strategy) => strategy !== 'coordinates').map(
      (strategy): [string, JsonObject] => [strategy, { nth: 0 }],
    ),
    ['coordinates', { x: 1 }],
    ['coordinates', { y: 1 }],
    ['text', { value: '' }],
    ['placeholder', { label: 'a' }],
    ['text', { role: 'button' }],
  ];
  test.each(needed)('a locator by %s needs more than %j, for the schema and the parser', (strategy, rest) => {
    expect(parses({ strategy, ...rest })).toBe(false);
    expect(isValid(scriptWith({ strategy, ...rest }))).toBe(false);
  });

  test('an empty string is no locator', () => {
    expect([parses(''), isValid(scriptWith(''))]).toEqual([false, false]);
    expect([parses('a'), isValid(scriptWith('a'))]).toEqual([true, true]);
  });
});

test('every sample is valid by the schema, as it is for the parser', () => {
  const isValid = new Ajv2020({ strict: false }).compile(JSON.parse(scriptJsonSchema()) as JsonObject);
  const folder = new URL('../../resources/samples/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const script: unknown = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
    expect([file, isValid(script), isValid.errors]).toEqual([file, true, null]);
  }
});
