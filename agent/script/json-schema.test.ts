import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scriptJsonSchema } from './json-schema.ts';
import { ACTIONS, CONTROL_ACTIONS, LEAF_ACTIONS, lenientSchemas } from './schema.ts';

test('the published JSON Schema is the one the code makes; if not, run node agent/script/json-schema.ts', () => {
  const file = new URL('../../resources/schema/script.schema.json', import.meta.url);
  expect(readFileSync(file, 'utf8') === scriptJsonSchema()).toBe(true);
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
