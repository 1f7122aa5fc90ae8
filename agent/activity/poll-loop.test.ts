import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import { ServiceUnavailable } from '../aws/resilience.ts';
import { StepFunctionsServer } from '../../test/fixtures/step-functions-server.ts';
import { silentLogger } from '../base/log.ts';
import { PollLoop } from './poll-loop.ts';
import type { Problem } from './problems.ts';
import type { ActivityTask } from './service.ts';
import { Slots } from './slots.ts';

let server: StepFunctionsServer;
let clock: ManualClock;
let tasks: { task: ActivityTask; stale: boolean; releaseSlot: () => void }[];
let problems: (Problem | null)[];

beforeEach(async () => {
  server = await StepFunctionsServer.start();
  clock = new ManualClock();
  tasks = [];
  problems = [];
});

afterEach(() => server.close());

function loop(concurrency = 1): PollLoop {
  return new PollLoop({
    service: server.service(),
    activityArn: 'arn:aws:states:eu-central-1:123456789012:activity:a',
    workerName: 'w',
    slots: new Slots(concurrency),
    clock,
    random: () => 0,
    log: silentLogger,
    onTask: (task, facts) => tasks.push({ task, ...facts }),
    onProblem: (problem) => problems.push(problem),
  });
}

/** Lets the clock run until the condition holds; real network in between. */
async function until(condition: () => boolean, stepMs = 1_000): Promise<void> {
  while (!condition()) await clock.advance(stepMs);
}

test('a poll in flight is never aborted: closing waits for it, and its late task is handed over', async () => {
  const polling = loop();
  const ended = polling.run();
  await server.until(() => server.openPolls === 1);
  polling.close();
  await clock.advance(600_000);
  expect(server.calls[0]?.abandoned).toBe(false);
  server.addTask('late', {});
  await ended;
  expect(tasks.map(({ task }) => task.token)).toEqual(['late']);
  expect(server.count('GetActivityTask')).toBe(1);
  expect(polling.status().state).toBe('closed');
});

test('a poll that brought nothing is followed by the next one at once', async () => {
  const polling = loop();
  const ended = polling.run();
  for (let poll = 1; poll <= 3; poll += 1) {
    await server.until(() => server.openPolls === 1);
    expect(server.count('GetActivityTask')).toBe(poll);
    await clock.advance(60_000); // as long as the service holds it; the loop itself never sleeps
    expect(clock.pendingMs).toEqual([]);
    server.endPolls();
  }
  await server.until(() => server.openPolls === 1);
  polling.close();
  server.endPolls();
  await ended;
});

test('an endpoint that does not hold polls is not flooded', async () => {
  server.always('GetActivityTask', { kind: 'empty' });
  const polling = loop();
  const ended = polling.run();
  await until(() => clock.pendingMs.length === 1, 0);
  expect(server.count('GetActivityTask')).toBe(1);
  polling.close();
  await ended;
});

test('it polls only while a slot is free', async () => {
  const polling = loop(2);
  const ended = polling.run();
  server.addTask('t1', {});
  server.addTask('t2', {});
  server.addTask('t3', {});
  await until(() => polling.status().state === 'waiting_for_slot');
  expect(tasks.map(({ task }) => task.token)).toEqual(['t1', 't2']);
  expect(server.count('GetActivityTask')).toBe(2);
  tasks[0]?.releaseSlot();
  tasks[0]?.releaseSlot(); // twice gives back one
  await until(() => tasks.length === 3);
  await until(() => polling.status().state === 'waiting_for_slot');
  expect(server.count('GetActivityTask')).toBe(3);
  polling.close();
  await ended;
});

test('paused, it starts no poll; resumed, it polls again', async () => {
  const polling = loop();
  polling.pause();
  const ended = polling.run();
  await clock.advance(600_000);
  expect(polling.status().state).toBe('paused');
  expect(server.calls).toHaveLength(0);
  polling.resume();
  await server.until(() => server.openPolls === 1);
  polling.close();
  server.endPolls();
  await ended;
});

test('failed polls are repeated with growing pauses, and identical problems told once', async () => {
  server.always('GetActivityTask', { kind: 'error', name: 'ThrottlingException' });
  const polling = loop();
  const ended = polling.run();
  const pausesMs: number[] = [];
  for (let poll = 1; poll <= 8; poll += 1) {
    await until(() => server.count('GetActivityTask') === poll && clock.pendingMs.length === 1, 0);
    pausesMs.push(clock.pendingMs[0] ?? 0);
    await clock.advance(clock.pendingMs[0] ?? 0);
  }
  expect(pausesMs).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(problems).toMatchObject([{ class: 'throttled' }]);
  expect(polling.status().problem?.count).toBeGreaterThanOrEqual(8);
  server.always('GetActivityTask', null);
  server.addTask('t1', {});
  await until(() => tasks.length === 1);
  expect(problems.at(-1)).toBeNull();
  polling.close();
  await ended;
});

test('denied access is shown as what it is, with what to do, and tried again slowly', async () => {
  server.always('GetActivityTask', { kind: 'error', name: 'AccessDeniedException', message: 'not allowed' });
  const polling = loop();
  const ended = polling.run();
  await until(() => clock.pendingMs.length === 1, 0);
  expect(clock.pendingMs[0]).toBeGreaterThanOrEqual(15_000);
  expect(polling.status()).toMatchObject({
    state: 'backing_off',
    problem: {
      class: 'denied',
      name: 'AccessDeniedException',
      message: 'not allowed',
      advice: expect.stringContaining('states:GetActivityTask'),
    },
  });
  polling.close(); // ends the pause, not only the polling
  await ended;
});

test('a service that is not asked for a while is asked again when that is over, and is no new problem', async () => {
  const retryAt = clock.now() + 40_000;
  const health = { service: 'sfn', state: 'open', since: 0, lastError: 'x', failures: 5, retryAt } as const;
  const service = server.service();
  let refusals = 0;
  const polling = new PollLoop({
    service: {
      getActivityTask: async (request) => {
        if (clock.now() >= retryAt) return service.getActivityTask(request);
        refusals += 1;
        throw new ServiceUnavailable(health, 'offline');
      },
    },
    activityArn: 'arn:aws:states:eu-central-1:123456789012:activity:a',
    workerName: 'w',
    slots: new Slots(1),
    clock,
    random: () => 0,
    log: silentLogger,
    onTask: (task, facts) => tasks.push({ task, ...facts }),
    onProblem: (problem) => problems.push(problem),
  });
  const ended = polling.run();
  await until(() => clock.pendingMs.length === 1, 0);
  expect(polling.status()).toMatchObject({ state: 'backing_off', nextTryAt: retryAt });
  await clock.advance(40_000);
  await server.until(() => server.openPolls === 1);
  expect([refusals, problems]).toEqual([1, []]);
  server.addTask('t1', {});
  await until(() => tasks.length === 1);
  polling.close();
  await ended;
});

test('a poll that outlasted its 60 s by the wall clock brings a task that is to be verified', async () => {
  const polling = loop();
  const ended = polling.run();
  await server.until(() => server.openPolls === 1);
  clock.jump(3_600_000);
  server.addTask('old', {});
  await until(() => tasks.length === 1);
  expect(tasks[0]?.stale).toBe(true);
  polling.close();
  tasks[0]?.releaseSlot();
  await ended;
});
