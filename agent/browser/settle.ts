import type { Page } from 'playwright';

/**
 * Old scripts count on every navigation to wait for a quiet network. Waiting there costs each step that
 * does not need it half a second, because clicks and fills wait for their element anyway. So the wait is
 * made up for by the steps that look at the page once and do not wait: JavaScript, screenshots, patterns.
 */
const unsettled = new WeakSet<Page>();

/** A page that keeps talking (polling, streams) is looked at after this long. In milliseconds. */
const MAX_SETTLE_MS = 5_000;

/** After a navigation for which the script did not say what to wait for. */
export function markUnsettled(page: Page): void {
  unsettled.add(page);
}

/** Before looking at a page once: waits until its network is quiet, if nobody did since it was opened. */
export async function settle(page: Page, options: { timeoutMs: number; signal: AbortSignal }): Promise<void> {
  if (!unsettled.delete(page)) return;
  try {
    await page.waitForLoadState('networkidle', {
      timeout: Math.min(MAX_SETTLE_MS, options.timeoutMs),
      signal: options.signal,
    });
  } catch {
    // Never quiet, or gone: the step itself will say so.
    options.signal.throwIfAborted();
  }
}
