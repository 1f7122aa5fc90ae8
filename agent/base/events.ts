import { EventEmitter } from 'node:events';
import type { Actor } from './actor.ts';
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

/** In-process fan-out of {@link AgentEvent}. A listener that throws never reaches the emitter. */
export class EventBus {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  emit(event: AgentEvent): void {
    for (const listener of this.#emitter.listeners('event')) {
      try {
        (listener as Listener)(event);
      } catch {
        // A broken follower must not break the run it follows.
      }
    }
  }

  /** Returns a function that unsubscribes. */
  on(listener: Listener): () => void {
    this.#emitter.on('event', listener);
    return () => this.#emitter.off('event', listener);
  }
}
