import { toBrowserError } from '../../browser/errors.ts';
import { actOnElement, within } from './element.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

interface Movement {
  to?: 'top' | 'bottom' | undefined;
  by?: { x: number; y: number } | undefined;
}

/** scroll: an element into view, or the page (or the box named) to an end or by a distance in pixels. */
export async function performScroll(step: StepOf<'scroll'>, ctx: ActionContext): Promise<ActionResult> {
  const movement: Movement = { to: step.to, by: step.by };
  const moves = step.to !== undefined || step.by !== undefined;
  if (step.locator) {
    const { result } = await actOnElement(step, ctx, { action: 'scroll' }, async ({ locator }, limits) => {
      if (moves) return locator.evaluate(scrollBox, movement, within(limits));
      await locator.scrollIntoViewIfNeeded(within(limits));
      return {};
    });
    return { fields: result };
  }
  try {
    // Nothing said: one screen further, as the space bar does.
    return { fields: await ctx.page.evaluate(scrollPage, movement) };
  } catch (thrown) {
    const { page, signal, timeoutMs } = ctx;
    throw await toBrowserError(thrown, { page, action: 'scroll', timeoutMs, signal });
  }
}

/** In the page. */
function scrollBox(box: Element, { to, by }: Movement): { x: number; y: number } {
  if (to) box.scrollTo({ top: to === 'top' ? 0 : box.scrollHeight, behavior: 'instant' });
  if (by) box.scrollBy({ left: by.x, top: by.y, behavior: 'instant' });
  return { x: Math.round(box.scrollLeft), y: Math.round(box.scrollTop) };
}

/** In the page. Many apps scroll a box that fills the window, and not the document. */
function scrollPage({ to, by }: Movement): { x: number; y: number } {
  const scrolls = (el: Element) =>
    el.scrollHeight > el.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(el).overflowY);
  const page = document.scrollingElement ?? document.documentElement;
  let box = page;
  if (page.scrollHeight <= page.clientHeight + 1) {
    const boxes = [...document.querySelectorAll('*')].filter(scrolls);
    const size = (el: Element) => el.clientWidth * el.clientHeight;
    box = boxes.toSorted((a, b) => size(b) - size(a))[0] ?? page;
  }
  if (to) box.scrollTo({ top: to === 'top' ? 0 : box.scrollHeight, behavior: 'instant' });
  const distance = by ?? (to ? undefined : { x: 0, y: innerHeight * 0.9 });
  if (distance) box.scrollBy({ left: distance.x, top: distance.y, behavior: 'instant' });
  return { x: Math.round(box.scrollLeft), y: Math.round(box.scrollTop) };
}
