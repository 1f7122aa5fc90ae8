import type { BrowserContext, Page } from 'playwright';
import { drop } from '../base/drop.ts';
import type { Logger } from '../base/log.ts';
import type { MaskerConfig } from './page/contract.ts';
import { PageProbe } from './page-probe.ts';
import type { PageProblem } from './page-problems.ts';
import { SHORT_SECRET_CHARACTERS, type Redactor } from './redaction.ts';

/** More values than this would slow pages down; the newest are the ones in use. */
const MAX_VALUES_IN_PAGES = 200;
/** A field of this length or more is text that somebody wrote, not a value to look for on every page. */
const MAX_VALUE_CHARACTERS = 500;

export interface MasksOptions {
  redactor: Redactor;
  log: Logger;
  onProblem(problem: PageProblem): void;
  onNote(note: string): void;
  /** Pictures taken from now on may still show what is to be hidden, until the page's probe has settled. */
  onChange(): void;
}

/** The recorder's probes into all pages of a context, kept up to date with what is to be hidden. */
export class Masks {
  readonly #options: MasksOptions;
  readonly #probes = new Map<Page, Promise<PageProbe | null>>();
  readonly #off: (() => void)[] = [];
  #updating: Promise<unknown> = Promise.resolve();
  #isTyping = false;

  constructor(options: MasksOptions) {
    this.#options = options;
    this.#off.push(options.redactor.onAdded(() => this.#update()));
  }

  /** Before anything is captured: all pages of the context, and those to come. */
  async attach(context: BrowserContext): Promise<void> {
    const onPage = (page: Page): void => drop(this.probe(page), this.#options.log, 'masking a new page');
    context.on('page', onPage);
    this.#off.push(() => context.off('page', onPage));
    await Promise.all(context.pages().map((page) => this.probe(page)));
  }

  /** The probe of a page; null: the page is gone. */
  probe(page: Page): Promise<PageProbe | null> {
    const known = this.#probes.get(page);
    if (known) return known;
    const opened = this.#open(page);
    this.#probes.set(page, opened);
    page.once('close', this.#onClose);
    return opened;
  }

  /** Resolves when every page hides everything that was asked for so far. */
  async applied(): Promise<void> {
    await this.#updating;
    const probes = await Promise.all(this.#probes.values());
    await Promise.all(probes.map(async (probe) => probe?.applied()));
  }

  /** A person begins to type in the pages, or has ended: what they typed is hidden from then on. */
  async typing(isTyping: boolean): Promise<void> {
    this.#isTyping = isTyping;
    this.#update();
    await this.applied();
    // The pages have told what was typed: that is hidden wherever it is shown.
    if (!isTyping) await this.applied();
  }

  /** `keepsPages`: they stay open, so nothing of this recorder may go on working in them. */
  async close(keepsPages = false): Promise<void> {
    for (const off of this.#off.splice(0)) off();
    const probes = await Promise.all(this.#probes.values());
    for (const page of this.#probes.keys()) page.off('close', this.#onClose);
    this.#probes.clear();
    await Promise.all(probes.map(async (probe) => probe?.close(keepsPages)));
  }

  readonly #onClose = (page: Page): void => {
    this.#probes.delete(page);
  };

  async #open(page: Page): Promise<PageProbe | null> {
    const { log, redactor } = this.#options;
    const onNote = (note: string): void => this.#options.onNote(note);
    try {
      return await PageProbe.open({
        context: page.context(),
        page,
        config: this.#config(),
        onPassword: (value) => redactor.add(value),
        onInvalidSelectors: (selectors) =>
          onNote(
            `recording.mask_selectors: not valid CSS, so nothing is hidden by it: ${selectors.join(' ')}`,
          ),
        onProblem: (problem) => this.#options.onProblem(problem),
        log,
      });
    } catch (thrown) {
      if (!page.isClosed()) {
        log.warn({ err: thrown }, 'the recorder could not reach a page');
        onNote(`a page could not be recorded: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      }
      return null;
    }
  }

  #config(): MaskerConfig {
    const { values, selectors } = this.#options.redactor;
    const usable = values.filter((value) => value.length <= MAX_VALUE_CHARACTERS).slice(-MAX_VALUES_IN_PAGES);
    return {
      selectors,
      values: usable.filter((value) => value.length >= SHORT_SECRET_CHARACTERS),
      shortValues: usable.filter((value) => value.length < SHORT_SECRET_CHARACTERS),
      ...(this.#isTyping ? { typing: true } : {}),
    };
  }

  #update(): void {
    const config = this.#config();
    const all = Promise.all([...this.#probes.values()].map(async (probe) => (await probe)?.update(config)));
    const before = this.#updating;
    this.#updating = Promise.allSettled([before, all]);
    this.#options.onChange();
  }
}
