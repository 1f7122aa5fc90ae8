import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StepFunctionsServer } from '../../test/fixtures/step-functions-server.ts';
import { AgentError } from '../base/errors.ts';
import { EventBus, type AgentEvent } from '../base/events.ts';
import { silentLogger } from '../base/log.ts';
import { LeaseLost, type RunExecutor, type RunOutcome, type RunRequest } from '../runs/types.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { OutboxStore } from '../store/outbox.ts';
import { RunStore } from '../store/runs.ts';
import { TaskStore, taskIdOf } from '../store/tasks.ts';
import { Worker, type WorkerOptions } from './worker.ts';

const SCRIPT = { name: 'S', steps: [{ action: 'wait', duration: 1 }] };

/** A run that goes on until the test ends it; a signal ends it too, as the run engine promises. */
interface HeldRun {
  request: RunRequest;
  signal: AbortSignal;
  beforeStep: () => Promise<void>;
  succeed: (result?: RunOutcome['result']) => void;
  fail: (name: string) => void;
}

class HeldRuns implements RunExecutor {
  readonly runs: HeldRun[] = [];
  #watchers: (() => void)[] = [];

  async execute(
    request: RunRequest,
    { signal, beforeStep }: { signal: AbortSignal; beforeStep?: () => Promise<void> },
  ): Promise<RunOutcome> {
    const { runId } = request;
    const { promise, resolve } = Promise.withResolvers<RunOutcome>();
    const failed = (name: string, message: string): RunOutcome => ({
      runId,
      state: name === 'BrowserAgent.Cancelled' ? 'cancelled' : 'failed',
      result: { success: false },
      error: { name, message, cause: { run_id: runId, message } },
      returnOnFailure: false,
    });
    const succeeded = (result: RunOutcome['result'] = {}): RunOutcome => ({
      runId,
      state: 'succeeded',
      result: { success: true, run_id: runId, ...result },
      returnOnFailure: false,
    });
    signal.addEventListener('abort', () => {
      const reason: unknown = signal.reason;
      if (reason instanceof LeaseLost) {
        resolve({ runId, state: 'lost', result: {}, returnOnFailure: false });
      } else if (reason instanceof AgentError) resolve(failed(reason.errorName, reason.message));
    });
    this.runs.push({
      request,
      signal,
      beforeStep: beforeStep ?? (() => Promise.resolve()),
      succeed: (result) => resolve(succeeded(result)),
      fail: (name) => resolve(failed(name, 'for the test')),
    });
    for (const wake of this.#watchers.splice(0)) wake();
    return promise;
  }

  async nth(count: number): Promise<HeldRun> {
    while (this.runs.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#watchers.push(resolve);
      await promise;
    }
    return this.runs[count - 1] as HeldRun;
  }
}

let dir: string;
let db: Database;
let server: StepFunctionsServer;
let held: HeldRuns;
let bus: EventBus;
let events: AgentEvent[];
let workers: Worker[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'worker-'));
  db = openDatabase(join(dir, 'agent.db'));
  server = await StepFunctionsServer.start();
  held = new HeldRuns();
  bus = new EventBus(silentLogger);
  events = [];
  workers = [];
  bus.on('test', (event) => events.push(event));
});

afterEach(async () => {
  server.endPolls();
  await Promise.all(workers.map((worker) => worker.stop({ deadlineMs: 0 })));
  await server.close();
  db.close();
  await rm(dir, { recursive: true });
});

function makeWorker(more: Partial<WorkerOptions> = {}): Worker {
  const worker = new Worker({
    db,
    service: server.service(),
    executor: held,
    journal: new RunStore(db),
    activityArn: 'arn:aws:states:eu-central-1:123456789012:activity:browser-remote-test',
    workerName: 'test worker',
    events: bus,
    log: silentLogger,
    ...more,
  });
  workers.push(worker);
  return worker;
}

function startWorker(more: Partial<WorkerOptions> = {}): Worker {
  const worker = makeWorker(more);
  worker.start();
  return worker;
}

const reported = () => server.until(() => server.reports.length > 0);
const taskOf = (token: string) => new TaskStore(db).get(taskIdOf(token));
const agentStates = () => events.flatMap((event) => (event.type === 'agent.state' ? [event.state] : []));

/** Resolves when the event comes; subscribe before what causes it. */
async function event(type: AgentEvent['type']): Promise<AgentEvent> {
  const { promise, resolve } = Promise.withResolvers<AgentEvent>();
  const off = bus.on('test', (seen) => {
    if (seen.type === type) resolve(seen);
  });
  return promise.finally(off);
}

describe('one task', () => {
  test('is on disk as running while it runs, and reported with the envelope back when it worked', async () => {
    startWorker();
    server.addTask('t1', { tool_name: 'browser_remote', tool_use_id: 'u1', tool_input: SCRIPT });
    const run = await held.nth(1);
    expect(run.request).toMatchObject({ taskId: taskIdOf('t1'), input: { kind: 'script' } });
    expect(taskOf('t1')).toMatchObject({ state: 'running', run_id: run.request.runId });
    const told = event('task.reported');
    run.succeed({ data: { x: 1 } });
    await told;
    expect(server.reports).toEqual([
      {
        token: 't1',
        output: {
          tool_name: 'browser_remote',
          tool_use_id: 'u1',
          tool_input: { script_output: { success: true, run_id: run.request.runId, data: { x: 1 } } },
          approved: true,
        },
      },
    ]);
    expect(taskOf('t1')).toMatchObject({ state: 'reported', token: '' });
  });

  test('carries its recording level and the name of who asks to the run', async () => {
    startWorker();
    server.addTask('t1', {
      tool_input: { script: 'invoices@2', variables: { month: 'May' } },
      recording_level: 'DEBUG',
      context: { state_machine: 'arn:aws:states:eu-central-1:123456789012:stateMachine:billing' },
    });
    expect((await held.nth(1)).request).toMatchObject({
      input: { kind: 'stored', name: 'invoices', version: '2', variables: { month: 'May' } },
      level: { level: 'DEBUG', reason: 'recording_level of the task input' },
      agentName: 'billing',
    });
  });

  test('that failed is reported with its error name', async () => {
    startWorker();
    server.addTask('t1', SCRIPT);
    (await held.nth(1)).fail('BrowserAgent.ElementNotFound');
    await reported();
    expect(server.reports).toMatchObject([{ error: 'BrowserAgent.ElementNotFound' }]);
  });

  test('whose input cannot be read fails with InvalidInput and runs nothing', async () => {
    startWorker();
    server.addTask('t1', 'no json');
    await reported();
    expect(server.reports).toMatchObject([{ error: 'BrowserAgent.InvalidInput' }]);
    expect(held.runs).toHaveLength(0);
  });

  test('whose executor throws is reported as an internal failure', async () => {
    startWorker({ executor: { execute: () => Promise.reject(new Error('a bug')) } });
    server.addTask('t1', SCRIPT);
    await reported();
    expect(server.reports).toMatchObject([{ error: 'BrowserAgent.Internal', cause: { message: 'a bug' } }]);
  });

  test('gets heartbeats from a timer of its own until its report is taken', async () => {
    startWorker({ heartbeatMs: 40 });
    server.addTask('t1', SCRIPT);
    const run = await held.nth(1);
    await server.until(() => server.count('SendTaskHeartbeat') >= 4);
    const gate = Promise.withResolvers<void>();
    server.next('SendTaskSuccess', { kind: 'after', gate: gate.promise });
    run.succeed();
    await server.until(() => server.count('SendTaskSuccess') === 1);
    const before = server.count('SendTaskHeartbeat');
    await server.until(() => server.count('SendTaskHeartbeat') >= before + 2);
    gate.resolve();
    await event('task.reported');
    expect(taskOf('t1')?.last_heartbeat_at).toBeGreaterThan(0);
    expect(taskOf('t1')?.state).toBe('reported');
  });
});

describe('a lost lease', () => {
  test.each(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken'])(
    'a heartbeat answered %s ends the run before its next step, and nothing is reported',
    async (name) => {
      startWorker({ heartbeatMs: 40 });
      server.addTask('t1', SCRIPT);
      const run = await held.nth(1);
      const lost = event('lease.lost');
      server.always('SendTaskHeartbeat', { kind: 'error', name });
      await lost;
      expect(run.signal.aborted).toBe(true);
      expect(run.signal.reason).toBeInstanceOf(LeaseLost);
      await expect(run.beforeStep()).rejects.toBeInstanceOf(LeaseLost);
      server.always('SendTaskHeartbeat', null);
      server.addTask('t2', SCRIPT); // the slot is free again
      await held.nth(2);
      expect(server.reports).toEqual([]);
      expect(taskOf('t1')).toMatchObject({ state: 'lost', lost_reason: expect.stringContaining(name) });
      expect(taskOf('t1')?.fence_ms).toBeLessThan(1_000);
    },
  );

  test('a run that ends well at the moment its lease is lost is not reported', async () => {
    startWorker({
      heartbeatMs: 40,
      executor: {
        execute: async ({ runId }, { signal }) => {
          const { promise, resolve } = Promise.withResolvers<void>();
          signal.addEventListener('abort', () => resolve());
          await promise;
          return { runId, state: 'succeeded', result: { success: true }, returnOnFailure: false };
        },
      },
    });
    server.addTask('t1', SCRIPT);
    await server.until(() => server.count('SendTaskHeartbeat') === 1);
    server.closeToken('t1');
    await event('lease.lost');
    await server.until(() => server.openPolls === 1); // the slot is given back at the end of the task
    expect(taskOf('t1')?.state).toBe('lost');
    expect(server.reports).toEqual([]);
    expect(server.count('SendTaskSuccess')).toBe(0);
  });

  test('none accepted for the lease time ends the run', async () => {
    startWorker({ heartbeatMs: 40, leaseMs: 200 });
    server.always('SendTaskHeartbeat', { kind: 'hang' });
    server.addTask('t1', SCRIPT);
    const lost = event('lease.lost');
    const run = await held.nth(1);
    expect(await lost).toMatchObject({
      reason: expect.stringContaining('no heartbeat was accepted for 0.2 s'),
    });
    expect(run.signal.aborted).toBe(true);
    expect(server.count('SendTaskHeartbeat')).toBe(1);
  });
});

describe('slots', () => {
  test('a second task waits at the service until the first has ended', async () => {
    startWorker();
    server.addTask('t1', SCRIPT);
    server.addTask('t2', SCRIPT);
    const run = await held.nth(1);
    expect(server.count('GetActivityTask')).toBe(1);
    run.succeed();
    await held.nth(2);
    expect(held.runs[1]?.request.taskId).toBe(taskIdOf('t2'));
  });

  test('a concurrency of two runs two at once and polls for no third', async () => {
    const worker = startWorker({ concurrency: 2 });
    for (const token of ['t1', 't2', 't3']) server.addTask(token, SCRIPT);
    await held.nth(2);
    expect(worker.status()).toMatchObject({ state: 'working', poll: { state: 'waiting_for_slot' } });
    expect(worker.status().tasks).toHaveLength(2);
    expect(server.count('GetActivityTask')).toBe(2);
  });

  test('a report that cannot be sent yet does not hold the slot', async () => {
    startWorker();
    server.next('SendTaskSuccess', { kind: 'error', name: 'AccessDeniedException' });
    server.addTask('t1', SCRIPT);
    server.addTask('t2', SCRIPT);
    (await held.nth(1)).succeed();
    await held.nth(2);
    expect(new OutboxStore(db).all()).toHaveLength(1);
  });
});

describe('ending', () => {
  test('a drain lets the open poll end and refuses its late task with Draining', async () => {
    const worker = startWorker();
    await server.until(() => server.openPolls === 1);
    const ended = worker.drain();
    server.addTask('late', SCRIPT);
    expect(await ended).toMatchObject({ reason: 'drained', pollLeftOpen: false, counts: { refused: 1 } });
    expect(server.reports).toMatchObject([{ token: 'late', error: 'BrowserAgent.Draining' }]);
    expect(server.calls.some((call) => call.abandoned)).toBe(false);
    expect(held.runs).toHaveLength(0);
    expect(agentStates()).toEqual(['starting', 'working', 'draining', 'stopped']);
  });

  test('a drain lets runs end and waits for their reports', async () => {
    const worker = startWorker();
    server.addTask('t1', SCRIPT);
    const run = await held.nth(1);
    const ended = worker.drain();
    expect(run.signal.aborted).toBe(false);
    run.succeed();
    expect(await ended).toMatchObject({ reason: 'drained', reportsLeft: 0, counts: { succeeded: 1 } });
    expect(server.reports).toHaveLength(1);
  });

  test('at the deadline the run is cancelled and reported as Cancelled', async () => {
    const worker = startWorker();
    server.addTask('t1', SCRIPT);
    await held.nth(1);
    expect(await worker.stop({ deadlineMs: 50 })).toMatchObject({ reason: 'stopped', runsLeft: 0 });
    expect(server.reports).toMatchObject([{ error: 'BrowserAgent.Cancelled' }]);
  });

  test('asked a second time, now: the first deadline no longer counts, the open poll is left open', async () => {
    const worker = startWorker({ concurrency: 2 });
    server.addTask('t1', SCRIPT);
    await held.nth(1);
    await server.until(() => server.openPolls === 1);
    const first = worker.stop({ deadlineMs: 600_000 });
    await worker.stop({ deadlineMs: 0 });
    expect(await first).toMatchObject({ reason: 'stopped', pollLeftOpen: true });
    expect(server.calls[1]?.abandoned).toBe(false);
    // Should a task come after all while this process lives, it is refused rather than forgotten.
    server.addTask('late', SCRIPT);
    await server.until(() => server.reports.some(({ token }) => token === 'late'));
    expect(server.reports.at(-1)).toMatchObject({ token: 'late', error: 'BrowserAgent.Draining' });
  });

  test('with once, it ends after one task', async () => {
    const worker = startWorker({ once: true });
    server.addTask('t1', SCRIPT);
    server.addTask('t2', SCRIPT);
    (await held.nth(1)).succeed();
    expect(await worker.done).toMatchObject({ reason: 'drained', counts: { received: 1, succeeded: 1 } });
    expect(server.count('GetActivityTask')).toBe(1);
  });

  test('a worker that was never started ends at once', async () => {
    expect(await makeWorker().drain()).toMatchObject({ reason: 'drained' });
  });
});

describe('pausing', () => {
  test('a paused worker refuses what the open poll brings, and polls again when resumed', async () => {
    const worker = startWorker();
    await server.until(() => server.openPolls === 1);
    worker.pause();
    server.addTask('t1', SCRIPT);
    await reported();
    expect(server.reports).toMatchObject([{ token: 't1', error: 'BrowserAgent.Draining' }]);
    expect(worker.status().state).toBe('paused');
    server.addTask('t2', SCRIPT);
    worker.resume();
    expect((await held.nth(1)).request.taskId).toBe(taskIdOf('t2'));
  });

  test('resumed before the open poll ends, nothing is refused', async () => {
    const worker = startWorker();
    await server.until(() => server.openPolls === 1);
    worker.pause();
    worker.resume();
    server.addTask('t1', SCRIPT);
    await held.nth(1);
    expect(server.count('GetActivityTask')).toBe(1);
  });
});

describe('one data directory', () => {
  test('a second worker on it is refused, and the first goes on', async () => {
    const first = startWorker();
    const other = openDatabase(join(dir, 'agent.db'));
    const second = makeWorker({ db: other });
    expect(() => second.start()).toThrow(/another agent/i);
    expect(await second.done).toMatchObject({ reason: 'failed' });
    other.close();
    server.addTask('t1', SCRIPT);
    await held.nth(1);
    expect(first.status().state).toBe('working');
  });

  test('after the first has ended it is free', async () => {
    const first = startWorker();
    await server.until(() => server.openPolls === 1);
    server.endPolls();
    void first.drain();
    server.endPolls();
    await first.stop({ deadlineMs: 0 });
    const second = startWorker();
    expect(second.status().state).toBe('working');
  });
});

test('a task that cannot be written to disk is not run: the service is told, and the worker ends', async () => {
  db.exec(`CREATE TRIGGER full BEFORE INSERT ON tasks BEGIN SELECT RAISE(ABORT, 'disk is full'); END`);
  const worker = startWorker();
  server.addTask('t1', SCRIPT);
  expect(await worker.done).toMatchObject({ reason: 'failed', error: { message: 'disk is full' } });
  await reported();
  expect(server.reports).toMatchObject([{ token: 't1', error: 'BrowserAgent.Internal' }]);
  expect(held.runs).toHaveLength(0);
});

test('a problem with polling is an event and is in the status, as what it is', async () => {
  server.next('GetActivityTask', { kind: 'error', name: 'ActivityDoesNotExist' });
  const told = event('agent.state'); // the first is "starting"
  const worker = makeWorker();
  const problem = new Promise<AgentEvent>((resolve) => {
    bus.on('test', (seen) => {
      if (seen.type === 'agent.state' && seen.detail?.includes('ActivityDoesNotExist')) resolve(seen);
    });
  });
  worker.start();
  await told;
  expect(await problem).toMatchObject({
    state: 'working',
    detail: expect.stringContaining('aws.activity_arn'),
  });
  expect(worker.status().poll.problem).toMatchObject({ class: 'missing', count: 1 });
});
