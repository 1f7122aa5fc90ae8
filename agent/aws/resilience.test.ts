import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetActivityTaskCommand, SendTaskHeartbeatCommand } from '@aws-sdk/client-sfn';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EventBus, type AgentEvent } from '../base/events.ts';
import { createLogger, silentLogger } from '../base/log.ts';
import { announcing } from './announce.ts';
import { createClients, type AwsClients } from './clients.ts';
import { AWS_FAILURE_KINDS, FAILURES } from './failure-kinds.ts';
import { Resilience, ServiceUnavailable, type AwsCall } from './resilience.ts';

/** Long enough to be seen open, short enough to wait for. */
const OPEN_MS = 60;

let server: Server;
let answer: (response: ServerResponse) => void;
let asked: number;
let clients: AwsClients;
let resilience: Resilience;
let calls: AwsCall[];
let told: AgentEvent[];
let lines: string[];

beforeEach(async () => {
  asked = 0;
  calls = [];
  told = [];
  lines = [];
  server = createServer((request, response) => {
    asked += 1;
    request.resume().on('end', () => answer(response));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const events = new EventBus(silentLogger);
  events.on('test', (event) => told.push(event));
  const log = createLogger({ to: '/dev/null', file: { write: (line) => lines.push(line) } });
  resilience = new Resilience({
    now: () => Date.now(),
    firstOpenMs: OPEN_MS,
    onChange: announcing(events, log),
    onCall: (call) => calls.push(call),
  });
  clients = createClients({
    resilience,
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' },
    env: {},
  });
});

afterEach(async () => {
  clients.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const failing = (status: number, name: string) => (response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify({ __type: name, message: 'said the service' }));
};
const working = (response: ServerResponse): void => void response.writeHead(200).end('{}');

const poll = async (): Promise<unknown> => {
  const client = await clients.sfnPoll();
  return client.send(new GetActivityTaskCommand({ activityArn: 'arn:aws:states:eu-west-1:1:activity:a' }));
};
const put = async (): Promise<unknown> => {
  const client = await clients.s3();
  return client.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'key', Body: 'x' }));
};
const heartbeat = async (): Promise<unknown> => {
  const client = await clients.sfn();
  return client.send(new SendTaskHeartbeatCommand({ taskToken: 'token' }));
};
const times = async (count: number, call: () => Promise<unknown>): Promise<void> => {
  for (let n = 0; n < count; n += 1) await expect(call()).rejects.toThrow();
};
const state = (service: string): unknown =>
  resilience.health().find((health) => health.service === service)?.state;

test('five transient failures in a row open a service: calls end at once, without being sent', async () => {
  answer = failing(503, 'ServiceUnavailable');
  await times(4, poll);
  expect(state('sfn')).toBe('closed');
  await times(1, poll);
  const sent = asked;
  const thrown: unknown = await poll().catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(ServiceUnavailable);
  expect(asked).toBe(sent);
  const { message, retryAt } = thrown as ServiceUnavailable;
  expect(message).toContain('AWS Step Functions has been failing');
  expect(message).toContain(new Date(retryAt).toISOString());
  expect(retryAt).toBeGreaterThan(Date.now() - 1_000);
  expect(resilience.health()[0]).toMatchObject({ service: 'sfn', state: 'open', failures: 5, retryAt });
  expect(calls.map(({ result }) => result)).toEqual([...Array<string>(5).fill('transient'), 'held_back']);
});

test('a heartbeat is sent, whatever polls have opened', async () => {
  answer = failing(503, 'ServiceUnavailable');
  await times(6, poll);
  expect(state('sfn')).toBe('open');
  answer = working;
  await heartbeat();
  expect(state('sfn')).toBe('open');
  answer = failing(500, 'InternalError');
  await times(1, async () => {
    try {
      await heartbeat();
    } catch (thrown) {
      expect(thrown).not.toBeInstanceOf(ServiceUnavailable);
      throw thrown;
    }
  });
});

test('one service that fails holds back no other, and an enclosed call not at all', async () => {
  answer = failing(503, 'SlowDown');
  await times(6, put);
  expect([state('s3'), state('sfn')]).toEqual(['open', 'closed']);
  answer = working;
  await poll();
  await resilience.unguarded(put);
  expect(state('s3')).toBe('open');
});

test('answers that say no open nothing, however many', async () => {
  for (const [status, name] of [
    [400, 'AccessDeniedException'],
    [400, 'ValidationException'],
    [400, 'ActivityDoesNotExist'],
    [403, 'AccessDenied'],
    [404, 'NoSuchBucket'],
  ] as const) {
    answer = failing(status, name);
    await times(4, poll);
    await times(4, put);
  }
  expect([state('s3'), state('sfn')]).toEqual(['closed', 'closed']);
  const outages = AWS_FAILURE_KINDS.filter((kind) => FAILURES[kind].isOutage);
  expect(outages).toEqual(['offline', 'tls', 'throttled', 'server']);
});

test('a throttled KMS key opens the service behind it, like any throttling', async () => {
  answer = failing(400, 'KmsThrottlingException');
  await times(5, poll);
  expect(state('sfn')).toBe('open');
});

test('a call that the agent gives up says nothing about the service', async () => {
  answer = () => undefined; // never answers
  const sfn = await clients.sfn();
  for (let call = 1; call <= 6; call += 1) {
    const abort = new AbortController();
    const sent = asked;
    const waiting = sfn.send(new SendTaskHeartbeatCommand({ taskToken: 't' }), { abortSignal: abort.signal });
    await expect.poll(() => asked, { interval: 5 }).toBe(sent + 1);
    abort.abort();
    await expect(waiting).rejects.toThrow('Request aborted');
  }
  expect(resilience.health()[0]).toMatchObject({
    service: 'sfn',
    state: 'closed',
    failures: 0,
    lastError: null,
  });
  expect(calls.map(({ result }) => result)).toEqual(Array<string>(6).fill('failed'));
});

test('after a while one call is let through: it fails, and it is open for longer; it works, and it is closed', async () => {
  answer = failing(503, 'ServiceUnavailable');
  await times(5, poll);
  const sent = asked;
  await expect.poll(() => poll().catch(() => asked > sent), { interval: 10 }).toBe(true);
  expect(asked).toBe(sent + 1);
  expect(state('sfn')).toBe('open');
  answer = working;
  await expect
    .poll(
      () =>
        poll().then(
          () => true,
          () => false,
        ),
      { interval: 10 },
    )
    .toBe(true);
  expect(resilience.health()[0]).toMatchObject({ state: 'closed', lastError: null, retryAt: null });
  const states = told.flatMap((event) => (event.type === 'agent.service' ? [event.state] : []));
  expect(states).toEqual(['open', 'half_open', 'open', 'half_open', 'closed']);
  // However often it was tried: one line that it fails, one that it works again.
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    'an AWS service keeps failing; it is asked less often',
    'an AWS service works again',
  ]);
});

test('a person who wants it tried now has it tried now', async () => {
  answer = failing(503, 'SlowDown');
  await times(6, put);
  answer = working;
  resilience.reset('s3');
  await put();
  expect(state('s3')).toBe('closed');
});
