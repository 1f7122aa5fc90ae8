import { expect, test } from 'vitest';
import { fieldsOf, valuesOf } from './variables.ts';

const script = JSON.stringify({
  variables: {
    portal: { type: 'string', required: true, pattern: '^https?://', description: 'Its address' },
    user: 'demo',
    count: { type: 'integer', default: 3 },
    fast: { type: 'boolean', default: false },
    region: { enum: ['north', 'south'] },
    names: { type: 'array' },
    password: { secret: true, required: true },
    shape: { type: 'circle', radius: 2 },
    _note: 'not a variable',
  },
  steps: [],
});

test('each declared variable is a field of its type', () => {
  const fields = fieldsOf(script)!;
  expect(fields.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    'portal text',
    'user text',
    'count number',
    'fast switch',
    'region choice',
    'names json',
    'password text',
    'shape json',
  ]);
  expect(fields.find(({ name }) => name === 'password')).toMatchObject({ isSecret: true, isRequired: true });
  expect(fields.find(({ name }) => name === 'user')).toMatchObject({
    defaultText: 'demo',
    isRequired: false,
  });
});

test('a script without variables has no fields, a text that is no script has none yet', () => {
  expect(fieldsOf('{"steps": []}')).toEqual([]);
  expect(fieldsOf('{"steps": [')).toBeNull();
});

test('what is written becomes values of the declared types, what is left empty is left to the default', () => {
  const fields = fieldsOf(script)!;
  const texts = {
    portal: 'https://a.example',
    count: '5',
    fast: 'true',
    region: 'south',
    names: '["a"]',
    password: 'x',
  };
  expect(valuesOf(fields, texts)).toEqual({
    values: {
      portal: 'https://a.example',
      count: 5,
      fast: true,
      region: 'south',
      names: ['a'],
      password: 'x',
    },
    wrong: {},
  });
});

test('a pattern is left to the agent, which has one engine for it', () => {
  const fields = fieldsOf(script)!;
  expect(fields.find(({ name }) => name === 'portal')).toMatchObject({ pattern: '^https?://' });
  expect(valuesOf(fields, { portal: 'ftp://a', password: 'x' }).wrong).toEqual({});
});

test('what does not fit is told beside its field', () => {
  const { wrong } = valuesOf(fieldsOf(script)!, { portal: 'x', count: '1.5', names: '[', shape: '{}' });
  expect(Object.keys(wrong)).toEqual(['count', 'names', 'password']);
});
