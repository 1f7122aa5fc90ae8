import { AgentError } from '../base/errors.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { ACTION_TRAITS, traitsOf } from './actions/index.ts';
import { withDeadline } from './deadline.ts';
import type { ActionResult, StepMeta, StepPorts } from './interpreter.ts';
import { fieldKinds } from './field-kinds.ts';
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
import { STARTING_PAGE, modelUse } from './steps.ts';
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
    // Conditions are resolved when they are evaluated, part by part; until then something valid takes
    // their place.
    const kinds = fieldKinds(step.action);
    const isCondition = (key: string): boolean => key === 'when' || kinds.conditions.includes(key);
    const entries = Object.entries(step);
    const conditions = Object.fromEntries(entries.filter(([key]) => isCondition(key)));
    const placeholders = Object.fromEntries(Object.keys(conditions).map((key) => [key, ALWAYS]));
    const plain = Object.fromEntries(entries.filter(([key]) => !isCondition(key) && key !== 'retry'));
    const resolved = await named(meta, resolveTemplates(plain, scope));
    for (const key of kinds.lists)
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
    const isDelayed = ACTION_TRAITS[step.action].isDelayed && step.name !== STARTING_PAGE;
    const delay = step.delay ?? (isDelayed ? defaultDelay : undefined);
    if (delay === undefined) return;
    const ms =
      typeof delay === 'number'
        ? delay
        : delay.min + this.#ports.random() * Math.max(0, delay.max - delay.min);
    if (ms > 0) await this.#ports.clock.sleep(Math.round(ms), signal);
  }

  /**
   * Does the step, whose templates are resolved, within its time.
   *
   * @param work does it; the signal is aborted when the time is over
   */
  within(
    step: LeafStep,
    meta: StepMeta,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<ActionResult>,
  ): Promise<ActionResult> {
    const limitMs = timeoutOf(step, this.#limits);
    const timeoutError = (): AgentError =>
      new AgentError(
        'BrowserAgent.StepTimeout',
        `The step "${meta.name}" (${step.action}) took longer than ${limitMs} ms. Give it a longer "timeout", or wait for what it needs first.`,
      );
    const { clock } = this.#ports;
    return withDeadline({ clock, signal, timeoutMs: limitMs + ACTION_GRACE_MS, timeoutError }, work);
  }

  /** Does the step in the browser. */
  async act(step: LeafStep, meta: StepMeta, scope: Scope, signal: AbortSignal): Promise<ActionResult> {
    const model = modelUse(step);
    if (model) throw noModel(`The step "${meta.name}" (${meta.action})`, model);
    return this.within(step, meta, signal, async (inner) => {
      const conditions: Record<string, unknown> = {};
      for (const key of fieldKinds(step.action).conditions) {
        const condition = step[key as keyof LeafStep] as Condition | undefined;
        if (condition) conditions[key] = await this.resolveCondition(condition, scope, meta);
      }
      return this.#ports.perform({ ...step, ...conditions }, meta, inner);
    });
  }

  /** The condition with its templates resolved. Throws BrowserAgent.InvalidInput, which names the step. */
  resolveCondition(condition: Condition, scope: Scope, meta: StepMeta): Promise<Condition> {
    return named(meta, resolveTemplates(condition, scope));
  }
}

const ALWAYS: Condition = { type: 'url_contains', pattern: '/' };

const BASE = strictSchemas.base.pick({ delay: true, timeout: true, next: true, retry: true });

/** Milliseconds the step may take; what its own fields ask for is on top of the usual time. */
export function timeoutOf(step: LeafStep, limits: Limits): number {
  if (step.timeout !== undefined) return step.timeout;
  const { time } = traitsOf(step);
  if (time === 'person') return limits.humanTimeoutMs;
  return limits.stepTimeoutMs + (time === 'usual' ? 0 : time(step));
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
