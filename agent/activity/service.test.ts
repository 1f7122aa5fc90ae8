import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StepFunctionsServer } from '../../test/fixtures/step-functions-server.ts';
import { problemOf } from './problems.ts';
import { toWorkerName, type ActivityService } from './service.ts';

const ARN = 'arn:aws:states:eu-central-1:123456789012:activity:browser-remote-test';
const never = new AbortController().signal;

let server: StepFunctionsServer;
let service: ActivityService;

beforeEach(async () => {
  server = await StepFunctionsServer.start();
  service = server.service();
});

afterEach(() => server.close());

async function problemIn(call: Promise<unknown>) {
  try {
    await call;
  } catch (thrown) {
    return problemOf(thrown);
  }
  throw new Error('it worked');
}

describe('the four calls, over the real SDK client', () => {
  test('a poll brings the task with its token, or null when there is none', async () => {
    server.addTask('t1', { hello: 'world' });
    expect(await service.getActivityTask({ activityArn: ARN, workerName: 'w' })).toEqual({
      token: 't1',
      input: '{"hello":"world"}',
    });
    server.next('GetActivityTask', { kind: 'empty' });
    expect(await service.getActivityTask({ activityArn: ARN, workerName: 'w' })).toBeNull();
    expect(server.calls[0]?.body).toEqual({ activityArn: ARN, workerName: 'w' });
  });

  test.each([
    ['a poll', () => service.getActivityTask({ activityArn: ARN, workerName: 'w' })],
    ['a heartbeat', () => service.sendTaskHeartbeat('t1', never)],
    ['a success', () => service.sendTaskSuccess('t1', '{}', never)],
    ['a failure', () => service.sendTaskFailure('t1', { error: 'E', cause: '{}' }, never)],
  ])('%s is one request, also when it fails in a way the SDK would retry', async (_, call) => {
    server.addTask('t1', {});
    for (const operation of [
      'GetActivityTask',
      'SendTaskHeartbeat',
      'SendTaskSuccess',
      'SendTaskFailure',
    ] as const) {
      server.always(operation, { kind: 'error', name: 'InternalFailure', status: 500 });
    }
    expect(await problemIn(call())).toMatchObject({ class: 'service', unanswered: true });
    expect(server.calls).toHaveLength(1);
  });

  test('a call that hangs is given up with its signal', async () => {
    server.always('SendTaskHeartbeat', { kind: 'hang' });
    const giveUp = new AbortController();
    const problem = problemIn(service.sendTaskHeartbeat('t1', giveUp.signal));
    await server.until(() => server.count('SendTaskHeartbeat') === 1);
    giveUp.abort();
    expect(await problem).toMatchObject({ class: 'network', unanswered: true });
  });
});

describe('what went wrong is named as what it is', () => {
  test.each([
    ['TaskTimedOut', 'dead_token', 'fast'],
    ['TaskDoesNotExist', 'dead_token', 'fast'],
    ['InvalidToken', 'dead_token', 'fast'],
    ['InvalidOutput', 'refused_payload', 'fast'],
    ['ThrottlingException', 'throttled', 'fast'],
    ['AccessDeniedException', 'denied', 'slow'],
    ['ActivityDoesNotExist', 'missing', 'slow'],
    ['InvalidArn', 'missing', 'slow'],
    ['UnrecognizedClientException', 'credentials', 'slow'],
    ['ExpiredTokenException', 'credentials', 'slow'],
    ['InvalidSignatureException', 'credentials', 'slow'],
    ['ValidationException', 'refused_request', 'slow'],
  ])('%s is of the class %s and retried at the %s pace', async (name, kind, pace) => {
    server.always('SendTaskSuccess', { kind: 'error', name });
    expect(await problemIn(service.sendTaskSuccess('t1', '{}', never))).toMatchObject({
      class: kind,
      name,
      pace,
      unanswered: false,
    });
  });

  test('a cut connection leaves open whether the request was carried out, a refused one does not', async () => {
    server.always('SendTaskSuccess', { kind: 'reset' });
    expect(await problemIn(service.sendTaskSuccess('t1', '{}', never))).toMatchObject({
      class: 'network',
      name: 'ECONNRESET',
      unanswered: true,
    });
    const other = await StepFunctionsServer.start();
    const gone = other.service();
    await other.close();
    expect(await problemIn(gone.sendTaskSuccess('t1', '{}', never))).toMatchObject({
      class: 'network',
      name: 'ECONNREFUSED',
      unanswered: false,
    });
  });
});

test.each([
  ['Büro PC #3 (Ground floor)', 'Bu-ro-PC-3-Ground-floor'],
  ['x'.repeat(100), 'x'.repeat(80)],
  ['???', 'local-browser-agent'],
])('the worker name %s becomes %s', (text, name) => {
  expect(toWorkerName(text)).toBe(name);
});
