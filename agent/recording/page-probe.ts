import type { BrowserContext, CDPSession, Frame, Page } from 'playwright';
import type { Logger } from '../base/log.ts';
import { messageOf } from '../base/errors.ts';
import { wait } from '../base/wait.ts';
import { maskerSource, PASSWORD_BINDING, WORLD_NAME, type MaskerConfig, type Serialized } from './masker.ts';

/** A picture that does not come within this time is given up: a page can be too busy to draw. */
const CAPTURE_TIMEOUT_MS = 10_000;
/** One request for a picture; then it is asked for again. */
const CAPTURE_PATIENCE_MS = 3_000;
/** While a navigation swaps documents the browser refuses pictures for a moment. */
const CAPTURE_ATTEMPTS = 5;
const CAPTURE_RETRY_MS = 40;
/** HTML of a page larger than this is cut: a snapshot must stay readable. */
const MAX_HTML_CHARACTERS = 4_000_000;
const SCRIPT_TIMEOUT_MS = 5_000;

interface Target {
  session: CDPSession;
  /** Isolated worlds by frame. */
  worlds: Map<string, number>;
  /** Id of the script that new documents get. */
  scriptId: string | undefined;
  mainFrameId: string | undefined;
}

/** Something that went wrong in a page: what a person would see in red in the browser's console. */
export interface PageProblem {
  kind: 'console' | 'exception' | 'network' | 'browser';
  text: string;
  url?: string;
  line?: number;
}

export interface PageProbeOptions {
  context: BrowserContext;
  page: Page;
  config: MaskerConfig;
  onPassword(value: string): void;
  onInvalidSelectors(selectors: string[]): void;
  onProblem(problem: PageProblem): void;
  log: Logger;
}

/**
 * The recorder's own way into one page, beside Playwright's: pictures, HTML and masks through the DevTools
 * protocol. It is not seen by Playwright's tracing (an `evaluate` of ours would add two snapshots to the
 * trace), its scripts run in a world of their own, and it goes into frames of other processes too.
 */
export class PageProbe {
  readonly page: Page;
  readonly #options: PageProbeOptions;
  /** Rejects when the page's process dies: what was asked of it then is never answered. */
  readonly #crashed: Promise<never>;
  readonly #onCrash: () => void;
  readonly #targets = new Set<Target>();
  #main!: Target;
  #config: MaskerConfig;
  /** Masks on their way into documents, and those that are there but may not be drawn yet. */
  readonly #applying = new Set<Promise<unknown>>();
  readonly #drawing = new Set<Promise<unknown>>();
  #settledAtMs = 0;
  #closed = false;

  private constructor(options: PageProbeOptions) {
    this.page = options.page;
    this.#options = options;
    this.#config = options.config;
    const { promise, reject } = Promise.withResolvers<never>();
    this.#crashed = promise;
    this.#onCrash = () => reject(new Error('the page crashed'));
    options.page.once('crash', this.#onCrash);
    this.#crashed.catch(() => {});
  }

  /** Rejects when the page is closed already, or crashes meanwhile. */
  static async open(options: PageProbeOptions): Promise<PageProbe> {
    const probe = new PageProbe(options);
    probe.#main = await probe.#answer(probe.#attach(options.page), SCRIPT_TIMEOUT_MS, 'the page');
    if (options.config.selectors.length > 0) await probe.#checkSelectors();
    options.page.on('framenavigated', probe.#onFrame);
    for (const frame of options.page.frames()) probe.#onFrame(frame);
    return probe;
  }

  /** For the screencast: one session serves all. */
  get session(): CDPSession {
    return this.#main.session;
  }

  /** True while a frame that is drawn may still show what is to be hidden. */
  get settling(): boolean {
    return this.#applying.size + this.#drawing.size > 0;
  }

  /** When masks were last put in place, in milliseconds since the epoch; frames of before may lack them. */
  get settledAtMs(): number {
    return this.#settledAtMs;
  }

  /** Resolves when the documents hide all that was asked for: what is typed, or forced to be drawn, from then on is masked. */
  async applied(): Promise<void> {
    while (this.#applying.size > 0) await Promise.allSettled(this.#applying);
  }

  /** Resolves when also frames that come by themselves have the masks. */
  async settled(): Promise<void> {
    while (this.settling) await Promise.allSettled([...this.#applying, ...this.#drawing]);
  }

  /** Hides other things from now on, in documents that are there and in those to come. */
  async update(config: MaskerConfig): Promise<void> {
    this.#config = config;
    const targets = [...this.#targets];
    const installed = Promise.all(targets.map((target) => this.#install(target)));
    void this.#track(this.#drawing, this.#drawn(installed, targets));
    await this.#track(this.#applying, installed);
  }

  /**
   * What is in view now: forces a frame of the present state, so it can show neither more nor less than the
   * page at this moment.
   */
  viewport(quality: number): Promise<Buffer> {
    return this.#picture({ format: 'jpeg', quality, optimizeForSpeed: true });
  }

  /** The whole page, up to a height in CSS pixels. */
  async fullPage(quality: number, maxHeightPx: number): Promise<Buffer> {
    const { cssContentSize, cssVisualViewport } = await this.#main.session.send('Page.getLayoutMetrics');
    const width = Math.ceil(Math.max(cssContentSize.width, cssVisualViewport.clientWidth));
    const height = Math.min(maxHeightPx, Math.ceil(cssContentSize.height));
    if (height <= cssVisualViewport.clientHeight && width <= cssVisualViewport.clientWidth) {
      return this.viewport(quality);
    }
    return this.#picture({
      format: 'jpeg',
      quality,
      captureBeyondViewport: true,
      clip: { x: 0, y: 0, width, height, scale: 1 },
    });
  }

  /** `cssBudgetMs`: time for leaving out style rules that nothing uses; 0: all are kept. */
  async html(cssBudgetMs = 0): Promise<Serialized> {
    const limits = JSON.stringify({ maxCharacters: MAX_HTML_CHARACTERS, cssBudgetMs });
    return this.#evaluate(this.#main, `lbaMasker.serialize(${limits})`);
  }

  /** Hidden fields and passages in all frames of this page, or in those of other processes alone. */
  async maskedCount(frames: 'all' | 'of other processes' = 'all'): Promise<number> {
    const targets = [...this.#targets].filter((target) => frames === 'all' || target !== this.#main);
    const counts = await Promise.all(
      targets.flatMap((target) =>
        [...target.worlds.values()].map((world) =>
          this.#run<number>(target, world, 'lbaMasker.count()').catch(() => 0),
        ),
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** `keepsPage`: it stays open; the masker in it is taken out, too. */
  async close(keepsPage = false): Promise<void> {
    this.#closed = true;
    this.page.off('framenavigated', this.#onFrame);
    if (keepsPage) await this.#removeMaskers();
    this.page.off('crash', this.#onCrash);
    const detached = Promise.allSettled([...this.#targets].map(({ session }) => session.detach()));
    await Promise.race([detached, this.#crashed.catch(() => {})]);
    this.#targets.clear();
  }

  async #removeMaskers(): Promise<void> {
    const removed = [...this.#targets].flatMap((target) =>
      [...target.worlds.values()].map((world) => this.#run(target, world, 'globalThis.lbaMasker?.close()')),
    );
    await Promise.allSettled(removed);
  }

  async #checkSelectors(): Promise<void> {
    const update = `lbaMasker.update(${JSON.stringify(this.#config)})`;
    const answer = await this.#evaluate<{ invalidSelectors: string[] }>(this.#main, update);
    if (answer.invalidSelectors.length > 0) this.#options.onInvalidSelectors(answer.invalidSelectors);
  }

  /** A frame of another process has a session of its own; for others Playwright says no at once. */
  readonly #onFrame = (frame: Frame): void => {
    if (frame === this.page.mainFrame() || this.#closed) return;
    void this.#track(
      this.#applying,
      this.#attachFrame(frame).catch((thrown: unknown) => {
        const message = messageOf(thrown);
        if (/does not have a separate CDP session|closed|detached/i.test(message)) return;
        this.#options.log.debug({ err: thrown }, 'a frame could not be reached for masking');
      }),
    );
  };

  async #attachFrame(frame: Frame): Promise<void> {
    const target = await this.#attach(frame);
    void this.#track(this.#drawing, this.#drawn(Promise.resolve(), [target]));
  }

  async #attach(where: Page | Frame): Promise<Target> {
    const session = await this.#options.context.newCDPSession(where);
    const target: Target = { session, worlds: new Map(), scriptId: undefined, mainFrameId: undefined };
    session.on('Runtime.executionContextCreated', ({ context }) => {
      if (context.name !== WORLD_NAME) return;
      const frameId = (context.auxData as { frameId?: string } | undefined)?.frameId;
      if (frameId !== undefined) target.worlds.set(frameId, context.id);
    });
    session.on('Runtime.executionContextDestroyed', ({ executionContextId }) => {
      for (const [frameId, id] of target.worlds) {
        if (id === executionContextId) target.worlds.delete(frameId);
      }
    });
    session.on('Runtime.executionContextsCleared', () => target.worlds.clear());
    session.on('Runtime.bindingCalled', ({ name, payload }) => {
      if (name === PASSWORD_BINDING) this.#options.onPassword(payload);
    });
    this.#watchProblems(session);
    session.on('close', () => this.#targets.delete(target));
    this.#targets.add(target);
    const [{ frameTree }] = await Promise.all([
      session.send('Page.getFrameTree'),
      // Without it new documents do not get the script.
      session.send('Page.enable'),
      session.send('Runtime.enable'),
      session.send('Log.enable'),
      session.send('Runtime.addBinding', { name: PASSWORD_BINDING, executionContextName: WORLD_NAME }),
      this.#addScript(target),
    ]);
    target.mainFrameId = frameTree.frame.id;
    return target;
  }

  /** The browser's own log also has failed requests and error statuses, and asks nothing of the network. */
  #watchProblems(session: CDPSession): void {
    const report = (problem: PageProblem): void => this.#options.onProblem(problem);
    session.on('Log.entryAdded', ({ entry }) => {
      if (entry.level !== 'error') return;
      report({
        kind: entry.source === 'network' ? 'network' : 'browser',
        text: entry.text,
        ...(entry.url === undefined ? {} : { url: entry.url }),
      });
    });
    session.on('Runtime.exceptionThrown', ({ exceptionDetails: details }) => {
      report({
        kind: 'exception',
        text: details.exception?.description ?? details.text,
        ...(details.url === undefined ? {} : { url: details.url, line: details.lineNumber + 1 }),
      });
    });
    session.on('Runtime.consoleAPICalled', ({ type, args, stackTrace }) => {
      if (type !== 'error' && type !== 'assert') return;
      const top = stackTrace?.callFrames[0];
      report({
        kind: 'console',
        text: args.map((arg) => String('value' in arg ? arg.value : (arg.description ?? arg.type))).join(' '),
        ...(top ? { url: top.url, line: top.lineNumber + 1 } : {}),
      });
    });
  }

  /** Runs at once in documents that are there, and first of all scripts in those to come. */
  async #addScript(target: Target): Promise<void> {
    const { identifier } = await target.session.send('Page.addScriptToEvaluateOnNewDocument', {
      source: maskerSource(this.#config),
      worldName: WORLD_NAME,
      runImmediately: true,
    });
    target.scriptId = identifier;
  }

  async #install(target: Target): Promise<void> {
    const old = target.scriptId;
    await this.#addScript(target);
    if (old !== undefined) {
      await target.session.send('Page.removeScriptToEvaluateOnNewDocument', { identifier: old });
    }
    await Promise.all(
      [...target.worlds.values()].map(async (world) => {
        const update = `lbaMasker.update(${JSON.stringify(this.#config)})`;
        const { invalidSelectors } = await this.#run<{ invalidSelectors: string[] }>(target, world, update);
        if (invalidSelectors.length > 0) this.#options.onInvalidSelectors(invalidSelectors);
      }),
    );
  }

  /** Two frames later everything that is drawn has the masks. */
  async #drawn(installed: Promise<unknown>, targets: readonly Target[]): Promise<void> {
    try {
      await installed;
      const worlds = targets.flatMap((target) =>
        [...target.worlds.values()].map((world) => this.#run(target, world, DRAWN)),
      );
      await Promise.allSettled(worlds);
    } finally {
      this.#settledAtMs = Date.now();
    }
  }

  async #picture(
    options: NonNullable<Parameters<typeof this.session.send<'Page.captureScreenshot'>>[1]>,
  ): Promise<Buffer> {
    const deadline = performance.now() + CAPTURE_TIMEOUT_MS;
    for (let refused = 0; ;) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`the picture did not come within ${CAPTURE_TIMEOUT_MS} ms`);
      try {
        const taken = this.#main.session.send('Page.captureScreenshot', options);
        const moved = this.#navigated(Math.min(left, CAPTURE_PATIENCE_MS));
        const answer = await Promise.race([taken, moved.promise, this.#crashed]).finally(moved.cancel);
        if (answer) return Buffer.from(answer.data, 'base64');
        // It will not come any more, or if so, too late.
        taken.catch(() => {});
      } catch (thrown) {
        refused += 1;
        if (refused === CAPTURE_ATTEMPTS || !isPassing(thrown)) throw thrown;
        await wait(CAPTURE_RETRY_MS);
      }
    }
  }

  /**
   * When the page moves to another process, the browser forgets that it was asked for a picture. Resolves a
   * moment after the next navigation, or when patience ends.
   */
  #navigated(patienceMs: number): { promise: Promise<undefined>; cancel: () => void } {
    const { session } = this.#main;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const done = (): void => resolve(undefined);
    let timer = setTimeout(done, patienceMs);
    const onNavigated = ({ frame }: { frame: { parentId?: string } }): void => {
      if (frame.parentId !== undefined) return;
      clearTimeout(timer);
      timer = setTimeout(done, CAPTURE_RETRY_MS);
    };
    session.on('Page.frameNavigated', onNavigated);
    const cancel = (): void => {
      clearTimeout(timer);
      session.off('Page.frameNavigated', onNavigated);
    };
    return { promise, cancel };
  }

  /** The world of the page's main frame; made anew when a navigation has just thrown it away. */
  async #evaluate<T>(target: Target, expression: string): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const frameId = target.mainFrameId!;
      const world = target.worlds.get(frameId) ?? (await this.#makeWorld(target, frameId));
      try {
        return await this.#run<T>(target, world, expression);
      } catch (thrown) {
        if (attempt === CAPTURE_ATTEMPTS || !isPassing(thrown)) throw thrown;
        if (target.worlds.get(frameId) === world) target.worlds.delete(frameId);
        await wait(CAPTURE_RETRY_MS);
      }
    }
  }

  async #makeWorld(target: Target, frameId: string): Promise<number> {
    const { executionContextId } = await target.session.send('Page.createIsolatedWorld', {
      frameId,
      worldName: WORLD_NAME,
    });
    await this.#run(target, executionContextId, maskerSource(this.#config));
    return executionContextId;
  }

  async #run<T>(target: Target, world: number, expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#answer(
      target.session.send('Runtime.evaluate', {
        expression,
        contextId: world,
        returnByValue: true,
        awaitPromise: true,
      }),
      SCRIPT_TIMEOUT_MS,
      'the page',
    );
    if (exceptionDetails) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value as T;
  }

  /** An answer of the page, unless it crashes or takes too long. */
  async #answer<T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`${what} did not answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      return await Promise.race([work, promise, this.#crashed]);
    } finally {
      clearTimeout(timer);
      // It may still fail, when nobody waits for it any more.
      work.catch(() => {});
    }
  }

  async #track<T>(pending: Set<Promise<unknown>>, work: Promise<T>): Promise<T | void> {
    const quiet: Promise<T | void> = Promise.race([work, this.#crashed]).catch((thrown: unknown) => {
      if (!this.#closed) this.#options.log.debug({ err: thrown }, 'masks could not be brought up to date');
    });
    pending.add(quiet);
    try {
      return await quiet;
    } finally {
      pending.delete(quiet);
    }
  }
}

/** Hidden pages draw no frames: there 100 ms must do. */
const DRAWN =
  'new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); setTimeout(done, 100); }).then(() => true)';

/** Refusals that pass by themselves while one document takes the place of another. */
function isPassing(thrown: unknown): boolean {
  return /Not attached to an active page|Unable to capture screenshot|Cannot find context|context was destroyed|lbaMasker|Internal error|Inspected target navigated/i.test(
    messageOf(thrown),
  );
}
