/** An agent without an activity: its API alone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAgent, type Agent } from '../../agent/agent.ts';
import { serve, type ServingAgent } from '../../agent/serve.ts';
import { silentLogger } from '../../agent/base/log.ts';
import { call } from '../fixtures/api.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

let home: string;
let agent: Agent;

const open = (more: Record<string, string> = {}): Promise<Agent> =>
  openAgent({
    home,
    env: { PATH: process.env['PATH'] ?? '', LBA_API_PORT: '0', ...more },
    log: silentLogger,
    uploads: 'none',
    keepWarm: false,
  });

beforeAll(async () => {
  home = makeHome('api-alone');
  agent = await open();
});

afterAll(async () => {
  await agent.close();
  removeHome(home);
});

test('it serves its API, runs scripts, keeps the data directory for itself, and ends when told', async () => {
  const serving: ServingAgent = await serve(agent);
  const { url, token } = serving.api!;
  const send = (method: string, path: string, body?: object) =>
    call(url, method, `/api/v1${path}`, { key: token, ...(body ? { body } : {}) });
  expect((await send('GET', '/agent')).json).toMatchObject({ state: 'none', activity_arn: null });
  expect((await send('POST', '/agent/pause')).status).toBe(409);
  const script = { name: 'Alone', steps: [{ action: 'wait', duration: 1 }] };
  expect((await send('POST', '/runs', { script })).status).toBe(201);

  const second = await open();
  await expect(serve(second)).rejects.toThrow('Another agent already works on this data directory');
  await second.close();

  await serving.stop({ deadlineMs: 30_000 });
  expect(await serving.done).toMatchObject({ reason: 'drained' });
  expect(agent.runs.list({ limit: 5 })).toMatchObject([{ script_name: 'Alone', state: 'succeeded' }]);
});

test('with the API off, or for one task, there is nothing to do: that is an error', async () => {
  await expect(serve(agent, { once: true })).rejects.toThrow('no activity is configured');
  const other = await open({ LBA_API_ENABLED: 'false' });
  await expect(serve(other)).rejects.toThrow('no activity is configured');
  await other.close();
});
