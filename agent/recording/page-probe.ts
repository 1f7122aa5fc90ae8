import type { BrowserContext, CDPSession, Frame, Page } from 'playwright';
import type { Logger } from '../base/log.ts';
import { messageOf } from '../base/errors.ts';
import { drop } from '../base/drop.ts';
import { MaskProgress } from './mask-progress.ts';
import { takeSnapshot } from './masker-calls.ts';
import { PageAnswers } from './page-answers.ts';
import { PagePictures } from './page-pictures.ts';
import type { PageProblem } from './page-problems.ts';
import { PageTarget, SCRIPT_TIMEOUT_MS } from './page-target.ts';
import type { MaskerConfig, Serialized } from './page/contract.ts';

/** HTML of a larger page is cut: a snapshot must stay readable. */
const MAX_HTML_CHARACTERS = 4_000_000;

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
 * protocol. Playwright's tracing does not see it (an `evaluate` would add two snapshots to the trace), its
 * scripts run in a world of their own, and it reaches frames of other processes too.
 */
export class PageProbe {
  readonly page: Page;
  readonly #options: PageProbeOptions;
  readonly #answers: PageAnswers;
  readonly #progress: MaskProgress;
  readonly #targets = new Set<PageTarget>();
  #main!: PageTarget;
  #pictures!: PagePictures;
  #config: MaskerConfig;
  #closed = false;

  private constructor(options: PageProbeOptions) {
    this.page = options.page;
    this.#options = options;
    this.#config = options.config;
    this.#answers = new PageAnswers(options.page);
    this.#progress = new MaskProgress({ log: options.log, crashed: this.#answers.crashed });
  }

  /** Rejects when the page is closed already, or crashes meanwhile. */
  static async open(options: PageProbeOptions): Promise<PageProbe> {
    const probe = new PageProbe(options);
    probe.#main = await probe.#answers.within(SCRIPT_TIMEOUT_MS, 'the page', probe.#attach(options.page));
    probe.#pictures = new PagePictures(probe.session, probe.#answers);
    if (options.config.selectors.length > 0) probe.#report(await probe.#main.invalidSelectors());
    options.page.on('framenavigated', probe.#onFrame);
    for (const frame of options.page.frames()) probe.#onFrame(frame);
    return probe;
  }

  /** For the screencast: one session serves all. */
  get session(): CDPSession {
    return this.#main.session;
  }

  /** Whether a frame that is drawn now may still show what is to be hidden. */
  get settling(): boolean {
    return this.#progress.settling;
  }

  /** When masks were last drawn, in milliseconds since the epoch; older frames may lack them. */
  get settledAtMs(): number {
    return this.#progress.settledAtMs;
  }

  /** Resolves when documents hide all that was asked for: what is typed, or forced to be drawn, from then on is masked. */
  applied(): Promise<void> {
    return this.#progress.applied();
  }

  /** Resolves when also frames that come by themselves have the masks. */
  settled(): Promise<void> {
    return this.#progress.settled();
  }

  /** Hides other things from now on, in documents that are there and in those to come. */
  async update(config: MaskerConfig): Promise<void> {
    if (this.#closed) return;
    this.#config = config;
    const targets = [...this.#targets];
    const installed = Promise.all(targets.map((target) => this.#update(target)));
    drop(this.#progress.drawing(drawnAfter(installed, targets)), this.#options.log, 'drawing masks');
    await this.#progress.applying(installed);
  }

  /** Picture of the viewport. */
  viewport(quality: number): Promise<Buffer> {
    return this.#pictures.viewport(quality);
  }

  /** The whole page, up to a height in CSS pixels. */
  fullPage(quality: number, maxHeightPx: number): Promise<Buffer> {
    return this.#pictures.fullPage(quality, maxHeightPx);
  }

  /** `cssBudgetMs`: time for leaving out style rules that nothing uses; 0: all are kept. */
  html(cssBudgetMs = 0): Promise<Serialized> {
    return this.#main.evaluate(takeSnapshot({ maxCharacters: MAX_HTML_CHARACTERS, cssBudgetMs }));
  }

  /** Hidden fields and passages in all frames of this page, or in those of other processes alone. */
  async maskedCount(frames: 'all' | 'of other processes' = 'all'): Promise<number> {
    const targets = [...this.#targets].filter((target) => frames === 'all' || target !== this.#main);
    const counts = await Promise.all(targets.map((target) => target.count()));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** `keepsPage`: the page stays open, so the masker is removed from it. */
  async close(keepsPage = false): Promise<void> {
    this.#closed = true;
    this.#progress.close();
    this.page.off('framenavigated', this.#onFrame);
    const targets = [...this.#targets];
    if (keepsPage) await Promise.all(targets.map((target) => target.removeMaskers()));
    this.#answers.close();
    const detached = Promise.allSettled(targets.map(({ session }) => session.detach()));
    await Promise.race([detached, this.#answers.crashed.catch(() => {})]);
    this.#targets.clear();
  }

  /** A frame of another process has a session of its own; for others Playwright refuses at once. */
  readonly #onFrame = (frame: Frame): void => {
    if (frame === this.page.mainFrame() || this.#closed) return;
    drop(this.#progress.applying(this.#attachFrame(frame)), this.#options.log, 'masking a frame');
  };

  async #attachFrame(frame: Frame): Promise<void> {
    try {
      const target = await this.#attach(frame);
      const drawn = drawnAfter(Promise.resolve(), [target]);
      drop(this.#progress.drawing(drawn), this.#options.log, 'drawing masks');
    } catch (thrown) {
      if (/does not have a separate CDP session|closed|detached/i.test(messageOf(thrown))) return;
      this.#options.log.debug({ err: thrown }, 'a frame could not be reached for masking');
    }
  }

  async #attach(where: Page | Frame): Promise<PageTarget> {
    const { context } = this.#options;
    const session = await context.newCDPSession(where);
    const target = new PageTarget(session, {
      answers: this.#answers,
      config: this.#config,
      onPassword: (value) => this.#options.onPassword(value),
      onProblem: (problem) => this.#options.onProblem(problem),
    });
    // At once: an update that comes while the target opens must reach it.
    this.#targets.add(target);
    session.on('close', () => this.#targets.delete(target));
    await target.open();
    return target;
  }

  async #update(target: PageTarget): Promise<void> {
    this.#report(await target.update(this.#config));
  }

  #report(invalidSelectors: string[]): void {
    if (invalidSelectors.length > 0) this.#options.onInvalidSelectors(invalidSelectors);
  }
}

async function drawnAfter(installed: Promise<unknown>, targets: readonly PageTarget[]): Promise<void> {
  await installed;
  await Promise.all(targets.map((target) => target.drawn()));
}
