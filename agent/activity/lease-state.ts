/**
 * The lease of one task as a pure reducer: events in, the next state and what to do out. Time is an argument.
 *
 * - `held`, and known to be: the last heartbeat that the service accepted was sent less than the lease time
 *   ago. Heartbeats go out on the interval, one in flight at most; a failed one is tried again soon.
 * - `held`, in doubt (`verifyFrom` is set): time jumped (the machine slept, or the process stood still), or
 *   a task of an earlier process is taken up again. A heartbeat sent since then must be accepted before the
 *   next step; within {@link LeaseConfig.verifyMs} after a jump, without limit where nothing acts yet.
 * - `held`, and no longer `acting`: the run has ended and its report is under way. Heartbeats keep the token
 *   alive; their answers fence nothing any more, because sending the report brings the truth.
 * - `lost`: the service said that the token is dead, or accepted nothing for the lease time. Final: no
 *   command ever comes out of it again.
 * - `over`: released. Final.
 */
import { backoffMs } from '../base/backoff.ts';

/** Both clocks at one moment: either may stand still or jump while a machine sleeps, depending on the system. */
export interface Instant {
  monotonicMs: number;
  wallMs: number;
}

export interface LeaseConfig {
  /** Between two heartbeats. */
  intervalMs: number;
  /** From sending the last accepted heartbeat until the lease is lost. */
  leaseMs: number;
  /** How long after a jump of time the lease may stay unverified. */
  verifyMs: number;
  /** Time between two events beyond which the process must have slept: ticks come much more often. */
  gapMs: number;
}

export type LeaseState = HeldLease | { phase: 'lost'; reason: string } | { phase: 'over' };

export interface HeldLease {
  phase: 'held';
  /** The run may act. */
  acting: boolean;
  /** When the last accepted heartbeat was sent (monotonic); at first, when the task was received. */
  acceptedAtMs: number;
  /** How many heartbeats were sent; also the number of the last one. */
  sent: number;
  inFlight: { number: number; sentAtMs: number } | null;
  /** When to send the next one (monotonic). */
  nextAtMs: number;
  /** In a row. */
  failures: number;
  lastFailure: string;
  /** In doubt until a heartbeat of this number or a later one is accepted; null: known to be held. */
  verifyFrom: number | null;
  /** Lost if still in doubt then (monotonic). */
  verifyByMs: number;
  seen: Instant;
}

export type LeaseEvent =
  | { type: 'tick'; now: Instant }
  /** The machine says that it slept. */
  | { type: 'woke'; now: Instant }
  | { type: 'accepted'; now: Instant }
  /** The service said that the token is dead. */
  | { type: 'rejected'; now: Instant; reason: string }
  /** No answer, or one that says nothing about the token. `random` is 0 (incl.) to 1 (excl.). */
  | { type: 'failed'; now: Instant; reason: string; random: number }
  /** The run has ended, its report is next. */
  | { type: 'run-ended' }
  | { type: 'release' };

export type LeaseCommand = { type: 'send'; number: number } | { type: 'fence'; reason: string };

/** First pause after a failed heartbeat; doubles up to the interval. */
const RETRY_FIRST_MS = 1_000;

/** @param unverified the task is of an earlier process, or was received long ago without our knowing */
export function newLease(now: Instant, unverified: boolean): HeldLease {
  return {
    phase: 'held',
    acting: true,
    acceptedAtMs: now.monotonicMs,
    sent: 0,
    inFlight: null,
    nextAtMs: now.monotonicMs, // the first heartbeat at once: it proves the token before much has happened
    failures: 0,
    lastFailure: '',
    verifyFrom: unverified ? 1 : null,
    verifyByMs: Infinity,
    seen: now,
  };
}

export function reduceLease(
  state: LeaseState,
  event: LeaseEvent,
  config: LeaseConfig,
): { state: LeaseState; commands: LeaseCommand[] } {
  if (state.phase !== 'held') return { state, commands: [] };
  if (event.type === 'release') return { state: { phase: 'over' }, commands: [] };
  if (event.type === 'run-ended') return { state: { ...state, acting: false }, commands: [] };
  const looked = noticeGap(state, event.now, config, event.type === 'woke');
  const answered = answer(looked, event, config);
  if (answered.phase !== 'held') return { state: answered, commands: fenceOf(answered) };
  return actOn(answered, event.now, config);
}

/** Whether a step may act now. */
export function isVerified(state: LeaseState): boolean {
  return state.phase === 'held' && state.verifyFrom === null;
}

/** When something is due, on the monotonic clock, if nothing else happens. */
export function nextDueMs(state: HeldLease, config: LeaseConfig): number {
  const deadlineMs = state.acting ? deadline(state, config).atMs : Infinity;
  return Math.min(state.inFlight ? Infinity : state.nextAtMs, deadlineMs);
}

function noticeGap(state: HeldLease, now: Instant, config: LeaseConfig, isTold: boolean): HeldLease {
  const passedMs = Math.max(now.monotonicMs - state.seen.monotonicMs, now.wallMs - state.seen.wallMs);
  // Told when it was noticed before: the heartbeat of then is the proof.
  const isNews = passedMs > config.gapMs || (isTold && state.verifyFrom === null);
  if (!isNews) return { ...state, seen: now };
  return {
    ...state,
    seen: now,
    nextAtMs: now.monotonicMs,
    verifyFrom: state.sent + 1,
    // A second jump while still in doubt does not prolong the doubt.
    verifyByMs: state.verifyFrom === null ? now.monotonicMs + config.verifyMs : state.verifyByMs,
  };
}

function answer(
  state: HeldLease,
  event: Exclude<LeaseEvent, { type: 'release' | 'run-ended' }>,
  config: LeaseConfig,
): LeaseState {
  if (event.type === 'tick' || event.type === 'woke' || !state.inFlight) return state;
  const { number, sentAtMs } = state.inFlight;
  const landed: HeldLease = { ...state, inFlight: null };
  switch (event.type) {
    case 'accepted': {
      const verified = state.verifyFrom === null || number >= state.verifyFrom;
      return {
        ...landed,
        failures: 0,
        lastFailure: '',
        acceptedAtMs: sentAtMs,
        verifyFrom: verified ? null : state.verifyFrom,
        verifyByMs: verified ? Infinity : state.verifyByMs,
        // Of before the jump: it says nothing about now, so the next one goes out at once.
        nextAtMs: verified ? sentAtMs + config.intervalMs : event.now.monotonicMs,
      };
    }
    case 'rejected':
      return state.acting ? { phase: 'lost', reason: event.reason } : { phase: 'over' };
    case 'failed': {
      const failures = state.failures + 1;
      const retry = { firstMs: RETRY_FIRST_MS, mostMs: config.intervalMs };
      return {
        ...landed,
        failures,
        lastFailure: event.reason,
        nextAtMs: event.now.monotonicMs + backoffMs(retry, failures, event.random),
      };
    }
    default:
      return event satisfies never;
  }
}

function actOn(
  state: HeldLease,
  now: Instant,
  config: LeaseConfig,
): { state: LeaseState; commands: LeaseCommand[] } {
  if (state.acting) {
    const { atMs, reason } = deadline(state, config);
    if (now.monotonicMs >= atMs) {
      const lost: LeaseState = { phase: 'lost', reason };
      return { state: lost, commands: fenceOf(lost) };
    }
  }
  if (state.inFlight || now.monotonicMs < state.nextAtMs) return { state, commands: [] };
  const number = state.sent + 1;
  return {
    state: { ...state, sent: number, inFlight: { number, sentAtMs: now.monotonicMs } },
    commands: [{ type: 'send', number }],
  };
}

function deadline(state: HeldLease, config: LeaseConfig): { atMs: number; reason: string } {
  const last = state.lastFailure ? ` (last answer: ${state.lastFailure})` : '';
  return state.verifyFrom === null
    ? {
        atMs: state.acceptedAtMs + config.leaseMs,
        reason: `no heartbeat was accepted for ${config.leaseMs / 1000} s${last}`,
      }
    : {
        atMs: state.verifyByMs,
        reason: `no heartbeat was accepted within ${config.verifyMs / 1000} s after this machine or process stood still${last}`,
      };
}

function fenceOf(state: LeaseState): LeaseCommand[] {
  return state.phase === 'lost' ? [{ type: 'fence', reason: state.reason }] : [];
}
