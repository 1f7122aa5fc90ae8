import { z } from 'zod';
import { LOAD_STATES } from '../fields.ts';
import { isPlainObject, type Canon } from '../findings.ts';
import type { Parts } from './parts.ts';
import { AS_CANONICAL, type Form, type LeafTraits } from './traits.ts';

/** Actions that change the page. */

const pointer = (p: Parts) => ({
  ...p.element,
  button: p.f.oneOf(['left', 'right', 'middle']).optional(),
  modifiers: p.f.orTemplate(z.array(z.enum(['Alt', 'Control', 'ControlOrMeta', 'Meta', 'Shift']))).optional(),
  /** A trusted mouse click (move, hover, press, release), so that a password manager reacts. */
  trigger_autofill: p.f.boolean().optional(),
});

const POINTER = {
  doc: '`locator` or `selector` or `escalation_chain`, `button`, `modifiers`, `trigger_autofill`',
  ...AS_CANONICAL,
  fields: pointer,
  doneBy: 'browser',
  duringCapture: 'looks',
  picture: 'step',
  isDelayed: true,
  whenHeld: 'stops',
  time: 'usual',
  typedTexts: null,
} as const satisfies LeafTraits;

/** A number is the time between keys; a range is the time before the step, as everywhere. */
function keyDelay(step: Canon, form: Form): void {
  for (const key of ['delay_ms', 'delay']) {
    if (step[key] !== undefined && !isPlainObject(step[key])) form.rename(step, key, 'key_delay');
  }
}

const choice = ({ f }: Parts) => f.orTemplate(z.union([z.string(), z.array(z.string())])).optional();

export const ACTING = {
  navigate: {
    doc: '`url`, `wait_until`',
    ...AS_CANONICAL,
    aliases: [
      {
        name: 'goto',
        when: (step) => step['url'] !== undefined && step['target'] === undefined,
        words: 'with a `url`',
      },
    ],
    fields: ({ f }) => ({
      url: f.filled(),
      wait_until: f.oneOf([...LOAD_STATES, 'commit']).optional(),
    }),
    doneBy: 'browser',
    duringCapture: 'waits',
    picture: 'key',
    isDelayed: true,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: null,
  },
  click: POINTER,
  double_click: POINTER,
  hover: POINTER,
  check: POINTER,
  uncheck: POINTER,
  fill: {
    doc: '`locator`…, `value`',
    ...AS_CANONICAL,
    fields: (p) => ({ ...p.element, value: p.f.typed() }),
    doneBy: 'browser',
    duringCapture: 'looks',
    picture: 'step',
    isDelayed: true,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: ({ value }: { value: string }) => [value],
  },
  type: {
    doc: '`locator`…, `value`, `delay`',
    aliases: [],
    also: ['delay_ms'],
    canonical: keyDelay,
    written: {},
    /** Typed key by key, `key_delay` milliseconds apart (the script's `delay`). */
    fields: (p) => ({ ...p.element, value: p.f.typed(), key_delay: p.f.durationMs().optional() }),
    doneBy: 'browser',
    duringCapture: 'looks',
    picture: 'step',
    isDelayed: true,
    whenHeld: 'finishes',
    time: (step: { key_delay?: number | undefined; value: string }) =>
      (step.key_delay ?? 0) * step.value.length,
    typedTexts: ({ value }: { value: string }) => [value],
  },
  press: {
    doc: '`key` or `keys[]` (a string means one key), `delay`, `locator`',
    aliases: [],
    also: ['delay_ms'],
    canonical: (step, form) => {
      // `key` is a field of every step, too: there it is a boolean.
      if (typeof step['key'] === 'string') form.rename(step, 'key', 'keys');
      keyDelay(step, form);
    },
    written: {},
    fields: ({ f, locator, list }) => ({
      locator: locator.optional(),
      keys: list(f.filled()),
      /** Milliseconds after each key (the script's `delay`). */
      key_delay: f.durationMs().optional(),
    }),
    doneBy: 'browser',
    duringCapture: 'waits',
    picture: 'step',
    isDelayed: true,
    whenHeld: 'finishes',
    time: (step: { key_delay?: number | undefined; keys: string[] }) =>
      (step.key_delay ?? 0) * step.keys.length,
    typedTexts: null,
  },
  select: {
    doc: '`locator`…, `value` | `label` | `index`',
    ...AS_CANONICAL,
    aliases: ['select_option'],
    fields: (p) => ({
      ...p.element,
      value: choice(p),
      label: choice(p),
      index: p.f.integer(0, 100_000).optional(),
    }),
    doneBy: 'browser',
    duringCapture: 'waits',
    picture: 'step',
    isDelayed: true,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: null,
  },
  upload: {
    doc: '`locator`…, `files[]` (inside the allowed folder only)',
    ...AS_CANONICAL,
    fields: ({ f, element, list }) => ({ ...element, files: list(f.filled()) }),
    doneBy: 'browser',
    duringCapture: 'waits',
    picture: 'key',
    isDelayed: true,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: null,
  },
  scroll: {
    doc: '`locator` | `to: top|bottom` | `by{x,y}`',
    ...AS_CANONICAL,
    fields: ({ f, locator }) => ({
      locator: locator.optional(),
      to: f.oneOf(['top', 'bottom']).optional(),
      by: z.object({ x: f.number().default(0), y: f.number().default(0) }).optional(),
    }),
    doneBy: 'browser',
    duringCapture: 'waits',
    picture: 'step',
    isDelayed: true,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: null,
  },
} as const satisfies Record<string, LeafTraits>;
