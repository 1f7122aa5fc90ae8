/** AWS services that fail and come back, seen from outside: what waits, what does not, and that nothing is lost. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readOwnerFile } from '../../agent/api/owner-file.ts';
import type { AgentEvent } from '../../agent/base/events.ts';
import { homePaths } from '../../agent/base/paths.ts';
import { startSandbox, type Sandbox } from '../../agent/sandbox/index.ts';
import { call, type Answer } from '../fixtures/api.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';
import { startMainJob, type MainJob } from '../fixtures/main-job.ts';
import { startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';

/** Uploads wait for some seconds between their tries. */
const UPLOADS_MS = 30_000;

let home: string;
let sandbox: Sandbox;
let site: FixtureSite;
let job: MainJob;
let told: AgentEvent[];

beforeAll(async () => {
  home = makeHome('services');
  sandbox = await startSandbox({ pollMs: 500 });
  site = await startFixtureSite();
  site.page('/', '<h1>Hello</h1>');
  job = await startMainJob({
    sandbox,
    home,
    env: 'services',
    variables: { LBA_API_PORT: '0', LBA_RECORDING_DEFAULT_LEVEL: 'TRACE' },
  });
  told = [];
  job.agent.events.on('test', (event) => told.push(event));
});

afterAll(async () => {
  await job.close();
  await site.close();
  await sandbox.close();
  removeHome(home);
});

async function api(method: string, path: string, body?: object): Promise<Answer> {
  const { url, token } = readOwnerFile(homePaths(home).api)!;
  return call(url, method, path, { key: token, ...(body ? { body } : {}) });
}

async function s3InHealth(): Promise<unknown> {
  const { json } = await api('GET', '/api/v1/health');
  const { services } = (json as { checks: { services: { items: { service: string; state: string }[] } } })
    .checks;
  return services.items.find(({ service }) => service === 's3');
}

test('while S3 fails tasks are done and reported, S3 is asked ever less, and everything is uploaded when it works again', async () => {
  const mend = sandbox.faults.add({ service: 's3', error: { code: 'SlowDown', status: 503 } });
  const ended = await job.task({ name: 'Hello', steps: [{ action: 'navigate', url: `${site.url}/` }] });
  expect(ended.status).toBe('SUCCEEDED');
  const { agent } = job;
  const state = (): string | undefined =>
    agent.resilience.health().find(({ service }) => service === 's3')?.state;
  await expect.poll(state, { timeout: UPLOADS_MS }).toBe('open');
  expect(await s3InHealth()).toMatchObject({
    state: 'open',
    last_error: expect.stringContaining('SlowDown'),
  });
  const metrics = (await api('GET', '/metrics')).text;
  expect(metrics).toContain('browser_agent_aws_service_state{service="s3"} 1');
  expect(metrics).toContain('browser_agent_aws_service_state{service="sfn"} 0');
  expect(told).toContainEqual(
    expect.objectContaining({ type: 'agent.service', service: 's3', state: 'open' }),
  );
  const { pending } = agent.uploads.status();
  expect(pending).toBeGreaterThan(2);

  mend();
  // A person who knows that it works again need not wait.
  await api('POST', '/api/v1/uploads/retry', {});
  await expect
    .poll(() => agent.uploads.status(), { timeout: UPLOADS_MS })
    .toMatchObject({ pending: 0, failed: 0, held: [] });
  expect(await s3InHealth()).toMatchObject({ state: 'closed', last_error: null });
  expect(agent.uploadStore.counts().done).toBeGreaterThanOrEqual(pending);
});
