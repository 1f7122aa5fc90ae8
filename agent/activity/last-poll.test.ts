import { afterEach, beforeEach, expect, test } from 'vitest';
import { StepFunctionsServer } from '../../test/fixtures/step-functions-server.ts';
import { ServiceUnavailable } from '../aws/resilience.ts';
import { systemClock } from '../base/clock.ts';
import { EventBus, type AgentEvent } from '../base/events.ts';
import { silentLogger } from '../base/log.ts';
import { AgentStateStore, LAST_POLL_KEY, lastPollSchema } from '../store/agent-state.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { noteLastPoll } from './last-poll.ts';
import type { ActivityService } from './service.ts';

const activityArn = 'arn:aws:states:eu-central-1:123456789012:activity:browser-remote-test';
const request = { activityArn, workerName: 'w' };

let server: StepFunctionsServer;
let db: Database;
let seen: AgentEvent[];

beforeEach(async () => {
  server = await StepFunctionsServer.start();
  db = openDatabase(':memory:');
  seen = [];
});

afterEach(async () => {
  if (db.open) db.close();
  await server.close();
});

function noted(service: ActivityService): ActivityService {
  const events = new EventBus(silentLogger);
  events.on('test', (event) => seen.push(event));
  return noteLastPoll(service, { db, clock: systemClock, log: silentLogger, events });
}

const last = () => new AgentStateStore(db).get(LAST_POLL_KEY, lastPollSchema)?.value;

test('each answer to a poll is written down, with the code of a refusal', async () => {
  const service = noted(server.service());
  server.addTask('t1', {});
  expect(await service.getActivityTask(request)).toMatchObject({ token: 't1' });
  expect(last()).toEqual({ activityArn, ok: true });

  server.next('GetActivityTask', { kind: 'error', name: 'AccessDeniedException' });
  await expect(service.getActivityTask(request)).rejects.toThrow();
  expect(last()).toMatchObject({ activityArn, ok: false, code: 'AccessDeniedException' });
  expect(seen).toEqual([
    { type: 'poll.answered', outcome: 'task' },
    { type: 'poll.answered', outcome: 'failed' },
  ]);
});

test('a call that the circuit breaker refused is no answer of the service', async () => {
  const refused = Object.create(ServiceUnavailable.prototype) as ServiceUnavailable;
  const service = noted({
    ...server.service(),
    getActivityTask: () => Promise.reject(refused),
  });
  await expect(service.getActivityTask(request)).rejects.toBe(refused);
  expect(last()).toBeUndefined();
  expect(seen).toEqual([]);
});

test('a poll that is answered after the database was closed still brings its task', async () => {
  const service = noted(server.service());
  server.addTask('t1', {});
  db.close();
  expect(await service.getActivityTask(request)).toMatchObject({ token: 't1' });
});
