import type { Response } from 'playwright';
import { AgentError, messageOf } from '../../base/errors.ts';
import { toBrowserError } from '../../browser/errors.ts';
import { shownUrl } from '../../browser/shown-url.ts';
import { checkNavigation } from '../../browser/policy.ts';
import { markUnsettled } from '../../browser/settle.ts';
import { limitsOf, within, type Limits } from './element.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

/** navigate. Without `wait_until` the page is loaded, and steps that do not wait by themselves let it settle. */
export async function performNavigate(step: StepOf<'navigate'>, ctx: ActionContext): Promise<ActionResult> {
  const { page } = ctx;
  const url = absolute(step.url, page.url());
  checkNavigation(url, ctx.policy.allowedDomains);
  const limits = limitsOf(ctx);
  try {
    const response = await open(url, step, ctx, limits);
    if (step.wait_until === undefined) markUnsettled(page);
    const status = response?.status();
    return { url: page.url(), fields: status === undefined ? {} : { status } };
  } catch (thrown) {
    ctx.policy.guard?.throwIfDenied();
    if (messageOf(thrown).includes('Download is starting'))
      throw new AgentError(
        'BrowserAgent.NavigationFailed',
        `${shownUrl(url)} is a file that the browser downloads, not a page: make this step the "trigger" of a download step.`,
        { data: { download: true } },
      );
    throw await toBrowserError(thrown, {
      page,
      action: 'navigate',
      url,
      timeoutMs: ctx.timeoutMs,
      signal: ctx.signal,
    });
  }
}

async function open(
  url: string,
  step: StepOf<'navigate'>,
  ctx: ActionContext,
  limits: Limits,
): Promise<Response | null> {
  const go = () => ctx.page.goto(url, { waitUntil: step.wait_until ?? 'load', ...within(limits) });
  for (let tries = 1; ; tries += 1) {
    try {
      return await go();
    } catch (thrown) {
      const by = /interrupted by another navigation to "([^"]*)"/.exec(messageOf(thrown))?.[1];
      if (by === undefined || tries >= MAX_TRIES || limits.signal.aborted) throw thrown;
      if (by === url) {
        // By the first try itself, which has arrived after all.
        if (step.wait_until !== 'commit')
          await ctx.page.waitForLoadState(step.wait_until ?? 'load', within(limits));
        return null;
      }
      // By the error page of the navigation before, which was still coming up.
      if (!by.startsWith('chrome-error:')) throw thrown;
    }
  }
}

/** Enough for an error page and the first try itself. */
const MAX_TRIES = 3;

/** A path or query alone is taken relative to the current page, as a link would be. */
function absolute(url: string, base: string): string {
  if (!/^[/?#]/.test(url) || !/^https?:/.test(base)) return url;
  return new URL(url, base).href;
}
