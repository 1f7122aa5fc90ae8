/**
 * Sends reports until Step Functions takes them or says that the token is dead. A report is on disk before
 * it is sent, so it also survives this process; one send per report is in flight at a time.
 */
import { RETRY_PACE } from '../aws/failure-kinds.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { drop } from '../base/drop.ts';
import { AgentError } from '../base/errors.ts';
import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import type { OutboxRow, OutboxStore, Report } from '../store/outbox.ts';
import { describe, problemOf, type Problem } from './problems.ts';
import { Repeated, type OngoingProblem } from './repeated.ts';
import { failureReport } from './report.ts';
import type { ActivityService } from './service.ts';
import { Slots } from './slots.ts';

/** Sends at once: after a long outage the reports of a day leave in a row, not in a burst. */
const SENDS_AT_ONCE = 4;
/** A full output over a slow line takes less. */
const CALL_MAX_MS = 30_000;

export interface OutboxOptions {
  store: OutboxStore;
  service: Pick<ActivityService, 'sendTaskSuccess' | 'sendTaskFailure'>;
  events: EventBus;
  clock: Clock;
  random: () => number;
  log: Logger;
}

/** How a report left; `kept` is one that is still on disk because the outbox was stopped. */
export type Settlement = { kind: 'taken' } | { kind: 'dead'; reason: string } | { kind: 'kept' };

export interface OutboxStatus {
  waiting: { taskId: string; runId: string; since: number; attempts: number; lastError: string | null }[];
  problem: OngoingProblem | null;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #problems: Repeated;
  readonly #stopped = new AbortController();
  readonly #slots = new Slots(SENDS_AT_ONCE);
  readonly #underway = new Map<string, Promise<Settlement>>();
  readonly #sending = new Set<Promise<unknown>>();

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#problems = new Repeated(options.log, 'reporting a task');
  }

  /** Takes up what an earlier process left; at once, because the waits it had chosen mean nothing any more. */
  start(): void {
    for (const row of this.#options.store.all()) {
      if (this.#underway.has(row.taskId)) continue;
      drop(this.#deliver(row, true), this.#options.log, 'reporting a task of an earlier process');
    }
  }

  /** Writes a report to disk, then sends it. Resolves when it has left, or when the outbox is stopped. */
  put(taskId: string, report: Report): Promise<Settlement> {
    const { store, clock } = this.#options;
    return this.#deliver(store.put(taskId, report, clock.now()), false);
  }

  get size(): number {
    return this.#underway.size;
  }

  /** Resolves when nothing waits any more, or when the signal is aborted. */
  async drained(signal: AbortSignal): Promise<void> {
    while (this.#underway.size > 0 && !signal.aborted) {
      const { promise: aborted, resolve } = Promise.withResolvers<void>();
      const onAbort = (): void => resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      await Promise.race([Promise.allSettled(this.#underway.values()), aborted]);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Resolves when every report that waits has been tried: what is left then would be waited for in vain. */
  async tried(): Promise<void> {
    while (this.#sending.size > 0) await Promise.allSettled(this.#sending);
  }

  /** Sends nothing more, cuts off what is in flight; what was not taken stays on disk. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the outbox was stopped'));
    await Promise.allSettled(this.#underway.values());
  }

  status(): OutboxStatus {
    return {
      waiting: this.#options.store.entries().map((row) => ({
        taskId: row.taskId,
        runId: row.runId,
        since: row.createdAt,
        attempts: row.attempts,
        lastError: row.lastError,
      })),
      problem: this.#problems.current,
    };
  }

  #deliver(row: OutboxRow, maybeSent: boolean): Promise<Settlement> {
    const settlement = this.#sendUntilSettled(row, maybeSent).finally(() =>
      this.#underway.delete(row.taskId),
    );
    this.#underway.set(row.taskId, settlement);
    return settlement;
  }

  /** @param maybeSent an earlier attempt, perhaps of an earlier process, may have been taken unheard */
  async #sendUntilSettled(row: OutboxRow, maybeSent: boolean): Promise<Settlement> {
    const { store, clock, random } = this.#options;
    let { report } = row;
    let unheard = maybeSent;
    let failures = 0;
    for (;;) {
      const sending = this.#send(row.token, report);
      this.#sending.add(sending);
      const sent = await sending;
      this.#sending.delete(sending);
      if (sent.kind === 'stopped') return { kind: 'kept' };
      if (sent.kind === 'taken') return this.#taken(row, report);
      const { problem } = sent;
      if (problem.class === 'dead_token') return this.#dead(row, reasonOf(problem, unheard));
      unheard ||= problem.unanswered;
      if (problem.class === 'refused_payload' || problem.class === 'refused_request') {
        if (report.kind === 'failure') return this.#dead(row, `refused: ${describe(problem)}`);
        report = refusedOutput(row, problem);
        store.replace(row.taskId, report, { now: clock.now(), error: describe(problem) });
        this.#options.log.error(
          { taskId: row.taskId, runId: row.runId },
          `the output was refused: ${describe(problem)}`,
        );
        continue;
      }
      failures += 1;
      this.#problems.failed(problem, clock.now());
      const pauseMs = backoffMs(RETRY_PACE[problem.pace], failures, random());
      store.notTaken(row.taskId, { nextAt: clock.now() + pauseMs, error: describe(problem) });
      try {
        await clock.sleep(pauseMs, this.#stopped.signal);
      } catch {
        return { kind: 'kept' };
      }
    }
  }

  async #send(
    token: string,
    report: Report,
  ): Promise<{ kind: 'taken' } | { kind: 'problem'; problem: Problem } | { kind: 'stopped' }> {
    const { service } = this.#options;
    let release: () => void;
    try {
      release = await this.#slots.take(this.#stopped.signal);
    } catch {
      return { kind: 'stopped' };
    }
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(CALL_MAX_MS), this.#stopped.signal]);
      if (report.kind === 'success') await service.sendTaskSuccess(token, report.output, signal);
      else await service.sendTaskFailure(token, report, signal);
      return { kind: 'taken' };
    } catch (thrown) {
      if (this.#stopped.signal.aborted) return { kind: 'stopped' };
      return { kind: 'problem', problem: problemOf(thrown) };
    } finally {
      release();
    }
  }

  #taken(row: OutboxRow, report: Report): Settlement {
    const { store, clock, events, log } = this.#options;
    const { taskId, runId } = row;
    this.#problems.worked(clock.now());
    store.taken(taskId, clock.now());
    const errorName = report.kind === 'failure' ? report.error : undefined;
    log.info({ taskId, runId, errorName }, `task reported: ${report.kind}`);
    events.emit({
      type: 'task.reported',
      taskId,
      runId,
      outcome: report.kind === 'success' ? 'succeeded' : 'failed',
      ...(errorName === undefined ? {} : { errorName }),
    });
    return { kind: 'taken' };
  }

  #dead(row: OutboxRow, reason: string): Settlement {
    const { store, clock, events, log } = this.#options;
    const { taskId, runId } = row;
    store.dead(taskId, { reason, now: clock.now() });
    log.warn({ taskId, runId }, `the report was not taken: ${reason}`);
    events.emit({ type: 'lease.lost', taskId, runId, reason });
    return { kind: 'dead', reason };
  }
}

function reasonOf(problem: Problem, unheard: boolean): string {
  return unheard
    ? `${describe(problem)} (an earlier attempt got no answer and may have been taken)`
    : describe(problem);
}

/** InvalidOutput and ValidationException: the same output would be refused for ever; this can arrive. */
function refusedOutput(row: OutboxRow, problem: Problem): Report {
  return failureReport(
    new AgentError(
      'BrowserAgent.Internal',
      `The run ended, but Step Functions refused its output: ${describe(problem)}`,
    ),
    { run_id: row.runId },
  );
}
