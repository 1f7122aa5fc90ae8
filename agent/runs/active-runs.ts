/**
 * The runs that this process executes right now, whoever asked for them: so that each can be cancelled by its
 * id, and those that nobody waits for have somebody who ends them with the agent.
 */
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { PauseGate, type PauseState } from './pause-gate.ts';
import type { RunControl, RunExecutor, RunOutcome, RunRequest } from './types.ts';

/** What a cancelled run gets to close its browser and finish its evidence, in milliseconds. */
const CANCEL_GRACE_MS = 15_000;

/** How long a run may stand still at a stretch where nobody says, in milliseconds: nobody forgets it for longer. */
const MAX_PAUSE_MS = 3_600_000;

export interface PauseOptions {
  /** How long a run may stand still at a stretch, in milliseconds. */
  maxPauseMs?: () => number;
  /** A run was paused, stands still, or (null) goes on after `heldMs`. */
  onPause?: (runId: string, state: PauseState | null, heldMs: number) => void;
}

interface Active {
  own: AbortController;
  gate: PauseGate;
}

export class ActiveRuns implements RunExecutor {
  readonly #executor: RunExecutor;
  readonly #clock: Clock;
  readonly #pauses: PauseOptions;
  readonly #running = new Map<string, Active>();
  readonly #detached = new Set<Promise<RunOutcome>>();

  constructor(executor: RunExecutor, clock: Clock, pauses: PauseOptions = {}) {
    this.#executor = executor;
    this.#clock = clock;
    this.#pauses = pauses;
  }

  async execute(request: RunRequest, { signal, ...control }: Omit<RunControl, 'gate'>): Promise<RunOutcome> {
    const { runId } = request;
    const own = new AbortController();
    const gate = new PauseGate({
      clock: this.#clock,
      maxHeldMs: this.#pauses.maxPauseMs?.() ?? MAX_PAUSE_MS,
      onChange: (state, heldMs) => this.#pauses.onPause?.(runId, state, heldMs),
      onTooLong: (error) => own.abort(error),
    });
    this.#running.set(runId, { own, gate });
    try {
      return await this.#executor.execute(request, {
        ...control,
        gate,
        signal: AbortSignal.any([signal, own.signal]),
      });
    } finally {
      this.#running.delete(runId);
      gate.close();
    }
  }

  /** A run that belongs to no task and that nobody waits for; it ends at the latest with {@link stop}. */
  start(request: RunRequest): Promise<RunOutcome> {
    const run = this.execute(request, { signal: new AbortController().signal });
    this.#detached.add(run);
    const forget = (): boolean => this.#detached.delete(run);
    run.then(forget, forget);
    return run;
  }

  /** Runs begun with {@link start} that have not ended. */
  get detached(): number {
    return this.#detached.size;
  }

  isRunning(runId: string): boolean {
    return this.#running.has(runId);
  }

  /** @returns false when this process does not execute the run */
  cancel(runId: string, reason: AgentError): boolean {
    const run = this.#running.get(runId);
    run?.own.abort(reason);
    return run !== undefined;
  }

  /** Where the run can be made to stand still; undefined when this process does not execute it. */
  gate(runId: string): PauseGate | undefined {
    return this.#running.get(runId)?.gate;
  }

  /** Waits for the runs of {@link start}; those that are not done by the deadline are cancelled. */
  async stop({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    if (this.#detached.size === 0) return;
    const ended = this.#allEnded();
    if (deadlineMs > 0 && (await this.#within(ended, deadlineMs))) return;
    const reason = new AgentError(
      'BrowserAgent.Cancelled',
      'The agent was stopped before the run had ended.',
    );
    for (const { own } of this.#running.values()) own.abort(reason);
    await this.#within(ended, CANCEL_GRACE_MS);
  }

  async #allEnded(): Promise<void> {
    while (this.#detached.size > 0) await Promise.allSettled(this.#detached);
  }

  async #within(work: Promise<void>, ms: number): Promise<boolean> {
    const timer = new AbortController();
    const over = this.#clock.sleep(ms, timer.signal).then(
      () => false,
      () => false,
    );
    const done = await Promise.race([work.then(() => true), over]);
    timer.abort();
    return done;
  }
}
