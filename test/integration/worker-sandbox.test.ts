/** The worker against real executions: what a state machine sees of runs, losses, drains and crashes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Offload } from '../../agent/activity/report.ts';
import { sfnActivityService } from '../../agent/activity/service.ts';
import { Worker, type WorkerOptions } from '../../agent/activity/worker.ts';
import { EventBus, type AgentEvent } from '../../agent/base/events.ts';
import { silentLogger } from '../../agent/base/log.ts';
import type { JsonObject } from '../../agent/base/words.ts';
import type { RunExecutor, RunOutcome } from '../../agent/runs/types.ts';
import { openDatabase, type Database } from '../../agent/store/database.ts';
import { RunStore } from '../../agent/store/runs.ts';
import { TaskStore } from '../../agent/store/tasks.ts';
import { sandboxFixture, type SandboxFixture } from './sandbox-fixture.ts';

const CRASHING = fileURLToPath(new URL('../fixtures/crashing-worker.ts', import.meta.url));
const SCRIPT = { name: 'S', steps: [{ action: 'wait', duration: 1 }] };

let fixture: SandboxFixture;
let homes: string[];
let databases: Database[];
let workers: Worker[];
let clients: { destroy(): void }[];
let children: ChildProcess[];

beforeEach(async () => {
  fixture = await sandboxFixture({ pollMs: 500 });
  [homes, databases, workers, clients, children] = [[], [], [], [], []];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(workers.map((worker) => worker.stop({ deadlineMs: 0 })));
  for (const client of clients) client.destroy();
  await fixture.close();
  for (const db of databases) db.close();
  await Promise.all(homes.map((home) => rm(home, { recursive: true })));
});

async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'worker-sandbox-'));
  homes.push(home);
  return home;
}

interface Started {
  worker: Worker;
  tasks: TaskStore;
  db: Database;
  /** Resolves with the next event of this type. */
  event: (type: AgentEvent['type']) => Promise<AgentEvent>;
}

async function startWorker(
  activityArn: string,
  execute: RunExecutor['execute'],
  more: Partial<WorkerOptions> & { home?: string } = {},
): Promise<Started> {
  const { home = await newHome(), ...options } = more;
  const db = openDatabase(join(home, 'agent.db'));
  databases.push(db);
  const client = new SFNClient(fixture.clientConfig);
  clients.push(client);
  const events = new EventBus(silentLogger);
  const worker = new Worker({
    db,
    service: sfnActivityService({
      sfnPoll: () => Promise.resolve(client),
      sfn: () => Promise.resolve(client),
    }),
    executor: { execute },
    journal: new RunStore(db),
    activityArn,
    workerName: 'sandbox worker',
    heartbeatMs: 200,
    events,
    log: silentLogger,
    ...options,
  });
  workers.push(worker);
  worker.start();
  const event: Started['event'] = async (type) => {
    const { promise, resolve } = Promise.withResolvers<AgentEvent>();
    const off = events.on('test', (seen) => {
      if (seen.type === type) resolve(seen);
    });
    return promise.finally(off);
  };
  return { worker, tasks: new TaskStore(db), db, event };
}

const succeed = (result: JsonObject = {}): RunExecutor['execute'] => {
  return ({ runId }) =>
    Promise.resolve({
      runId,
      state: 'succeeded',
      result: { success: true, ...result },
      returnOnFailure: false,
    });
};

const failWith = (name: string): RunExecutor['execute'] => {
  return ({ runId }) =>
    Promise.resolve({
      runId,
      state: 'failed',
      result: { success: false },
      error: { name, message: 'for the test', cause: { run_id: runId, message: 'for the test', step: 4 } },
      returnOnFailure: false,
    });
};

/** A run that only its signal ends; `acting` resolves when it has begun. */
function endless(): { execute: RunExecutor['execute']; acting: Promise<void> } {
  const { promise: acting, resolve: begun } = Promise.withResolvers<void>();
  const execute: RunExecutor['execute'] = async ({ runId }, { signal }): Promise<RunOutcome> => {
    begun();
    await once(signal, 'abort');
    return { runId, state: 'lost', result: {}, returnOnFailure: false };
  };
  return { execute, acting };
}

function oneTask(activityArn: string, fields: object = {}): object {
  return {
    StartAt: 'Work',
    States: {
      Work: { Type: 'Task', Resource: activityArn, End: true, ...fields },
    },
  };
}

describe('a run and its execution', () => {
  test('the envelope comes back as the output of the state', async () => {
    const arn = await fixture.activity();
    await startWorker(arn, succeed({ data: { total: 3 } }));
    const execution = await fixture.start(oneTask(arn), { tool_use_id: 'u1', tool_input: SCRIPT });
    const end = await fixture.result(execution);
    expect(end.status).toBe('SUCCEEDED');
    expect(JSON.parse(end.output ?? '')).toEqual({
      tool_use_id: 'u1',
      tool_input: { script_output: { success: true, data: { total: 3 } } },
      approved: true,
    });
  });

  test('heartbeats keep a task alive beyond HeartbeatSeconds', async () => {
    const arn = await fixture.activity();
    const started = performance.now();
    await startWorker(arn, async (request, options) => {
      await new Promise((resolve) => setTimeout(resolve, 2_500)); // the time itself is what is tested
      return succeed()(request, options);
    });
    const execution = await fixture.start(oneTask(arn, { HeartbeatSeconds: 1 }), SCRIPT);
    expect((await fixture.result(execution)).status).toBe('SUCCEEDED');
    expect(performance.now() - started).toBeGreaterThan(2_000);
  });

  test('Catch sees the error name, and the cause as JSON', async () => {
    const arn = await fixture.activity();
    await startWorker(arn, failWith('BrowserAgent.LoginRequired'));
    const execution = await fixture.start(
      {
        StartAt: 'Work',
        States: {
          Work: {
            Type: 'Task',
            Resource: arn,
            End: true,
            Catch: [{ ErrorEquals: ['BrowserAgent.LoginRequired'], Next: 'AskPerson' }],
          },
          AskPerson: { Type: 'Pass', End: true },
        },
      },
      SCRIPT,
    );
    const output = JSON.parse((await fixture.result(execution)).output ?? '') as {
      Error: string;
      Cause: string;
    };
    expect(output.Error).toBe('BrowserAgent.LoginRequired');
    expect(JSON.parse(output.Cause)).toMatchObject({ step: 4, message: 'for the test' });
  });

  test('an output above the limit is in S3, whole, and the output says where', async () => {
    const arn = await fixture.activity();
    fixture.sandbox.createBucket('outputs');
    const s3 = new S3Client({ ...fixture.clientConfig, forcePathStyle: true });
    clients.push(s3);
    const offload: Offload = async (runId, json) => {
      const key = `browser-sessions/${runId}/output.json`;
      await s3.send(new PutObjectCommand({ Bucket: 'outputs', Key: key, Body: json }));
      return {
        output_s3_uri: `s3://outputs/${key}`,
        sha256: createHash('sha256').update(json).digest('hex'),
        bytes: Buffer.byteLength(json),
      };
    };
    await startWorker(arn, succeed({ data: 'x'.repeat(300_000) }), { offload });
    const end = await fixture.result(await fixture.start(oneTask(arn), SCRIPT));
    const output = JSON.parse(end.output ?? '') as { output_s3_uri: string; sha256: string; bytes: number };
    const stored = await s3.send(
      new GetObjectCommand({ Bucket: 'outputs', Key: output.output_s3_uri.slice('s3://outputs/'.length) }),
    );
    const text = await stored.Body!.transformToString();
    expect(createHash('sha256').update(text).digest('hex')).toBe(output.sha256);
    expect(output.bytes).toBeGreaterThan(300_000);
  });
});

describe('a task that is taken away', () => {
  test('when the execution is stopped, the run ends lost and nothing is reported', async () => {
    const arn = await fixture.activity();
    const { execute, acting } = endless();
    const { tasks, event, worker } = await startWorker(arn, execute);
    const received = event('task.received');
    const execution = await fixture.start(oneTask(arn), SCRIPT);
    await acting;
    const lost = event('lease.lost');
    await fixture.sfn.send(new StopExecutionCommand({ executionArn: execution }));
    expect(await lost).toMatchObject({ reason: expect.stringMatching(/^Task(TimedOut|DoesNotExist)/) });
    expect(await worker.drain()).toMatchObject({ counts: { lost: 1, succeeded: 0, failed: 0 } });
    const row = tasks.get(((await received) as { taskId: string }).taskId);
    expect(row).toMatchObject({ state: 'lost', token: '' });
    expect(row?.fence_ms).toBeLessThan(500);
    expect(fixture.sandbox.requests.count('states', 'SendTaskSuccess')).toBe(0);
    expect(fixture.sandbox.requests.count('states', 'SendTaskFailure')).toBe(0);
  });

  test('when TimeoutSeconds passes, the run ends lost while the state machine goes on with States.Timeout', async () => {
    const arn = await fixture.activity();
    const { execute } = endless();
    const { event } = await startWorker(arn, execute);
    const lost = event('lease.lost');
    const execution = await fixture.start(oneTask(arn, { TimeoutSeconds: 1 }), SCRIPT);
    expect(await fixture.result(execution)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    await lost;
  });
});

describe('ends and crashes', () => {
  test('a Retry on Draining hands the task of a draining worker to the next one', async () => {
    const arn = await fixture.activity();
    const first = await startWorker(arn, succeed({ by: 'first' }));
    await expect.poll(() => first.worker.status().poll.state).toBe('polling');
    const drained = first.worker.drain();
    const execution = await fixture.start(
      oneTask(arn, {
        Retry: [
          { ErrorEquals: ['BrowserAgent.Draining'], IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 1 },
        ],
      }),
      SCRIPT,
    );
    expect(await drained).toMatchObject({ counts: { refused: 1 } });
    await startWorker(arn, succeed({ by: 'second' }));
    const end = await fixture.result(execution);
    expect(JSON.parse(end.output ?? '')).toMatchObject({ by: 'second' });
    expect(await fixture.eventTypes(execution)).toContain('ActivityFailed');
  });

  test('a worker killed inside a step and started again ends the execution with Interrupted, once', async () => {
    const arn = await fixture.activity();
    const home = await newHome();
    const child = spawn(process.execPath, [CRASHING, home, fixture.sandbox.url, 'in-step', arn], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(child);
    const exited = once(child, 'exit');
    child.stdout.once('data', () => child.kill('SIGKILL'));
    const execution = await fixture.start(oneTask(arn), SCRIPT);
    await exited;
    let ran = 0;
    await startWorker(arn, (request, options) => ((ran += 1), succeed()(request, options)), { home });
    const end = await fixture.result(execution);
    expect(end).toMatchObject({ status: 'FAILED', error: 'BrowserAgent.Interrupted' });
    expect(JSON.parse(end.cause ?? '')).toMatchObject({
      last_finished_step: { step: 1, name: 'Open' },
      step_in_doubt: { step: 2, name: 'Submit' },
    });
    expect(ran).toBe(0);
    expect(fixture.sandbox.requests.count('states', 'SendTaskFailure')).toBe(1);
  });

  test('a worker that stays dead is noticed by HeartbeatSeconds, and its late report changes nothing', async () => {
    const arn = await fixture.activity();
    const home = await newHome();
    const child = spawn(process.execPath, [CRASHING, home, fixture.sandbox.url, 'in-step', arn], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(child);
    const exited = once(child, 'exit');
    child.stdout.once('data', () => child.kill('SIGKILL'));
    const execution = await fixture.start(oneTask(arn, { HeartbeatSeconds: 1 }), SCRIPT);
    await exited;
    expect(await fixture.result(execution)).toMatchObject({ error: 'States.HeartbeatTimeout' });
    const { worker, tasks } = await startWorker(arn, succeed(), { home });
    await worker.drain();
    expect(tasks.open()).toEqual([]);
    expect(await fixture.result(execution)).toMatchObject({ error: 'States.HeartbeatTimeout' });
  });
});
