import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../base/words.ts';
import type { Script } from './schema.ts';
import { referencesIn, tokenise } from './templates.ts';
import {
  asText,
  findStepValue,
  followPath,
  prepareVariables,
  resolveTemplates,
  setOwn,
  type Scope,
} from './variables.ts';

const scopeOf = (variables: JsonObject, more: Partial<Scope> = {}): Scope => ({
  variables,
  steps: new Map(),
  env: () => undefined,
  secret: async () => 'hidden',
  onSecretUsed: () => undefined,
  ...more,
});
const resolve = (value: unknown, variables: JsonObject = {}, more: Partial<Scope> = {}): Promise<unknown> =>
  resolveTemplates(value, scopeOf(variables, more));
/** As JSON text holds it: without negative zero. */
const anyJson = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);

describe('templates', () => {
  test('a string that is one template takes the type of its value, any value', async () => {
    await fc.assert(
      fc.asyncProperty(anyJson, async (value) => {
        expect(await resolve('{{x}}', { x: value })).toEqual(value);
      }),
    );
  });

  test('inside a longer string a value is text, and nothing in it is read again', async () => {
    await fc.assert(
      fc.asyncProperty(anyJson, async (value) => {
        const text = `<${typeof value === 'string' ? value : JSON.stringify(value)}>`;
        expect(await resolve('<{{x}}>', { x: value })).toBe(text);
      }),
    );
    expect(await resolve('<{{x}}>', { x: '{{y}} " \n <&>' })).toBe('<{{y}} " \n <&>>');
  });

  test('what was resolved is JSON again, whatever the values are', async () => {
    await fc.assert(
      fc.asyncProperty(anyJson, fc.string(), async (value, text) => {
        const step = { a: '{{x}}', b: [`1 {{x}} {{t}}`, { c: '{{t}}' }], n: 5 };
        const resolved = (await resolve(step, { x: value, t: text })) as JsonObject;
        expect(JSON.parse(JSON.stringify(resolved))).toEqual(resolved);
        expect(resolved['b']).toEqual([`1 ${asText(value)} ${text}`, { c: text }]);
      }),
    );
  });

  test('text without templates is left as it is, character by character', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        fc.pre(!text.includes('{{'));
        expect(await resolve(text)).toBe(text);
      }),
    );
  });

  test('tokens put together are the text, but for escapes', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '{{',
      '}}',
      'a',
      '{{a}}',
      '{{#s}}',
      '{{/s}}',
      '{{^s}}',
      ' ',
      'env.X',
      '\\',
      'steps.',
      '{{secret:A}}',
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        fc.pre(!text.includes('\\{{'));
        expect(
          tokenise(text)
            .map((token) => ('text' in token ? token.text : token.written))
            .join(''),
        ).toBe(text);
      }),
    );
  });

  const cases: [string, unknown][] = [
    ['\\{{x}}', '{{x}}'],
    ['{{ x }}', 1],
    ['{{{x}}}', '{1}'],
    ['{{x}}{{x}}', '11'],
    ['{{o.list.1.name}}', 'b'],
    ['{{dash-ed}}', 'd'],
    ['{{#o}}{{x}}{{/o}} {{x}}', '{{#o}}{{x}}{{/o}} 1'],
    ['{{^o}}none {{unknown}}{{/o}}', '{{^o}}none {{unknown}}{{/o}}'],
    ['{{#never}}{{x}}', '{{#never}}1'],
    ['{{/never}}', '{{/never}}'],
    ["style={{color: 'red'}} {{a + b}} {{}}", "style={{color: 'red'}} {{a + b}} {{}}"],
    ['{{', '{{'],
    ['{{x', '{{x'],
    ['{{o}}', { list: [{ name: 'a' }, { name: 'b' }] }],
    ['{{nil}}!', 'null!'],
  ];
  test.each(cases)('%s becomes %j', async (text, expected) => {
    const variables = { x: 1, o: { list: [{ name: 'a' }, { name: 'b' }] }, 'dash-ed': 'd', nil: null };
    expect(await resolve(text, variables)).toEqual(expected);
  });

  test('many braces are read in a moment', () => {
    const hard = `${'{{#a}}'.repeat(20_000)}${'{{/b}}'.repeat(20_000)}${'{{ '.repeat(20_000)}`;
    const from = performance.now();
    tokenise(hard);
    expect(performance.now() - from).toBeLessThan(2_000);
  });

  test('names are own names only, and a missing one is told with what was probably meant', async () => {
    await expect(resolve('{{constructor}}')).rejects.toMatchObject({
      errorName: 'BrowserAgent.InvalidInput',
    });
    await expect(resolve('{{x.length}}', { x: 'abc' })).rejects.toThrow('{{x.length}} is not defined');
    await expect(resolve('{{usrname}}', { username: 1 })).rejects.toThrow('did you mean "username"?');
  });

  test('steps are found by name, even with dots, the longest first', async () => {
    const steps = new Map<string, JsonObject>([
      ['Read', { v2: { data: 'no' }, data: { a: 1 } }],
      ['Read.v2', { data: { a: 2 } }],
    ]);
    expect(await resolve('{{steps.Read.data.a}}{{steps.Read.v2.data.a}}', {}, { steps })).toBe('12');
    expect(findStepValue('Read', steps)).toMatchObject({ data: { a: 1 } });
    await expect(resolve('{{steps.Reed.data}}', {}, { steps })).rejects.toThrow('"Read", "Read.v2"');
    await expect(resolve('{{steps.X.data}}')).rejects.toThrow('none');
  });

  test('the environment gives only what it is asked for and allowed', async () => {
    const env = (name: string): string | undefined => (name === 'REGION' ? 'eu' : undefined);
    expect(await resolve('{{env.REGION}}', {}, { env })).toBe('eu');
    await expect(resolve('{{env.HOME}}', {}, { env })).rejects.toThrow('script.allowed_env');
  });

  test('a secret is told before its value is given', async () => {
    const told: string[] = [];
    expect(await resolve('pw={{secret:A/b-c}}', {}, { onSecretUsed: (value) => told.push(value) })).toBe(
      'pw=hidden',
    );
    expect(told).toEqual(['hidden']);
    await expect(
      resolve('{{secret:A}}', {}, { secret: () => Promise.reject(new Error('no vault')) }),
    ).rejects.toThrow('no vault');
  });

  test('references say what they name', () => {
    expect(
      referencesIn('{{a.b}} {{env.X}} {{secret: N}} {{steps.A b.data}}').map(({ reference }) => reference),
    ).toEqual([
      { kind: 'variable', path: ['a', 'b'] },
      { kind: 'env', name: 'X' },
      { kind: 'secret', name: 'N' },
      { kind: 'steps', rest: 'A b.data' },
    ]);
  });

  test('paths end where there is nothing; own keys may have any name', () => {
    expect(followPath({ a: null }, ['a', 'b'])).toBeUndefined();
    const object: JsonObject = {};
    setOwn(object, '__proto__', 5);
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    expect(followPath(object, ['__proto__'])).toBe(5);
  });
});

describe('variables of a run', () => {
  const scriptWith = (
    variables: Record<string, Partial<Script['variables'][string]>>,
  ): Pick<Script, 'name' | 'variables'> => ({
    name: 'T',
    variables: Object.fromEntries(
      Object.entries(variables).map(([name, spec]) => [
        name,
        { type: 'any' as const, required: false, secret: false, ...spec },
      ]),
    ),
  });

  test('what is given comes over defaults; more may be given than is declared', async () => {
    const { variables } = await prepareVariables(
      scriptWith({ a: { default: 1 }, b: { default: 2 }, c: {} }),
      {
        b: 3,
        d: 4,
      },
    );
    expect(variables).toEqual({ a: 1, b: 3, d: 4 });
  });

  const fitting: [Partial<Script['variables'][string]>, JsonValue, JsonValue][] = [
    [{ type: 'number' }, '1.5', 1.5],
    [{ type: 'integer' }, '7', 7],
    [{ type: 'boolean' }, 'true', true],
    [{ type: 'boolean' }, 'false', false],
    [{ type: 'string' }, '7', '7'],
    [{ type: 'array' }, [1], [1]],
    [{ type: 'object' }, { a: 1 }, { a: 1 }],
    [{ enum: ['a', { b: 1 }] }, { b: 1 }, { b: 1 }],
    [{ pattern: '^\\d+$' }, '12', '12'],
    [{ pattern: '^\\d+$' }, 12, 12],
  ];
  test.each(fitting)('%j takes %j as %j', async (spec, given, expected) => {
    const { variables } = await prepareVariables(scriptWith({ v: spec }), { v: given });
    expect(variables['v']).toEqual(expected);
  });

  const wrong: [Partial<Script['variables'][string]>, JsonValue | undefined, string][] = [
    [{ required: true }, undefined, 'is required'],
    [{ type: 'number' }, 'x', 'type number'],
    [{ type: 'number' }, ' ', 'type number'],
    [{ type: 'integer' }, 1.5, 'type integer'],
    [{ type: 'boolean' }, 'yes', 'type boolean'],
    [{ type: 'array' }, {}, 'type array'],
    [{ type: 'object' }, [], 'type object'],
    [{ type: 'object' }, null, 'type object'],
    [{ enum: [1, 2] }, 3, 'one of [1,2]'],
    [{ pattern: '^a$' }, 'b', 'must match ^a$'],
  ];
  test.each(wrong)('%j refuses %j', async (spec, given, message) => {
    const preparing = prepareVariables(scriptWith({ v: spec }), given === undefined ? {} : { v: given });
    await expect(preparing).rejects.toThrow(message);
  });

  test('everything wrong is told at once, and never the value', async () => {
    const both = scriptWith({ a: { required: true }, b: { type: 'number' } });
    const preparing = prepareVariables(both, { b: 'hunter2' });
    await expect(preparing).rejects.toThrow(/"a" is required.*"b" must be of type number/s);
    await expect(preparing).rejects.not.toThrow(/hunter2/);
  });

  test('values of secret variables are given apart', async () => {
    const { secrets } = await prepareVariables(scriptWith({ pin: { secret: true } }), { pin: 42 });
    expect(secrets).toEqual(['42']);
  });
});
