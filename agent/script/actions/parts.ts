import { z } from 'zod';
import type { Condition, ConditionUnion } from '../condition.ts';
import { MAX_ATTEMPTS, type Fields } from '../fields.ts';
import type { makeLocator } from '../locator.ts';
import type { Step } from '../schema.ts';
import type { TriggerStep } from './index.ts';

/**
 * The parts of which the schemas of steps are made. Parser and interpreter recognise elements, conditions and
 * lists by being one of these (`field-kinds.ts`), so a field made of them needs no further word anywhere.
 */

/** What a step with steps inside is made of. */
export interface StepParts {
  f: Fields;
  condition: z.ZodType<Condition>;
  steps: z.ZodArray<z.ZodType<Step>>;
}

/** What any other step is made of. */
export interface Parts extends ReturnType<typeof makeParts> {
  /** The step inside a `download`. */
  trigger: z.ZodType<TriggerStep>;
}

/** Schemas of lists for which a script may give one value. */
const lists = new WeakSet<z.ZodType>();

export function isListOfOne(schema: z.ZodType): boolean {
  return lists.has(schema);
}

/** Fields that every step has besides those of its action. */
export function makeStepBase(f: Fields, condition: z.ZodType<Condition>) {
  return {
    name: f.filled().optional(),
    description: f.text().optional(),
    /** Milliseconds before the step acts; `{min, max}`: a random number of them. */
    delay: f
      .orTemplate(z.union([f.durationMs(), z.object({ min: f.durationMs(), max: f.durationMs() })]))
      .optional(),
    /** Milliseconds one attempt of the step may take. */
    timeout: f.durationMs().optional(),
    retry: z
      .object({
        /** All attempts, the first included. */
        attempts: f.integer(1, MAX_ATTEMPTS).default(1),
        delay_ms: f.durationMs().default(500),
        /** The delay is multiplied by this after each attempt. */
        backoff: f.orTemplate(z.number().min(1).max(10)).default(1),
        retry_if: condition.optional(),
      })
      .optional(),
    continue_on_error: f.boolean().optional(),
    when: condition.optional(),
    /** A key step is shown with screenshot and HTML at DEBUG. */
    key: f.boolean().optional(),
    sensitive: f.boolean().optional(),
    save_as: f.variableName().optional(),
    next: f.filled().optional(),
    end: f.boolean().optional(),
  };
}

export function makeParts(f: Fields, locator: ReturnType<typeof makeLocator>, condition: ConditionUnion) {
  const escalation = makeEscalation(f, locator);
  const extraction = makeExtraction(f);
  return {
    f,
    /** One element. A script may give a CSS selector instead, and for a field `locator` the key `selector`. */
    locator,
    condition,
    escalation,
    extraction,
    extractions: z.array(extraction).min(1),
    /** The element a step is about: exactly one of the two is present in a parsed script. */
    element: {
      locator: locator.optional(),
      escalation_chain: z.array(escalation).min(1).optional(),
    },
    /** At least one; a script may give one value for a list of one. */
    list: <T extends z.ZodType>(item: T) => {
      const schema = f.orTemplate(z.array(item).min(1));
      lists.add(schema);
      return schema;
    },
    /** An address or a part of it, a glob as in Playwright, or `/…/` for a regular expression. */
    urlPattern: f.filled(),
    /** From and to, in milliseconds. */
    range: f.orTemplate(z.tuple([f.durationMs(), f.durationMs()])),
    /** The JSON Schema of what a model is to give. */
    dataSchema: z.record(z.string(), f.json()),
  };
}

/** One way to find an element; a chain is tried in order. Without a model, model methods are skipped. */
function makeEscalation(f: Fields, locator: ReturnType<typeof makeLocator>) {
  const confidence = { confidence_threshold: f.number().optional() };
  const prompt = f.text().default('');
  const schema = z.record(z.string(), f.json()).optional();
  return z.discriminatedUnion('method', [
    z.object({ method: z.literal('playwright_locator'), locator, ...confidence }),
    z.object({
      method: z.literal('playwright_dom'),
      strategy: f.oneOf(['check_page_title', 'check_url_path', 'check_key_elements', 'execute_script']),
      /** Result by any of its patterns, each compared in lower case. */
      matchers: z.record(z.string(), z.array(z.string())).optional(),
      checks: z.array(z.object({ selector: f.filled(), indicates: f.text().default('') })).optional(),
      script: f.text().optional(),
      ...confidence,
    }),
    z.object({ method: z.literal('vision_llm'), prompt, schema, ...confidence }),
    z.object({
      method: z.literal('vision_find_element'),
      prompt,
      schema,
      prefer: f.text().optional(),
      fallback: f.text().optional(),
      ...confidence,
    }),
  ]);
}

function makeExtraction(f: Fields) {
  return z.object({
    name: f.filled(),
    strategy: f.oneOf(['css', 'xpath', 'regex', 'table_cell', 'js', 'attribute']),
    selector: f.text().optional(),
    xpath: f.text().optional(),
    pattern: f.text().optional(),
    attribute: f.text().optional(),
    table_selector: f.text().optional(),
    row_contains: f.text().optional(),
    column_header: f.text().optional(),
    /** JavaScript, for strategy `js`. */
    expression: f.text().optional(),
    /** All matches as a list, instead of the first as one value. */
    all: f.boolean().default(false),
    required: f.boolean().default(false),
    type: f.oneOf(['string', 'number', 'integer', 'boolean', 'json']).default('string'),
    /** JavaScript tried when the strategy found nothing. */
    fallback_js: f.text().optional(),
  });
}
