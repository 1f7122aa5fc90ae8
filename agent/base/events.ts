import type { Actor } from './actor.ts';
import { systemClock, type Clock } from './clock.ts';
import type { Logger } from './log.ts';
import type { AwsService, ServiceState } from './services.ts';
import type { ResolvedLevel } from './words.ts';

/** Everything that happens in an agent and that somebody may want to follow. */
export type AgentEvent =
  | {
      type: 'run.queued';
      runId: string;
      scriptName: string;
      taskId?: string;
      /** Who asked for it, when the request says so. */
      by?: Actor;
    }
  | { type: 'run.waiting'; runId: string; for: 'profile'; profile: string }
  | { type: 'run.started'; runId: string; scriptName: string; profile: string | null; level: ResolvedLevel }
  | {
      type: 'run.finished';
      runId: string;
      state: RunEndState;
      errorName?: string;
      message?: string;
      durationMs: number;
    }
  /** Said when somebody makes it stand still (`isStanding: false` while its action goes on), and once it does. */
  | { type: 'run.paused'; runId: string; by: Actor; reason: string; since: number; isStanding: boolean }
  | { type: 'run.resumed'; runId: string; pausedMs: number }
  | { type: 'step.started'; runId: string; stepNumber: number; name: string; action: string }
  | {
      type: 'step.finished';
      runId: string;
      stepNumber: number;
      name: string;
      action: string;
      success: boolean;
      durationMs: number;
      error?: { name: string; message: string };
    }
  | { type: 'upload.finished'; runId: string; key: string; sizeBytes: number }
  | { type: 'upload.failed'; runId: string; key: string; message: string; attempt: number; retryAt: number }
  | { type: 'human.requested'; runId: string; stepNumber: number; message: string; deadline: number }
  | { type: 'human.resolved'; runId: string; by: 'person' | 'condition' | 'timeout' | 'cancel' }
  | { type: 'agent.state'; state: string; detail?: string }
  | {
      type: 'agent.service';
      service: AwsService;
      state: ServiceState;
      /** When it came into this state, or, while not closed, when it was closed last. */
      since: number;
      lastError: string | null;
    }
  /** What `recording.keep_days` and `recording.keep_gb` let go, and what they could not. */
  | {
      type: 'runs.removed';
      count: number;
      sizeBytes: number;
      /** Of these, runs of which something is nowhere else. */
      notInS3: number;
      /** Above `recording.keep_gb` still: runs that are open or on their way to S3. */
      overBytes: number;
    }
  /** It ends what it does and starts anew, in the same process. */
  | { type: 'agent.restarting'; reason: string }
  | { type: 'setup.step'; step: ProgressStep }
  | { type: 'setup.check'; check: ProgressStep & { id: string } }
  | {
      type: 'setup.install';
      state: 'running' | 'done' | 'failed';
      /** 0 to 100; null while it is not known. */
      percent: number | null;
      words: string;
      fix: string;
    }
  | { type: 'poll.answered'; outcome: 'task' | 'empty' | 'failed' }
  | { type: 'browser.started'; pid: number }
  | { type: 'task.received'; taskId: string; runId: string }
  | {
      type: 'task.reported';
      taskId: string;
      runId: string;
      outcome: 'succeeded' | 'failed';
      errorName?: string;
    }
  | { type: 'lease.lost'; taskId: string; runId: string; reason: string };

/** One thing that setup or a check did, for a person who watches. */
export interface ProgressStep {
  title: string;
  status: 'ok' | 'warn' | 'fail' | 'skip';
  detail: string;
  /** What to do; empty when nothing is. */
  fix: string;
}

export type RunEndState = 'succeeded' | 'failed' | 'cancelled' | 'lost';

type Listener = (event: AgentEvent) => void;

interface Subscription {
  name: string;
  listener: Listener;
  /** Failures since the last line in the log. */
  unreported: number;
  reportedAtMs: number;
}

/** A listener that fails with every event of a busy run must not fill the log. */
const REPORT_INTERVAL_MS = 60_000;

/** In-process fan-out of {@link AgentEvent}. A listener that throws is logged; it never reaches the emitter. */
export class EventBus {
  readonly #log: Logger;
  readonly #clock: Clock;
  /** Replaced, never changed: a listener may subscribe or unsubscribe others while an event goes round. */
  #subscriptions: readonly Subscription[] = [];

  constructor(log: Logger, clock: Clock = systemClock) {
    this.#log = log;
    this.#clock = clock;
  }

  emit(event: AgentEvent): void {
    for (const subscription of this.#subscriptions) {
      try {
        subscription.listener(event);
      } catch (thrown) {
        this.#report(subscription, event, thrown);
      }
    }
  }

  /**
   * @param name names the listener in the log when it throws, e.g. `metrics`
   * @returns a function that unsubscribes
   */
  on(name: string, listener: Listener): () => void {
    const subscription: Subscription = { name, listener, unreported: 0, reportedAtMs: -Infinity };
    this.#subscriptions = [...this.#subscriptions, subscription];
    return () => {
      this.#subscriptions = this.#subscriptions.filter((each) => each !== subscription);
    };
  }

  #report(subscription: Subscription, event: AgentEvent, thrown: unknown): void {
    subscription.unreported += 1;
    const nowMs = this.#clock.monotonic();
    if (nowMs - subscription.reportedAtMs < REPORT_INTERVAL_MS) return;
    const { name, unreported } = subscription;
    this.#log.error(
      {
        err: thrown,
        listener: name,
        event: event.type,
        failures: unreported,
        ...('runId' in event ? { runId: event.runId } : {}),
      },
      'an event listener failed',
    );
    subscription.unreported = 0;
    subscription.reportedAtMs = nowMs;
  }
}
