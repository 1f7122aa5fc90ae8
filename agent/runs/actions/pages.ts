import type { BrowserContext, Page } from 'playwright';
import { AgentError } from '../../base/errors.ts';
import type { ActionContext } from './types.ts';

/** Pop-ups that opened since the last step, newest last, per context. */
const opened = new WeakMap<BrowserContext, Page[]>();

/** Starts noting pop-ups of a context; more than once is the same as once. */
export function watchPopups(context: BrowserContext): void {
  if (opened.has(context)) return;
  const popups: Page[] = [];
  opened.set(context, popups);
  context.on('page', (page) => popups.push(page));
}

/**
 * Makes the page current that a person would now be looking at: a pop-up that the current page opened, or,
 * when the current page was closed, the one that had opened it, else the last that is left.
 */
export async function followPages(
  ctx: Pick<ActionContext, 'page' | 'setPage' | 'context' | 'log'>,
): Promise<void> {
  const popups = opened.get(ctx.context)?.splice(0) ?? [];
  for (const popup of popups.toReversed()) {
    if (popup.isClosed() || popup === ctx.page) continue;
    const opener = await popup.opener();
    if (opener !== ctx.page) continue;
    ctx.log.debug({ url: popup.url() }, 'going on in the page that was opened');
    ctx.setPage(popup);
    return;
  }
  if (!ctx.page.isClosed()) return;
  const left = ctx.context.pages().filter((page) => !page.isClosed());
  const opener = await ctx.page.opener().catch(() => null);
  const next = opener && left.includes(opener) ? opener : left.at(-1);
  if (!next)
    throw new AgentError(
      'BrowserAgent.BrowserUnavailable',
      "Every page of the browser was closed. If nobody closed it, look at the machine's memory; the run can be tried again.",
    );
  ctx.setPage(next);
}

/** How long a link that opens a new tab may take to do so, milliseconds. */
const POPUP_DEADLINE_MS = 2_000;

/** Waits for the pop-up that a click is bound to open. */
export async function expectPopup(ctx: ActionContext): Promise<void> {
  const popups = opened.get(ctx.context);
  if (!popups || popups.length > 0) return;
  await ctx.context
    .waitForEvent('page', { timeout: POPUP_DEADLINE_MS, signal: ctx.signal })
    // The link may be a download, or the page stopped it.
    .catch(() => undefined);
}
