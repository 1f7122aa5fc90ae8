/** A task whose run is paused: its lease is kept, and Step Functions gets its result when it has gone on. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readOwnerFile } from '../../agent/api/owner-file.ts';
import { startSandbox, type Sandbox } from '../../agent/sandbox/index.ts';
import { call } from '../fixtures/api.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';
import { startMainJob, type MainJob } from '../fixtures/main-job.ts';

const SOON_MS = 40_000;

let home: string;
let sandbox: Sandbox;
let job: MainJob;

beforeAll(async () => {
  home = makeHome('pause-task');
  sandbox = await startSandbox({ pollMs: 500 });
  job = await startMainJob({
    sandbox,
    home,
    env: 'pause',
    variables: { LBA_API_PORT: '0', LBA_WORKER_HEARTBEAT_SECONDS: '1' },
  });
});

afterAll(async () => {
  await job.close();
  await sandbox.close();
  removeHome(home);
});

test('heartbeats go on while it stands still, longer than its own time-out, and its result is reported', async () => {
  const steps = [
    { action: 'wait', duration: 1_000 },
    { action: 'wait', duration: 1 },
  ];
  const { ended } = await job.begin({ name: 'Paused task', timeout: 3_000, steps });
  const { agent } = job;
  const running = (): string => agent.runs.list({ state: 'running', limit: 1 })[0]?.run_id ?? '';
  await expect.poll(running, { timeout: SOON_MS, interval: 10 }).not.toBe('');
  const runId = running();
  const { url, token } = readOwnerFile(join(home, 'api.json'))!;
  const post = (verb: string) => call(url, 'POST', `/api/v1/runs/${runId}/${verb}`, { key: token });
  expect((await post('pause')).status).toBe(202);
  await expect.poll(() => agent.runs.get(runId)?.paused?.isStanding, { timeout: SOON_MS }).toBe(true);

  const stoodFrom = Date.now();
  const lastHeartbeat = (): number =>
    (
      agent.db.prepare('SELECT last_heartbeat_at AS at FROM tasks WHERE run_id = ?').get(runId) as {
        at: number;
      }
    ).at;
  await expect.poll(() => lastHeartbeat() - stoodFrom, { timeout: SOON_MS }).toBeGreaterThan(3_500);
  expect(agent.runs.get(runId)).toMatchObject({ state: 'running' });
  await post('resume');
  expect(await ended).toMatchObject({ status: 'SUCCEEDED', output: { success: true } });
});
