import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright';
import { drop } from '../base/drop.ts';
import { AgentError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { BrowserChoice } from './detect.ts';
import { contextOptions, type PageOptions } from './page-options.ts';
import type { Processes } from './processes.ts';
import { createSession, type BrowserSession } from './session.ts';
import { closeWithin, startBrowser, type StartedBrowser } from './start.ts';
import type { TemporaryFolders } from './temporary.ts';

/** After this many sessions the browser is started anew when nobody uses it: long-lived Chromium grows. */
const MAX_SESSIONS = 200;
/** An idle Chromium holds about 300 MB: after this long without a run they are given back. */
const DEFAULT_IDLE_MS = 15 * 60_000;
/** A spare page takes 200 ms of a processor: a short run gets none of it, a long one has the next ready when it ends. */
const REFILL_DELAY_MS = 5_000;
/** A page that lay ready answers in 2 ms. */
const SPARE_ANSWER_TIMEOUT_MS = 1_000;
/** Contexts close in some 30 ms; one that hangs costs the whole browser. */
const CONTEXT_CLOSE_TIMEOUT_MS = 5_000;

export interface WarmBrowserOptions extends BrowserChoice {
  args?: readonly string[];
  temporary: TemporaryFolders;
  processes: Processes;
  log: Logger;
  /** How long the browser is kept without a run, milliseconds; null for ever. */
  idleMs?: number | null;
  /** What most runs ask for: the first spare page is made for it. */
  spare?: PageOptions;
}

/**
 * States of the kept browser:
 * - `cold`: no process; the next session starts one.
 * - `starting`: being started, by {@link WarmBrowser.start} or by a session.
 * - `warm`: running, with a spare page or without.
 * - `closed`: for good.
 */
export type WarmState = 'cold' | 'starting' | 'warm' | 'closed';

/** One browser process, and what hangs on it. */
interface Kept {
  started: StartedBrowser;
  removeFolder(): Promise<void>;
  sessions: number;
  open: Set<BrowserContext>;
  spare: { key: string; made: Promise<{ context: BrowserContext; page: Page }> } | null;
  ending: Promise<void> | null;
}

/**
 * One headless browser, kept for runs without a profile: each gets a fresh context of it, isolated as in a
 * private window. A spare page lies ready, since a new renderer process takes 200 ms.
 */
export class WarmBrowser {
  readonly #options: WarmBrowserOptions;
  readonly #log: Logger;
  readonly #idleMs: number | null;
  #kept: Promise<Kept> | null = null;
  #current: Kept | null = null;
  #closed = false;
  #wanted: PageOptions;
  #idleTimer: NodeJS.Timeout | undefined;
  #refillTimer: NodeJS.Timeout | undefined;
  readonly #endings = new Set<Promise<void>>();

  constructor(options: WarmBrowserOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#idleMs = options.idleMs === undefined ? DEFAULT_IDLE_MS : options.idleMs;
    this.#wanted = options.spare ?? {};
  }

  status(): WarmState {
    if (this.#closed) return 'closed';
    if (!this.#kept) return 'cold';
    return this.#current ? 'warm' : 'starting';
  }

  /** Warms up: resolves when a spare page lies ready. @throws AgentError BrowserUnavailable */
  async start(): Promise<void> {
    const kept = await this.#keep();
    await this.#refill(kept)?.made;
    this.#startIdleTimer(kept);
  }

  /**
   * A fresh context with one page. From a warm browser at once where the options are those of the spare
   * page, else after some 200 ms; otherwise after a browser start.
   *
   * @throws AgentError BrowserUnavailable; InvalidScript for a bad locale or time zone; the signal's reason
   */
  async session(options: PageOptions & { signal?: AbortSignal } = {}): Promise<BrowserSession> {
    const { signal, ...wanted } = options;
    signal?.throwIfAborted();
    contextOptions(wanted); // Refused before a browser is started for it.
    clearTimeout(this.#idleTimer);
    this.#wanted = wanted;
    const kept = await this.#keep();
    let taken: { context: BrowserContext; page: Page };
    try {
      taken = await this.#take(kept, wanted);
    } catch (thrown) {
      // It died between two runs, unnoticed: once more with a new one.
      this.#log.warn({ err: thrown }, 'the kept browser gave no page: starting another');
      this.#retire(kept);
      return this.#fresh(wanted, signal);
    }
    return this.#hand(kept, taken, signal);
  }

  /** Ends the browser. Sessions that are still open end with it. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#refillTimer);
    const kept = await this.#kept?.catch(() => null);
    if (kept) await this.#end(kept);
    await Promise.all(this.#endings);
  }

  async #fresh(wanted: PageOptions, signal: AbortSignal | undefined): Promise<BrowserSession> {
    const kept = await this.#keep();
    return this.#hand(kept, await this.#take(kept, wanted), signal);
  }

  #keep(): Promise<Kept> {
    if (this.#closed) {
      throw new AgentError('BrowserAgent.BrowserUnavailable', 'The agent is closing its browser.');
    }
    if (this.#kept) return this.#kept;
    const starting = this.#launch();
    this.#kept = starting;
    drop(this.#settle(starting), this.#log, 'starting the kept browser');
    return starting;
  }

  async #settle(starting: Promise<Kept>): Promise<void> {
    try {
      const kept = await starting;
      if (this.#kept === starting) this.#current = kept;
    } catch {
      // Whoever asked gets the error; the next one tries again.
      if (this.#kept === starting) this.#kept = null;
    }
  }

  async #launch(): Promise<Kept> {
    const { temporary } = this.#options;
    const folder = temporary.create();
    try {
      const started = await startBrowser({
        ...this.#options,
        headless: true,
        userDataDir: join(folder.dir, 'profile'),
        artifactsDir: join(folder.dir, 'artifacts'),
      });
      const kept: Kept = {
        started,
        removeFolder: () => folder.remove(),
        sessions: 0,
        open: new Set(),
        spare: null,
        ending: null,
      };
      started.browser.on('disconnected', () => this.#retire(kept));
      return kept;
    } catch (thrown) {
      await folder.remove();
      throw thrown;
    }
  }

  async #take(kept: Kept, wanted: PageOptions): Promise<{ context: BrowserContext; page: Page }> {
    const { spare } = kept;
    if (!kept.started.browser.isConnected()) throw new Error('the kept browser is gone');
    if (spare?.key === keyOf(wanted)) {
      kept.spare = null;
      const made = await spare.made;
      if (await answers(made.page)) return made;
      // Its process died while it lay ready, as all of a browser's may when memory runs out.
      drop(made.context.close(), this.#log, 'closing a spare page');
    }
    return makePage(kept.started, wanted);
  }

  async #hand(
    kept: Kept,
    taken: { context: BrowserContext; page: Page },
    signal: AbortSignal | undefined,
  ): Promise<BrowserSession> {
    kept.sessions += 1;
    kept.open.add(taken.context);
    const end = async (): Promise<void> => {
      const closed = await closeWithin(taken.context, CONTEXT_CLOSE_TIMEOUT_MS);
      kept.open.delete(taken.context);
      const worn = !closed || (kept.sessions >= MAX_SESSIONS && kept.open.size === 0);
      if (worn) this.#retire(kept);
      else this.#rest(kept);
    };
    if (signal?.aborted) {
      await end();
      signal.throwIfAborted();
    }
    clearTimeout(this.#refillTimer);
    this.#refillTimer = setTimeout(() => this.#refill(kept), REFILL_DELAY_MS);
    this.#refillTimer.unref();
    return createSession({
      kind: 'warm',
      context: taken.context,
      page: taken.page,
      browser: kept.started.facts,
      headless: true,
      end,
    });
  }

  /** Between two runs. */
  #rest(kept: Kept): void {
    this.#refill(kept);
    this.#startIdleTimer(kept);
  }

  #startIdleTimer(kept: Kept): void {
    clearTimeout(this.#idleTimer);
    if (this.#idleMs === null || kept.open.size > 0 || kept.ending) return;
    this.#idleTimer = setTimeout(() => {
      if (kept.open.size === 0) this.#retire(kept);
    }, this.#idleMs);
    this.#idleTimer.unref();
  }

  /** Lays a spare page ready for what the last run asked for. */
  #refill(kept: Kept): Kept['spare'] {
    if (this.#closed || kept.ending) return null;
    const key = keyOf(this.#wanted);
    if (kept.spare?.key === key) return kept.spare;
    const old = kept.spare;
    if (old) {
      drop(
        old.made.then(({ context }) => context.close()),
        this.#log,
        'closing a spare page',
      );
    }
    const made = makePage(kept.started, this.#wanted);
    const spare = { key, made };
    kept.spare = spare;
    made.catch((thrown: unknown) => {
      this.#log.debug({ err: thrown }, 'no spare page');
      if (kept.spare === spare) kept.spare = null;
    });
    return spare;
  }

  /** Lets go of a browser: the next session starts another. */
  #retire(kept: Kept): void {
    drop(this.#end(kept), this.#log, 'ending the kept browser');
  }

  #end(kept: Kept): Promise<void> {
    if (kept.ending) return kept.ending;
    if (this.#current === kept) {
      this.#kept = null;
      this.#current = null;
    }
    const ending = kept.started.end().then(() => kept.removeFolder());
    kept.ending = ending;
    this.#endings.add(ending);
    drop(
      ending.finally(() => this.#endings.delete(ending)),
      this.#log,
      'ending the kept browser',
    );
    return ending;
  }
}

async function makePage(
  started: StartedBrowser,
  options: PageOptions,
): Promise<{ context: BrowserContext; page: Page }> {
  const context = await started.browser.newContext(contextOptions(options));
  try {
    return { context, page: await context.newPage() };
  } catch (thrown) {
    await closeWithin(context, CONTEXT_CLOSE_TIMEOUT_MS);
    throw thrown;
  }
}

async function answers(page: Page): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, SPARE_ANSWER_TIMEOUT_MS, false);
  const answered = page.evaluate('true').then(
    () => true,
    () => false,
  );
  const isAlive = await Promise.race([answered, promise]);
  clearTimeout(timer);
  return isAlive;
}

function keyOf(options: PageOptions): string {
  return JSON.stringify(contextOptions(options));
}
