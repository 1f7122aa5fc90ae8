/** The log in the built page, against a real agent that writes one. */
import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { axeInBoth, openTestPages, type TestPages } from '../fixtures/app.ts';
import { openServingAgent, type ServingTestAgent } from '../fixtures/serving.ts';

let agent: ServingTestAgent;
let pages: TestPages;

beforeAll(async () => {
  agent = await openServingAgent({ hasLog: true });
  pages = await openTestPages(agent);
});

afterAll(async () => {
  await pages?.close();
  await agent?.close();
});

const log = (): ServingTestAgent['lives'][number]['agent']['log'] => agent.lives.at(-1)!.agent.log;

const lines = (page: Page) => page.getByRole('region', { name: 'Lines of the log' }).getByRole('listitem');

test('a line appears as it is written, opens to all that it has, and leads to its run', async () => {
  const runId = '0192f0c4-0000-7000-8000-000000000001';
  const page = await pages.open('/log');
  await lines(page).first().waitFor();
  log().warn({ runId, cups: 3 }, 'the kettle is empty');
  const line = lines(page).filter({ hasText: 'the kettle is empty' });
  await line.getByRole('button').click();
  await line.getByText('"cups": 3').waitFor();
  await line.getByRole('link', { name: 'Only lines of this run' }).click();
  await expect.poll(async () => lines(page).count()).toBe(1);
  await expect.poll(async () => page.getByLabel('Only of the run with this id').inputValue()).toBe(runId);
  await page.context().close();
});

test('level and words choose lines, those that come too; nothing is left over is said', async () => {
  const page = await pages.open('/log');
  log().info('tea is ready');
  log().error('tea is cold');
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('TEA IS');
  await expect.poll(async () => lines(page).count()).toBe(2);
  await page.getByRole('combobox', { name: 'Level' }).click();
  await page.getByRole('option', { name: 'error and above' }).click();
  await expect
    .poll(async () => lines(page).allInnerTexts())
    .toEqual([expect.stringContaining('tea is cold')]);
  log().error('TEA is gone');
  await expect.poll(async () => lines(page).count()).toBe(2);
  expect(await axeInBoth(page, 'log-filtered')).toEqual([]);
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('coffee');
  await page.getByRole('heading', { name: 'No line is like that' }).waitFor();
  await page.context().close();
});

test('new lines are scrolled into sight until a person looks at older ones', async () => {
  const page = await pages.open('/log');
  for (let count = 0; count < 300; count += 1) log().info({ count }, `line ${count} of many`);
  await lines(page).filter({ hasText: 'line 299 of many' }).waitFor();
  expect(await axeInBoth(page, 'log')).toEqual([]);
  await page.getByRole('region', { name: 'Lines of the log' }).press('Home');
  await page.getByRole('button', { name: 'Follow new lines' }).waitFor();
  log().info('far below');
  await page.getByRole('button', { name: 'Follow new lines' }).click();
  await lines(page).filter({ hasText: 'far below' }).waitFor();
  await page.context().close();
});

test('the diagnostics are a ZIP with no key in it', async () => {
  const page = await pages.open('/log');
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save diagnostics' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/^local-browser-agent-\d{4}-\d{2}-\d{2}\.zip$/);
  const files = unzipSync(readFileSync(await download.path()));
  expect(Object.keys(files).length).toBeGreaterThan(3);
  for (const bytes of Object.values(files)) {
    expect(Buffer.from(bytes).toString('utf8')).not.toContain(agent.token);
  }
  await page.getByText('Diagnostics are saved').waitFor();
  await page.context().close();
});
