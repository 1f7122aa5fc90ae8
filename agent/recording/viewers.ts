import type { BrowserContext, Page } from 'playwright';
import type { Logger } from '../base/log.ts';
import type { CaptureQueue } from './capture-queue.ts';
import type { Masks } from './masks.ts';
import { Screencast } from './screencast.ts';

export interface ViewersOptions {
  /** The capture of the page in use. */
  screencast: Screencast;
  masks: Masks;
  captures: CaptureQueue;
  log: Logger;
  /** Something is recorded, so that pages have masks anyway. */
  hasMasks: boolean;
}

/** People who watch a run or act in its page: they see it with masks, and what they type is not recorded. */
export class Viewers {
  readonly #options: ViewersOptions;
  #context: BrowserContext | undefined;
  #page: Page | undefined;
  #watched: Promise<void> | undefined;
  #personDone: (() => Promise<void>) | undefined;

  constructor(options: ViewersOptions) {
    this.#options = options;
  }

  /** Whether somebody watches or has watched: from then on pages have masks at every level. */
  get have(): boolean {
    return this.#watched !== undefined;
  }

  attach(context: BrowserContext, page: Page): void {
    this.#context = context;
    this.#page = page;
  }

  pageChanged(page: Page): void {
    this.#page = page;
  }

  /** The screencast of the page in use; installs masks even when nothing is recorded. */
  async watch(): Promise<Screencast> {
    const { screencast, hasMasks } = this.#options;
    if (this.#context && !hasMasks) {
      this.#watched ??= this.#installMasks(this.#context);
      await this.#watched;
    }
    return screencast;
  }

  /** A capture of another page than the one in use; null: the page is gone. Close it after use. */
  async watchPage(page: Page): Promise<Screencast | null> {
    await this.watch();
    const probe = await this.#options.masks.probe(page);
    if (!probe) return null;
    const screencast = new Screencast({ log: this.#options.log });
    screencast.follow(probe);
    return screencast;
  }

  /**
   * Stops recording the page while a person acts in it, and hides what they type in everything recorded later.
   * Returns a function to call when they are done; further calls do nothing.
   */
  async personActs(): Promise<() => Promise<void>> {
    await this.watch();
    this.#options.screencast.keepPrivate(true);
    await this.#options.masks.typing(true);
    let ending: Promise<void> | undefined;
    const done = (): Promise<void> => (ending ??= this.#end());
    this.#personDone = done;
    return done;
  }

  /** Ends the input of a person who still acts. */
  async personEnds(): Promise<void> {
    await this.#personDone?.();
  }

  async #installMasks(context: BrowserContext): Promise<void> {
    const { masks, screencast } = this.#options;
    await masks.attach(context);
    if (this.#page) screencast.follow(await masks.probe(this.#page));
  }

  async #end(): Promise<void> {
    const { masks, captures, screencast } = this.#options;
    await masks.typing(false);
    captures.acting();
    screencast.keepPrivate(false);
    this.#personDone = undefined;
  }
}
