import type { Locator as PageLocator, Page } from 'playwright';
import type { JsonObject } from '../../base/words.ts';
import { isClosedError, isCoveredError, isTimeoutError } from '../../browser/errors.ts';
import type { Target } from '../../browser/locators.ts';
import { trustedClick, trustedClickAt } from '../../browser/trusted-click.ts';
import { actOn, readElement, whenReady, type Limits } from './element.ts';
import { expectPopup, followPages } from './pages.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

type PointerStep = StepOf<'click' | 'double_click' | 'hover' | 'check' | 'uncheck'>;

/** An element that something covers is waited for this long, milliseconds; then the click is made anyway. */
const COVERED_PATIENCE_MS = 10_000;
/** Part of the step's time kept for that second attempt. */
const FIRST_ATTEMPT_SHARE = 0.7;
/** A click that need not wait still takes this long on a busy machine, milliseconds. */
const FORCED_MS = 1_000;

/** click, double_click, hover, check, uncheck. */
export async function performPointer(step: PointerStep, ctx: ActionContext): Promise<ActionResult> {
  const { result, fields } = await actOn(step, ctx, { action: step.action }, (target, limits) =>
    target.kind === 'point'
      ? atPoint(step, target, ctx, limits)
      : onElement(step, target.locator, ctx, limits),
  );
  await followPages(ctx);
  return { fields: { ...result, ...fields } };
}

async function onElement(
  step: PointerStep,
  locator: PageLocator,
  ctx: ActionContext,
  limits: Limits,
): Promise<JsonObject> {
  const [facts] = await Promise.all([
    step.action === 'click' ? readElement(locator, pointerFacts, limits) : undefined,
    ctx.recorder.beforeActing(),
  ]);
  if (step.action === 'click' && (step.trigger_autofill ?? facts?.autofill)) {
    const { button } = step;
    await trustedClick(ctx.page, locator, { timeoutMs: limits.left(), signal: limits.signal, button });
    return { click_method: 'trusted', trigger_autofill: true };
  }
  const options = {
    ...(step.button && { button: step.button }),
    ...(step.modifiers && { modifiers: step.modifiers }),
  };
  const act = async (limit: { timeout: number; signal: AbortSignal; force?: boolean }) => {
    switch (step.action) {
      case 'click':
        return locator.click({ ...options, ...limit });
      case 'double_click':
        return locator.dblclick({ ...options, ...limit });
      case 'hover':
        return locator.hover({ ...(step.modifiers && { modifiers: step.modifiers }), ...limit });
      case 'check':
        return locator.check(limit);
      case 'uncheck':
        return locator.uncheck(limit);
    }
  };
  const fields = await patiently(act, ctx.page, limits);
  if (facts?.newTab) await expectPopup(ctx);
  return fields;
}

/**
 * The first attempt waits as Playwright does. An element still covered after that is clicked all the
 * same, as the earlier program did, and the result says so.
 */
async function patiently(
  act: (limit: { timeout: number; signal: AbortSignal; force?: boolean }) => Promise<void>,
  page: Page,
  limits: Limits,
): Promise<JsonObject> {
  const firstMs = Math.min(COVERED_PATIENCE_MS, Math.ceil(limits.left() * FIRST_ATTEMPT_SHARE));
  try {
    await whenReady(act, limits, firstMs);
    return {};
  } catch (thrown) {
    // The click closed its own page: it worked.
    if (isClosedError(thrown) && page.isClosed() && page.context().pages().length > 0)
      return { page_closed: true };
    if (!isTimeoutError(thrown)) throw thrown;
    const force = isCoveredError(thrown);
    if (!force) {
      await whenReady(act, limits);
      return {};
    }
    await act({ timeout: Math.max(FORCED_MS, limits.left()), signal: limits.signal, force });
    return { click_method: 'forced' };
  }
}

async function atPoint(
  step: PointerStep,
  { x, y }: Extract<Target, { kind: 'point' }>,
  ctx: ActionContext,
  limits: Limits,
): Promise<JsonObject> {
  const { page } = ctx;
  await ctx.recorder.beforeActing();
  limits.signal.throwIfAborted();
  if (step.trigger_autofill) {
    await trustedClickAt(
      page,
      { x, y },
      { timeoutMs: limits.left(), signal: limits.signal, button: step.button },
    );
    return { click_method: 'trusted', trigger_autofill: true };
  }
  const modifiers = step.modifiers ?? [];
  for (const modifier of modifiers) await page.keyboard.down(modifier);
  try {
    if (step.action === 'hover') await page.mouse.move(x, y);
    else
      await page.mouse.click(x, y, {
        ...(step.button && { button: step.button }),
        clickCount: step.action === 'double_click' ? 2 : 1,
      });
  } finally {
    for (const modifier of modifiers) await page.keyboard.up(modifier);
  }
  return { click_method: 'coordinates' };
}

/** In the page: whether a password manager may want to fill here, and whether a new tab will open. */
function pointerFacts(elements: Element[]): { autofill: boolean; newTab: boolean }[] {
  return elements.map((el) => {
    const link = el.closest('a[target],area[target]');
    const newTab =
      link?.hasAttribute('href') === true && link.getAttribute('target')?.toLowerCase() === '_blank';
    if (!(el instanceof HTMLInputElement)) return { autofill: false, newTab };
    const names = `${el.name} ${el.id}`.toLowerCase();
    const autofill =
      el.type === 'password' ||
      /username|email|current-password|new-password|one-time-code/.test(el.autocomplete) ||
      (/^(?:text|email|tel)$/.test(el.type) && /user|email|login|identifier/.test(names));
    return { autofill, newTab };
  });
}
