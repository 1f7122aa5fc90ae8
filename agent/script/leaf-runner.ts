import { AgentError } from '../base/errors.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { withDeadline } from './deadline.ts';
import type { ActionResult, StepMeta, StepPorts } from './interpreter.ts';
import { ACTION_GRACE_MS, type Limits } from './limits.ts';
import { noModel } from './no-model.ts';
import {
  strictSchemas,
  type Condition,
  type ControlStep,
  type LeafStep,
  type Script,
  type Step,
} from './schema.ts';
import { STARTING_PAGE, isControlStep, modelUse } from './steps.ts';
import { resolveTemplates, type Scope } from './variables.ts';

type Delay = Script['default_delay'];

/** Does one leaf step: resolves its templates, checks what came out, and acts under its deadline. */
export class LeafRunner {
  readonly #ports: StepPorts;
  readonly #limits: Limits;

  constructor(ports: StepPorts, limits: Limits) {
    this.#ports = ports;
    this.#limits = limits;
  }

  /** The step with the fields that every step has resolved; its own are resolved when it acts. */
  async resolveBase(step: Step, scope: Scope, meta: StepMeta): Promise<Step> {
    const { delay, timeout, retry, next } = step;
    const { retry_if: retryIf, ...times } = retry ?? {};
    const base = JSON.stringify({ delay, timeout, next, retry: retry && times });
    if (!base.includes('{{')) return step;
    const resolved = await named(meta, resolveTemplates(JSON.parse(base) as JsonObject, scope));
    const parsed = BASE.safeParse(resolved);
    if (!parsed.success) throw badValue(meta, parsed.error.issues);
    const resolvedRetry = retry && { retry: { ...parsed.data.retry, retry_if: retryIf } };
    return { ...step, ...parsed.data, ...resolvedRetry } as Step;
  }

  /** The step with its templates resolved. Throws BrowserAgent.InvalidInput when the result is none. */
  async resolve<S extends LeafStep>(step: S, scope: Scope, meta: StepMeta): Promise<S> {
    // Conditions are resolved when they are looked at, part by part; meanwhile something valid holds
    // their place.
    const entries = Object.entries(step);
    const conditions = Object.fromEntries(entries.filter(([key]) => CONDITION_FIELDS.has(key)));
    const placeholders = Object.fromEntries(Object.keys(conditions).map((key) => [key, ALWAYS]));
    const plain = Object.fromEntries(
      entries.filter(([key]) => !CONDITION_FIELDS.has(key) && key !== 'retry'),
    );
    const resolved = await named(meta, resolveTemplates(plain, scope));
    for (const key of LIST_FIELDS)
      if (Object.hasOwn(resolved, key) && !Array.isArray(resolved[key])) resolved[key] = [resolved[key]];
    const parsed = strictSchemas.leaf.safeParse({ ...resolved, ...placeholders });
    if (!parsed.success) throw badValue(meta, parsed.error.issues);
    return { ...parsed.data, ...conditions } as unknown as S;
  }

  async resolveLoop(
    step: Extract<ControlStep, { action: 'for_each' }>,
    scope: Scope,
    meta: StepMeta,
  ): Promise<{ items: JsonValue[]; limit: number | undefined }> {
    const { items, limit } = await named(
      meta,
      resolveTemplates({ items: step.items, limit: step.limit }, scope),
    );
    if (Array.isArray(items) && (limit === undefined || Number.isInteger(limit))) return { items, limit };
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `The step "${meta.name}" (${meta.path}) needs a list as "items" and a whole number as "limit"; check what its templates give.`,
    );
  }

  /** The pause before a step: its own, else the script's for steps that act. */
  async delayBefore(step: Step, defaultDelay: Delay, signal: AbortSignal): Promise<void> {
    const acts = !isControlStep(step) && !NOT_DELAYED.has(step.action) && step.name !== STARTING_PAGE;
    const delay = step.delay ?? (acts ? defaultDelay : undefined);
    if (delay === undefined) return;
    const ms =
      typeof delay === 'number'
        ? delay
        : delay.min + this.#ports.random() * Math.max(0, delay.max - delay.min);
    if (ms > 0) await this.#ports.clock.sleep(Math.round(ms), signal);
  }

  /** Acts. `check` looks at conditions, those about variables included. */
  async act(
    written: LeafStep,
    meta: StepMeta,
    scope: Scope,
    signal: AbortSignal,
    check: (condition: Condition) => Promise<boolean>,
  ): Promise<ActionResult> {
    const step = await this.resolve(written, scope, meta);
    const model = modelUse(step);
    if (model) throw noModel(`The step "${meta.name}" (${meta.action})`, model);
    const { clock } = this.#ports;
    if (step.action === 'human') {
      const timeoutMs = step.timeout ?? this.#limits.humanTimeoutMs;
      const until = step.until && (await named(meta, resolveTemplates(step.until, scope)));
      return withDeadline({ clock, signal, timeoutMs: null, timeoutError }, (inner) =>
        this.#ports.human({ message: step.message, timeoutMs, ...(until ? { until } : {}) }, meta, inner),
      );
    }
    const limitMs = timeoutOf(step, this.#limits);
    const error = (): AgentError =>
      new AgentError(
        'BrowserAgent.StepTimeout',
        `The step "${meta.name}" (${step.action}) took longer than ${limitMs} ms. Give it a longer "timeout", or wait for what it needs first.`,
      );
    const timeoutMs = limitMs + ACTION_GRACE_MS;
    return withDeadline({ clock, signal, timeoutMs, timeoutError: error }, async (inner) => {
      if (step.action === 'assert') return this.#assert(step, meta, check, inner);
      if (step.action === 'validate_profile' && step.ui_condition) {
        const condition = await named(meta, resolveTemplates(step.ui_condition, scope));
        return this.#ports.perform({ ...step, ui_condition: condition }, meta, inner);
      }
      return this.#ports.perform(step, meta, inner);
    });
  }

  async #assert(
    step: Extract<LeafStep, { action: 'assert' }>,
    meta: StepMeta,
    check: (condition: Condition) => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<ActionResult> {
    const { clock } = this.#ports;
    const withinMs = looksOnceAtThePage(step.condition) ? (step.timeout ?? ASSERT_WITHIN_MS) : 0;
    const deadline = clock.monotonic() + withinMs;
    for (;;) {
      if (await check(step.condition)) return { fields: { condition: true } };
      if (clock.monotonic() >= deadline) break;
      await clock.sleep(ASSERT_POLL_MS, signal);
    }
    throw new AgentError(
      'BrowserAgent.AssertionFailed',
      step.message ??
        `"${meta.name}" does not hold${withinMs > 0 ? ` within ${withinMs / 1_000} s` : ''}: ${JSON.stringify(step.condition)}`,
    );
  }
}

/** How long an assertion about something that does not wait by itself may take to become true. */
const ASSERT_WITHIN_MS = 5_000;
const ASSERT_POLL_MS = 100;

/** About the page, and nothing in it waits by itself: right after a click its address is still the old one. */
function looksOnceAtThePage(condition: Condition): boolean {
  switch (condition.type) {
    case 'variable':
      return false;
    case 'and':
    case 'or':
      return condition.conditions.every(looksOnceAtThePage);
    case 'not':
      return looksOnceAtThePage(condition.condition);
    case 'url_contains':
    case 'url_matches':
    case 'url_equals':
    case 'js_eval':
      return true;
    default:
      return condition.timeout === 0;
  }
}

/** Fields that hold a list, and take one string for a list of one. */
const LIST_FIELDS = ['keys', 'files'] as const;

const CONDITION_FIELDS: ReadonlySet<string> = new Set(['condition', 'until', 'ui_condition', 'when']);

const ALWAYS: Condition = { type: 'url_contains', pattern: '/' };

const BASE = strictSchemas.base.pick({ delay: true, timeout: true, next: true, retry: true });

/** Steps that only steer: a pause before them helps no one. */
const NOT_DELAYED: ReadonlySet<string> = new Set(['goto', 'fail', 'succeed', 'include', 'human', 'assert']);

function timeoutError(): Error {
  return new AgentError('BrowserAgent.HumanTimeout', 'The person did not answer in time.');
}

/** Milliseconds the step may take; what it waits by its own words is on top of the usual time. */
function timeoutOf(step: LeafStep, limits: Limits): number {
  if (step.timeout !== undefined) return step.timeout;
  const usualMs = limits.stepTimeoutMs;
  switch (step.action) {
    case 'wait':
      return usualMs + Math.max(step.duration ?? 0, ...(step.duration_range ?? []));
    case 'press':
      return usualMs + (step.key_delay ?? 0) * step.keys.length;
    case 'type':
      return usualMs + (step.key_delay ?? 0) * step.value.length;
    default:
      return usualMs;
  }
}

/** The promise's value, or its error with the step's name before it. */
async function named<T>(meta: StepMeta, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (thrown) {
    if (!(thrown instanceof AgentError)) throw thrown;
    throw new AgentError(thrown.errorName, `Step "${meta.name}" (${meta.path}): ${thrown.message}`, {
      cause: thrown,
      data: thrown.data,
    });
  }
}

function badValue(meta: StepMeta, issues: readonly { path: PropertyKey[]; message: string }[]): AgentError {
  const what = issues.map(({ path, message }) => `"${path.map(String).join('.')}": ${message}`).join('; ');
  return new AgentError(
    'BrowserAgent.InvalidInput',
    `Step "${meta.name}" (${meta.path}): a template gives a value that does not fit. ${what}`,
  );
}
