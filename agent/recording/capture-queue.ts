import type { Logger } from '../base/log.ts';
import type { Serialized } from './page/contract.ts';
import type { PageProbe } from './page-probe.ts';

export interface Capture {
  jpeg: Buffer | null;
  html: Serialized | null;
  /** Hidden fields and passages at that moment. */
  masked: number;
  /** When it was asked for: milliseconds since the epoch; it shows the page at this moment or later. */
  wallTimeMs: number;
  problem?: string;
}

/** A page may change by itself: what is older than this is taken anew. */
const REUSE_MS = 2_000;

interface Job {
  probe: PageProbe;
  wants: { picture: boolean; html: boolean };
  resolve(capture: Capture): void;
}

/**
 * Takes pictures and HTML of the present moment, one at a time. Whoever asks goes on; {@link idle} is the
 * barrier before something acts on the page again. Requests that wait together are served by one capture:
 * nothing has acted between them, so it shows all of them what they asked for, after they asked.
 */
export class CaptureQueue {
  readonly #log: Logger;
  readonly #quality: number;
  readonly #cssBudgetMs: number;
  readonly #onPicture: (jpeg: Buffer, wallTimeMs: number) => void;
  #jobs: Job[] = [];
  #running: Promise<void> | undefined;
  #last: { capture: Capture; probe: PageProbe } | undefined;

  /** `onPicture`: for whoever else has use for it. */
  constructor(options: {
    quality: number;
    /** See {@link PageProbe.html}. */
    cssBudgetMs?: number;
    log: Logger;
    onPicture?: (jpeg: Buffer, wallTimeMs: number) => void;
  }) {
    this.#onPicture = options.onPicture ?? (() => {});
    this.#quality = options.quality;
    this.#cssBudgetMs = options.cssBudgetMs ?? 0;
    this.#log = options.log;
  }

  take(probe: PageProbe, wants: { picture: boolean; html: boolean }): Promise<Capture> {
    const { promise, resolve } = Promise.withResolvers<Capture>();
    this.#jobs.push({ probe, wants, resolve });
    this.#running ??= this.#run();
    return promise;
  }

  /** Like {@link take}, but what was taken since the last step acted is used again. */
  takeOrReuse(probe: PageProbe, wants: { picture: boolean; html: boolean }): Promise<Capture> {
    const recent = this.#last && Date.now() - this.#last.capture.wallTimeMs < REUSE_MS;
    const last = recent ? this.#last : undefined;
    const missing = {
      picture: wants.picture && !(last?.probe === probe && last.capture.jpeg),
      html: wants.html && !(last?.probe === probe && last.capture.html),
    };
    if (!last || last.probe !== probe || (missing.picture && missing.html)) return this.take(probe, wants);
    if (!missing.picture && !missing.html) return Promise.resolve(last.capture);
    return this.#complete(last.capture, probe, missing);
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  /** Something acts: what was taken so far shows the past. */
  acting(): void {
    this.#last = undefined;
  }

  async #complete(
    last: Capture,
    probe: PageProbe,
    missing: { picture: boolean; html: boolean },
  ): Promise<Capture> {
    const rest = await this.take(probe, missing);
    return {
      jpeg: missing.picture ? rest.jpeg : last.jpeg,
      html: missing.html ? rest.html : last.html,
      masked: Math.max(last.masked, rest.masked),
      wallTimeMs: rest.wallTimeMs,
      ...(rest.problem === undefined ? {} : { problem: rest.problem }),
    };
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0) {
      const { probe } = this.#jobs[0]!;
      const served = this.#jobs.filter((job) => job.probe === probe);
      this.#jobs = this.#jobs.filter((job) => job.probe !== probe);
      const capture = await this.#capture(probe, {
        picture: served.some(({ wants }) => wants.picture),
        html: served.some(({ wants }) => wants.html),
      });
      this.#last = { capture, probe };
      for (const job of served) job.resolve(capture);
    }
    this.#running = undefined;
  }

  async #capture(probe: PageProbe, wants: { picture: boolean; html: boolean }): Promise<Capture> {
    // It forces what is there now to be drawn, so masks need not have been drawn before.
    await probe.applied();
    const wallTimeMs = Date.now();
    const [jpeg, html, masked] = await Promise.allSettled([
      wants.picture ? probe.viewport(this.#quality) : null,
      wants.html ? probe.html(this.#cssBudgetMs) : null,
      // HTML comes with the count of its own process.
      wants.picture ? probe.maskedCount(wants.html ? 'of other processes' : 'all') : 0,
    ]);
    const own = wants.picture && html.status === 'fulfilled' ? (html.value?.masked ?? 0) : 0;
    if (jpeg.status === 'fulfilled' && jpeg.value) this.#onPicture(jpeg.value, Date.now());
    const failed = [jpeg, html].find((result) => result.status === 'rejected');
    if (failed) this.#log.debug({ err: failed.reason }, 'a capture failed');
    return {
      jpeg: jpeg.status === 'fulfilled' ? jpeg.value : null,
      html: html.status === 'fulfilled' ? html.value : null,
      masked: own + (masked.status === 'fulfilled' ? masked.value : 0),
      wallTimeMs,
      ...(failed
        ? { problem: failed.reason instanceof Error ? failed.reason.message : String(failed.reason) }
        : {}),
    };
  }
}
