import { AgentError } from '../../base/errors.ts';
import { abortError, shownUrl } from '../../browser/errors.ts';
import { evaluateCondition, until, type ConditionResult } from '../../browser/conditions.ts';
import { describeLocator } from '../../browser/locators.ts';
import type { Condition } from '../../script/schema.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

/** How long an assertion may take to become true when the step has no timeout of its own, milliseconds. */
const BECOME_TRUE_MS = 5_000;

/** assert: waits for the condition, and fails with what was there instead. */
export async function performAssert(step: StepOf<'assert'>, ctx: ActionContext): Promise<ActionResult> {
  const timeoutMs = step.timeout ?? Math.min(BECOME_TRUE_MS, ctx.timeoutMs);
  let last: ConditionResult = { met: false };
  let met: boolean;
  try {
    met = await until(timeoutMs, ctx.signal, async () => {
      last = await evaluateFor(ctx, step.condition);
      return last.met;
    });
  } catch (thrown) {
    if (ctx.signal.aborted) throw abortError(ctx.signal);
    throw thrown;
  }
  if (met) return { url: ctx.page.url(), fields: { met: true } };
  const expected = describeCondition(step.condition);
  const why = last.error ? ` (${last.error})` : '';
  const message = step.message ? `${step.message} ` : '';
  throw new AgentError(
    'BrowserAgent.AssertionFailed',
    `${message}Expected ${expected} on ${shownUrl(ctx.page.url())}, and it was not so within ${timeoutMs / 1000} s${why}.`,
    { data: { condition: step.condition as unknown, page_url: shownUrl(ctx.page.url()) } },
  );
}

/** By the engine where it can, as only that knows the variables. */
export async function evaluateFor(ctx: ActionContext, condition: Condition): Promise<ConditionResult> {
  if (ctx.evaluate) return ctx.evaluate(condition, ctx.signal);
  return evaluateCondition(ctx.page, condition, { signal: ctx.signal });
}

/** In words, for messages. */
export function describeCondition(condition: Condition): string {
  switch (condition.type) {
    case 'element_exists':
      return `${describeLocator(condition.locator)} to exist`;
    case 'element_visible':
      return `${describeLocator(condition.locator)} to be visible`;
    case 'element_hidden':
      return `${describeLocator(condition.locator)} to be hidden`;
    case 'element_text': {
      const { contains, equals, matches } = condition;
      const text =
        equals === undefined
          ? contains === undefined
            ? `match ${matches}`
            : `contain "${contains}"`
          : `be "${equals}"`;
      return `the text of ${describeLocator(condition.locator)} to ${text}`;
    }
    case 'element_count': {
      const { min, max, exact } = condition;
      const count =
        exact === undefined
          ? [min === undefined ? '' : `at least ${min}`, max === undefined ? '' : `at most ${max}`]
              .filter(Boolean)
              .join(', ')
          : `${exact}`;
      return `${describeLocator(condition.locator)} to be there ${count} times`;
    }
    case 'text_visible':
      return `the text "${condition.text}" to be visible`;
    case 'url_contains':
      return `the address to contain "${condition.pattern}"`;
    case 'url_matches':
      return `the address to match ${condition.pattern}`;
    case 'url_equals':
      return `the address to be ${condition.url}`;
    case 'variable':
      return `the variable "${condition.name}" to be as asked`;
    case 'js_eval':
      return `the JavaScript to give ${JSON.stringify(condition.expected)}`;
    case 'and':
    case 'or':
      return condition.conditions.map(describeCondition).join(` ${condition.type} `);
    case 'not':
      return `not (${describeCondition(condition.condition)})`;
  }
}
