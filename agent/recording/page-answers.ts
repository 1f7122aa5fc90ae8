import type { Page } from 'playwright';
import { messageOf } from '../base/errors.ts';

/** Attempts while a navigation swaps documents, when the browser refuses for a moment, and the rest between. */
export const SWAP_ATTEMPTS = 5;
export const SWAP_RETRY_MS = 40;

/** Waits for answers of a page, unless the page crashes or takes too long. */
export class PageAnswers {
  readonly #page: Page;
  readonly #onCrash: () => void;
  /** Rejects when the process of the page dies: what was asked of it then is never answered. */
  readonly crashed: Promise<never>;

  constructor(page: Page) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#page = page;
    this.crashed = promise;
    this.#onCrash = () => reject(new Error('the page crashed'));
    page.once('crash', this.#onCrash);
    promise.catch(() => {});
  }

  /** Rejects with what did not answer, and within which time. */
  async within<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`${what} did not answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      return await Promise.race([work, promise, this.crashed]);
    } finally {
      clearTimeout(timer);
      // The work may still fail after the wait for it has ended.
      work.catch(() => {});
    }
  }

  close(): void {
    this.#page.off('crash', this.#onCrash);
  }
}

/** Whether a refusal passes by itself, because one document takes the place of another. */
export function passesBySwap(thrown: unknown): boolean {
  return /Not attached to an active page|Unable to capture screenshot|Cannot find context|context was destroyed|lbaMasker|Internal error|Inspected target navigated/i.test(
    messageOf(thrown),
  );
}
