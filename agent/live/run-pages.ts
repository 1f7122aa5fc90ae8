/** The pages of a watched run: their ids for viewers, and the frames of those that somebody looks at. */
import type { Page } from 'playwright';
import { drop } from '../base/drop.ts';
import type { Logger } from '../base/log.ts';
import type { Screencast, Subscriber } from '../recording/screencast.ts';
import type { WatchableRun } from '../runs/watchable.ts';
import { FrameHub } from './frame-hub.ts';
import type { LiveState } from './messages.ts';

/** Addresses of pages can be of any length. */
const MAX_ADDRESS_CHARACTERS = 200;

export interface RunPagesOptions {
  run: Pick<WatchableRun, 'context' | 'page' | 'watch' | 'watchPage'>;
  /** A page was opened, or has another address. */
  onChange: () => void;
  onClosed: (page: Page) => void;
  log: Logger;
}

export class RunPages {
  /** Frames of the page that the run acts in. */
  readonly acting: FrameHub;
  readonly #options: RunPagesOptions;
  readonly #chosen = new Map<Page, { hub: FrameHub; cast: Screencast }>();
  readonly #ids = new WeakMap<Page, number>();
  readonly #off: (() => void)[] = [];
  #lastId = 0;
  #isEnded = false;

  constructor(options: RunPagesOptions) {
    this.#options = options;
    this.acting = new FrameHub({ subscribe: (subscriber) => this.#subscribe(subscriber) });
    this.#watch();
  }

  /** The page with this id, or null for the page that the run acts in. */
  find(pageId: number | null): Page | null {
    const { run } = this.#options;
    const page = run.context.pages().find((one) => this.#idOf(one) === pageId) ?? null;
    return page === run.page() ? null : page;
  }

  /** Frames of a page; null when it is gone, or the run has ended. */
  async hubOf(page: Page | null): Promise<FrameHub | null> {
    if (page === null) return this.acting;
    const known = this.#chosen.get(page);
    if (known) return known.hub;
    const cast = await this.#options.run.watchPage(page);
    if (!cast || this.#isEnded) {
      cast?.close();
      return null;
    }
    const hub = new FrameHub(cast);
    this.#chosen.set(page, { hub, cast });
    return hub;
  }

  /** Ends the captures of pages that are not among these. */
  closeOthers(used: ReadonlySet<Page | null>): void {
    for (const [page, { cast }] of this.#chosen) {
      if (used.has(page)) continue;
      cast.close();
      this.#chosen.delete(page);
    }
  }

  /** @param seen the page that the viewer looks at; null: the page that the run acts in */
  list(seen: Page | null): LiveState['pages'] {
    const { run } = this.#options;
    const acting = run.page();
    return run.context.pages().map((page) => ({
      id: this.#idOf(page),
      address: addressOf(page),
      isActing: page === acting,
      isViewed: page === (seen ?? acting),
    }));
  }

  /** Stops following the pages; captures end as their viewers leave. */
  end(): void {
    this.#isEnded = true;
    for (const off of this.#off.splice(0)) off();
  }

  /** Opening the capture takes a moment. A subscriber that has left by then is not subscribed. */
  #subscribe(subscriber: Subscriber): () => void {
    let leave: () => void = () => {};
    let hasLeft = false;
    const joined = this.#options.run.watch().then((cast) => {
      if (!hasLeft) leave = cast.subscribe(subscriber);
      return undefined;
    });
    drop(joined, this.#options.log, 'opening the live view');
    return () => {
      hasLeft = true;
      leave();
    };
  }

  #watch(): void {
    const { run, onChange, onClosed } = this.#options;
    const { context } = run;
    const changed = (): void => onChange();
    const onPage = (page: Page): void => {
      page.on('framenavigated', changed);
      page.once('close', () => onClosed(page));
      this.#off.push(() => page.off('framenavigated', changed));
      onChange();
    };
    for (const page of context.pages()) onPage(page);
    context.on('page', onPage);
    this.#off.push(() => context.off('page', onPage));
  }

  #idOf(page: Page): number {
    let id = this.#ids.get(page);
    if (id === undefined) {
      this.#lastId += 1;
      id = this.#lastId;
      this.#ids.set(page, id);
    }
    return id;
  }
}

/** Without query and fragment, which may hold a secret and do not help to tell pages apart. */
function addressOf(page: Page): string {
  const { protocol, host, pathname } = new URL(page.url());
  return (host === '' ? `${protocol}${pathname}` : `${host}${pathname}`).slice(0, MAX_ADDRESS_CHARACTERS);
}
