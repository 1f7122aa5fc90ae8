/** The page that a run acts in. It changes when the run turns to another one, e.g. to a pop-up. */
import type { Page } from 'playwright';
import type { KeptBrowser } from './kept-browser.ts';

export class PageInUse {
  readonly #kept: KeptBrowser | undefined;
  #page: Page;

  /** @param kept a browser that stays open: its next run begins in the page that this one leaves */
  constructor(page: Page, kept?: KeptBrowser) {
    this.#kept = kept;
    this.#page = page;
    this.turnTo(page);
  }

  turnTo(page: Page): void {
    this.#page = page;
    if (this.#kept) this.#kept.page = page;
  }

  /** The last page in use; it may be closed. */
  get last(): Page {
    return this.#page;
  }

  /** Null when the page was closed. */
  get open(): Page | null {
    return this.#page.isClosed() ? null : this.#page;
  }
}
