/**
 * The right to act for one task, kept by heartbeats on a timer of their own: a long step, a wait for a
 * person or a busy profile never delays them. All decisions are made in lease-state.ts; this file owns the
 * timer, the call and the clocks.
 */
import type { Clock } from '../base/clock.ts';
import { drop } from '../base/drop.ts';
import type { Logger } from '../base/log.ts';
import { LeaseLost } from '../runs/types.ts';
import {
  isVerified,
  newLease,
  nextDueMs,
  reduceLease,
  type Instant,
  type LeaseCommand,
  type LeaseConfig,
  type LeaseEvent,
  type LeaseState,
} from './lease-state.ts';
import { describe, problemOf, type Problem } from './problems.ts';
import { Repeated } from './repeated.ts';
import type { ActivityService } from './service.ts';

/** Three intervals: two heartbeats may fail before the lease is lost. The state machine's HeartbeatSeconds
 * should be at least this, then it never gives the task away while we still act. */
const LEASE_INTERVALS = 3;
/** After waking up, networks take some seconds to come back. */
const VERIFY_MS = 15_000;
/** How often the clocks are compared, to notice that the machine slept. */
const WATCH_MS = 1_000;
/** Five missed comparisons: more than a busy machine loses, less than any sleep. */
const GAP_MS = 5_000;
/** A heartbeat that takes longer is given up, so that the next one can be sent. */
const CALL_MAX_MS = 10_000;

export interface LeaseOptions {
  token: string;
  unverified: boolean;
  heartbeatMs: number;
  /** Default: three heartbeats. */
  leaseMs?: number;
  service: Pick<ActivityService, 'sendTaskHeartbeat'>;
  clock: Clock;
  random: () => number;
  log: Logger;
  onAccepted: () => void;
  /** Called once, at the moment the loss is known. */
  onLost: (loss: LeaseLost) => void;
}

export interface LeaseStatus {
  state: 'held' | 'in_doubt' | 'lost' | 'over';
  /** Heartbeats sent so far. */
  sent: number;
  problem: Problem | null;
}

export class Lease {
  readonly #options: LeaseOptions;
  readonly #config: LeaseConfig;
  readonly #watchMs: number;
  readonly #problems: Repeated;
  readonly #ended = new AbortController();
  #state: LeaseState;
  #sent = 0;
  #call: Promise<void> = Promise.resolve();
  #waiting: PromiseWithResolvers<void> | null = null;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#config = {
      intervalMs: options.heartbeatMs,
      leaseMs: options.leaseMs ?? options.heartbeatMs * LEASE_INTERVALS,
      verifyMs: VERIFY_MS,
      gapMs: GAP_MS,
    };
    this.#watchMs = Math.min(WATCH_MS, options.heartbeatMs / 4);
    this.#problems = new Repeated(options.log, 'sending a heartbeat');
    this.#state = newLease(this.#now(), options.unverified);
  }

  start(): void {
    drop(this.#keep(), this.#options.log, 'the heartbeat timer');
  }

  /**
   * To be awaited before each step: resolves when the lease is known to be held, which is at once unless
   * time jumped since the last look.
   * @throws LeaseLost when it is not
   */
  async verified(): Promise<void> {
    this.#dispatch({ type: 'tick', now: this.#now() });
    if (isVerified(this.#state) || this.#state.phase === 'over') return;
    if (this.#state.phase === 'lost') throw new LeaseLost(this.#state.reason);
    this.#waiting ??= Promise.withResolvers<void>();
    await this.#waiting.promise;
  }

  /** The machine slept: a heartbeat goes out at once, and no step begins before it is accepted. */
  woke(): void {
    this.#dispatch({ type: 'woke', now: this.#now() });
  }

  /** The run has ended: heartbeats go on until {@link release}, but fence nothing. */
  runEnded(): void {
    this.#dispatch({ type: 'run-ended' });
  }

  /** Ends the heartbeats; resolves when none is in flight any more. */
  async release(): Promise<void> {
    this.#dispatch({ type: 'release' });
    await this.#call;
  }

  /** Why it is lost; null while it is held or was released. */
  get lost(): string | null {
    return this.#state.phase === 'lost' ? this.#state.reason : null;
  }

  status(): LeaseStatus {
    const { phase } = this.#state;
    return {
      state: phase === 'held' && !isVerified(this.#state) ? 'in_doubt' : phase,
      sent: this.#sent,
      problem: this.#problems.current,
    };
  }

  async #keep(): Promise<void> {
    const { clock } = this.#options;
    while (this.#state.phase === 'held') {
      this.#dispatch({ type: 'tick', now: this.#now() });
      if (this.#state.phase !== 'held') return;
      const dueMs = nextDueMs(this.#state, this.#config) - clock.monotonic();
      try {
        await clock.sleep(Math.max(0, Math.min(this.#watchMs, dueMs)), this.#ended.signal);
      } catch {
        return; // lost or released meanwhile
      }
    }
  }

  #dispatch(event: LeaseEvent): void {
    const { state, commands } = reduceLease(this.#state, event, this.#config);
    this.#state = state;
    for (const command of commands) this.#obey(command);
    if (state.phase !== 'held') this.#ended.abort();
    this.#answerWaiting();
  }

  #obey(command: LeaseCommand): void {
    switch (command.type) {
      case 'send':
        this.#sent = command.number;
        this.#call = this.#send();
        return;
      case 'fence':
        this.#options.onLost(new LeaseLost(command.reason));
        return;
      default:
        command satisfies never;
    }
  }

  #answerWaiting(): void {
    if (!this.#waiting) return;
    if (this.#state.phase === 'lost') this.#waiting.reject(new LeaseLost(this.#state.reason));
    else if (this.#state.phase === 'over' || isVerified(this.#state)) this.#waiting.resolve();
    else return;
    this.#waiting = null;
  }

  async #send(): Promise<void> {
    const { service, token, onAccepted } = this.#options;
    const giveUp = AbortSignal.any([AbortSignal.timeout(CALL_MAX_MS), this.#ended.signal]);
    try {
      await service.sendTaskHeartbeat(token, giveUp);
    } catch (thrown) {
      this.#sendFailed(problemOf(thrown));
      return;
    }
    this.#problems.worked(this.#options.clock.now());
    if (this.#state.phase === 'held') onAccepted();
    this.#dispatch({ type: 'accepted', now: this.#now() });
  }

  #sendFailed(problem: Problem): void {
    if (this.#ended.signal.aborted) return;
    const now = this.#now();
    const reason = describe(problem);
    if (problem.class === 'dead_token') {
      this.#dispatch({ type: 'rejected', now, reason });
      return;
    }
    this.#problems.failed(problem, now.wallMs);
    this.#dispatch({ type: 'failed', now, reason, random: this.#options.random() });
  }

  #now(): Instant {
    return { monotonicMs: this.#options.clock.monotonic(), wallMs: this.#options.clock.now() };
  }
}
