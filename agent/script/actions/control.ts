import { z } from 'zod';
import type { JsonObject } from '../../base/words.ts';
import { canonicalBranch, canonicalStrategy, canonicalSwitch } from '../canonical-control.ts';
import type { ControlStep, Step } from '../schema.ts';
import { STEPS, definition } from './json-refs.ts';
import { AS_CANONICAL, type ActionTraits, type ControlTraits } from './traits.ts';

/** Actions with steps inside. The interpreter runs them (control.ts). */

type Of<A extends ControlStep['action']> = Extract<ControlStep, { action: A }>;

const CONTROLS = {
  ...AS_CANONICAL,
  duringCapture: 'runs',
  picture: 'step',
  isDelayed: false,
} as const satisfies Partial<ActionTraits>;

/** The variables that a loop sets for each turn: the item and its index. */
export function loopNames({ as }: Pick<Of<'for_each'>, 'as'>): [item: string, index: string] {
  return [as, `${as}_index`];
}

const nothing = (): string[] => [];

/** `steps` and nothing else. */
const ONE_LIST = {
  canonical: (step, form) => {
    step['steps'] = form.steps(step['steps'], [...form.path, 'steps']);
  },
  written: { steps: STEPS },
  lists: ({ steps }: { steps: readonly Step[] }) => [{ steps, path: ['steps'] }],
} as const satisfies Partial<ControlTraits<never>>;

const STRATEGY: JsonObject = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    steps: STEPS,
    verify: definition('Condition'),
    escalate: { type: 'object' },
  },
};

const CASE: JsonObject = { type: 'object', properties: { condition: definition('Condition'), steps: STEPS } };

export const CONTROL: { [A in ControlStep['action']]: ControlTraits<Of<A>> } = {
  if: {
    ...CONTROLS,
    doc: 'see below',
    canonical: (step, form) => {
      if (form.raw['then'] === undefined && form.raw['else'] === undefined)
        form.findings.error(form.path, '"if" needs a "then" or an "else"');
      for (const branch of ['then', 'else'])
        step[branch] = canonicalBranch(step[branch], [...form.path, branch], form);
    },
    written: { then: definition('Branch'), else: definition('Branch') },
    fields: ({ condition, steps }) => ({ condition, then: steps, else: steps.default([]) }),
    lists: (step) => [
      { steps: step.then, path: ['then'] },
      { steps: step.else, path: ['else'] },
    ],
    defines: nothing,
  },
  try: {
    ...CONTROLS,
    doc: 'see below',
    canonical: (step, form) => {
      if (Array.isArray(step['strategies']))
        step['strategies'] = step['strategies'].map((strategy, index) =>
          canonicalStrategy(strategy, [...form.path, 'strategies', index], form),
        );
    },
    written: { strategies: { type: 'array', minItems: 1, items: STRATEGY } },
    fields: ({ f, condition, steps }) => ({
      strategies: z
        .array(z.object({ name: f.filled().optional(), steps, verify: condition.optional() }))
        .min(1),
    }),
    lists: (step) =>
      step.strategies.map(({ steps }, index) => ({ steps, path: ['strategies', index, 'steps'] })),
    defines: nothing,
  },
  sequence: {
    ...CONTROLS,
    ...ONE_LIST,
    doc: 'see below',
    fields: ({ steps }) => ({ steps }),
    defines: nothing,
  },
  switch: {
    ...CONTROLS,
    doc: 'see below',
    canonical: canonicalSwitch,
    written: { cases: { type: 'array', items: CASE }, default: definition('Branch') },
    fields: ({ condition, steps }) => ({
      cases: z.array(z.object({ condition, steps })),
      default: steps.default([]),
    }),
    lists: (step) => [
      ...step.cases.map(({ steps }, index) => ({ steps, path: ['cases', index, 'steps'] })),
      { steps: step.default, path: ['default'] },
    ],
    defines: nothing,
  },
  for_each: {
    ...CONTROLS,
    ...ONE_LIST,
    doc: '`items` (array or template), `as`, `steps`, `limit`',
    fields: ({ f, steps }) => ({
      items: f.orTemplate(z.array(f.json())),
      as: f.variableName().default('item'),
      steps,
      /** Most items taken; more than this many is not an error. */
      limit: f.integer(0, 100_000).optional(),
    }),
    defines: loopNames,
  },
};
