import { z } from 'zod';
import type { Condition } from './condition.ts';
import type { Fields } from './fields.ts';
import { MAX_ATTEMPTS } from './fields.ts';
import type { makeLocator } from './locator.ts';

export const LOAD_STATES = ['load', 'domcontentloaded', 'networkidle'] as const;

/** Shown to the person when a `human` step has no message of its own. */
const HUMAN_MESSAGE = 'Please finish this step in the browser, then press Resume.';

/** What every step may have beside its action's own fields. */
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

/** One way to find an element; a chain is tried in order, and model methods are skipped without a model. */
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
    /** Every match as a list, not the first as one value. */
    all: f.boolean().default(false),
    required: f.boolean().default(false),
    type: f.oneOf(['string', 'number', 'integer', 'boolean', 'json']).default('string'),
    /** JavaScript tried when the strategy found nothing. */
    fallback_js: f.text().optional(),
  });
}

/** The steps without control flow, by action. */
export function makeLeafSteps(
  f: Fields,
  locator: ReturnType<typeof makeLocator>,
  condition: z.ZodType<Condition>,
) {
  const base = makeStepBase(f, condition);
  const escalation = makeEscalation(f, locator);
  const extraction = makeExtraction(f);
  /** Exactly one of the two is present in a parsed script. */
  const element = {
    locator: locator.optional(),
    escalation_chain: z.array(escalation).min(1).optional(),
  };
  const pointer = {
    ...element,
    button: f.oneOf(['left', 'right', 'middle']).optional(),
    modifiers: f.orTemplate(z.array(z.enum(['Alt', 'Control', 'ControlOrMeta', 'Meta', 'Shift']))).optional(),
    /** A trusted mouse click (move, hover, press, release), so that a password manager reacts. */
    trigger_autofill: f.boolean().optional(),
  };
  const action = <const A extends string, S extends z.core.$ZodLooseShape>(name: A, shape: S) =>
    z.object({ action: z.literal(name), ...base, ...shape });
  const schema = z.record(z.string(), f.json()).optional();
  const choice = f.orTemplate(z.union([z.string(), z.array(z.string())])).optional();

  const acting = [
    action('navigate', {
      url: f.filled(),
      wait_until: f.oneOf([...LOAD_STATES, 'commit']).optional(),
    }),
    action('click', pointer),
    action('double_click', pointer),
    action('hover', pointer),
    action('check', pointer),
    action('uncheck', pointer),
    action('fill', { ...element, value: f.typed() }),
    /** Typed key by key, `key_delay` milliseconds apart (the script's `delay`). */
    action('type', { ...element, value: f.typed(), key_delay: f.durationMs().optional() }),
    action('press', {
      locator: locator.optional(),
      keys: f.orTemplate(z.array(f.filled()).min(1)),
      /** Milliseconds after each key (the script's `delay`). */
      key_delay: f.durationMs().optional(),
    }),
    action('select', {
      ...element,
      value: choice,
      label: choice,
      index: f.integer(0, 100_000).optional(),
    }),
    action('upload', { ...element, files: f.orTemplate(z.array(f.filled()).min(1)) }),
    action('scroll', {
      locator: locator.optional(),
      to: f.oneOf(['top', 'bottom']).optional(),
      by: z.object({ x: f.number().default(0), y: f.number().default(0) }).optional(),
    }),
    action('wait', {
      duration: f.durationMs().optional(),
      duration_range: f.orTemplate(z.tuple([f.durationMs(), f.durationMs()])).optional(),
      locator: locator.optional(),
      state: f.oneOf(['attached', 'detached', 'visible', 'hidden']).optional(),
    }),
    action('wait_for_load_state', { state: f.oneOf(LOAD_STATES).default('load') }),
    action('wait_for_selector', {
      locator,
      state: f.oneOf(['attached', 'detached', 'visible', 'hidden']).default('visible'),
    }),
    /** A glob as in Playwright, or `/…/` for a regular expression. */
    action('wait_for_url', { pattern: f.filled() }),
    action('wait_for_response', {
      pattern: f.filled(),
      status: f.integer(100, 599).optional(),
      method: f.text().optional(),
    }),
    action('screenshot', {
      save_to: f.filled().optional(),
      full_page: f.boolean().default(true),
      locator: locator.optional(),
      upload_to_s3: f.boolean().default(false),
      include_in_result: f.boolean().default(false),
      s3_prefix: f.text().optional(),
    }),
    action('extract_dom', {
      extractions: z.array(extraction).min(1),
      require: f.oneOf(['all', 'any', 'none']).default('any'),
    }),
    action('extract_table', { ...element, columns: f.strings().optional() }),
    action('assert', { condition, message: f.text().optional() }),
    action('execute_js', { script: f.filled(), args: f.json().optional() }),
    action('dialog', { accept: f.boolean().default(true), prompt_text: f.text().optional() }),
    action('validate_profile', {
      mode: f.oneOf(['static', 'runtime', 'both']).default('static'),
      ui_condition: condition.optional(),
      /** The earlier program asked a model this question. */
      ui_prompt: f.text().optional(),
      cookie_domains: f.strings().optional(),
      cookie_names: f.strings().optional(),
      local_storage_keys: f.strings().optional(),
    }),
  ] as const;

  const ownByInterpreter = [
    action('human', { message: f.text().default(HUMAN_MESSAGE), until: condition.optional() }),
    action('fail', { error: f.filled().default('BrowserAgent.StepFailed'), message: f.text().optional() }),
    action('succeed', { message: f.text().optional(), output: f.json().optional() }),
    action('include', { script: f.filled(), variables: z.record(z.string(), f.json()).optional() }),
    action('goto', { target: f.filled() }),
  ] as const;

  const model = [
    action('act', { prompt: f.filled(), max_actions: f.integer(1, 1_000).optional() }),
    action('act_with_schema', { prompt: f.filled(), schema: f.json() }),
    action('extract', {
      method: z.literal('vision').default('vision'),
      prompt: f.text().default(''),
      schema,
      execute_action: f.boolean().default(false),
    }),
    action('extract_by_llm', { prompt: f.text().default(''), schema, selector: f.text().optional() }),
    action('select_by_llm', {
      select_selector: f.filled(),
      target: f.filled(),
      context_hint: f.text().optional(),
    }),
  ] as const;

  const download = action('download', {
    /** The step that starts the download. */
    trigger: z.discriminatedUnion('action', acting),
    save_to: f.filled().optional(),
  });

  return { acting, download, ownByInterpreter, model, escalation, extraction };
}
