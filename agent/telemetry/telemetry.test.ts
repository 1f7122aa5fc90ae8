import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startOtlpReceiver, type OtlpReceiver, type OtlpSpan } from '../../test/fixtures/otlp-receiver.ts';
import { EventBus } from '../base/events.ts';
import { createLogger, silentLogger } from '../base/log.ts';
import { createMetrics, type Metrics } from '../metrics/index.ts';
import { startTelemetry, type Telemetry, type TelemetryOptions } from './index.ts';

let collector: OtlpReceiver;
let events: EventBus;
let metrics: Metrics;
let lines: { msg: string; level: number }[];
let telemetry: Telemetry | null;

beforeEach(async () => {
  collector = await startOtlpReceiver();
  events = new EventBus(silentLogger);
  lines = [];
  telemetry = null;
  metrics = createMetrics({
    events,
    runs: { unfinished: () => [], artifacts: () => [] },
    uploads: { counts: () => ({ pending: 2, done: 0, failed: 0 }) },
    services: () => [],
    version: '1.2.3',
  });
});

afterEach(async () => {
  await telemetry?.close({ deadlineMs: 100 });
  await collector.close();
});

async function start(more: Partial<TelemetryOptions> = {}): Promise<Telemetry | null> {
  telemetry = await startTelemetry({
    endpoint: collector.url,
    headers: null,
    metricsMs: 60_000,
    secret: async (name) => `value of ${name}`,
    events,
    metrics,
    log: createLogger({
      to: '/dev/null',
      file: { write: (line) => lines.push(JSON.parse(line) as { msg: string; level: number }) },
    }),
    instance: 'desk',
    version: '1.2.3',
    ...more,
  });
  return telemetry;
}

function run(runId: string): void {
  const step = { runId, stepNumber: 1, name: 'Open', action: 'navigate' };
  events.emit({ type: 'run.queued', runId, scriptName: 'Bills' });
  const level = { level: 'DEBUG', reason: 'asked' } as const;
  events.emit({ type: 'run.started', runId, scriptName: 'Bills', profile: 'portal', level });
  events.emit({ type: 'step.started', ...step });
  const error = { name: 'BrowserAgent.NavigationFailed', message: 'no https://u:hunter22@host/' };
  events.emit({ type: 'step.finished', ...step, success: false, durationMs: 40, error });
  const { name: errorName, message } = error;
  events.emit({ type: 'run.finished', runId, state: 'failed', errorName, message, durationMs: 50 });
}

const attributes = (span: OtlpSpan | undefined): Record<string, unknown> =>
  Object.fromEntries(
    (span?.attributes ?? []).map(({ key, value }) => [key, value.stringValue ?? value.intValue]),
  );

test('a run is a trace with its steps, and says how it ended without saying a secret', async () => {
  await start();
  run('r1');
  await telemetry!.close({ deadlineMs: 2_000 });
  const [step, whole] = collector.spans();
  expect([step?.name, whole?.name]).toEqual(['step navigate', 'run']);
  expect(step?.traceId).toBe(whole?.traceId);
  expect(step?.parentSpanId).toBe(whole?.spanId);
  expect(attributes(whole)).toEqual({
    'browser_agent.run_id': 'r1',
    'browser_agent.script': 'Bills',
    'browser_agent.level': 'DEBUG',
    'browser_agent.profile': 'portal',
    'browser_agent.outcome': 'failed',
    'error.type': 'BrowserAgent.NavigationFailed',
  });
  expect(attributes(step)).toMatchObject({ 'browser_agent.action': 'navigate', 'browser_agent.step': 1 });
  expect(whole?.status).toEqual({ code: 2, message: 'no https://[masked]@host/' });
  expect(collector.received.map(({ text }) => text).join('\n')).not.toContain('hunter22');
});

test('the metrics are those of /metrics: same names and values, buckets that count their own', async () => {
  await start();
  run('r1');
  metrics.request({ method: 'GET', route: '/x', status: 200, durationMs: 3 });
  metrics.request({ method: 'GET', route: '/x', status: 200, durationMs: 4 });
  await telemetry!.close({ deadlineMs: 2_000 });
  const found = collector.metrics();
  const names = (await metrics.text()).matchAll(/^# TYPE (\S+) /gm);
  expect([...found.keys()].sort()).toEqual([...names].map(([, name]) => name!).sort());
  expect(found.get('browser_agent_runs_total')).toMatchObject({
    sum: { isMonotonic: true, aggregationTemporality: 2, dataPoints: [{ asDouble: 1 }] },
  });
  expect(found.get('browser_agent_upload_queue')?.gauge?.dataPoints.map(({ asDouble }) => asDouble)).toEqual([
    2, 0,
  ]);
  const [point] = found.get('browser_agent_api_request_duration_seconds')!.histogram!.dataPoints;
  expect(point).toMatchObject({ count: 2, explicitBounds: expect.arrayContaining([0.001, 0.005, 5]) });
  expect(point?.sum).toBeCloseTo(0.007);
  expect(point?.bucketCounts.reduce((a, b) => a + b)).toBe(2);
  expect(point?.bucketCounts[point.explicitBounds.indexOf(0.005)]).toBe(2);
  expect(found.get('process_resident_memory_bytes')?.unit).toBe('By');
});

test('headers go with both, percent-decoded, and with the secrets that they name', async () => {
  await start({ headers: 'X-Tenant=a%2Cb,authorization=Bearer {{secret:otlp}}' });
  run('r1');
  await telemetry!.close({ deadlineMs: 2_000 });
  expect(collector.received.map(({ path }) => path).sort()).toEqual(['/v1/metrics', '/v1/traces']);
  for (const { headers } of collector.received) {
    expect(headers).toMatchObject({ 'x-tenant': 'a,b', authorization: 'Bearer value of otlp' });
  }
});

test('a collector that refuses is said once, and taken again when it does not', async () => {
  collector.answer = 400;
  await start({ metricsMs: 1_000 });
  await expect.poll(() => collector.received.length, { timeout: 5_000 }).toBeGreaterThan(1);
  collector.answer = 200;
  await expect.poll(() => lines.at(-1)?.msg, { timeout: 5_000 }).toContain('takes it again');
  expect(lines.filter(({ level }) => level >= 40).map(({ msg }) => msg)).toEqual([
    'the OpenTelemetry collector did not take it',
  ]);
});

test('a collector that never answers holds up the end no longer than the deadline', async () => {
  collector.answer = 'nothing';
  await start();
  run('r1');
  const before = performance.now();
  await telemetry!.close({ deadlineMs: 200 });
  expect(performance.now() - before).toBeLessThan(1_000);
});

test('headers that cannot be read are said, without a value, and the agent goes on', async () => {
  expect(await start({ headers: 'canary-value' })).toBeNull();
  expect(JSON.stringify(lines)).toContain('telemetry.otlp_headers');
  expect(JSON.stringify(lines)).not.toContain('canary');
});

test('without a collector nothing of OpenTelemetry is loaded', async () => {
  expect(await start({ endpoint: null })).toBeNull();
  const program = `
    const { registerHooks } = await import('node:module');
    const asked = [];
    registerHooks({ resolve: (name, context, next) => (asked.push(name), next(name, context)) });
    const { startTelemetry } = await import(${JSON.stringify(new URL('index.ts', import.meta.url))});
    await startTelemetry({ endpoint: null });
    console.log(JSON.stringify(asked));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  expect(stdout).toContain('headers.ts');
  expect(stdout).not.toContain('opentelemetry');
  expect(stdout).not.toContain('otlp.ts');
});
