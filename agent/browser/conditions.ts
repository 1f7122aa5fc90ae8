import type { Page } from 'playwright';
import { AgentError } from '../base/errors.ts';
import { matches, requirePattern } from '../base/pattern.ts';
import { wait } from '../base/wait.ts';
import type { JsonValue } from '../base/words.ts';
import type { Condition } from '../script/schema.ts';
import { abortError, toBrowserError } from './errors.ts';
import { resolveElement } from './locators.ts';
import { evaluateScript } from './page-script.ts';
import { settle } from './settle.ts';

/** Whether something is true of the page. An error while looking counts as false, and is told. */
export interface ConditionResult {
  met: boolean;
  error?: string;
}

export interface ConditionContext {
  signal: AbortSignal;
  /** What pages do not know: variables. Without it a `variable` condition is an error. */
  variable?: (condition: Extract<Condition, { type: 'variable' }>) => boolean;
}

/** How often a condition without a Playwright wait of its own is looked at, milliseconds. */
const POLL_MS = 100;

/**
 * Looks at the page. Conditions with a `timeout` (milliseconds) wait up to that long to become true; the
 * others look once. Never throws, but for an aborted signal.
 */
export async function evaluateCondition(
  page: Page,
  condition: Condition,
  context: ConditionContext,
): Promise<ConditionResult> {
  try {
    return { met: await isMet(page, condition, context) };
  } catch (thrown) {
    if (context.signal.aborted) throw abortError(context.signal);
    if (thrown instanceof AgentError && thrown.errorName === 'BrowserAgent.BrowserUnavailable') throw thrown;
    const attempt = { page, action: condition.type, timeoutMs: 0, signal: context.signal };
    return { met: false, error: (await toBrowserError(thrown, attempt)).message };
  }
}

async function isMet(page: Page, condition: Condition, context: ConditionContext): Promise<boolean> {
  const { signal } = context;
  switch (condition.type) {
    case 'element_exists':
    case 'element_visible':
    case 'element_hidden': {
      const { locator } = await resolveElement(page, condition.locator);
      const matches = condition.type === 'element_exists' ? locator : locator.filter({ visible: true });
      const wantsNone = condition.type === 'element_hidden';
      if (((await matches.count()) === 0) === wantsNone) return true;
      if (condition.timeout === 0) return false;
      const state = ELEMENT_STATES[condition.type];
      return waited(() => matches.first().waitFor({ state, timeout: condition.timeout, signal }));
    }
    case 'element_text': {
      const { locator } = await resolveElement(page, condition.locator);
      const isMatch = textMatcher(condition, signal);
      return until(condition.timeout, signal, async () => isMatch(await locator.allInnerTexts()));
    }
    case 'element_count': {
      const { locator } = await resolveElement(page, condition.locator);
      const { min, max, exact } = condition;
      if (min === undefined && max === undefined && exact === undefined)
        throw new AgentError('BrowserAgent.InvalidScript', 'element_count needs min, max or exact.');
      return until(condition.timeout, signal, async () => {
        const count = await locator.count();
        if (exact !== undefined) return count === exact;
        return count >= (min ?? 0) && count <= (max ?? Infinity);
      });
    }
    case 'text_visible': {
      const exact = condition.exact === undefined ? {} : { exact: condition.exact };
      return until(condition.timeout, signal, async () => {
        for (const frame of page.frames()) {
          if (await frame.getByText(condition.text, exact).filter({ visible: true }).first().isVisible())
            return true;
        }
        return false;
      });
    }
    case 'url_contains':
      return page.url().includes(condition.pattern);
    case 'url_matches':
      return matches(requirePattern(condition.pattern), page.url(), { signal });
    case 'url_equals':
      return page.url() === condition.url;
    case 'js_eval': {
      await settle(page, { timeoutMs: Infinity, signal });
      return isEqual(await evaluateScript(page, condition.expression), condition.expected);
    }
    case 'variable':
      if (context.variable) return context.variable(condition);
      throw new AgentError(
        'BrowserAgent.InvalidScript',
        'Variables are not known here: only a step can ask for them.',
      );
    case 'and':
      for (const part of condition.conditions) if (!(await isMet(page, part, context))) return false;
      return true;
    case 'or': {
      const errors: string[] = [];
      for (const part of condition.conditions) {
        const result = await evaluateCondition(page, part, context);
        if (result.met) return true;
        if (result.error) errors.push(result.error);
      }
      if (errors.length > 0) throw new AgentError('BrowserAgent.StepFailed', errors.join(' '));
      return false;
    }
    case 'not': {
      return !(await isMet(page, condition.condition, context));
    }
  }
}

const ELEMENT_STATES = {
  element_exists: 'attached',
  element_visible: 'visible',
  element_hidden: 'hidden',
} as const;

async function waited(wait: () => Promise<void>): Promise<boolean> {
  try {
    await wait();
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'TimeoutError') return false;
    throw thrown;
  }
}

/** Asks until yes or until the time is over; at least once. */
export async function until(
  timeoutMs: number,
  signal: AbortSignal,
  ask: () => Promise<boolean>,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    if (await ask()) return true;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    await wait(Math.min(POLL_MS, leftMs), signal);
  }
}

/** Whether one of the texts is what the condition asks for. */
function textMatcher(
  { contains, equals, matches: written }: Extract<Condition, { type: 'element_text' }>,
  signal: AbortSignal,
): (texts: string[]) => boolean | Promise<boolean> {
  if (equals !== undefined) return (texts) => texts.some((text) => text.trim() === equals.trim());
  if (contains !== undefined) return (texts) => texts.some((text) => text.includes(contains));
  if (written !== undefined) {
    const pattern = requirePattern(written);
    return (texts) => matches(pattern, texts, { signal });
  }
  throw new AgentError('BrowserAgent.InvalidScript', 'element_text needs contains, equals or matches.');
}

function isEqual(a: JsonValue, b: JsonValue): boolean {
  return a === b || JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, sorted(value[key] ?? null)]),
  );
}
