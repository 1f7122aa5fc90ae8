import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import { StepFunctionsServer } from '../../test/fixtures/step-functions-server.ts';
import { EventBus, type AgentEvent } from '../base/events.ts';
import { silentLogger } from '../base/log.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { OutboxStore, type Report } from '../store/outbox.ts';
import { TaskStore } from '../store/tasks.ts';
import { Outbox } from './outbox.ts';

let dir: string;
let db: Database;
let server: StepFunctionsServer;
let clock: ManualClock;
let events: AgentEvent[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'outbox-'));
  db = openDatabase(join(dir, 'agent.db'));
  server = await StepFunctionsServer.start();
  clock = new ManualClock();
  events = [];
});

afterEach(async () => {
  db.close();
  await server.close();
  await rm(dir, { recursive: true });
});

const success: Report = { kind: 'success', output: '{"success":true}' };

function outbox(): Outbox {
  const bus = new EventBus(silentLogger);
  bus.on('test', (event) => events.push(event));
  return new Outbox({
    store: new OutboxStore(db),
    service: server.service(),
    events: bus,
    clock,
    random: () => 0,
    log: silentLogger,
  });
}

function task(token: string): string {
  server.addTask(token, {});
  const store = new TaskStore(db);
  const { row } = store.receive({ token, activityArn: 'arn', input: '{}', runId: `run-${token}`, now: 1 });
  store.running(row.task_id);
  return row.task_id;
}

const stateOf = (taskId: string) => new TaskStore(db).get(taskId);

/** Advances the clock until the n-th send has come; real network in between. */
async function untilSent(operation: 'SendTaskSuccess' | 'SendTaskFailure', count: number): Promise<void> {
  while (server.count(operation) < count) await clock.advance(1_000);
}

test('a report is on disk before it is sent, and gone when it was taken', async () => {
  const taskId = task('t1');
  const gate = Promise.withResolvers<void>();
  server.next('SendTaskSuccess', { kind: 'after', gate: gate.promise });
  const settled = outbox().put(taskId, success);
  await server.until(() => server.count('SendTaskSuccess') === 1);
  expect(new OutboxStore(db).all()).toMatchObject([{ taskId, report: success, attempts: 0 }]);
  expect(stateOf(taskId)?.state).toBe('reporting');
  gate.resolve();
  expect(await settled).toEqual({ kind: 'taken' });
  expect(new OutboxStore(db).all()).toEqual([]);
  expect(stateOf(taskId)).toMatchObject({ state: 'reported', token: '' });
  expect(events).toMatchObject([{ type: 'task.reported', taskId, outcome: 'succeeded' }]);
});

test('a report is sent and listed without reading the reports that wait beside it', async () => {
  const other = task('t1');
  new OutboxStore(db).put(other, success, clock.now());
  // Any code that reads the content of this row throws.
  db.prepare('UPDATE outbox SET payload = ? WHERE task_id = ?').run('not JSON', other);
  const reports = outbox();
  expect(await reports.put(task('t2'), success)).toEqual({ kind: 'taken' });
  expect(reports.status().waiting).toMatchObject([{ taskId: other, runId: 'run-t1', attempts: 0 }]);
  expect(() => new OutboxStore(db).all()).toThrow(/JSON/);
});

test('a throttled or refused connection is tried again until the report is taken', async () => {
  const taskId = task('t1');
  server.next(
    'SendTaskSuccess',
    { kind: 'error', name: 'ThrottlingException' },
    { kind: 'error', name: 'InternalFailure', status: 500 },
    { kind: 'reset' },
  );
  const settled = outbox().put(taskId, success);
  await untilSent('SendTaskSuccess', 4);
  expect(await settled).toEqual({ kind: 'taken' });
  expect(server.reports).toHaveLength(1);
});

test('denied access is tried again at long intervals and shown in the status', async () => {
  const taskId = task('t1');
  server.next('SendTaskSuccess', { kind: 'error', name: 'AccessDeniedException' });
  const box = outbox();
  const settled = box.put(taskId, success);
  await server.until(() => server.count('SendTaskSuccess') === 1);
  while (clock.pendingMs.length === 0) await clock.advance(0);
  expect(clock.pendingMs[0]).toBeGreaterThanOrEqual(15_000);
  expect(box.status()).toMatchObject({
    waiting: [{ taskId, attempts: 1, lastError: expect.stringContaining('AccessDeniedException') }],
    problem: { class: 'denied', count: 1 },
  });
  await untilSent('SendTaskSuccess', 2);
  expect(await settled).toEqual({ kind: 'taken' });
});

test('a dead token ends it, and the task is lost with the reason', async () => {
  const taskId = task('t1');
  server.closeToken('t1');
  expect(await outbox().put(taskId, success)).toMatchObject({ kind: 'dead' });
  expect(stateOf(taskId)).toMatchObject({
    state: 'lost',
    lost_reason: expect.stringMatching(/^TaskTimedOut: [^(]*$/),
  });
  expect(events).toMatchObject([{ type: 'lease.lost', taskId }]);
});

test('a dead token after an unheard answer says that the report may have been taken', async () => {
  const taskId = task('t1');
  server.next('SendTaskSuccess', { kind: 'answer-lost' });
  const settled = outbox().put(taskId, success);
  await untilSent('SendTaskSuccess', 2);
  expect(await settled).toMatchObject({ kind: 'dead' });
  expect(server.reports).toHaveLength(1);
  expect(stateOf(taskId)?.lost_reason).toContain('may have been taken');
});

test('an output that the service refuses becomes a failure that says so', async () => {
  const taskId = task('t1');
  server.next('SendTaskSuccess', { kind: 'error', name: 'InvalidOutput' });
  expect(await outbox().put(taskId, success)).toEqual({ kind: 'taken' });
  expect(server.reports).toMatchObject([
    {
      error: 'BrowserAgent.Internal',
      cause: { run_id: 'run-t1', message: expect.stringContaining('InvalidOutput') },
    },
  ]);
});

test('a report that an earlier process left is sent at once at the start', async () => {
  const taskId = task('t1');
  new OutboxStore(db).put(taskId, success, 1);
  new OutboxStore(db).notTaken(taskId, { nextAt: clock.now() + 300_000, error: 'ECONNREFUSED' });
  const box = outbox();
  box.start();
  await box.drained(new AbortController().signal);
  expect(server.reports).toMatchObject([{ token: 't1', output: { success: true } }]);
});

test('stopping keeps what was not taken on disk', async () => {
  const taskId = task('t1');
  server.always('SendTaskSuccess', { kind: 'hang' });
  const box = outbox();
  const settled = box.put(taskId, success);
  await server.until(() => server.count('SendTaskSuccess') === 1);
  await box.stop();
  expect(await settled).toEqual({ kind: 'kept' });
  expect(new OutboxStore(db).all()).toHaveLength(1);
});

test('a task has one report: a second one is refused', () => {
  const taskId = task('t1');
  const store = new OutboxStore(db);
  store.put(taskId, success, 1);
  expect(() => store.put(taskId, { kind: 'failure', error: 'E', cause: '{}' }, 2)).toThrow(/UNIQUE/);
  expect(store.all()).toMatchObject([{ report: success }]);
});
