/**
 * The states of a worker, and which may follow which.
 *
 * - `made`: nothing runs yet.
 * - `starting`: holds the lock of the data directory and takes up what an earlier process left.
 * - `working`: polls while a slot is free.
 * - `paused`: starts no poll; runs go on; a task that the open poll still brings is refused with
 *   `BrowserAgent.Draining`, so that a `Retry` in the state machine hands it to another worker, or to this
 *   one when it polls again. Resumed before the poll ends, nothing is refused.
 * - `draining`: as paused, and for good: when the open poll, the runs and their reports have ended, the
 *   worker is stopped.
 * - `stopping`: the drain's deadline has passed, or somebody asked twice: runs are cancelled
 *   (`BrowserAgent.Cancelled`), what cannot be reported in a few seconds stays in the outbox for the next
 *   start. A poll that is still open is left to the end of the process: it is the one case where a task may
 *   be handed to nobody, and HeartbeatSeconds in the state machine is what finds it.
 * - `stopped`: over. Final; a new worker is made to start again.
 */
import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';

export type WorkerState = 'made' | 'starting' | 'working' | 'paused' | 'draining' | 'stopping' | 'stopped';

const TRANSITIONS: Record<WorkerState, readonly WorkerState[]> = {
  made: ['starting', 'stopped'],
  starting: ['working', 'paused', 'draining', 'stopping', 'stopped'],
  working: ['paused', 'draining', 'stopping'],
  paused: ['working', 'draining', 'stopping'],
  draining: ['stopping', 'stopped'],
  stopping: ['stopped'],
  stopped: [],
};

export class WorkerStateMachine {
  readonly #events: EventBus;
  readonly #log: Logger;
  #state: WorkerState = 'made';

  constructor(events: EventBus, log: Logger) {
    this.#events = events;
    this.#log = log;
  }

  get state(): WorkerState {
    return this.#state;
  }

  is(...states: WorkerState[]): boolean {
    return states.includes(this.#state);
  }

  /** @throws Error when the transition is not legal: a bug */
  to(next: WorkerState, detail?: string): void {
    const from = this.#state;
    if (!TRANSITIONS[from].includes(next)) throw new Error(`a worker cannot go from ${from} to ${next}`);
    this.#state = next;
    this.#log.info({ from, to: next, ...(detail ? { detail } : {}) }, `worker ${next}`);
    this.#events.emit({ type: 'agent.state', state: next, ...(detail ? { detail } : {}) });
  }
}
