/**
 * What happens when an AWS service fails, layer by layer; this file is the middle one.
 *
 * 1. Inside the SDK: short calls (SSM, Secrets Manager, STS, DescribeActivity) are sent up to three times
 *    with exponential backoff and full jitter, which hides blips of a second. S3, polls, heartbeats and
 *    reports are sent once: layer 3 has a better answer for each.
 * 2. Here: one circuit breaker per service. {@link FAILURES_TO_OPEN} calls in a row that ended in a transient
 *    failure (an outage by failure-kinds.ts) open it: calls then end at once in {@link ServiceUnavailable}, which says
 *    when the next is let through. That one is the probe: its success closes the breaker, its failure opens
 *    it for longer. So a service that is down costs no sockets, no waits and one line in the log, and its
 *    state is there to be looked at.
 * 3. Above: loops that keep what they have until it is done. Poll loop and outbox (RETRY_PACE) and upload queue
 *    (uploads/retry.ts) wait with exponential backoff and jitter, from a second to some minutes.
 *    They take ServiceUnavailable as "not now": nothing was sent, so no attempt is counted.
 *
 * Never held back, whatever the breaker says ({@link NEVER_HELD_BACK}):
 * - SendTaskHeartbeat: the lease is lost by time. A heartbeat that is not sent loses it for certain, one that
 *   fails costs nothing; and a breaker that polls have opened says nothing about the next heartbeat.
 * - SendTaskSuccess and SendTaskFailure: the task times out at the service meanwhile. They are few, and the
 *   outbox has its own pace.
 * - What {@link Resilience.unguarded} encloses: an output that must be in S3 before its task can be reported.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleWhen,
  type CircuitBreakerPolicy,
  type IBackoff,
  type IBackoffFactory,
} from 'cockatiel';
import { AgentError } from '../base/errors.ts';
import { maskText } from '../base/mask-sensitive.ts';
import { AWS_SERVICES, SERVICES, type AwsService, type ServiceState } from '../base/services.ts';
import { describeAwsFailure, type AwsFailure } from './errors.ts';
import type { AwsFailureKind } from './failure-kinds.ts';

/** One or two are a blip that layers 1 and 3 get over; five in a row, seconds apart, are an outage. */
const FAILURES_TO_OPEN = 5;
/** Until the first probe and the most between two, in milliseconds, with decorrelated jitter between. */
const FIRST_OPEN_MS = 5_000;
const MOST_OPEN_MS = 60_000;

export const NEVER_HELD_BACK: ReadonlySet<string> = new Set([
  'SendTaskHeartbeatCommand',
  'SendTaskSuccessCommand',
  'SendTaskFailureCommand',
]);

export interface ServiceHealth {
  service: AwsService;
  state: ServiceState;
  /** When it came into this state, or, while not closed, when it was closed last. Milliseconds since the epoch. */
  since: number;
  /** Of the last transient failure since it worked; null while there is none. */
  lastError: string | null;
  /** Transient failures in a row. */
  failures: number;
  /** When the next call is let through; null while closed. */
  retryAt: number | null;
}

/** Nothing was sent: the service has been failing, and is not asked before `retryAt`. */
export class ServiceUnavailable extends AgentError {
  readonly service: AwsService;
  /** Milliseconds since the epoch. */
  readonly retryAt: number;
  /** What kept failing. */
  readonly kind: AwsFailureKind;

  constructor({ service, retryAt, lastError }: ServiceHealth & { retryAt: number }, kind: AwsFailureKind) {
    super(
      'BrowserAgent.Internal',
      `${SERVICES[service].name} has been failing (${lastError ?? 'unknown error'}) and is not asked again before ${new Date(retryAt).toISOString()}`,
      { data: { service, retry_at: new Date(retryAt).toISOString() } },
    );
    this.name = 'ServiceUnavailable';
    this.service = service;
    this.retryAt = retryAt;
    this.kind = kind;
  }
}

/** How one call went, for counting. */
export interface AwsCall {
  service: AwsService;
  /** `failed`: an answer that says no; `transient`: an outage by failure-kinds.ts; `held_back`: not sent. */
  result: 'ok' | 'failed' | 'transient' | 'held_back';
  /** Requests beyond the first. */
  retries: number;
}

export interface ResilienceOptions {
  now: () => number;
  onChange?: (health: ServiceHealth) => void;
  onCall?: (call: AwsCall) => void;
  /** Until the first probe, milliseconds; default {@link FIRST_OPEN_MS}. */
  firstOpenMs?: number;
}

interface Watched {
  health: ServiceHealth;
  kind: AwsFailureKind;
  openMs: number;
  breaker: CircuitBreakerPolicy;
}

export class Resilience {
  readonly #options: ResilienceOptions;
  readonly #services: ReadonlyMap<AwsService, Watched>;
  readonly #unguarded = new AsyncLocalStorage<true>();

  constructor(options: ResilienceOptions) {
    this.#options = options;
    this.#services = new Map(AWS_SERVICES.map((service) => [service, this.#watch(service)]));
  }

  /** Every call of the SDK goes through this. @throws ServiceUnavailable, or what the call throws */
  async call<T>(service: AwsService, command: string, send: () => Promise<T>): Promise<T> {
    const isFree = NEVER_HELD_BACK.has(command) || this.#unguarded.getStore() === true;
    return isFree ? this.#counted(service, send) : this.#guarded(service, command, send);
  }

  /** No call that `work` makes is held back or counted by a breaker. */
  unguarded<T>(work: () => Promise<T>): Promise<T> {
    return this.#unguarded.run(true, work);
  }

  health(): ServiceHealth[] {
    return [...this.#services.values()].map(({ health }) => ({ ...health }));
  }

  /** A person wants it tried now: lets calls through again, whatever was before. */
  reset(service: AwsService): void {
    const { breaker } = this.#services.get(service)!;
    if (breaker.state !== CircuitState.Closed) breaker.isolate().dispose();
  }

  async #guarded<T>(service: AwsService, command: string, send: () => Promise<T>): Promise<T> {
    const watched = this.#services.get(service)!;
    try {
      const outcome = await watched.breaker.execute(async () => {
        try {
          const value = await this.#counted(service, send);
          Object.assign(watched.health, { failures: 0, lastError: null });
          return { ok: true as const, value };
        } catch (thrown) {
          const failure = failureOf(service, command, thrown);
          // A service that says no works; only a call without any answer says nothing either way.
          if (!failure.isOutage && failure.httpStatus > 0) return { ok: false as const, thrown };
          if (failure.isOutage) noteFailure(watched, failure);
          throw thrown;
        }
      });
      if (outcome.ok) return outcome.value;
      throw outcome.thrown;
    } catch (thrown) {
      if (!(thrown instanceof BrokenCircuitError)) throw thrown;
      this.#options.onCall?.({ service, result: 'held_back', retries: 0 });
      const retryAt = watched.health.retryAt ?? this.#options.now();
      throw new ServiceUnavailable({ ...watched.health, retryAt }, watched.kind);
    }
  }

  async #counted<T>(service: AwsService, send: () => Promise<T>): Promise<T> {
    try {
      const value = await send();
      this.#options.onCall?.({ service, result: 'ok', retries: retriesOf((value as Answer).output) });
      return value;
    } catch (thrown) {
      const { isOutage } = failureOf(service, '', thrown);
      this.#options.onCall?.({
        service,
        result: isOutage ? 'transient' : 'failed',
        retries: retriesOf(thrown),
      });
      throw thrown;
    }
  }

  #watch(service: AwsService): Watched {
    const { now } = this.#options;
    const initialDelay = this.#options.firstOpenMs ?? FIRST_OPEN_MS;
    const backoff = new ExponentialBackoff({ initialDelay, maxDelay: MOST_OPEN_MS });
    const watched: Watched = {
      health: { service, state: 'closed', since: now(), lastError: null, failures: 0, retryAt: null },
      kind: 'offline',
      openMs: 0,
      breaker: circuitBreaker(
        handleWhen((thrown) => failureOf(service, '', thrown).isOutage),
        {
          halfOpenAfter: noting(backoff, (ms) => {
            watched.openMs = ms;
          }),
          breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
        },
      ),
    };
    watched.breaker.onStateChange((state) => {
      const { health } = watched;
      const before = health.state;
      health.state = STATES[state];
      health.retryAt = health.state === 'open' ? now() + watched.openMs : null;
      if (before === 'closed' || health.state === 'closed') health.since = now();
      if (before !== health.state) this.#options.onChange?.({ ...health });
    });
    return watched;
  }
}

function failureOf(service: AwsService, command: string, thrown: unknown): AwsFailure {
  return describeAwsFailure(thrown, { call: command, resource: SERVICES[service].name }, service);
}

function noteFailure(watched: Watched, { kind, message }: AwsFailure): void {
  watched.kind = kind;
  watched.health.failures += 1;
  watched.health.lastError = maskText(message);
}

const STATES: Record<CircuitState, ServiceState> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
};

/** The library does not say how long it stays open; who is refused is to know. */
function noting(factory: IBackoffFactory<unknown>, note: (ms: number) => void): IBackoffFactory<unknown> {
  const wrap = (inner: IBackoff<unknown>): IBackoff<unknown> => ({
    duration: inner.duration,
    next: (context) => {
      const next = inner.next(context);
      note(next.duration);
      return wrap(next);
    },
  });
  return {
    next: (context) => {
      const first = factory.next(context);
      note(first.duration);
      return wrap(first);
    },
  };
}

interface Answer {
  output?: unknown;
}

/** Answers and errors of the SDK both say how often they were sent. */
function retriesOf(what: unknown): number {
  const { attempts = 1 } = (what as { $metadata?: { attempts?: number } } | undefined)?.$metadata ?? {};
  return Math.max(0, attempts - 1);
}
