import { evaluateCondition, type ConditionResult } from '../../browser/conditions.ts';
import { describeLocator } from '../../browser/locators.ts';
import type { Condition } from '../../script/schema.ts';
import type { ActionContext } from './types.ts';

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
