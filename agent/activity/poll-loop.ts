/**
 * Decides when to ask Step Functions for a task; what happens with one is decided elsewhere.
 *
 * - One poll at a time, and only while a slot is free, so that a task handed over can always start.
 * - A poll in flight is never aborted: the service may have handed a task to it already. Pausing and closing
 *   only keep the next poll from starting; the open one ends within 60 s, with a task or without.
 * - Nothing within 60 s: the next poll starts at once.
 * - The service is not asked for a while, because it kept failing: wait until it is. Nothing was sent.
 * - A problem: wait with jittered exponential backoff, long where only a person can mend it.
 */
import { RETRY_PACE } from '../aws/failure-kinds.ts';
import { ServiceUnavailable } from '../aws/resilience.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { problemOf, type Problem } from './problems.ts';
import { Repeated, type OngoingProblem } from './repeated.ts';
import type { ActivityService, ActivityTask } from './service.ts';
import type { Slots } from './slots.ts';

/** The service holds a poll for 60 s; one that took this long by the wall clock spanned a sleep of the machine. */
const POLL_STALE_MS = 70_000;
/** An endpoint that answers "nothing" faster than this does not hold the poll as it should … */
const HELD_AT_LEAST_MS = 100;
/** … and is asked at most this often, so that it is not flooded. */
const NOT_HELD_PAUSE_MS = 500;
/** A wait that is over already must not make a loop without rest. */
const LEAST_PAUSE_MS = 50;

export type PollState = 'waiting_for_slot' | 'polling' | 'backing_off' | 'paused' | 'closed';

export interface PollLoopOptions {
  service: Pick<ActivityService, 'getActivityTask'>;
  activityArn: string;
  workerName: string;
  slots: Slots;
  clock: Clock;
  random: () => number;
  log: Logger;
  /**
   * Takes the task over, with the slot that was reserved for it.
   * @param facts.stale it may have been handed over long ago: verify before acting
   */
  onTask: (task: ActivityTask, facts: { releaseSlot: () => void; stale: boolean }) => void;
  /** Called when polling starts to fail in a new way, and (null) when it works again. */
  onProblem: (problem: Problem | null) => void;
}

export interface PollStatus {
  state: PollState;
  /** When it came into this state, milliseconds since the epoch. */
  since: number;
  /** When the service last answered a poll, with or without a task. */
  answeredAt: number | null;
  problem: OngoingProblem | null;
  /** When the next try after a problem is due. */
  nextTryAt: number | null;
}

export class PollLoop {
  readonly #options: PollLoopOptions;
  readonly #problems: Repeated;
  #wanted: 'open' | 'paused' | 'closed' = 'open';
  /** Aborted and replaced when `#wanted` changes: ends every wait of the loop, never a poll. */
  #change = new AbortController();
  #state: PollState = 'waiting_for_slot';
  #since: number;
  #answeredAt: number | null = null;
  #nextTryAt: number | null = null;
  #failures = 0;

  constructor(options: PollLoopOptions) {
    this.#options = options;
    this.#problems = new Repeated(options.log, 'polling for tasks');
    this.#since = options.clock.now();
  }

  /** Runs until it is closed and the last poll has ended. */
  async run(): Promise<void> {
    while (this.#wanted !== 'closed') {
      if (this.#wanted === 'paused') {
        this.#enter('paused');
        await aborted(this.#change.signal);
        continue;
      }
      const releaseSlot = this.#options.slots.tryTake();
      if (!releaseSlot) {
        this.#enter('waiting_for_slot');
        await this.#options.slots.freed(this.#change.signal);
        continue;
      }
      await this.#pollOnce(releaseSlot);
    }
    this.#enter('closed');
  }

  pause(): void {
    this.#want('paused');
  }

  resume(): void {
    this.#want('open');
  }

  /** Starts no further poll. Final. */
  close(): void {
    this.#want('closed');
  }

  status(): PollStatus {
    return {
      state: this.#state,
      since: this.#since,
      answeredAt: this.#answeredAt,
      problem: this.#problems.current,
      nextTryAt: this.#nextTryAt,
    };
  }

  async #pollOnce(releaseSlot: () => void): Promise<void> {
    const { service, activityArn, workerName, clock, onTask, onProblem } = this.#options;
    this.#enter('polling');
    const { signal } = this.#change; // what changes while the poll is open also ends the pause after it
    const startedAt = clock.now();
    let task: ActivityTask | null;
    try {
      task = await service.getActivityTask({ activityArn, workerName });
    } catch (thrown) {
      releaseSlot();
      if (thrown instanceof ServiceUnavailable) await this.#waitUntil(thrown.retryAt, signal);
      else await this.#backOff(problemOf(thrown), signal);
      return;
    }
    const tookMs = clock.now() - startedAt;
    this.#answeredAt = clock.now();
    this.#failures = 0;
    if (this.#problems.current) {
      this.#problems.worked(clock.now());
      onProblem(null);
    }
    if (task) {
      onTask(task, { releaseSlot, stale: tookMs > POLL_STALE_MS });
      return;
    }
    releaseSlot();
    if (tookMs >= 0 && tookMs < HELD_AT_LEAST_MS) await this.#pause(NOT_HELD_PAUSE_MS, signal);
  }

  async #backOff(problem: Problem, signal: AbortSignal): Promise<void> {
    const { clock, random, onProblem } = this.#options;
    this.#failures += 1;
    if (this.#problems.failed(problem, clock.now())) onProblem(problem);
    const pauseMs = backoffMs(RETRY_PACE[problem.pace], this.#failures, random());
    await this.#waitUntil(clock.now() + pauseMs, signal);
  }

  async #waitUntil(at: number, signal: AbortSignal): Promise<void> {
    this.#enter('backing_off');
    this.#nextTryAt = at;
    await this.#pause(Math.max(LEAST_PAUSE_MS, at - this.#options.clock.now()), signal);
    this.#nextTryAt = null;
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.clock.sleep(ms, signal);
    } catch {
      // Paused, resumed or closed meanwhile: the loop looks again.
    }
  }

  #want(wanted: 'open' | 'paused' | 'closed'): void {
    if (this.#wanted === 'closed' || this.#wanted === wanted) return;
    this.#wanted = wanted;
    const change = this.#change;
    this.#change = new AbortController();
    change.abort(new Error(`the poll loop is ${wanted}`));
  }

  #enter(state: PollState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#since = this.#options.clock.now();
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
