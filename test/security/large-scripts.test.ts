/**
 * Scripts that are made to be slow to check. Processor time is measured, not time: other tests run beside
 * these. Before lists and suggestions were capped, the first case alone took 110 s.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_FINDINGS } from '../../agent/script/findings.ts';
import { parseScript } from '../../agent/script/parse.ts';
import { MAX_PARTS, MAX_SCRIPT_BYTES } from '../../agent/script/source.ts';
import { call, openTestApi, type TestApi } from '../fixtures/api.ts';

/** Four times what the slowest case takes, and a hundredth of what a quadratic one takes (ms). */
const MAX_PROCESSOR_MS = 2_000;

const many = <T>(count: number, each: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => each(index));
const text = (count: number, each: (index: number) => string): string => many(count, each).join('');
const withSteps = (steps: unknown[], more: object = {}): object => ({ name: 'x', ...more, steps });
const described = (description: string, more: object = {}): object =>
  withSteps([{ action: 'wait', description }], more);

const undefinedNames = described(
  text(8_000, (n) => `{{nam${n}}}`),
  { variables: Object.fromEntries(many(9_000, (n) => [`var${n}`, 1])) },
);

const scripts: Record<string, object> = {
  'undefined names beside many defined ones': undefinedNames,
  'undefined names deep inside loops': many(45, (n) => n).reduce<object>(
    (inner, n) =>
      withSteps(
        [{ action: 'for_each', items: [1], as: `v${n}`, steps: (inner as { steps: unknown[] }).steps }],
        {
          variables: { a: 1 },
        },
      ),
    described(text(9_000, (n) => `{{q${n}}}`)),
  ),
  'jumps to steps that do not exist': withSteps(many(6_000, (n) => ({ action: 'goto', target: `nn${n}` }))),
  'jumps among many named steps': withSteps(
    many(4_000, (n) => ({ action: 'goto', name: `a${n}`, target: `a${(n * 7) % 4_000}` })),
  ),
  'steps named twice': withSteps(
    many(4_000, (n) => ({ action: 'goto', name: `a${n >> 1}`, target: `a${n >> 1}` })),
  ),
  'unknown keys': withSteps([{ action: 'wait', ...Object.fromEntries(many(20_000, (n) => [`k${n}`, 1])) }]),
  'unknown actions': withSteps(many(9_000, (n) => ({ action: `ac${n}` }))),
  'references to the results of missing steps': withSteps([
    ...many(3_000, (n) => ({ action: 'wait', name: `st${n}` })),
    { action: 'wait', description: text(5_000, (n) => `{{steps.zz${n}.a}}`) },
  ]),
  'a reference of many parts': described(`{{steps.${'a.'.repeat(100_000)}b}}`),
  'sections that are closed before they are opened': described(
    '{{/a}}'.repeat(12_000) + '{{#a}}'.repeat(12_000),
  ),
  'patterns that are none': withSteps(
    many(3_000, () => ({ action: 'assert', condition: { type: 'url_matches', pattern: '(' } })),
  ),
};

test.each(Object.entries(scripts))('%s are checked within bounds', (_name, script) => {
  expect(JSON.stringify(script).length).toBeLessThan(MAX_SCRIPT_BYTES);
  for (const source of [script, JSON.stringify(script)]) {
    const before = process.cpuUsage();
    const result = parseScript(source);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(MAX_PROCESSOR_MS);
    const problems = result.ok ? result.warnings : result.problems;
    expect(problems.length).toBeLessThanOrEqual(2 * MAX_FINDINGS + 1);
  }
});

test('errors that are not listed are counted, after those that are', () => {
  const result = parseScript(withSteps(many(MAX_FINDINGS + 50, (n) => ({ action: `ac${n}`, odd: 1 }))));
  const problems = result.ok ? [] : result.problems;
  expect(problems.filter(({ severity }) => severity === 'error')).toHaveLength(MAX_FINDINGS + 1);
  expect(problems[MAX_FINDINGS]).toEqual({
    severity: 'error',
    path: '$',
    message: '50 more errors are not listed; fix those above and check again',
  });
});

test('a script of too many objects and lists is refused, with what to do', () => {
  const script = withSteps(many(MAX_PARTS, () => ({})));
  for (const source of [script, JSON.stringify(script)]) {
    const result = parseScript(source);
    expect(result.ok ? [] : result.problems.map(({ message }) => message)).toEqual([
      `the script has more than ${MAX_PARTS} objects and lists; split it with include, or give long lists as variables`,
    ]);
  }
});

describe('the API', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await openTestApi();
  });

  afterAll(async () => {
    await api.close();
  });

  test('a script of undefined names does not keep other requests waiting', async () => {
    const before = process.cpuUsage();
    const [answer, health] = await Promise.all([
      call(api.api.url, 'POST', '/api/v1/scripts/validate', {
        key: api.api.token,
        body: { script: undefinedNames },
      }),
      call(api.api.url, 'GET', '/api/v1/health', { key: api.api.token }),
    ]);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(MAX_PROCESSOR_MS);
    expect(health.status).toBe(200);
    expect(answer).toMatchObject({ status: 200, json: { valid: false } });
    expect((answer.json as { problems: unknown[] }).problems).toHaveLength(MAX_FINDINGS + 1);
  });
});
