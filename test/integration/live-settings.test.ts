/** Settings that somebody changes in settings.yaml by hand while the agent works: they apply without another look. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { homePaths } from '../../agent/base/paths.ts';
import { openTestApi, type TestApi } from '../fixtures/api.ts';

/** How long anything may take on a busy machine. */
const SOON_MS = 30_000;

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
});

afterAll(async () => {
  await api.close();
});

function editSettings(yaml: string): void {
  writeFileSync(homePaths(api.home).settings, yaml);
}

test('the next request of a key counts against the new limit of its tier', async () => {
  const { key } = await api.key({ name: 'tool', scopes: ['read'], tier: 'basic' });
  const policy = async (): Promise<unknown> =>
    (await api.call('GET', '/version', { key })).headers['ratelimit-policy'];
  expect(await policy()).toBe('60;w=60, 1000;w=86400');
  editSettings('api:\n  basic_per_minute: 7\n  basic_per_day: 70\n');
  expect(await policy()).toBe('7;w=60, 70;w=86400');
});

test('the next run may be paused only as long as the new setting says', async () => {
  editSettings('run:\n  max_pause_seconds: 1\n');
  const script = {
    name: 'Paused',
    steps: [
      { action: 'wait', duration: 1_000 },
      { action: 'execute_js', script: 'return 1' },
    ],
  };
  const started = await api.call('POST', '/runs', { body: { script } });
  const { run_id } = started.json as { run_id: string };
  await api.call('POST', `/runs/${run_id}/pause`);
  const run = async (): Promise<unknown> => (await api.call('GET', `/runs/${run_id}`)).json;
  await expect
    .poll(run, { timeout: SOON_MS })
    .toMatchObject({ state: 'failed', error: { name: 'BrowserAgent.HumanTimeout' } });
});
