/** An agent that is started anew in its own process. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { WorkerEnd } from '../../agent/activity/worker.ts';
import { readOwnerFile } from '../../agent/api/owner-file.ts';
import { silentLogger } from '../../agent/base/log.ts';
import { homePaths } from '../../agent/base/paths.ts';
import { keepServing, type Life, type ServeLoop } from '../../agent/serve-loop.ts';
import { call, type Answer } from '../fixtures/api.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

const LIFE_MS = 30_000;

let home: string;
let loop: ServeLoop;
let lives: Life[];
let next: PromiseWithResolvers<Life>;

const ready = async (count: number): Promise<Life> => {
  await expect.poll(() => lives.length, { timeout: LIFE_MS }).toBe(count);
  return lives.at(-1)!;
};

beforeEach(async () => {
  home = makeHome('restart');
  lives = [];
  next = Promise.withResolvers();
  loop = keepServing({
    home,
    env: { PATH: process.env['PATH'] ?? '', LBA_API_PORT: '0' },
    log: silentLogger,
    keepWarm: false,
    onReady: (life) => {
      lives.push(life);
      next.resolve(life);
    },
  });
  await Promise.race([next.promise, loop.done]);
});

afterEach(async () => {
  await loop.stop({ deadlineMs: 0 });
  await loop.done;
  removeHome(home);
});

const send = async (method: string, path: string, body?: unknown): Promise<Answer> => {
  const { url, token } = readOwnerFile(homePaths(home).api)!;
  return call(url, method, `/api/v1${path}`, { key: token, ...(body === undefined ? {} : { body }) });
};

test('a restart keeps address and owner’s key, and takes up settings that need one', async () => {
  const before = readOwnerFile(homePaths(home).api);
  await send('PATCH', '/settings', { 'worker.name': 'desk' });
  expect((await send('GET', '/settings/worker.name')).json).toMatchObject({ pending_restart: true });
  const answer = await send('POST', '/agent/restart');
  expect([answer.status, answer.json]).toEqual([202, { waits_for: null }]);
  const life = await ready(2);
  expect(life.restarts).toBe(1);
  expect(readOwnerFile(homePaths(home).api)).toEqual(before);
  expect((await send('GET', '/settings/worker.name')).json).toMatchObject({
    value: 'desk',
    pending_restart: false,
  });
});

test('a follower of events is told, and goes on behind the last event after it', async () => {
  const { url, token } = readOwnerFile(homePaths(home).api)!;
  const { status } = await send('POST', '/agent/restart', {});
  expect(status).toBe(202);
  await ready(2);
  const history = await call(url, 'GET', '/api/v1/events/history?types=agent.restarting', { key: token });
  expect(history.json).toMatchObject({
    items: [{ type: 'agent.restarting', priority: 'high', payload: { reason: expect.any(String) } }],
  });
});

test('while something runs it is refused, unless it may wait: then the run ends first', async () => {
  const script = { name: 'Ask', steps: [{ action: 'human', message: 'Please look' }] };
  const { run_id } = (await send('POST', '/runs', { script })).json as { run_id: string };
  await expect
    .poll(async () => (await send('GET', `/runs/${run_id}`)).json, { timeout: LIFE_MS })
    .toMatchObject({ waiting_for_person: 'Please look' });
  expect((await send('POST', '/agent/restart')).json).toMatchObject({
    status: 409,
    detail: 'The agent is at work: 1 run.',
  });
  expect((await send('POST', '/agent/restart', { when_idle: true })).json).toEqual({ waits_for: '1 run' });
  expect((await send('POST', `/runs/${run_id}/resume`)).status).toBe(202);
  await ready(2);
  // A connection of the life before may be tried first.
  await expect
    .poll(async () => (await send('GET', `/runs/${run_id}`)).json, { timeout: LIFE_MS })
    .toMatchObject({ state: 'succeeded' });
});

test('stopped for good, it does not start anew', async () => {
  await loop.stop({ deadlineMs: 0 });
  const end: WorkerEnd = await loop.done;
  expect(end.reason).toBe('stopped');
  expect(lives).toHaveLength(1);
  expect(readOwnerFile(homePaths(home).api)).toBeUndefined();
});
