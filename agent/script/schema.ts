import { z } from 'zod';
import { RECORDING_LEVELS, type JsonObject, type JsonValue } from '../base/words.ts';
import {
  CONTROL_ACTIONS,
  CONTROL_TRAITS,
  LEAF_ACTIONS,
  LEAF_TRAITS,
  TRIGGER_ACTIONS,
  type Action,
  type LeafAction,
  type LeafStep,
  type TriggerStep,
} from './actions/index.ts';
import { makeParts, makeStepBase, type Parts } from './actions/parts.ts';
import { makeCondition, type Condition } from './condition.ts';
import { makeFields, type Stage } from './fields.ts';
import { makeLocator } from './locator.ts';

/**
 * The script format's single source: zod schemas of the canonical form, and its types. Actions come from
 * their table (`actions/index.ts`). Parsing (`parse.ts`) brings every accepted spelling into this form first,
 * so nothing after it knows an alias: `action` is one of {@link ACTIONS}, elements are a `locator`, branches
 * are lists of steps.
 */

export { ACTIONS, CONTROL_ACTIONS, LEAF_ACTIONS, MODEL_ACTIONS } from './actions/index.ts';
export type { Action, LeafStep } from './actions/index.ts';
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

/** The leaf step with this action. */
export type LeafStepOf<A extends LeafStep['action']> = Extract<LeafStep, { action: A }>;
export type Step = LeafStep | ControlStep;
/** One extraction of an `extract_dom` step. */
export type Extraction = LeafStepOf<'extract_dom'>['extractions'][number];
/** One method of an `escalation_chain`. */
export type EscalationMethod = NonNullable<LeafStepOf<'click'>['escalation_chain']>[number];

/** Escalation methods that need a model. */
export const MODEL_METHODS = [
  'vision_llm',
  'vision_find_element',
] as const satisfies readonly EscalationMethod['method'][];

/** Both sets of schemas come from here; see fields.ts for the difference. */
function makeSchemas(stage: Stage) {
  const f = makeFields(stage);
  const locator = makeLocator(f);
  const condition = makeCondition(f, locator);
  const base = makeStepBase(f, condition);
  const stepOf = (action: Action, fields: z.core.$ZodLooseShape): StepSchema =>
    z.object({ action: z.literal(action), ...base, ...fields });

  const parts: Parts = {
    ...makeParts(f, locator, condition),
    trigger: z.lazy(() => unionOf<TriggerStep>(TRIGGER_ACTIONS.map((action) => leaves[action]))),
  };
  const leaves = Object.fromEntries(
    LEAF_ACTIONS.map((action) => [action, stepOf(action, LEAF_TRAITS[action].fields(parts))]),
  ) as Record<LeafAction, StepSchema>;
  const steps: z.ZodArray<z.ZodType<Step>> = z.array(z.lazy((): z.ZodType<Step> => step));
  const controls = CONTROL_ACTIONS.map((action) =>
    stepOf(action, CONTROL_TRAITS[action].fields({ f, condition, steps })),
  );
  const leaf = unionOf<LeafStep>(Object.values(leaves));
  const step = unionOf<Step>([...Object.values(leaves), ...controls]);

  // Read before the first step, so without templates.
  const plain = makeFields('plain');
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

  return { base: z.object(base), parts, leaf, step, session, variable, script };
}

type StepSchema = z.ZodObject<{ action: z.ZodLiteral<Action> }>;
/** A union of steps by their action, with the schema of each. */
export type StepUnion<S> = z.ZodType<S> & { options: readonly StepSchema[] };

function unionOf<S>(options: readonly StepSchema[]): StepUnion<S> {
  const [first, ...others] = options;
  return z.discriminatedUnion('action', [first!, ...others]) as unknown as StepUnion<S>;
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
