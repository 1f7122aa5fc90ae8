/** The setup, in the built page against a real agent: by keyboard alone, from nothing to a finished run. */
import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { seedEnvironment, startSandbox } from '../../agent/sandbox/index.ts';
import { axeInBoth, openTestPages, type TestPages } from '../fixtures/app.ts';
import { openServingAgent, type ServingTestAgent } from '../fixtures/serving.ts';

/** Two restarts and a run on a busy machine. */
const PATIENCE_MS = 60_000;

/** What the goal for a machine where everything is there says. */
const GOAL_MS = 60_000;

let agent: ServingTestAgent;
let pages: TestPages;

beforeAll(async () => {
  agent = await openServingAgent();
  pages = await openTestPages(agent);
});

afterAll(async () => {
  await pages?.close();
  await agent?.close();
});

/** Presses Enter once this button has the focus by itself. */
async function enter(page: Page, name: string): Promise<void> {
  const button = page.getByRole('button', { name, exact: true });
  await button.waitFor({ timeout: PATIENCE_MS });
  await expect.poll(async () => button.evaluate((element) => element === document.activeElement)).toBe(true);
  await page.keyboard.press('Enter');
}

const heading = async (page: Page, name: string): Promise<void> =>
  page.getByRole('heading', { level: 2, name }).waitFor();

test('Enter alone leads from nothing to a finished run and an agent that takes tasks', async () => {
  const page = await pages.open('/setup');
  const begin = performance.now();
  await heading(page, 'How does the agent reach AWS?');
  await page.getByRole('radio', { name: 'Try it without AWS' }).waitFor();
  await enter(page, 'Continue');
  await enter(page, 'Start the sandbox');
  await enter(page, 'Continue');
  await heading(page, 'Checks');
  await enter(page, 'Continue');
  await page.getByText('Will be used').waitFor();
  await enter(page, 'Continue');
  await heading(page, 'First profile');
  await enter(page, 'Skip');
  await enter(page, 'Start the test run');
  await page.getByTitle('Live view of the run').waitFor({ timeout: PATIENCE_MS });
  await page.getByText('Succeeded').waitFor({ timeout: PATIENCE_MS });
  const finishedMs = performance.now() - begin;
  await enter(page, 'Finish');
  await page.getByText('Setup is complete').waitFor();
  await expect.poll(() => page.url()).toMatch(/#\/$/);
  console.log(`setup on the sandbox to a finished run: ${(finishedMs / 1_000).toFixed(1)} s`);
  expect(finishedMs).toBeLessThan(GOAL_MS);
  expect((await agent.call('GET', '/agent')).json).toMatchObject({ state: 'working' });
  const { items } = (await agent.call('GET', '/runs')).json as { items: Record<string, unknown>[] };
  // Through the sandbox's Step Functions: it has a task.
  expect(items).toMatchObject([{ state: 'succeeded', task_id: expect.any(String) }]);
  // While it starts anew nobody answers: the browser writes that down by itself.
  expect(pages.problems.filter((words) => !words.startsWith('Failed to load resource'))).toEqual([]);
  await page.context().close();
}, 120_000);

test('each step can be come back to, and none has anything serious for axe', async () => {
  const done = ['start', 'fetch', 'checks', 'browser', 'profile', 'test'];
  const progress = { step: 'start', done, environment: 'dev', sign_in: { kind: 'environment' } };
  expect((await agent.call('PUT', '/setup/progress', { body: { progress } })).status).toBe(200);
  const page = await pages.open('/setup');
  const steps: [string, string][] = [
    ['Sign in', 'How does the agent reach AWS?'],
    ['Fetch', 'Fetch the AWS configuration'],
    ['Checks', 'Checks'],
    ['Browser', 'Browser'],
    ['Profile', 'First profile'],
    ['Test run', 'Test run'],
  ];
  const nav = page.getByRole('navigation', { name: 'Steps of the setup' });
  for (const [label, title] of steps) {
    await nav.getByRole('button', { name: label }).click();
    await heading(page, title);
    await expect.poll(async () => page.getByRole('status', { name: /^Looking/ }).count()).toBe(0);
    expect(await axeInBoth(page, `setup-${label.toLowerCase().replace(' ', '-')}`), label).toEqual([]);
  }
  await page.context().close();
}, 120_000);

test('leaving half-way loses nothing: another page goes on at the same step', async () => {
  const first = await pages.open('/setup?step=start');
  await heading(first, 'How does the agent reach AWS?');
  await enter(first, 'Continue');
  await heading(first, 'Start the sandbox');
  await first.context().close();
  await expect
    .poll(async () => (await agent.call('GET', '/setup')).json)
    .toMatchObject({ progress: { step: 'fetch', sign_in: { kind: 'sandbox' } } });
  const second = await pages.open('/setup');
  await heading(second, 'Start the sandbox');
  await second.context().close();
});

test('a setup code is asked for where it is chosen, and is never kept; a failure says what to do', async () => {
  const page = await pages.open('/setup?step=start');
  await page.getByRole('radio', { name: 'Setup code' }).click();
  const code = page.getByLabel('Setup code').and(page.locator('input'));
  await code.fill('no-such-code');
  await code.press('Enter');
  await enter(page, 'Fetch AWS configuration');
  await page.getByRole('img', { name: 'Failed' }).first().waitFor();
  await page.getByText('What to do:').first().waitFor();
  expect(await axeInBoth(page, 'setup-failed')).toEqual([]);
  expect((await agent.call('GET', '/setup')).text).not.toContain('no-such-code');
  await page.reload();
  await page.getByText('The setup code is not kept').waitFor();
  await page.context().close();
});

test('on AWS: fetched, checked, tried, and after one restart at the end tasks are taken; narrow too', async () => {
  const aws = await startSandbox({ pollMs: 500 });
  onTestFinished(async () => aws.close());
  await seedEnvironment(aws, { env: 'dev' });
  // The SDK looks for credentials in the environment of the process.
  Object.assign(process.env, aws.env);
  const other = await openServingAgent({ variables: aws.env });
  onTestFinished(async () => other.close());
  const window = await openTestPages(other);
  onTestFinished(async () => window.close());
  const page = await window.open('/setup', { viewport: { width: 420, height: 760 } });
  await page.getByRole('radio', { name: 'Environment variables' }).waitFor();
  await page.getByText('Step 1 of 6').waitFor();
  await enter(page, 'Continue');
  await enter(page, 'Fetch AWS configuration');
  await page.getByRole('table', { name: 'What was found' }).waitFor();
  expect(await axeInBoth(page, 'setup-fetched-narrow')).toEqual([]);
  await enter(page, 'Continue');
  await heading(page, 'Checks');
  await enter(page, 'Continue');
  await page.getByText('Will be used').waitFor();
  await enter(page, 'Continue');
  await heading(page, 'First profile');
  await enter(page, 'Skip');
  await enter(page, 'Start the test run');
  await page.getByText('Succeeded').waitFor({ timeout: PATIENCE_MS });
  await enter(page, 'Finish');
  await page.getByText('The agent takes tasks from now on').waitFor({ timeout: PATIENCE_MS });
  expect(other.lives.length).toBe(2);
  expect((await other.call('GET', '/agent')).json).toMatchObject({
    state: 'working',
    activity_arn: expect.stringContaining(':activity:'),
  });
}, 120_000);
