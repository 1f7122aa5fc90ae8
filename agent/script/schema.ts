import { z } from 'zod';
import { RECORDING_LEVELS, type JsonObject, type JsonValue } from '../base/words.ts';
import { makeCondition, type Condition } from './condition.ts';
import { makeFields, type Stage } from './fields.ts';
import { makeLeafSteps, makeStepBase } from './leaf-steps.ts';
import { makeLocator } from './locator.ts';

/**
 * The script format's single source: zod schemas of the canonical form, and its types. Parsing
 * (`parse.ts`) brings every accepted spelling into this form first, so nothing after it knows an alias:
 * `action` is one of {@link ACTIONS}, elements are a `locator`, branches are lists of steps.
 */

export { CONDITION_TIMEOUT_MS, CONDITION_TYPES } from './condition.ts';
export { LOCATOR_STRATEGIES } from './locator.ts';
export type { Condition, PageCondition } from './condition.ts';
export type { Locator } from './locator.ts';

/** Everything the interpreter runs itself, inside which other steps stand. */
export type ControlStep = StepBase &
  (
    | { action: 'if'; condition: Condition; then: Step[]; else: Step[] }
    | { action: 'try'; strategies: Strategy[] }
    | { action: 'sequence'; steps: Step[] }
    | { action: 'switch'; cases: { condition: Condition; steps: Step[] }[]; default: Step[] }
    | { action: 'for_each'; items: JsonValue[]; as: string; steps: Step[]; limit?: number | undefined }
  );

/** One way of a `try`; an `escalate` of the script is the last of its steps. */
export interface Strategy {
  name?: string | undefined;
  steps: Step[];
  verify?: Condition | undefined;
}

export type StepBase = z.infer<z.ZodObject<ReturnType<typeof makeStepBase>>>;

/** A step without control flow. What the interpreter hands on has every template resolved. */
export type LeafStep = z.infer<ReturnType<typeof makeLeaf>['leaf']>;
/** The leaf step with this action. */
export type LeafStepOf<A extends LeafStep['action']> = Extract<LeafStep, { action: A }>;
export type Step = LeafStep | ControlStep;
export type Action = Step['action'];
/** One extraction of an `extract_dom` step. */
export type Extraction = LeafStepOf<'extract_dom'>['extractions'][number];
/** One method of an `escalation_chain`. */
export type EscalationMethod = NonNullable<LeafStepOf<'click'>['escalation_chain']>[number];

/** Steps that need a model; there is none yet, so reaching one fails and names what to use instead. */
export const MODEL_ACTIONS = [
  'act',
  'act_with_schema',
  'extract',
  'extract_by_llm',
  'select_by_llm',
] as const satisfies readonly Action[];

/** Escalation methods that need a model. */
export const MODEL_METHODS = [
  'vision_llm',
  'vision_find_element',
] as const satisfies readonly EscalationMethod['method'][];

export const CONTROL_ACTIONS = [
  'if',
  'try',
  'sequence',
  'switch',
  'for_each',
] as const satisfies readonly ControlStep['action'][];

export const LEAF_ACTIONS = [
  'navigate',
  'click',
  'double_click',
  'hover',
  'check',
  'uncheck',
  'fill',
  'type',
  'press',
  'select',
  'upload',
  'scroll',
  'wait',
  'wait_for_load_state',
  'wait_for_selector',
  'wait_for_url',
  'wait_for_response',
  'screenshot',
  'extract_dom',
  'extract_table',
  'assert',
  'execute_js',
  'dialog',
  'validate_profile',
  'download',
  'human',
  'fail',
  'succeed',
  'include',
  'goto',
  ...MODEL_ACTIONS,
] as const satisfies readonly LeafStep['action'][];

export const ACTIONS: readonly Action[] = [...LEAF_ACTIONS, ...CONTROL_ACTIONS];

/** Apart from the rest, so that the types of the steps that nest can name the type of those that do not. */
function makeLeaf(stage: Stage) {
  const f = makeFields(stage);
  const locator = makeLocator(f);
  const condition = makeCondition(f, locator);
  const parts = makeLeafSteps(f, locator, condition);
  const { acting, download, ownByInterpreter, model, escalation, extraction } = parts;
  const leaf = z.discriminatedUnion('action', [...acting, download, ...ownByInterpreter, ...model]);
  return { f, locator, condition, escalation, extraction, leaf };
}

/** Both sets of schemas come from here; see fields.ts for the difference. */
function makeSchemas(stage: Stage) {
  const { f, locator, condition, escalation, extraction, leaf } = makeLeaf(stage);
  // Read before the first step, so without templates.
  const plain = makeFields('plain');
  const base = makeStepBase(f, condition);
  const steps: z.ZodArray<z.ZodType<Step>> = z.array(z.lazy((): z.ZodType<Step> => step));
  const control = [
    z.object({ action: z.literal('if'), ...base, condition, then: steps, else: steps.default([]) }),
    z.object({
      action: z.literal('try'),
      ...base,
      strategies: z
        .array(z.object({ name: f.filled().optional(), steps, verify: condition.optional() }))
        .min(1),
    }),
    z.object({ action: z.literal('sequence'), ...base, steps }),
    z.object({
      action: z.literal('switch'),
      ...base,
      cases: z.array(z.object({ condition, steps })),
      default: steps.default([]),
    }),
    z.object({
      action: z.literal('for_each'),
      ...base,
      items: f.orTemplate(z.array(f.json())),
      as: f.variableName().default('item'),
      steps,
      /** Most items taken; more than this many is not an error. */
      limit: f.integer(0, 100_000).optional(),
    }),
  ] as const;
  const step = z.discriminatedUnion('action', [...leaf.options, ...control]) as unknown as z.ZodType<Step> & {
    options: readonly z.ZodObject[];
  };

  const session = z.object({
    profile_name: plain.filled().optional(),
    required_tags: z.array(plain.filled()).optional(),
    allow_temp_profile: plain.boolean().default(true),
    clone_for_parallel: plain.boolean().default(false),
    /** A person has to see the browser: never headless. */
    requires_human_login: plain.boolean().default(false),
    /** Asks the person to sign in before the first step. */
    wait_for_human_login: plain.boolean().default(false),
    post_login_verification: condition.optional(),
    recording_level: z.enum(RECORDING_LEVELS).optional(),
    headless: plain.boolean().optional(),
    viewport: z.object({ width: plain.integer(1, 10_000), height: plain.integer(1, 10_000) }).optional(),
    locale: plain.filled().optional(),
    timezone: plain.filled().optional(),
    ignore_https_errors: plain.boolean().default(false),
    session_timeout_hours: plain.orTemplate(z.number().min(0)).optional(),
  });

  const variable = z.object({
    type: z.enum(['string', 'number', 'integer', 'boolean', 'array', 'object', 'any']).default('any'),
    default: f.json().optional(),
    required: z.boolean().default(false),
    /** Never in a log, a result or an artifact. */
    secret: z.boolean().default(false),
    enum: z.array(f.json()).min(1).optional(),
    /** A regular expression, as in JavaScript, without flags; for strings. */
    pattern: f.text().optional(),
    description: f.text().optional(),
  });

  const script = z.object({
    name: plain.filled(),
    description: plain.text().optional(),
    starting_page: plain.filled().optional(),
    variables: z.record(z.string(), variable).default({}),
    abort_on_error: z.boolean().default(true),
    default_delay: plain
      .orTemplate(
        z.union([plain.durationMs(), z.object({ min: plain.durationMs(), max: plain.durationMs() })]),
      )
      .optional(),
    /** Whole run, milliseconds. */
    timeout: plain.durationMs().optional(),
    execution_id: plain.text().optional(),
    on_failure: z.enum(['fail', 'return']).default('fail'),
    screenshot_config: z
      .object({ s3_prefix: plain.text().optional(), local_dir: plain.text().optional() })
      .optional(),
    session: session.optional(),
    policy: z.object({ allowed_domains: z.array(plain.filled()).optional() }).optional(),
    output: z.record(z.string(), plain.json()).optional(),
    llm_provider: plain.text().optional(),
    llm_model: plain.text().optional(),
    limits: z
      .object({
        max_steps: plain.integer(1, 100_000).optional(),
        max_visits: plain.integer(1, 100_000).optional(),
      })
      .optional(),
    steps: steps.min(1),
  });

  const stepBase = z.object(base);
  return {
    locator,
    condition,
    base: stepBase,
    escalation,
    extraction,
    leaf,
    step,
    session,
    variable,
    script,
  };
}

/** For a script as written: any value may be one whole template. */
export const lenientSchemas = makeSchemas('written');
/** For what the interpreter is about to run: templates are resolved, types hold. */
export const strictSchemas = makeSchemas('resolved');

export type Script = z.infer<typeof strictSchemas.script>;
export type Session = z.infer<typeof strictSchemas.session>;
export type VariableSpec = z.infer<typeof strictSchemas.variable>;
export type Policy = NonNullable<Script['policy']>;

/** A value for a variable by name, as a task or a caller gives them. */
export type Variables = JsonObject;
