/** Removes past runs and ended sessions that the retention settings no longer cover, again and again. */
import type { Clock } from '../base/clock.ts';
import { drop } from '../base/drop.ts';
import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import type { SessionStore } from '../store/sessions.ts';
import { sweepRuns, type RemovedRun, type RetentionOptions, type Sweep } from './retention.ts';

const DAY_MS = 86_400_000;

/** Interval of the sweep: `recording.keep_days` counts in days, so an hour late does not matter. */
const SWEEP_INTERVAL_MS = 60 * 60_000;

export interface RetentionSweepOptions extends Pick<
  RetentionOptions,
  'runs' | 'uploads' | 'folder' | 'clock'
> {
  sessions: Pick<SessionStore, 'removeEndedBefore'>;
  /** Read at each sweep. */
  limits: () => { keepDays: number; keepGb: number };
  /** Called when runs were removed, for the audit log. */
  onRemoved: (removed: readonly RemovedRun[]) => void;
  clock: Clock;
  events: EventBus;
  log: Logger;
}

export class RetentionSweep {
  readonly #options: RetentionSweepOptions;
  readonly #stopped = new AbortController();

  constructor(options: RetentionSweepOptions) {
    this.#options = options;
  }

  /** Sweeps at once, then once per interval until {@link stop}. */
  start(): void {
    drop(this.#run(), this.#options.log, 'removing past runs');
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await this.sweep();
      await this.#options.clock.sleep(SWEEP_INTERVAL_MS, signal).catch(() => undefined);
    }
  }

  /** One sweep. Never throws: the next one tries again. */
  async sweep(): Promise<void> {
    const { limits, sessions, onRemoved, clock, log } = this.#options;
    try {
      const { keepDays, keepGb } = limits();
      const swept = await sweepRuns({ ...this.#options, keepDays, keepGb });
      sessions.removeEndedBefore(clock.now() - keepDays * DAY_MS);
      if (swept.removed.length > 0) onRemoved(swept.removed);
      this.#report(swept);
    } catch (thrown) {
      log.warn({ err: thrown }, 'removing past runs failed; tried again');
    }
  }

  #report({ removed, overBytes }: Sweep): void {
    const { events, log } = this.#options;
    if (removed.length === 0 && overBytes === 0) return;
    const report = {
      count: removed.length,
      sizeBytes: removed.reduce((sum, run) => sum + run.sizeBytes, 0),
      notInS3: removed.filter(({ isInS3 }) => !isInS3).length,
      overBytes,
    };
    events.emit({ type: 'runs.removed', ...report });
    if (overBytes > 0) log.warn(report, 'past runs take more than recording.keep_gb and cannot go yet');
    else log.info(report, 'past runs were removed');
  }
}
