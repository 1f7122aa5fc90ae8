import type { CDPSession } from 'playwright';
import { wait } from '../base/wait.ts';
import { passesBySwap, SWAP_ATTEMPTS, SWAP_RETRY_MS, type PageAnswers } from './page-answers.ts';

/** A picture that does not come within this time is given up: a page can be too busy to draw (ms). */
const CAPTURE_TIMEOUT_MS = 10_000;
/** Time for one request for a picture; then it is asked for again (ms). */
const CAPTURE_PATIENCE_MS = 3_000;

/** Takes pictures of a page, also while one document takes the place of another. */
export class PagePictures {
  readonly session: CDPSession;
  readonly #answers: PageAnswers;

  constructor(session: CDPSession, answers: PageAnswers) {
    this.session = session;
    this.#answers = answers;
  }

  /** Picture of the viewport. Makes the page draw its present state, so the picture is neither older nor newer. */
  viewport(quality: number): Promise<Buffer> {
    return this.#take({ format: 'jpeg', quality, optimizeForSpeed: true });
  }

  /** The whole page, up to a height in CSS pixels. */
  async fullPage(quality: number, maxHeightPx: number): Promise<Buffer> {
    const { cssContentSize, cssVisualViewport } = await this.session.send('Page.getLayoutMetrics');
    const width = Math.ceil(Math.max(cssContentSize.width, cssVisualViewport.clientWidth));
    const height = Math.min(maxHeightPx, Math.ceil(cssContentSize.height));
    if (height <= cssVisualViewport.clientHeight && width <= cssVisualViewport.clientWidth) {
      return this.viewport(quality);
    }
    const clip = { x: 0, y: 0, width, height, scale: 1 };
    return this.#take({ format: 'jpeg', quality, captureBeyondViewport: true, clip });
  }

  async #take(
    options: NonNullable<Parameters<typeof this.session.send<'Page.captureScreenshot'>>[1]>,
  ): Promise<Buffer> {
    const deadline = performance.now() + CAPTURE_TIMEOUT_MS;
    for (let refused = 0; ;) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`the picture did not come within ${CAPTURE_TIMEOUT_MS} ms`);
      try {
        const taken = this.session.send('Page.captureScreenshot', options);
        const moved = this.#navigated(Math.min(left, CAPTURE_PATIENCE_MS));
        const answer = await Promise.race([taken, moved.promise, this.#answers.crashed]).finally(
          moved.cancel,
        );
        if (answer) return Buffer.from(answer.data, 'base64');
        // It does not come any more, or too late.
        taken.catch(() => {});
      } catch (thrown) {
        refused += 1;
        if (refused === SWAP_ATTEMPTS || !passesBySwap(thrown)) throw thrown;
        await wait(SWAP_RETRY_MS);
      }
    }
  }

  /**
   * Resolves a moment after the next navigation, or when patience ends: when the page moves to another process,
   * the browser forgets that it was asked for a picture.
   */
  #navigated(patienceMs: number): { promise: Promise<undefined>; cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const done = (): void => resolve(undefined);
    let timer = setTimeout(done, patienceMs);
    const onNavigated = ({ frame }: { frame: { parentId?: string } }): void => {
      if (frame.parentId !== undefined) return;
      clearTimeout(timer);
      timer = setTimeout(done, SWAP_RETRY_MS);
    };
    this.session.on('Page.frameNavigated', onNavigated);
    const cancel = (): void => {
      clearTimeout(timer);
      this.session.off('Page.frameNavigated', onNavigated);
    };
    return { promise, cancel };
  }
}
