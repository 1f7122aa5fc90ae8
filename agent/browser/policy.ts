import type { BrowserContext, CDPSession, Frame, Page, Request } from 'playwright';
import { AgentError } from '../base/errors.ts';
import { shownUrl } from './shown-url.ts';

/** Where the pages of one run may go. */
export interface PolicyGuard {
  /** Throws BrowserAgent.PolicyDenied when a page went, or tried to go, where it may not. */
  throwIfDenied(): void;
  /** Resolves when every page that is open now is held: to be awaited before a step acts in a new one. */
  ready(): Promise<void>;
  /** Called at the first denial. */
  onDenied(callback: (error: AgentError) => void): void;
  /** Lets the pages go where they like again: for a context that outlives the run. */
  remove(): Promise<void>;
}

/**
 * Holds every page of a context to the allowed domains: navigations of the main frame, whether by a step,
 * a click, a script or a redirect, are stopped before the request leaves. A pop-up's very first request
 * leaves before it can be held (`ready` tells when it is); then the pop-up is closed and the denial counts
 * all the same.
 *
 * @param allowedDomains host names; `*.example.com` allows every subdomain, not example.com itself.
 *   Null allows every http and https address.
 */
export async function installPolicy(
  context: BrowserContext,
  allowedDomains: string[] | null,
): Promise<PolicyGuard> {
  let denial: AgentError | undefined;
  const callbacks: ((error: AgentError) => void)[] = [];
  const pending = new Set<Promise<void>>();
  const guard: PolicyGuard = {
    throwIfDenied: () => {
      if (denial) throw denial;
    },
    ready: async () => {
      await Promise.all(pending);
    },
    onDenied: (callback) => callbacks.push(callback),
    remove: () => Promise.resolve(),
  };
  if (allowedDomains === null) return guard;

  /** @param stopped the request has been stopped: only then may anybody close the page, which would free it */
  const deny = async (url: string, stopped?: Promise<unknown>) => {
    const error = denial ? undefined : denialOf(url, allowedDomains);
    if (!error) return;
    denial = error;
    await stopped?.catch(() => undefined);
    for (const callback of callbacks) callback(error);
  };
  const isDenied = (url: string) => !isPageInternal(url) && denialOf(url, allowedDomains) !== undefined;

  const held = new WeakSet<Page>();
  const holders: CDPSession[] = [];
  const onRequest = (request: Request) => {
    if (!isMainNavigation(request) || !isDenied(request.url())) return;
    const page = request.frame().page();
    // In a page that is held, the request is still to be stopped: by whoever holds it.
    if (held.has(page)) return;
    void deny(request.url());
    page.close().catch(() => undefined);
  };
  const onNavigated = (frame: Frame) => {
    if (frame.parentFrame() || !isDenied(frame.url())) return;
    void deny(frame.url());
    frame
      .page()
      .goto('about:blank')
      .catch(() => undefined);
  };
  const hold = async (page: Page) => {
    holders.push(await holdPage(page, isDenied, (url, stopped) => void deny(url, stopped)));
    held.add(page);
  };
  const onPage = (page: Page) => {
    // A page that cannot be held must not stay open; most of these have just been closed.
    const holding = hold(page)
      .catch(async () => page.close().catch(() => undefined))
      .finally(() => pending.delete(holding));
    pending.add(holding);
    if (isDenied(page.url())) {
      void deny(page.url());
      page.close().catch(() => undefined);
    }
  };
  context.on('request', onRequest).on('framenavigated', onNavigated).on('page', onPage);
  guard.remove = async () => {
    context.off('request', onRequest).off('framenavigated', onNavigated).off('page', onPage);
    await Promise.all(pending);
    // Detached, a session holds nothing up any more. That of a page that was closed is gone.
    await Promise.allSettled(holders.map((holder) => holder.detach()));
  };
  await Promise.all(context.pages().map(hold));
  return guard;
}

/**
 * Throws BrowserAgent.PolicyDenied unless a step may open this address: http and https to an allowed
 * domain, or about:blank. file:, chrome:, data: and the like never.
 */
export function checkNavigation(url: string, allowedDomains: string[] | null): void {
  const denial = denialOf(url, allowedDomains);
  if (denial) throw denial;
}

/** Stops main-frame document requests, redirects included, before they leave. */
async function holdPage(
  page: Page,
  isDenied: (url: string) => boolean,
  onDenied: (url: string, stopped: Promise<unknown>) => void,
): Promise<CDPSession> {
  const cdp: CDPSession = await page.context().newCDPSession(page);
  const tree = await cdp.send('Page.getFrameTree');
  const mainFrameId = tree.frameTree.frame.id;
  cdp.on('Fetch.requestPaused', (event) => {
    const { requestId } = event;
    const isRefused = event.frameId === mainFrameId && isDenied(event.request.url);
    const answer = isRefused
      ? cdp.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' })
      : cdp.send('Fetch.continueRequest', { requestId });
    // The page went away meanwhile: nothing is left to answer.
    answer.catch(() => undefined);
    if (isRefused) onDenied(event.request.url, answer);
  });
  // Documents only: everything else keeps its cache and its speed.
  await cdp.send('Fetch.enable', { patterns: [{ resourceType: 'Document', requestStage: 'Request' }] });
  return cdp;
}

function isMainNavigation(request: Request): boolean {
  if (!request.isNavigationRequest()) return false;
  try {
    return request.frame().parentFrame() === null;
  } catch {
    // A frame that is not there yet belongs to a page that just opened.
    return false;
  }
}

/** What a page may show of itself: its own blobs and its error page; a step may still not open them. */
function isPageInternal(url: string): boolean {
  return /^(?:about:|blob:|chrome-error:)/.test(url);
}

function denialOf(url: string, allowedDomains: string[] | null): AgentError | undefined {
  if (url === 'about:blank') return undefined;
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return new AgentError(
      'BrowserAgent.InvalidScript',
      `"${url.slice(0, 200)}" is not an address: write it in full, beginning with https:// or http://.`,
    );
  }
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')
    return new AgentError(
      'BrowserAgent.PolicyDenied',
      `Opening ${parsed.protocol} addresses is not allowed: only http and https are.`,
      { data: { url: shownUrl(url) } },
    );
  if (allowedDomains === null || allowedDomains.some((domain) => matchesDomain(parsed.hostname, domain)))
    return undefined;
  return new AgentError(
    'BrowserAgent.PolicyDenied',
    `Going to ${parsed.hostname} is not allowed: the allowed domains are ${allowedDomains.join(', ') || '(none)'}. ` +
      'Add it to policy.allowed_domains of the script, or to script.allowed_domains of this machine, if it belongs there.',
    { data: { url: shownUrl(url), allowed_domains: allowedDomains } },
  );
}

function matchesDomain(hostname: string, domain: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '');
  const allowed = domain.toLowerCase().replace(/\.$/, '');
  return allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) : host === allowed;
}
