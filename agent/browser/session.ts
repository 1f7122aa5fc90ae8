import type { BrowserContext, Page } from 'playwright';
import { AgentError } from '../base/errors.ts';

/** One browser context in which one run works. */
export interface BrowserSession {
  /** `profile`: a named user data directory. `temporary`: a browser of its own, thrown away. `warm`: a fresh context of the kept browser. */
  readonly kind: 'profile' | 'temporary' | 'warm';
  readonly context: BrowserContext;
  readonly browser: BrowserFacts;
  readonly headless: boolean;
  /** The page the run starts with; when that was closed, the youngest open one. @throws AgentError BrowserUnavailable when none is left */
  page(): Page;
  /** Called once when a page or the browser dies, or is closed by somebody else. Returns a function that unsubscribes. */
  onCrash(listener: (error: AgentError) => void): () => void;
  /** Closes in good order, by force where that takes too long; then no process of it is left. Safe to call twice. */
  close(): Promise<void>;
}

export interface BrowserFacts {
  name: string;
  version: string;
  executablePath: string;
  pid: number;
}

export interface SessionParts {
  kind: BrowserSession['kind'];
  context: BrowserContext;
  page: Page;
  browser: BrowserFacts;
  headless: boolean;
  end(): Promise<void>;
}

/** Puts a session around a context and its first page. */
export function createSession(parts: SessionParts): BrowserSession {
  const { context } = parts;
  const listeners = new Set<(error: AgentError) => void>();
  let crash: AgentError | undefined;
  let closing: Promise<void> | undefined;

  const crashed = (what: string): void => {
    if (closing || crash) return;
    crash = new AgentError('BrowserAgent.BrowserUnavailable', what, {
      data: { browser: parts.browser.name, version: parts.browser.version, pid: parts.browser.pid },
    });
    for (const listener of listeners) listener(crash);
  };
  const watch = (page: Page): void => {
    page.on('crash', () =>
      crashed(
        `The page ${page.url()} crashed, most often for lack of memory. Try again; close other programs, or split the script.`,
      ),
    );
  };
  for (const page of context.pages()) watch(page);
  context.on('page', watch);
  context.on('close', () =>
    crashed(
      `${parts.browser.name} ended while the run was on: it crashed, was ended by the system (out of memory?), or its window was closed. Run again.`,
    ),
  );

  return {
    kind: parts.kind,
    context,
    browser: parts.browser,
    headless: parts.headless,
    page: () => {
      if (!parts.page.isClosed()) return parts.page;
      const last = context.pages().at(-1);
      if (last) return last;
      throw (
        crash ??
        new AgentError(
          'BrowserAgent.BrowserUnavailable',
          'All pages of the browser were closed. A script must leave one open while it runs.',
        )
      );
    },
    onCrash: (listener) => {
      if (crash) listener(crash);
      else listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => (closing ??= parts.end()),
  };
}
