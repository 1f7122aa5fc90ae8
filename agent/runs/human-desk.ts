/**
 * Where a run waits for a person. A run asks with {@link HumanDesk.ask}; whoever serves the person (the
 * command line today, the live view and the tray later) answers with {@link HumanDesk.resume}.
 */
import { AgentError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import type { EventBus } from '../base/events.ts';

/** How often the `until` condition of a request is looked at. */
const CONDITION_POLL_MS = 500;

export interface HumanRequest {
  runId: string;
  stepNumber: number;
  message: string;
  timeoutMs: number;
  /** What the time-out runs by: the run's own, which stands still while it is paused. Default: the desk's. */
  clock?: Clock;
  /** Ends the wait by itself when it answers true. */
  until?: (signal: AbortSignal) => Promise<boolean>;
}

export class HumanDesk {
  readonly #clock: Clock;
  readonly #events: EventBus;
  readonly #waiting = new Map<string, { request: HumanRequest; resume: () => void }>();

  constructor(options: { clock: Clock; events: EventBus }) {
    this.#clock = options.clock;
    this.#events = options.events;
  }

  pending(): HumanRequest[] {
    return [...this.#waiting.values()].map(({ request }) => request);
  }

  /** The person is done. False when the run does not wait for anybody. */
  resume(runId: string): boolean {
    const entry = this.#waiting.get(runId);
    entry?.resume();
    return entry !== undefined;
  }

  /**
   * Resolves with who ended the wait.
   *
   * @throws AgentError BrowserAgent.HumanTimeout after `timeoutMs`; the signal's reason when aborted
   */
  async ask(request: HumanRequest, signal: AbortSignal): Promise<'person' | 'condition'> {
    signal.throwIfAborted();
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    const byPerson = new Promise<'person'>((resolve) => {
      this.#waiting.set(request.runId, { request, resume: () => resolve('person') });
    });
    const deadline = this.#clock.now() + request.timeoutMs;
    this.#events.emit({
      type: 'human.requested',
      runId: request.runId,
      stepNumber: request.stepNumber,
      message: request.message,
      deadline,
    });
    let by: 'person' | 'condition' | 'timeout' | 'cancel' = 'cancel';
    try {
      const outcome = await Promise.race([
        byPerson,
        this.#condition(request, stop),
        (request.clock ?? this.#clock).sleep(request.timeoutMs, stop).then(() => 'timeout' as const),
      ]);
      by = outcome;
      if (outcome === 'timeout') {
        throw new AgentError(
          'BrowserAgent.HumanTimeout',
          `nobody answered within ${Math.round(request.timeoutMs / 1000)} s: ${request.message}. Give the step a longer "timeout", or an "until" condition that ends the wait by itself.`,
        );
      }
      return outcome;
    } finally {
      this.#waiting.delete(request.runId);
      over.abort();
      this.#events.emit({ type: 'human.resolved', runId: request.runId, by });
    }
  }

  async #condition(request: HumanRequest, signal: AbortSignal): Promise<'condition'> {
    for (;;) {
      await this.#clock.sleep(CONDITION_POLL_MS, signal);
      if (request.until && (await request.until(signal))) return 'condition';
    }
  }
}
