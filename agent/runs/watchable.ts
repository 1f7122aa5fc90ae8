/** The runs whose browser can be watched and acted in right now: how the live view gets to them. */
import type { BrowserContext, Page } from 'playwright';
import type { Screencast } from '../recording/screencast.ts';

export interface WatchableRun {
  readonly runId: string;
  readonly scriptName: string;
  readonly context: BrowserContext;
  /** The one that the run acts in. */
  page(): Page;
  /** The one capture of that page, with masks, also at a level that records nothing. */
  watch(): Promise<Screencast>;
  /** A capture of another of its pages, to be closed; null: the page is gone. */
  watchPage(page: Page): Promise<Screencast | null>;
  /**
   * A person acts in the page from now on: nothing of it is recorded, and what they type is left out of
   * everything that is recorded later. Returns a function to be called when they are done.
   */
  personActs(): Promise<() => Promise<void>>;
}

export class WatchableRuns {
  readonly #runs = new Map<string, { run: WatchableRun; onGone: Set<() => void> }>();
  readonly #awaited = new Set<{ runId: string; there: () => void }>();

  /** Returns a function to be called before the run's browser is closed. */
  add(run: WatchableRun): () => void {
    const entry = { run, onGone: new Set<() => void>() };
    this.#runs.set(run.runId, entry);
    for (const awaited of this.#awaited) {
      if (awaited.runId !== run.runId) continue;
      this.#awaited.delete(awaited);
      awaited.there();
    }
    return () => {
      if (this.#runs.get(run.runId) !== entry) return;
      this.#runs.delete(run.runId);
      for (const listener of entry.onGone) listener();
    };
  }

  get(runId: string): WatchableRun | undefined {
    return this.#runs.get(runId)?.run;
  }

  /** The one that began last. */
  newest(): WatchableRun | undefined {
    return [...this.#runs.values()].at(-1)?.run;
  }

  /** Calls `there` once when that run can be watched. Returns what stops waiting. */
  await(runId: string, there: () => void): () => void {
    const awaited = { runId, there };
    this.#awaited.add(awaited);
    return () => this.#awaited.delete(awaited);
  }

  /** Called once when that run cannot be watched any more. */
  onGone(runId: string, listener: () => void): void {
    this.#runs.get(runId)?.onGone.add(listener);
  }
}
