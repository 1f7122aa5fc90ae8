/**
 * The worker of one activity: starts, joins and stops the poll loop, the tasks and the outbox. Its states
 * are described in worker-state.ts.
 *
 * Two verbs, not one: {@link Worker.drain} lets everything that was begun come to its end, however long
 * that takes; {@link Worker.stop} does the same until a deadline, then cancels what is left. A first SIGTERM
 * is `stop({ deadlineMs: drain deadline })`, a second one `stop({ deadlineMs: 0 })`.
 */
import { systemClock, type Clock } from '../base/clock.ts';
import { drop } from '../base/drop.ts';
import { AgentError, messageOf, toAgentError } from '../base/errors.ts';
import { newRunId } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { RunOutcome } from '../runs/types.ts';
import { OutboxStore } from '../store/outbox.ts';
import { taskIdOf, TaskStore, type TaskRow } from '../store/tasks.ts';
import { lockWorker } from '../store/worker-lock.ts';
import { Outbox } from './outbox.ts';
import { PollLoop } from './poll-loop.ts';
import { describe } from './problems.ts';
import { planRecovery, type RecoveryPlan } from './recovery.ts';
import { buildReport, failureReport } from './report.ts';
import { toWorkerName, type ActivityTask } from './service.ts';
import { Slots } from './slots.ts';
import { endOf, TaskRunner, type TaskEnd } from './task-runner.ts';
import { wrapperOf } from './task-request.ts';
import { WorkerStateMachine } from './worker-state.ts';
import type { WorkerCounts, WorkerEnd, WorkerOptions, WorkerStatus } from './worker-types.ts';

export type { WorkerCounts, WorkerEnd, WorkerOptions, WorkerStatus } from './worker-types.ts';

/** Must be well below the state machine's HeartbeatSeconds, which should be three times this or more. */
export const DEFAULT_HEARTBEAT_MS = 20_000;
/** Closing browsers and sending the reports of cancelled runs takes a few seconds; then the process goes. */
const CANCEL_GRACE_MS = 10_000;
/** Telling the service about a task that cannot even be written down. */
const LAST_WORD_MS = 10_000;

export class Worker {
  readonly #options: WorkerOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Logger;
  readonly #state: WorkerStateMachine;
  readonly #tasks: TaskStore;
  readonly #outbox: Outbox;
  readonly #slots: Slots;
  readonly #poll: PollLoop;
  readonly #workerName: string;
  readonly #runners = new Set<TaskRunner>();
  /** Tasks from start to report, also those of an earlier process. */
  readonly #work = new Set<Promise<void>>();
  #polling: Promise<void> = Promise.resolve();
  readonly #ended = Promise.withResolvers<WorkerEnd>();
  /** Aborted when the worker is stopped: ends the waits of its own timers. */
  readonly #over = new AbortController();
  readonly #counts: WorkerCounts = { received: 0, succeeded: 0, failed: 0, lost: 0, refused: 0 };
  #unlock: () => void = () => undefined;
  #startedAt: number | null = null;
  #error: Error | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#log = options.log.child({ part: 'activity' });
    this.#workerName = toWorkerName(options.workerName);
    const shared = {
      service: options.service,
      events: options.events,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
    };
    this.#state = new WorkerStateMachine(options.events, this.#log);
    this.#tasks = new TaskStore(options.db);
    this.#outbox = new Outbox({ ...shared, store: new OutboxStore(options.db) });
    this.#slots = new Slots(options.concurrency ?? 1);
    this.#poll = new PollLoop({
      ...shared,
      activityArn: options.activityArn,
      workerName: this.#workerName,
      slots: this.#slots,
      onTask: (task, facts) => this.#onTask(task, facts),
      onProblem: (problem) => {
        const detail = problem ? `${describe(problem)} ${problem.advice}`.trim() : 'polling works again';
        options.events.emit({ type: 'agent.state', state: this.#state.state, detail });
      },
    });
  }

  /** Resolves when the worker is stopped; never rejects. */
  get done(): Promise<WorkerEnd> {
    return this.#ended.promise;
  }

  /**
   * Takes up what was left, then polls.
   * @throws AgentError when another process works on this data directory
   */
  start(): void {
    this.#state.to('starting');
    try {
      this.#unlock = lockWorker(this.#options.db);
    } catch (thrown) {
      this.#error = toAgentError(thrown);
      this.#end();
      throw thrown;
    }
    this.#startedAt = this.#clock.now();
    this.#outbox.start();
    const plan = planRecovery(this.#tasks, this.#options.journal);
    this.#recover(plan);
    this.#state.to('working');
    if (this.#options.once && plan.toRun.length > 0) this.#drain('the one task is there');
    this.#polling = this.#guard(this.#poll.run(), 'the poll loop');
  }

  /** Starts no poll until {@link resume}; runs go on. */
  pause(): void {
    if (!this.#state.is('working')) return;
    this.#poll.pause();
    this.#state.to('paused');
  }

  resume(): void {
    if (!this.#state.is('paused')) return;
    this.#state.to('working');
    this.#poll.resume();
  }

  /** Takes no further task; resolves when what was begun has ended and is reported. */
  drain(): Promise<WorkerEnd> {
    this.#drain('asked to');
    return this.done;
  }

  /** Drains until the deadline, then cancels. May be called again with a nearer deadline. */
  stop(options: { deadlineMs: number }): Promise<WorkerEnd> {
    this.#drain(`asked to, within ${options.deadlineMs / 1000} s`);
    drop(this.#cancelAfter(options.deadlineMs), this.#log, 'stopping');
    return this.done;
  }

  /** The machine slept: every lease is in doubt until a heartbeat sent now is accepted. */
  woke(): void {
    for (const runner of this.#runners) runner.woke();
  }

  status(): WorkerStatus {
    return {
      state: this.#state.state,
      activityArn: this.#options.activityArn,
      workerName: this.#workerName,
      concurrency: this.#options.concurrency ?? 1,
      startedAt: this.#startedAt,
      poll: this.#poll.status(),
      tasks: [...this.#runners].map((runner) => runner.status()),
      outbox: this.#outbox.status(),
      counts: { ...this.#counts },
    };
  }

  #recover(plan: RecoveryPlan): void {
    for (const { row, outcome } of plan.toReport) {
      this.#log.warn(
        { taskId: row.task_id, runId: row.run_id },
        'an earlier process left this task unreported',
      );
      this.#join(this.#reportLeftover(row, outcome), 'reporting a task of an earlier process');
    }
    for (const row of plan.toRun) {
      this.#log.info(
        { taskId: row.task_id, runId: row.run_id },
        'an earlier process left this task unstarted',
      );
      this.#run(row, { unverified: true, turn: (signal) => this.#slots.take(signal) });
    }
  }

  async #reportLeftover(row: TaskRow, outcome: RunOutcome): Promise<TaskEnd> {
    const report = await buildReport(outcome, {
      wrap: wrapperOf(row.input),
      offload: this.#options.offload,
      clock: this.#clock,
      random: this.#random,
    });
    if (!report) throw new Error('the outcome of an ended run cannot be lost'); // recovery makes none
    return endOf(await this.#outbox.put(row.task_id, report), report.kind);
  }

  #onTask(task: ActivityTask, facts: { releaseSlot: () => void; stale: boolean }): void {
    const { events, once } = this.#options;
    try {
      if (this.#state.is('stopping', 'stopped')) throw draining('is stopping');
      const { row, isNew } = this.#tasks.receive({
        token: task.token,
        activityArn: this.#options.activityArn,
        input: task.input,
        runId: newRunId(),
        now: this.#clock.now(),
      });
      if (!isNew) {
        this.#log.warn({ taskId: row.task_id }, 'a task was handed over a second time; the first is kept');
        facts.releaseSlot();
        return;
      }
      this.#counts.received += 1;
      this.#log.info({ taskId: row.task_id, runId: row.run_id }, 'task received');
      events.emit({ type: 'task.received', taskId: row.task_id, runId: row.run_id });
      if (!this.#state.is('working')) {
        this.#refuse(row);
        facts.releaseSlot();
        return;
      }
      this.#run(row, { unverified: facts.stale, turn: () => Promise.resolve(facts.releaseSlot) });
      if (once) this.#drain('the one task is there');
    } catch (thrown) {
      facts.releaseSlot();
      const error =
        thrown instanceof AgentError
          ? thrown
          : new AgentError(
              'BrowserAgent.Internal',
              `The task could not be written down on the agent's machine, so it was not begun: ${messageOf(thrown)}. Look at the disk that its data directory is on, then start the agent again.`,
              { cause: thrown },
            );
      const said: Promise<void> = this.#lastWord(task.token, error)
        .catch((failed: unknown) => this.#log.error({ err: failed }, 'refusing a task failed'))
        .finally(() => this.#work.delete(said));
      this.#work.add(said);
      if (!this.#state.is('stopping', 'stopped')) this.#fail(thrown);
    }
  }

  #run(row: TaskRow, how: { unverified: boolean; turn: Parameters<TaskRunner['run']>[0] }): void {
    const { executor, offload, heartbeatMs, leaseMs, service, events } = this.#options;
    const runner = new TaskRunner(row, how, {
      tasks: this.#tasks,
      outbox: this.#outbox,
      executor,
      service,
      offload,
      heartbeatMs: heartbeatMs ?? DEFAULT_HEARTBEAT_MS,
      leaseMs,
      events,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
    });
    this.#runners.add(runner);
    this.#join(
      runner.run(how.turn).finally(() => this.#runners.delete(runner)),
      'a task',
    );
  }

  #refuse(row: TaskRow): void {
    this.#counts.refused += 1;
    const error = draining(this.#state.is('paused') ? 'is paused' : 'takes no new tasks');
    const settled = this.#outbox.put(row.task_id, failureReport(error, { run_id: row.run_id }));
    drop(settled, this.#log, 'refusing a task');
  }

  /** Nothing is on disk and nothing will be: say so to the service directly, once. */
  async #lastWord(token: string, error: AgentError): Promise<void> {
    const report = failureReport(error, { run_id: '' });
    this.#log.error({ taskId: taskIdOf(token), err: error }, 'a task could not be taken');
    if (report.kind !== 'failure') return;
    await this.#options.service.sendTaskFailure(token, report, AbortSignal.timeout(LAST_WORD_MS));
  }

  #drain(why: string): void {
    if (this.#state.is('made')) {
      this.#end();
      return;
    }
    if (!this.#state.is('starting', 'working', 'paused')) return;
    this.#state.to('draining', why);
    this.#poll.close();
    drop(this.#endWhenDrained(), this.#log, 'draining');
  }

  async #endWhenDrained(): Promise<void> {
    await this.#polling;
    await this.#workDone();
    if (this.#state.is('draining')) this.#end();
  }

  async #cancelAfter(deadlineMs: number): Promise<void> {
    try {
      if (deadlineMs > 0) await this.#clock.sleep(deadlineMs, this.#over.signal);
    } catch {
      return; // drained in time
    }
    if (!this.#state.is('draining')) return;
    this.#state.to('stopping');
    const reason = new AgentError(
      'BrowserAgent.Cancelled',
      'The agent was stopped before the run had ended.',
    );
    const runners = [...this.#runners];
    for (const runner of runners) runner.cancel(reason);
    const grace = new AbortController();
    const settled = Promise.all(runners.map((runner) => runner.acted)).then(() => this.#outbox.tried());
    const ended = await Promise.race([
      settled.then(() => true),
      this.#quietSleep(CANCEL_GRACE_MS, grace.signal).then(() => false),
    ]);
    grace.abort(new Error('nothing is left to wait for'));
    if (!ended) this.#log.error(`not everything ended within ${CANCEL_GRACE_MS / 1000} s of being cancelled`);
    this.#end();
  }

  async #quietSleep(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(ms, signal);
    } catch {
      // Not needed any more.
    }
  }

  /** The last transition, from wherever the worker is. */
  #end(): void {
    if (this.#state.is('stopped')) return;
    const reason = this.#error ? 'failed' : this.#state.is('stopping') ? 'stopped' : 'drained';
    const end: WorkerEnd = {
      reason,
      ...(this.#error ? { error: this.#error } : {}),
      pollLeftOpen: this.#poll.status().state === 'polling',
      runsLeft: [...this.#runners].filter((runner) => runner.status().phase !== 'reporting').length,
      reportsLeft: this.#outbox.size,
      counts: { ...this.#counts },
    };
    this.#over.abort(new Error('the worker was stopped'));
    this.#state.to('stopped', this.#error ? messageOf(this.#error) : undefined);
    drop(this.#letGo(end), this.#log, 'stopping the outbox');
  }

  async #letGo(end: WorkerEnd): Promise<void> {
    try {
      await this.#outbox.stop();
    } finally {
      this.#unlock();
      this.#ended.resolve(end);
    }
  }

  /** The first error wins; what was begun still comes to its end. */
  #fail(thrown: unknown): void {
    this.#error ??= thrown instanceof Error ? thrown : new Error(messageOf(thrown));
    this.#log.error({ err: thrown }, 'the worker failed and takes no further task');
    this.#drain(messageOf(thrown));
  }

  #join(task: Promise<TaskEnd>, what: string): void {
    const joined = this.#guard(
      task.then((end) => this.#count(end)),
      what,
    ).finally(() => this.#work.delete(joined));
    this.#work.add(joined);
  }

  async #guard(promise: Promise<unknown>, what: string): Promise<void> {
    try {
      await promise;
    } catch (thrown) {
      this.#log.error({ err: thrown }, `${what} failed`);
      this.#fail(thrown);
    }
  }

  async #workDone(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
    await this.#outbox.drained(this.#over.signal);
  }

  #count(end: TaskEnd): void {
    switch (end.kind) {
      case 'reported':
        this.#counts[end.outcome === 'success' ? 'succeeded' : 'failed'] += 1;
        return;
      case 'lost':
        this.#counts.lost += 1;
        return;
      case 'kept':
        return;
      default:
        end satisfies never;
    }
  }
}

function draining(what: string): AgentError {
  return new AgentError(
    'BrowserAgent.Draining',
    `This agent ${what}; the task was not begun. A Retry on this error in the state machine hands it to the next worker that polls.`,
  );
}
