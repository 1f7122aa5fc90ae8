/** Lets a new browser context through the door of the fence. */
import type { Page } from 'playwright';
import { KEY_CHECK_URL, type Door } from '../fence/door.ts';
import { AgentError, messageOf } from '../base/errors.ts';

/** The browser asks its own machine; it takes some milliseconds. */
const KEY_TIMEOUT_MS = 15_000;

/**
 * Makes the context know the key of its door: Chromium keeps what a proxy accepted, and sends it along from
 * then on. Playwright's own way would stop every request of the context, and would show the key to servers
 * that ask for a password.
 *
 * @param page a page of the context that shows about:blank
 * @throws AgentError BrowserUnavailable
 */
export async function giveKey(page: Page, { username, password }: Door): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  try {
    cdp.on('Fetch.requestPaused', ({ requestId }) => {
      cdp.send('Fetch.continueRequest', { requestId }).catch(() => undefined);
    });
    cdp.on('Fetch.authRequired', ({ requestId, authChallenge }) => {
      const authChallengeResponse =
        authChallenge.source === 'Proxy'
          ? ({ response: 'ProvideCredentials', username, password } as const)
          : ({ response: 'CancelAuth' } as const);
      cdp.send('Fetch.continueWithAuth', { requestId, authChallengeResponse }).catch(() => undefined);
    });
    await cdp.send('Fetch.enable', {
      handleAuthRequests: true,
      patterns: [{ urlPattern: `${KEY_CHECK_URL}*` }],
    });
    const problem = await page.evaluate(askForKey, { url: KEY_CHECK_URL, timeoutMs: KEY_TIMEOUT_MS });
    if (problem !== null) throw new Error(problem);
  } catch (thrown) {
    throw new AgentError(
      'BrowserAgent.BrowserUnavailable',
      `The browser cannot reach the agent's own proxy: ${messageOf(thrown)}. Run again; if it stays so, check whether other software on this machine filters connections to 127.0.0.1.`,
      { cause: thrown },
    );
  } finally {
    await cdp.detach().catch(() => undefined);
  }
}

/** In the page. */
async function askForKey({ url, timeoutMs }: { url: string; timeoutMs: number }): Promise<string | null> {
  try {
    await fetch(url, { mode: 'no-cors', cache: 'no-store', signal: AbortSignal.timeout(timeoutMs) });
    return null;
  } catch (thrown) {
    return String(thrown);
  }
}
