import type { Locator as PageLocator } from 'playwright';
import { AgentError, toAgentError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/words.ts';
import { abortError, toBrowserError } from '../../browser/errors.ts';
import { resolveElement, resolveLocator, type ElementTarget, type Target } from '../../browser/locators.ts';
import { noModel } from '../../script/no-model.ts';
import type { EscalationMethod, LeafStep, Locator } from '../../script/schema.ts';
import type { StepGate } from '../pause-gate.ts';
import type { ActionContext } from './types.ts';

/** Limits of one attempt, as Playwright takes them. */
export interface Limits {
  /** Milliseconds left; read at each call. Stands still while somebody holds the run. */
  left(): number;
  signal: AbortSignal;
  gate: StepGate;
}

export interface Named {
  locator?: Locator | undefined;
  escalation_chain?: EscalationMethod[] | undefined;
}

export interface ActOptions {
  /** What is being done, for messages; the step's action. */
  action: LeafStep['action'];
  /** Values that no error may quote. */
  secrets?: readonly string[];
}

/** What happened, and with a chain, which of its methods did it. */
export interface Acted<T> {
  result: T;
  fields: JsonObject;
}

/** One method of a chain may take this long to find its element, milliseconds, unless it says otherwise. */
const METHOD_TIMEOUT_MS = 5_000;

/** Playwright takes a timeout of 0 as "for ever". */
const SHORTEST_MS = 1;

export function limitsOf(
  { signal, gate, timeoutMs: ofStepMs }: Pick<ActionContext, 'timeoutMs' | 'signal' | 'gate'>,
  timeoutMs = ofStepMs,
): Limits {
  const deadline = gate.clock.monotonic() + timeoutMs;
  const left = (): number => Math.max(SHORTEST_MS, Math.ceil(deadline - gate.clock.monotonic()));
  return { signal, left, gate };
}

/** `{timeout, signal}` for a Playwright call. */
export function within(limits: Limits): { timeout: number; signal: AbortSignal } {
  return { timeout: limits.left(), signal: limits.signal };
}

/** As far as Playwright's own log of a call says: it has sent the page what a mouse sends. */
const HAS_ACTED = /performing \w+ action/;

/**
 * One call of Playwright's that waits until its element can be acted on. Whoever takes hold of the run while
 * it still waits has it at once.
 */
export function whenReady<T>(
  act: (limit: { timeout: number; signal: AbortSignal }) => Promise<T>,
  limits: Limits,
  mostMs = Infinity,
): Promise<T> {
  return limits.gate.interruptible(
    (signal) => act({ timeout: Math.min(mostMs, limits.left()), signal }),
    (thrown) => HAS_ACTED.test(String(thrown)),
    limits.signal,
  );
}

/** Does something to the element that the step names, by its locator or by the first method that works. */
export async function actOn<T>(
  named: Named,
  ctx: ActionContext,
  options: ActOptions,
  act: (target: Target, limits: Limits) => Promise<T>,
): Promise<Acted<T>> {
  if (named.escalation_chain) return escalate(named.escalation_chain, ctx, options, act);
  if (!named.locator)
    throw new AgentError(
      'BrowserAgent.InvalidScript',
      `${options.action} needs a locator: which element is meant?`,
    );
  const result = await attempt(
    await resolveLocator(ctx.page, named.locator),
    ctx,
    options,
    ctx.timeoutMs,
    act,
  );
  return { result, fields: {} };
}

/** The same for what needs an element, not a point. */
export async function actOnElement<T>(
  named: Named,
  ctx: ActionContext,
  options: ActOptions,
  act: (target: ElementTarget, limits: Limits) => Promise<T>,
): Promise<Acted<T>> {
  return actOn(named, ctx, options, async (target, limits) => {
    if (target.kind === 'element') return act(target, limits);
    throw new AgentError(
      'BrowserAgent.InvalidScript',
      `${options.action} needs an element, and ${target.description} is only a place: use another locator strategy.`,
    );
  });
}

/**
 * Reads facts of the one element in the page, waiting until it is there. `read` gets all matches: on a
 * page that is ready this costs a third of `locator.evaluate`, which fetches the element first.
 */
export async function readElement<T, Arg = undefined>(
  locator: PageLocator,
  read: (elements: Element[], arg: Arg) => T[],
  limits: Limits,
  arg?: Arg,
): Promise<T> {
  for (;;) {
    // A frame that is not there yet is waited for below.
    const [facts, ...others] = await locator
      .evaluateAll(read as (elements: Element[], arg: unknown) => T[], arg)
      .catch((): T[] => []);
    if (facts !== undefined && others.length === 0) return facts;
    // Strict: several matches are an error.
    const wait = (): Promise<void> => locator.waitFor({ state: 'attached', ...within(limits) });
    await limits.gate.looking(wait, true, limits.signal);
  }
}

async function attempt<T>(
  target: Target,
  ctx: ActionContext,
  options: ActOptions,
  timeoutMs: number,
  act: (target: Target, limits: Limits) => Promise<T>,
): Promise<T> {
  const limits = limitsOf(ctx, timeoutMs);
  try {
    return await act(target, limits);
  } catch (thrown) {
    const visible = await onlyVisible(thrown, target);
    const explain = async (error: unknown) =>
      toBrowserError(error, {
        page: ctx.page,
        target,
        timeoutMs,
        signal: ctx.signal,
        action: options.action,
        secrets: options.secrets ?? [],
      });
    if (!visible || ctx.signal.aborted) throw await explain(thrown);
    return act(visible, limits).catch(async (again: unknown) => {
      throw await explain(again);
    });
  }
}

/** Of several matches, the only one that is visible: pages keep hidden twins for their mobile layout. */
async function onlyVisible(thrown: unknown, target: Target): Promise<Target | undefined> {
  if (target.kind !== 'element' || !String(thrown).includes('strict mode violation')) return undefined;
  const locator = target.locator.filter({ visible: true });
  const count = await locator.count().catch(() => 0);
  return count === 1 ? { ...target, locator } : undefined;
}

async function escalate<T>(
  chain: EscalationMethod[],
  ctx: ActionContext,
  options: ActOptions,
  act: (target: Target, limits: Limits) => Promise<T>,
): Promise<Acted<T>> {
  const failures: string[] = [];
  const overall = limitsOf(ctx);
  for (const [level, method] of chain.entries()) {
    if (ctx.signal.aborted) throw abortError(ctx.signal);
    const timeoutMs = Math.min(methodTimeoutMs(method), overall.left());
    try {
      const target = await targetOf(method, ctx);
      const result = await attempt(target, ctx, options, timeoutMs, act);
      const fields = {
        escalation_metadata: { level, method_used: method.method, total_attempts: level + 1 },
      };
      return { result, fields };
    } catch (thrown) {
      const error = toAgentError(thrown, 'BrowserAgent.StepFailed');
      if (!mayGoOn(error) || ctx.signal.aborted) throw error;
      failures.push(`${level + 1}. ${method.method}: ${error.message}`);
    }
  }
  throw new AgentError(
    'BrowserAgent.ElementNotFound',
    `Could not ${options.action}: none of the ${chain.length} methods of escalation_chain worked. ${failures.join(' ')}`,
    { data: { attempts: failures } },
  );
}

/** The next method is for elements that were not found or could not be used, not for a browser that is gone. */
function mayGoOn(error: AgentError): boolean {
  return !['BrowserAgent.BrowserUnavailable', 'BrowserAgent.PolicyDenied', 'BrowserAgent.Cancelled'].includes(
    error.errorName,
  );
}

function methodTimeoutMs(method: EscalationMethod): number {
  const own: unknown = 'timeout' in method ? method.timeout : undefined;
  return typeof own === 'number' ? own : METHOD_TIMEOUT_MS;
}

async function targetOf(method: EscalationMethod, ctx: ActionContext): Promise<Target> {
  switch (method.method) {
    case 'playwright_locator':
      return resolveLocator(ctx.page, method.locator);
    case 'playwright_dom': {
      const selectors = method.strategy === 'check_key_elements' ? (method.checks ?? []) : [];
      if (selectors.length === 0)
        throw new AgentError(
          'BrowserAgent.InvalidScript',
          `playwright_dom with ${method.strategy} tells pages apart but names no element: use playwright_locator.`,
        );
      const value = selectors.map((check) => check.selector).join(', ');
      return resolveElement(ctx.page, { strategy: 'selector', value, nth: 0 });
    }
    case 'vision_llm':
    case 'vision_find_element':
      throw noModel(method.method, method.method);
  }
}
