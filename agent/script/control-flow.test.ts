import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordedPorts, parsed } from '../../test/support/script-ports.ts';
import { AgentError } from '../base/errors.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { interpret, type ScriptOutcome } from './interpreter.ts';

/** Random scripts on ports that fail at random: what holds for every one of them. */

const NAMES = ['A', 'B', 'C', 'D'];

const base = fc.record(
  {
    name: fc.constantFrom(...NAMES),
    next: fc.constantFrom('{{a}}', '{{b}}', '{{nowhere}}'),
    end: fc.boolean(),
    continue_on_error: fc.boolean(),
    retry: fc.record({ attempts: fc.integer({ min: 1, max: 3 }), delay_ms: fc.constantFrom(0, 10) }),
    when: fc.constant({ type: 'url_contains', pattern: 'x' }),
    timeout: fc.constantFrom(0, 50, 5000),
    delay: fc.constantFrom(0, 5, { min: 1, max: 9 }),
    save_as: fc.constantFrom('a', 'saved'),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>;

const condition = fc.constantFrom<JsonObject>(
  { type: 'url_contains', pattern: 'x' },
  { type: 'variable', name: 'saved', exists: true },
  { type: 'not', condition: { type: 'url_contains', pattern: 'x' } },
);

const { step } = fc.letrec<{ step: JsonValue; steps: JsonValue }>((tie) => {
  const leaf = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom<JsonObject>(
        { action: 'click', selector: 'a' },
        { action: 'extract_dom', extractions: [{ name: 'x', selector: 'a' }] },
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<JsonObject>(
        { action: 'goto', target: '{{a}}' },
        { action: 'goto', target: '{{b}}' },
        { action: 'fail' },
        { action: 'succeed' },
        { action: 'human' },
        { action: 'include', script: 'other' },
        { action: 'act', prompt: 'x' },
        { action: 'click', selector: '{{nowhere}}' },
      ),
    },
    { weight: 1, arbitrary: condition.map((holds): JsonObject => ({ action: 'assert', condition: holds })) },
  );
  const control = fc.oneof(
    tie('steps').map((steps): JsonObject => ({ action: 'sequence', steps })),
    fc.tuple(condition, tie('steps'), tie('steps')).map(([holds, then, otherwise]): JsonObject => ({
      action: 'if',
      condition: holds,
      then,
      else: otherwise,
    })),
    fc.array(tie('steps'), { minLength: 1, maxLength: 3 }).map((lists): JsonObject => ({
      action: 'try',
      strategies: lists.map((steps) => ({ steps, verify: { type: 'url_contains', pattern: 'x' } })),
    })),
    fc.tuple(condition, tie('steps')).map(([holds, steps]): JsonObject => ({
      action: 'switch',
      cases: [{ condition: holds, steps }],
      default: steps,
    })),
    fc.tuple(fc.integer({ min: 0, max: 4 }), tie('steps')).map(([count, steps]): JsonObject => ({
      action: 'for_each',
      items: Array.from({ length: count }, (_, index) => index),
      steps,
    })),
  );
  const merged = (part: fc.Arbitrary<JsonObject>): fc.Arbitrary<JsonValue> =>
    fc.tuple(part, base).map(([own, shared]) => ({ ...shared, ...own }));
  return {
    step: fc.oneof({ depthSize: 'small', withCrossShrink: true }, merged(leaf), merged(control)),
    steps: fc.array(tie('step'), { maxLength: 4 }) as fc.Arbitrary<JsonValue>,
  };
});

const scripts = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 6 }),
  abort_on_error: fc.boolean(),
  variables: fc.record({ a: fc.constantFrom(...NAMES), b: fc.constantFrom(...NAMES) }),
  limits: fc.record({
    max_steps: fc.integer({ min: 1, max: 60 }),
    max_visits: fc.integer({ min: 1, max: 4 }),
  }),
  timeout: fc.constantFrom(100, 100_000),
});

interface Chances {
  seed: number;
  /** Of a hundred. */
  fails: number;
  hangs: number;
  cancels: number;
}
const chances = fc.record({
  seed: fc.integer(),
  fails: fc.constantFrom(0, 20, 60),
  hangs: fc.constantFrom(0, 5),
  cancels: fc.constantFrom(0, 3),
});

async function runAtRandom(
  source: JsonObject,
  { seed, fails, hangs, cancels }: Chances,
): Promise<{ outcome: ScriptOutcome; ports: RecordedPorts; abortedAt: number | undefined }> {
  let state = seed | 0;
  const roll = (): number => {
    // xorshift: the same run again for the same seed.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.abs(state) % 100;
  };
  const controller = new AbortController();
  let abortedAt: number | undefined;
  const ports: RecordedPorts = new RecordedPorts(
    async (_step, _meta, signal) => {
      if (roll() < cancels) {
        abortedAt = ports.performed.length;
        controller.abort(new AgentError('BrowserAgent.Cancelled', 'enough'));
      }
      if (roll() < hangs)
        return new Promise((_resolve, reject) => {
          const stop = (): void => reject(new Error('stopped'));
          if (signal.aborted) stop();
          signal.addEventListener('abort', stop);
        });
      if (roll() < fails) throw new AgentError('BrowserAgent.ElementNotFound', 'not there');
      return { data: { x: roll() }, value: roll() };
    },
    {
      evaluate: async () => ({ met: roll() < 50 }),
      include: async () => parsed({ name: 'Other', steps: [{ action: 'click', selector: 'b' }] }),
    },
  );
  // Told to be given, and then not given: undefined when it is reached.
  const script = parsed({ name: 'Random', ...source }, { variables: ['nowhere'] });
  const outcome = await interpret(script, ports, { variables: {}, signal: controller.signal });
  return { outcome, ports, abortedAt };
}

test('every started step has one result, numbers are consecutive, limits hold, and success and error agree', async () => {
  await fc.assert(
    fc.asyncProperty(scripts, chances, async (source, chance) => {
      const { outcome, ports, abortedAt } = await runAtRandom(source as unknown as JsonObject, chance);
      const numbers = outcome.steps.map(({ step_number }) => step_number);
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
      expect(outcome.steps.length).toBeLessThanOrEqual(source.limits.max_steps);
      expect(ports.started.map(({ stepNumber }) => stepNumber)).toEqual(numbers);
      expect(ports.finished.map(({ meta }) => meta.stepNumber).toSorted((a, b) => a - b)).toEqual(numbers);
      for (const { meta, result } of ports.finished) {
        expect(result).toBe(outcome.steps[meta.stepNumber - 1]);
        expect(result).toMatchObject({ name: meta.name, action: meta.action });
        expect(result.success).toBe(result.error === undefined);
        expect(result.duration_ms).toBeGreaterThanOrEqual(0);
      }
      expect(outcome.success).toBe(outcome.error === undefined);
      expect(outcome.success).toBe(outcome.endedBy === 'end' || outcome.endedBy === 'succeed');
      expect(outcome.endedBy === 'cancelled').toBe(outcome.error?.message === 'enough');
      // Nothing acts after the abort, and nothing acts outside a step.
      expect(ports.performed.length).toBe(abortedAt ?? ports.performed.length);
      const open = new Set<string>();
      for (const [what, number = ''] of ports.log.map((line) => line.split(' '))) {
        expect(open.has(number)).toBe(what !== 'started');
        if (what === 'started') open.add(number);
        if (what === 'finished') open.delete(number);
      }
      expect(open.size).toBe(0);
      expect(JSON.parse(JSON.stringify(outcome.data))).toEqual(outcome.data);
    }),
    { numRuns: 150 },
  );
});

test('a run that is not aborted and tolerates nothing fails exactly when a step that counts fails', async () => {
  const linear = fc.array(
    fc.record({ action: fc.constant('click'), selector: fc.constant('a'), continue_on_error: fc.boolean() }),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(linear, fc.boolean(), fc.integer(), async (steps, abortOnError, seed) => {
      const { outcome } = await runAtRandom(
        { steps, abort_on_error: abortOnError },
        { seed, fails: 30, hangs: 0, cancels: 0 },
      );
      const counting = outcome.steps.filter(
        ({ success }, index) => !success && !steps[index]!.continue_on_error,
      );
      expect(outcome.success).toBe(counting.length === 0);
      const first = outcome.steps.findIndex((step) => step === counting[0]);
      expect(outcome.steps).toHaveLength(abortOnError && first !== -1 ? first + 1 : steps.length);
    }),
    { numRuns: 100 },
  );
});
