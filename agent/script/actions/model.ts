import { z } from 'zod';
import { AS_CANONICAL, type ModelTraits } from './traits.ts';

/** Actions that need a model. They are parsed and validated; a run that reaches one fails. */

const NEEDS_MODEL = {
  doc: 'model steps, like the escalation methods `vision_llm` and `vision_find_element`: parsed and validated, but this version has no model connected: a run that reaches one fails with `BrowserAgent.StepFailed`, and the error says which steps to use instead',
  doneBy: 'model',
  duringCapture: 'waits',
  isDelayed: true,
  whenHeld: 'finishes',
  time: 'usual',
  typedTexts: null,
} as const;

/** The earlier program's other name for `prompt`. */
const GOAL = {
  aliases: [],
  also: ['goal'],
  canonical: (step, form) => form.rename(step, 'goal', 'prompt'),
  written: {},
} as const satisfies Partial<ModelTraits>;

export const MODEL = {
  act: {
    ...NEEDS_MODEL,
    ...GOAL,
    fields: ({ f }) => ({ prompt: f.filled(), max_actions: f.integer(1, 1_000).optional() }),
    picture: 'key',
    instead: 'click, fill, select and the other steps that name their element with a locator',
  },
  act_with_schema: {
    ...NEEDS_MODEL,
    ...GOAL,
    fields: ({ f }) => ({ prompt: f.filled(), schema: f.json() }),
    picture: 'data',
    instead:
      'click, fill and the other steps that name their element with a locator, then extract_dom or extract_table',
  },
  extract: {
    ...NEEDS_MODEL,
    ...AS_CANONICAL,
    written: { method: { enum: ['vision', 'dom'] }, extractions: { type: 'array' } },
    fields: ({ f, dataSchema }) => ({
      method: z.literal('vision').default('vision'),
      prompt: f.text().default(''),
      schema: dataSchema.optional(),
      execute_action: f.boolean().default(false),
    }),
    picture: 'data',
    instead: 'extract_dom or extract_table',
  },
  extract_by_llm: {
    ...NEEDS_MODEL,
    ...AS_CANONICAL,
    fields: ({ f, dataSchema }) => ({
      prompt: f.text().default(''),
      schema: dataSchema.optional(),
      selector: f.text().optional(),
    }),
    picture: 'data',
    instead: 'extract_dom or extract_table',
  },
  select_by_llm: {
    ...NEEDS_MODEL,
    ...AS_CANONICAL,
    fields: ({ f }) => ({
      select_selector: f.filled(),
      target: f.filled(),
      context_hint: f.text().optional(),
    }),
    picture: 'key',
    instead: 'select, with a value, label or index',
  },
} as const satisfies Record<string, ModelTraits>;
