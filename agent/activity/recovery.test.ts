import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrashMode } from '../../test/fixtures/crashing-worker.ts';
import { StepFunctionsServer } from '../../test/fixtures/step-functions-server.ts';
import { EventBus } from '../base/events.ts';
import { silentLogger } from '../base/log.ts';
import type { RunExecutor, RunRequest } from '../runs/types.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { RunStore } from '../store/runs.ts';
import { TaskStore, taskIdOf } from '../store/tasks.ts';
import { Worker } from './worker.ts';

const CRASHING = fileURLToPath(new URL('../../test/fixtures/crashing-worker.ts', import.meta.url));
const ARN = 'arn:aws:states:eu-central-1:123456789012:activity:browser-remote-test';
const INPUT = { name: 'S', steps: [{ action: 'wait', duration: 1 }] };

let home: string;
let server: StepFunctionsServer;
let db: Database | undefined;
let children: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'recovery-'));
  server = await StepFunctionsServer.start();
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await server.close();
  db?.close();
  db = undefined;
  await rm(home, { recursive: true });
});

/** Starts a worker in a process of its own and kills it (-9) at the moment of the mode. */
async function crash(mode: CrashMode, killWhen?: () => boolean): Promise<void> {
  const child = spawn(process.execPath, [CRASHING, home, server.url, mode, ARN], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  const exited = once(child, 'exit');
  child.stdout.once('data', () => child.kill('SIGKILL'));
  if (killWhen) void server.until(killWhen).then(() => child.kill('SIGKILL'));
  expect((await exited)[1]).toBe('SIGKILL');
  // Its own poll must not be taken for that of the next start.
  await server.until(() => server.openPolls === 0);
}

/** The next start, which runs what it finds and ends. */
async function startAgain(): Promise<RunRequest[]> {
  const ran: RunRequest[] = [];
  const executor: RunExecutor = {
    execute: (request) => {
      ran.push(request);
      const { runId } = request;
      return Promise.resolve({
        runId,
        state: 'succeeded',
        result: { success: true, run_id: runId },
        returnOnFailure: false,
      });
    },
  };
  db = openDatabase(join(home, 'agent.db'));
  const worker = new Worker({
    db,
    service: server.service(),
    executor,
    journal: new RunStore(db),
    activityArn: ARN,
    workerName: 'again',
    events: new EventBus(silentLogger),
    log: silentLogger,
  });
  worker.start();
  const ended = worker.drain();
  await server.until(() => server.openPolls === 1);
  server.endPolls();
  expect(await ended).toMatchObject({ reason: 'drained', reportsLeft: 0 });
  return ran;
}

const task = () => new TaskStore(db as Database).get(taskIdOf('t1'));

test('a task that had not started is run, once, and reported', async () => {
  server.addTask('t1', INPUT);
  await crash('on-received');
  const ran = await startAgain();
  expect(ran.map(({ taskId }) => taskId)).toEqual([taskIdOf('t1')]);
  expect(server.reports).toEqual([{ token: 't1', output: { success: true, run_id: ran[0]?.runId } }]);
  expect(server.calls.findIndex(({ operation }) => operation === 'SendTaskHeartbeat')).toBeLessThan(
    server.calls.findIndex(({ operation }) => operation === 'SendTaskSuccess'),
  );
});

test('a task that had not started is not run when its token has died meanwhile', async () => {
  server.addTask('t1', INPUT);
  await crash('on-received');
  server.closeToken('t1');
  expect(await startAgain()).toEqual([]);
  expect(server.reports).toEqual([]);
  expect(task()).toMatchObject({ state: 'lost', lost_reason: expect.stringContaining('TaskTimedOut') });
});

test('a task that was inside a step is failed as Interrupted, naming the step in doubt, and never run again', async () => {
  server.addTask('t1', INPUT);
  await crash('in-step');
  expect(await startAgain()).toEqual([]);
  expect(server.reports).toMatchObject([
    {
      token: 't1',
      error: 'BrowserAgent.Interrupted',
      cause: {
        step: 2,
        name: 'Submit',
        action: 'click',
        message: expect.stringContaining('inside step 2 "Submit" (click)'),
        last_finished_step: { step: 1, name: 'Open', action: 'navigate' },
        step_in_doubt: { step: 2, name: 'Submit', action: 'click' },
      },
    },
  ]);
  expect(task()?.state).toBe('reported');
});

test('a task that was between steps is failed as Interrupted, with no step in doubt', async () => {
  server.addTask('t1', INPUT);
  await crash('between-steps');
  await startAgain();
  expect(server.reports).toMatchObject([
    {
      error: 'BrowserAgent.Interrupted',
      cause: {
        last_finished_step: { step: 1 },
        step_in_doubt: null,
        message: expect.stringContaining('after step 1'),
      },
    },
  ]);
});

test('a task whose run had begun but no step says that nothing was done', async () => {
  server.addTask('t1', INPUT);
  await crash('before-steps');
  await startAgain();
  expect(server.reports).toMatchObject([
    {
      error: 'BrowserAgent.Interrupted',
      cause: {
        last_finished_step: null,
        step_in_doubt: null,
        message: expect.stringContaining('nothing was done'),
      },
    },
  ]);
});

test('a run that had ended before its report was written is reported with its result', async () => {
  server.addTask('t1', INPUT);
  await crash('run-ended');
  expect(await startAgain()).toEqual([]);
  expect(server.reports).toMatchObject([{ token: 't1', output: { success: true, data: { order: 42 } } }]);
});

test('a run that had failed before its report was written is reported as failed', async () => {
  server.addTask('t1', INPUT);
  await crash('run-failed');
  expect(await startAgain()).toEqual([]);
  expect(server.reports).toMatchObject([
    { token: 't1', error: 'BrowserAgent.AssertionFailed', cause: { message: 'the order is not there' } },
  ]);
});

test('a run that had failed under on_failure: return is reported with its result, as without a crash', async () => {
  server.addTask('t1', INPUT);
  await crash('run-failed-returns');
  expect(await startAgain()).toEqual([]);
  expect(server.reports).toMatchObject([{ token: 't1', output: { success: false, data: { order: 42 } } }]);
});

test('a report that was in the outbox is sent, once', async () => {
  server.addTask('t1', INPUT);
  server.next('SendTaskSuccess', { kind: 'hang' });
  await crash('reporting', () => server.count('SendTaskSuccess') === 1);
  expect(await startAgain()).toEqual([]);
  expect(server.reports).toMatchObject([{ token: 't1', output: { data: { order: 42 } } }]);
});

test('a report that was taken, but whose answer the crash swallowed, is not reported as something else', async () => {
  server.addTask('t1', INPUT);
  server.next('SendTaskSuccess', { kind: 'answer-lost' });
  await crash('reporting', () => server.reports.length === 1);
  await startAgain();
  expect(server.reports).toHaveLength(1);
  expect(task()?.lost_reason).toContain('may have been taken');
});

test('crashing again and again while recovering still gives one report', async () => {
  server.addTask('t1', INPUT);
  await crash('in-step');
  server.next('SendTaskFailure', { kind: 'hang' }, { kind: 'hang' });
  await crash('in-step', () => server.count('SendTaskFailure') === 1);
  await crash('in-step', () => server.count('SendTaskFailure') === 2);
  await startAgain();
  expect(server.reports).toMatchObject([{ token: 't1', error: 'BrowserAgent.Interrupted' }]);
});
