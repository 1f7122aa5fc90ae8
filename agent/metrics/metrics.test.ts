import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventBus, type AgentEvent } from '../base/events.ts';
import { silentLogger } from '../base/log.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { RunStore } from '../store/runs.ts';
import { UploadStore } from '../store/uploads.ts';
import { createMetrics, type Metrics } from './index.ts';

let db: Database;
let runs: RunStore;
let uploads: UploadStore;
let events: EventBus;
let metrics: Metrics;

beforeEach(() => {
  db = openDatabase(':memory:');
  runs = new RunStore(db);
  uploads = new UploadStore(db);
  events = new EventBus(silentLogger);
  metrics = createMetrics({
    events,
    runs,
    uploads,
    services: () => [{ service: 's3', state: 'half_open' }],
    version: '1.2.3',
  });
});

afterEach(() => db.close());

/** The samples by name and labels, e.g. `browser_agent_runs_total{state="failed",error="script"}`. */
async function samples(): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

const emit = (...all: AgentEvent[]): void => all.forEach((event) => events.emit(event));

const level = { level: 'DEBUG', reason: 'task input' } as const;

function create(runId: string): void {
  const owner = { pid: 1, started: 'boot' };
  runs.create({ runId, taskId: null, scriptName: 's', script: '{}', level, profile: null, owner, now: 1 });
}

const end = (runId: string, errorName?: string): AgentEvent => ({
  type: 'run.finished',
  runId,
  state: errorName === undefined ? 'succeeded' : 'failed',
  durationMs: 1_500,
  ...(errorName === undefined ? {} : { errorName }),
});

const step = (action: string, success: boolean): AgentEvent => ({
  type: 'step.finished',
  runId: 'r1',
  stepNumber: 1,
  name: 'a name that is chosen freely',
  action,
  success,
  durationMs: 80,
});

describe('counters and histograms follow the events', () => {
  test('runs by end state and error name, a name of the script’s own as one', async () => {
    emit(end('r1'), end('r2', 'BrowserAgent.StepTimeout'), end('r3', 'My.Own'), end('r4', 'My.Other'));
    const found = await samples();
    expect(found.get('browser_agent_runs_total{state="succeeded",error=""}')).toBe(1);
    expect(found.get('browser_agent_runs_total{state="failed",error="BrowserAgent.StepTimeout"}')).toBe(1);
    expect(found.get('browser_agent_runs_total{state="failed",error="script"}')).toBe(2);
    expect(found.get('browser_agent_run_duration_seconds_sum{state="failed"}')).toBeCloseTo(4.5);
    expect(found.get('browser_agent_run_duration_seconds_bucket{le="1",state="failed"}')).toBe(0);
    expect(found.get('browser_agent_run_duration_seconds_bucket{le="2.5",state="failed"}')).toBe(3);
  });

  test('steps by action and result; an action that nobody knows is another', async () => {
    emit(step('click', true), step('click', true), step('for_each', false), step('<script>', true));
    const found = await samples();
    expect(found.get('browser_agent_steps_total{action="click",result="ok"}')).toBe(2);
    expect(found.get('browser_agent_steps_total{action="for_each",result="failed"}')).toBe(1);
    expect(found.get('browser_agent_steps_total{action="other",result="ok"}')).toBe(1);
    expect(found.get('browser_agent_step_duration_seconds_count{action="click"}')).toBe(2);
  });

  test('evidence by level, as the run left it', async () => {
    create('r1');
    emit({ type: 'run.started', runId: 'r1', scriptName: 's', profile: null, level });
    for (const [key, sizeBytes] of [
      ['a.jpg', 1_000],
      ['manifest.json', 234],
    ] as const) {
      runs.addArtifact('r1', {
        kind: 'screenshot',
        key,
        path: key,
        contentType: 'image/jpeg',
        sizeBytes,
        sha256: 'x',
        upload: true,
        keep: true,
        masked: 0,
        now: 1,
      });
    }
    emit(end('r1'), end('never-started', 'BrowserAgent.ProfileBusy'));
    const found = await samples();
    expect(found.get('browser_agent_artifacts_total{level="DEBUG"}')).toBe(2);
    expect(found.get('browser_agent_artifact_bytes_total{level="DEBUG"}')).toBe(1_234);
  });

  test('polls, tasks, leases, uploads, browsers and people', async () => {
    emit(
      { type: 'poll.answered', outcome: 'empty' },
      { type: 'poll.answered', outcome: 'empty' },
      { type: 'poll.answered', outcome: 'failed' },
      { type: 'task.received', taskId: 't', runId: 'r' },
      { type: 'task.reported', taskId: 't', runId: 'r', outcome: 'succeeded' },
      { type: 'lease.lost', taskId: 't', runId: 'r', reason: 'TaskTimedOut' },
      { type: 'upload.finished', runId: 'r', key: 'k', sizeBytes: 4_000 },
      { type: 'upload.failed', runId: 'r', key: 'k', message: 'no', attempt: 1, retryAt: 2 },
      { type: 'browser.started', pid: 9 },
      { type: 'human.requested', runId: 'r', stepNumber: 1, message: 'please', deadline: 3 },
      { type: 'human.resolved', runId: 'r', by: 'person' },
    );
    const found = await samples();
    const expected = {
      'polls_total{outcome="empty"}': 2,
      'polls_total{outcome="failed"}': 1,
      tasks_received_total: 1,
      'tasks_reported_total{outcome="succeeded"}': 1,
      leases_lost_total: 1,
      uploads_total: 1,
      upload_bytes_total: 4_000,
      upload_retries_total: 1,
      browser_starts_total: 1,
      human_requests_total: 1,
      'human_resolved_total{by="person"}': 1,
    };
    for (const [name, value] of Object.entries(expected)) {
      expect(found.get(`browser_agent_${name}`), name).toBe(value);
    }
  });

  test('requests by route, never by address', async () => {
    const answered = { method: 'GET', route: '/api/v1/runs/:id', status: 200, durationMs: 3 };
    metrics.request(answered);
    for (let n = 0; n < 1_000; n += 1) metrics.request({ ...answered, method: 'BREW', route: `/x/${n}` });
    const counts = [...(await samples())].filter(([name]) =>
      name.startsWith('browser_agent_api_request_duration_seconds_count'),
    );
    expect(counts.length).toBeLessThanOrEqual(201);
    expect(counts.map(([name]) => name)).toContain(
      'browser_agent_api_request_duration_seconds_count{method="other",route="other",status="200"}',
    );
    expect(counts.reduce((total, [, value]) => total + value, 0)).toBe(1_001);
  });

  test('until it is closed', async () => {
    metrics.close();
    emit({ type: 'browser.started', pid: 9 });
    expect((await samples()).get('browser_agent_browser_starts_total')).toBe(0);
  });
});

describe('gauges are read when they are asked for', () => {
  test('open runs, the upload queue, the state of the worker, the program', async () => {
    create('r1');
    create('r2');
    runs.transition('r2', 'running', { now: 2 });
    uploads.enqueue(
      {
        runId: 'r1',
        path: 'p',
        bucket: 'b',
        key: 'k',
        contentType: 'text/plain',
        metadata: {},
        sizeBytes: 1,
        sha256: 'x',
      },
      1,
    );
    emit({ type: 'agent.state', state: 'working' }, { type: 'agent.state', state: 'paused' });
    const found = await samples();
    expect(found.get('browser_agent_open_runs{state="queued"}')).toBe(1);
    expect(found.get('browser_agent_open_runs{state="running"}')).toBe(1);
    expect(found.get('browser_agent_open_runs{state="waiting"}')).toBe(0);
    expect(found.get('browser_agent_upload_queue{state="pending"}')).toBe(1);
    expect(found.get('browser_agent_worker_state{state="paused"}')).toBe(1);
    expect(found.get('browser_agent_worker_state{state="working"}')).toBe(0);
    expect(found.get('browser_agent_info{version="1.2.3"}')).toBe(1);
    runs.transition('r2', 'succeeded', { now: 3 });
    expect((await samples()).get('browser_agent_open_runs{state="running"}')).toBe(0);
  });

  test('one that is added is read with them, and forgets what is gone', async () => {
    let open = ['s3', 'sfn'];
    metrics.gauge({
      name: 'browser_agent_breaker_open',
      help: 'Breakers that are open',
      labels: ['service'],
      read: () => open.map((service) => ({ labels: { service }, value: 1 })),
    });
    expect((await samples()).get('browser_agent_breaker_open{service="s3"}')).toBe(1);
    open = [];
    expect((await samples()).has('browser_agent_breaker_open{service="s3"}')).toBe(false);
  });

  test('the process itself', async () => {
    const found = await samples();
    expect(found.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
    expect(found.get('process_cpu_seconds_total')).toBeGreaterThan(0);
    const startedAt = found.get('process_start_time_seconds')!;
    expect(Math.abs(startedAt - (Date.now() / 1_000 - process.uptime()))).toBeLessThan(2);
  });
});

test('AWS services: how calls ended, what was sent again, and whether they are held back', async () => {
  metrics.awsCall({ service: 's3', result: 'ok', retries: 0 });
  metrics.awsCall({ service: 'ssm', result: 'transient', retries: 2 });
  const found = await samples();
  expect(found.get('browser_agent_aws_calls_total{service="s3",result="ok"}')).toBe(1);
  expect(found.get('browser_agent_aws_calls_total{service="ssm",result="transient"}')).toBe(1);
  expect(found.get('browser_agent_aws_retries_total{service="ssm"}')).toBe(2);
  expect(found.get('browser_agent_aws_service_state{service="s3"}')).toBe(0.5);
});

test('keys count by their public id, and beyond a bound together', async () => {
  const answered = { method: 'GET', route: '/x', durationMs: 1 };
  metrics.request({ ...answered, status: 200, keyId: 'owner' });
  metrics.request({ ...answered, status: 429, keyId: 'ab12' });
  metrics.request({ ...answered, status: 401 });
  for (let n = 0; n < 300; n += 1) metrics.request({ ...answered, status: 200, keyId: `k${n}` });
  const found = await samples();
  expect(found.get('browser_agent_api_key_requests_total{key="owner",result="ok"}')).toBe(1);
  expect(found.get('browser_agent_api_key_requests_total{key="ab12",result="limited"}')).toBe(1);
  expect(found.get('browser_agent_api_key_requests_total{key="none",result="refused"}')).toBe(1);
  expect(found.get('browser_agent_api_key_requests_total{key="other",result="ok"}')).toBe(103);
});

test('the text is what Prometheus reads: every metric with help and type, counters named _total', async () => {
  expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = (await metrics.text()).split('\n');
  const typed = lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ').slice(2));
  expect(typed.length).toBeGreaterThan(20);
  for (const [name, type] of typed) {
    expect(name).toMatch(/^(browser_agent|process)_[a-z_]+$/);
    expect(name!.endsWith('_total'), `${name} is a ${type}`).toBe(type === 'counter');
    expect(
      lines.some((line) => line.startsWith(`# HELP ${name} `)),
      name,
    ).toBe(true);
  }
  for (const line of lines.filter((line) => line !== '' && !line.startsWith('#'))) {
    expect(line).toMatch(/^[a-z_]+(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? [-+0-9.eInf]+$/);
  }
});

test('only the parts of prom-client that are used are loaded: the rest is memory for nothing', async () => {
  const program = `
    await import(${JSON.stringify(new URL('metrics.ts', import.meta.url))});
    const { createRequire } = await import('node:module');
    console.log(JSON.stringify(Object.keys(createRequire(${JSON.stringify(import.meta.url)}).cache)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  const loaded = JSON.parse(stdout) as string[];
  expect(loaded.filter((file) => file.includes('prom-client')).length).toBeGreaterThan(3);
  expect(loaded.filter((file) => /opentelemetry|tdigest|pushgateway|cluster\.js/.test(file))).toEqual([]);
});
