/** The settings in the built page, against a real agent on the sandbox inside it. */
import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { axe, axeInBoth, openTestPages, shot, sticksOut, type TestPages } from '../fixtures/app.ts';
import { openServingAgent, type ServingTestAgent } from '../fixtures/serving.ts';

/** A run and a restart on a busy machine. */
const PATIENCE_MS = 60_000;

let agent: ServingTestAgent;
let pages: TestPages;

beforeAll(async () => {
  agent = await openServingAgent({
    variables: { LBA_SANDBOX_ENABLED: 'true', LBA_WORKER_DRAIN_DEADLINE_SECONDS: '5' },
  });
  pages = await openTestPages(agent);
});

afterAll(async () => {
  await pages?.close();
  await agent?.close();
});

async function choose(page: Page, label: string, option: RegExp): Promise<void> {
  await page.getByRole('combobox', { name: label }).click();
  await page.getByRole('option', { name: option }).click();
}

/** @returns what of a new run of one picture goes to the bucket */
async function uploadedOfNextRun(): Promise<string[]> {
  const script = { name: 'Picture', steps: [{ action: 'screenshot', name: 'Picture' }] };
  const started = await agent.call('POST', '/runs', { body: { script } });
  expect(started.status, started.text).toBeLessThan(300);
  const { run_id } = started.json as { run_id: string };
  await expect
    .poll(async () => ((await agent.call('GET', `/runs/${run_id}`)).json as { state: string }).state, {
      timeout: PATIENCE_MS,
    })
    .toBe('succeeded');
  const { items } = (await agent.call('GET', `/uploads?run_id=${run_id}&limit=200`)).json as {
    items: { s3_uri: string }[];
  };
  return items.map(({ s3_uri }) => s3_uri.split('/').at(-1) ?? '');
}

test('the level in the dropdown changes what the next run uploads', async () => {
  const page = await pages.open('/settings');
  await page.getByText('No run keeps files on this computer yet.').waitFor();
  await choose(page, 'Recording level', /^NONE/);
  await page.getByText('Recording level: saved').waitFor();
  await page.getByText('Counts now: NONE').waitFor();
  expect(await uploadedOfNextRun()).toEqual([]);
  await page.getByRole('combobox', { name: 'Recording level' }).click();
  // Each says what it uploads, and what that takes.
  await page.getByRole('option', { name: /^TRACE.*video.*a session.*a month/ }).waitFor();
  expect(await axe(page)).toEqual([]);
  await page.getByRole('option', { name: /^INFO/ }).click();
  await page.getByText('Counts now: INFO').waitFor();
  expect((await uploadedOfNextRun()).length).toBeGreaterThan(0);
  await page.reload();
  await page.getByText(/^Kept runs take \d+(\.\d+)? [kM]B on this computer now\.$/).waitFor();
  await page.context().close();
}, 120_000);

test('a cap below the chosen level counts, and the page says so', async () => {
  const page = await pages.open('/settings');
  await choose(page, 'Most that may leave this machine', /^ERROR/);
  await page.getByText('Counts now: ERROR, not INFO').waitFor();
  expect((await agent.call('GET', '/recording/levels')).json).toMatchObject({
    current: { level: 'ERROR' },
  });
  await page.getByRole('button', { name: 'Use the default for Most that may leave this machine' }).click();
  await page.getByText('Counts now: INFO').waitFor();
  await page.context().close();
});

test('a level by environment is added and removed', async () => {
  const page = await pages.open('/settings');
  const table = page.getByRole('table', { name: 'Level by environment' });
  await page.getByLabel('Level by environment: name').fill('prod');
  await page.getByLabel('Level by environment: name').press('Enter');
  await table.getByRole('cell', { name: 'prod', exact: true }).waitFor();
  const { json } = await agent.call('GET', '/settings/recording.level_by_env');
  expect(json).toMatchObject({ value: { prod: 'INFO' } });
  await table.getByRole('button', { name: 'Remove prod' }).click();
  await table.waitFor({ state: 'detached' });
  await page.context().close();
});

test('what the environment sets is locked and says why; what needs a restart offers it', async () => {
  const page = await pages.open('/settings');
  const locked = page.getByRole('textbox', { name: 'Time to finish before stopping (seconds)' });
  await expect.poll(async () => locked.isDisabled()).toBe(true);
  await page.getByText('the environment variable LBA_WORKER_DRAIN_DEADLINE_SECONDS').waitFor();
  const name = page.getByRole('textbox', { name: 'Name of this worker' });
  await name.fill('front desk');
  await name.press('Enter');
  await page.getByText('One change waits for a restart').waitFor();
  const startsBefore = agent.lives.length;
  await page.getByRole('button', { name: 'Restart now' }).click();
  await page
    .getByText('The agent has started again with the new settings.')
    .waitFor({ timeout: PATIENCE_MS });
  expect(agent.lives.length).toBe(startsBefore + 1);
  await expect.poll(async () => page.getByText('One change waits').count()).toBe(0);
  expect(await name.inputValue()).toBe('front desk');
  await page.context().close();
}, 120_000);

test('a value that is not allowed is refused in words, and the old one stays', async () => {
  const page = await pages.open('/settings');
  await page.getByRole('searchbox', { name: 'Search the settings' }).fill('allowed_origins');
  const origins = page.getByRole('combobox', { name: 'Allowed origins' });
  await origins.fill('not an origin');
  await origins.press('Enter');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').filter({ hasText: 'Not saved' }).waitFor();
  expect((await agent.call('GET', '/settings/api.allowed_origins')).json).toMatchObject({ value: [] });
  await page.context().close();
});

test('a key is shown once and can be revoked', async () => {
  const page = await pages.open('/settings');
  await page.getByRole('button', { name: 'Create a key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create an API key' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Reports');
  await dialog.getByRole('button', { name: 'Create the key' }).click();
  const key = await dialog.locator('pre').innerText();
  expect(await axe(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Done' }).click();
  expect((await agent.call('GET', '/runs', { key })).status).toBe(200);
  await page.getByRole('button', { name: 'Revoke the key Reports' }).click();
  await page.getByRole('button', { name: 'Revoke the key', exact: true }).click();
  await page.getByText('is refused from now on').waitFor();
  expect((await agent.call('GET', '/runs', { key })).status).toBe(401);
  await page.context().close();
});

test('axe finds nothing serious, with advanced settings open too; narrow, nothing sticks out', async () => {
  const page = await pages.open('/settings');
  await page.getByRole('heading', { name: 'Advanced' }).waitFor();
  await shot(page, 'settings');
  for (const group of ['Browser', 'Local API']) {
    await page.getByRole('button', { name: group, exact: true }).click();
  }
  await page.getByRole('textbox', { name: 'Address of the local API' }).waitFor();
  await page.setViewportSize({ width: 420, height: 760 });
  await expect.poll(() => sticksOut(page)).toBe(0);
  expect(await axeInBoth(page, 'settings-narrow')).toEqual([]);
  await page.context().close();
}, 120_000);
