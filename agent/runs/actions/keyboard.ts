import { AgentError, messageOf } from '../../base/errors.ts';
import { wait } from '../../base/wait.ts';
import { abortError } from '../../browser/errors.ts';
import { actOn, within } from './element.ts';
import { followPages } from './pages.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

/** After each key, milliseconds, the last included: menus of password managers need the time. */
const KEY_DELAY_MS = 100;

/** press: keys one after the other, in what has the focus or in the element named. */
export async function performPress(step: StepOf<'press'>, ctx: ActionContext): Promise<ActionResult> {
  if (step.locator) {
    await actOn(step, ctx, { action: 'press' }, async (target, limits) => {
      if (target.kind === 'point') await ctx.page.mouse.click(target.x, target.y);
      else await target.locator.focus(within(limits));
    });
  }
  // A lone key with no wish for a delay is just pressed.
  const keyDelayMs = step.key_delay ?? (step.keys.length > 1 ? KEY_DELAY_MS : 0);
  for (const key of step.keys) {
    if (ctx.signal.aborted) throw abortError(ctx.signal);
    await press(key, ctx);
    if (keyDelayMs > 0) await wait(keyDelayMs, ctx.signal);
  }
  await followPages(ctx);
  return { fields: { keys: step.keys } };
}

async function press(key: string, ctx: ActionContext): Promise<void> {
  try {
    await ctx.page.keyboard.press(key);
  } catch (thrown) {
    if (!messageOf(thrown).includes('Unknown key')) throw thrown;
    throw new AgentError(
      'BrowserAgent.InvalidScript',
      `There is no key "${key}": keys are named as in Playwright, e.g. Enter, Tab, ArrowDown, Control+A; text is entered with fill or type.`,
    );
  }
}
