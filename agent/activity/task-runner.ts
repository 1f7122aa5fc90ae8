/**
 * What happens with one task that is on disk: read it, keep its lease, run it, put its report into the
 * outbox. How it ends is a value; only a bug throws.
 */
import type { Clock } from '../base/clock.ts';
import { messageOf, toAgentError, type AgentError } from '../base/errors.ts';
import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import { LeaseLost, type RunExecutor, type RunOutcome, type RunRequest } from '../runs/types.ts';
import type { Report } from '../store/outbox.ts';
import type { TaskRow, TaskStore } from '../store/tasks.ts';
import { Lease, type LeaseStatus } from './lease.ts';
import type { Outbox, Settlement } from './outbox.ts';
import { buildReport, failureReport, type Offload } from './report.ts';
import type { ActivityService } from './service.ts';
import { readTask } from './task-request.ts';

export interface TaskRunnerOptions {
  tasks: TaskStore;
  outbox: Outbox;
  executor: RunExecutor;
  service: Pick<ActivityService, 'sendTaskHeartbeat'>;
  offload?: Offload | undefined;
  heartbeatMs: number;
  leaseMs?: number | undefined;
  events: EventBus;
  clock: Clock;
  random: () => number;
  log: Logger;
}

export type TaskEnd =
  | { kind: 'reported'; outcome: Report['kind'] }
  /** The token is dead; nothing was reported, or the report was not taken. */
  | { kind: 'lost'; reason: string }
  /** The report is on disk, for the next start. */
  | { kind: 'kept' };

export type TaskPhase = 'verifying' | 'waiting' | 'running' | 'reporting';

export interface TaskView {
  taskId: string;
  runId: string;
  phase: TaskPhase;
  receivedAt: number;
  lease: LeaseStatus;
}

export class TaskRunner {
  readonly row: TaskRow;
  readonly #options: TaskRunnerOptions;
  readonly #abort = new AbortController();
  readonly #lease: Lease;
  readonly #log: Logger;
  #phase: TaskPhase = 'verifying';
  #lostAtMs: number | null = null;
  readonly #acted = Promise.withResolvers<void>();

  /** @param facts.unverified received by an earlier process, or long ago: ask the service before acting */
  constructor(row: TaskRow, facts: { unverified: boolean }, options: TaskRunnerOptions) {
    this.row = row;
    this.#options = options;
    this.#log = options.log.child({ taskId: row.task_id, runId: row.run_id });
    this.#lease = new Lease({
      token: row.token,
      unverified: facts.unverified,
      heartbeatMs: options.heartbeatMs,
      ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
      service: options.service,
      clock: options.clock,
      random: options.random,
      log: this.#log,
      onAccepted: () => this.#heartbeatAccepted(),
      onLost: (loss) => this.#fence(loss),
    });
  }

  /**
   * @param turn waits for a slot, heartbeating; resolves with the function that gives it back, which is
   * called when the run has ended and its report is on disk
   */
  async run(turn: (signal: AbortSignal) => Promise<() => void>): Promise<TaskEnd> {
    const { row } = this;
    const read = readTask(row.input, { runId: row.run_id, taskId: row.task_id });
    if (!read.ok) {
      this.#phase = 'reporting';
      const release = await turn(this.#abort.signal);
      const settlement = this.#options.outbox.put(
        row.task_id,
        failureReport(read.error, { run_id: row.run_id }),
      );
      this.#acted.resolve();
      release();
      return endOf(await settlement, 'failure');
    }
    this.#lease.start();
    try {
      return await this.#runHeld(read.request, read.wrap, turn);
    } finally {
      await this.#lease.release();
    }
  }

  /** Cancels the run: it ends soon, and the task is reported as failed with this error. */
  cancel(reason: AgentError): void {
    this.#abort.abort(reason);
  }

  /** The machine slept. */
  woke(): void {
    this.#lease.woke();
  }

  /** Resolves when the run has ended and its report, if there is one, is on disk. */
  get acted(): Promise<void> {
    return this.#acted.promise;
  }

  status(): TaskView {
    const { task_id: taskId, run_id: runId, received_at: receivedAt } = this.row;
    return { taskId, runId, phase: this.#phase, receivedAt, lease: this.#lease.status() };
  }

  async #runHeld(
    request: RunRequest,
    wrap: Parameters<typeof buildReport>[1]['wrap'],
    turn: (signal: AbortSignal) => Promise<() => void>,
  ): Promise<TaskEnd> {
    const { clock, random, offload, outbox } = this.#options;
    let release: () => void = () => undefined;
    try {
      const outcome = await this.#outcomeOf(request, async (signal) => {
        release = await turn(signal);
      });
      if (this.#lease.lost === null) this.#lease.runEnded();
      else return this.#lost(this.#lease.lost);
      this.#phase = 'reporting';
      const report = await buildReport(outcome, { wrap, offload, clock, random });
      if (!report) return this.#lost(outcome.error?.message ?? 'the run ended as lost');
      const settlement = outbox.put(this.row.task_id, report);
      this.#acted.resolve();
      release();
      return endOf(await settlement, report.kind);
    } finally {
      this.#acted.resolve();
      release();
    }
  }

  async #outcomeOf(
    request: RunRequest,
    waitForTurn: (signal: AbortSignal) => Promise<void>,
  ): Promise<RunOutcome> {
    const { signal } = this.#abort;
    const { executor, tasks } = this.#options;
    try {
      await this.#untilAborted(this.#lease.verified());
      this.#phase = 'waiting';
      await waitForTurn(signal);
      signal.throwIfAborted();
      this.#phase = 'running';
      tasks.running(this.row.task_id);
      return await executor.execute(request, { signal, beforeStep: () => this.#lease.verified() });
    } catch (thrown) {
      return outcomeOfThrown(this.row.run_id, signal.aborted ? signal.reason : thrown);
    }
  }

  async #untilAborted(wait: Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([wait, promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #fence(loss: LeaseLost): void {
    const { events, clock } = this.#options;
    this.#lostAtMs = clock.monotonic();
    this.#abort.abort(loss);
    const { task_id: taskId, run_id: runId } = this.row;
    this.#log.warn({ reason: loss.message }, 'lease lost: the run is stopped and nothing is reported');
    events.emit({ type: 'lease.lost', taskId, runId, reason: loss.message });
  }

  #lost(reason: string): TaskEnd {
    const { tasks, clock } = this.#options;
    tasks.lost(this.row.task_id, {
      reason,
      now: clock.now(),
      ...(this.#lostAtMs === null ? {} : { fenceMs: clock.monotonic() - this.#lostAtMs }),
    });
    return { kind: 'lost', reason };
  }

  #heartbeatAccepted(): void {
    try {
      this.#options.tasks.heartbeatAccepted(this.row.task_id, this.#options.clock.now());
    } catch (thrown) {
      // For display only: a full disk must not cost the lease.
      this.#log.warn({ err: thrown }, `noting a heartbeat failed: ${messageOf(thrown)}`);
    }
  }
}

export function endOf(settlement: Settlement, outcome: Report['kind']): TaskEnd {
  switch (settlement.kind) {
    case 'taken':
      return { kind: 'reported', outcome };
    case 'dead':
      return { kind: 'lost', reason: settlement.reason };
    case 'kept':
      return { kind: 'kept' };
    default:
      return settlement satisfies never;
  }
}

/** An executor never throws; if it does, or if the run was ended before it began, this is its outcome. */
function outcomeOfThrown(runId: string, thrown: unknown): RunOutcome {
  if (thrown instanceof LeaseLost) return { runId, state: 'lost', result: {}, returnOnFailure: false };
  const error = toAgentError(thrown);
  return {
    runId,
    state: error.errorName === 'BrowserAgent.Cancelled' ? 'cancelled' : 'failed',
    result: {},
    error: {
      name: error.errorName,
      message: error.message,
      cause: { run_id: runId, message: error.message },
    },
    returnOnFailure: false,
  };
}
