/** Who may not, or not now, reads why on the page of the live view. */
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openTestApi, type TestApi } from '../fixtures/api.ts';
import { launchTestBrowser, startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';

const soon = { timeout: 20_000 };

let api: TestApi;
let site: FixtureSite;
let browser: Browser;

beforeAll(async () => {
  site = await startFixtureSite();
  site.page('/', '<h1>Harbour');
  api = await openTestApi();
  browser = await launchTestBrowser();
});
afterAll(async () => {
  await browser.close();
  await api.close();
  await site.close();
});

async function start(api: TestApi): Promise<string> {
  const steps = [
    { action: 'navigate', url: `${site.url}/` },
    { action: 'human', message: 'Wait' },
  ];
  const { json } = await api.call('POST', '/runs', { body: { script: { name: 'Watched', steps } } });
  const { run_id: id } = json as { run_id: string };
  onTestFinished(async () => {
    await api.call('POST', `/runs/${id}/cancel`);
    await expect.poll(() => api.agent.watchable.get(id), soon).toBeUndefined();
  });
  await expect.poll(() => api.agent.watchable.get(id), soon).toBeDefined();
  return id;
}

async function ticket(api: TestApi, id: string): Promise<{ path: string; expires_at: string }> {
  const { json } = await api.call('POST', `/runs/${id}/live-tickets`, { body: { role: 'operator' } });
  return json as { path: string; expires_at: string };
}

async function open(api: TestApi, path: string): Promise<Page> {
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await page.goto(`${api.api.url}${path}`);
  return page;
}

test('a ticket that has expired', async () => {
  // The shortest life that a ticket can have.
  const brief = await openTestApi({ variables: { LBA_API_LIVE_TICKET_SECONDS: '1' } });
  onTestFinished(() => brief.close());
  const { path, expires_at: expiresAt } = await ticket(brief, await start(brief));
  await expect.poll(() => Date.now(), soon).toBeGreaterThan(Date.parse(expiresAt));
  const page = await open(brief, path);
  await expect.poll(() => page.textContent('#over-title'), soon).toBe('You cannot come in');
  expect(await page.textContent('#over-words')).toBe('This ticket has expired: ask for another.');
});

test('a second operator, who asks although the button is off', async () => {
  const id = await start(api);
  const first = await open(api, (await ticket(api, id)).path);
  await first.getByRole('button', { name: 'Take over' }).click();
  await expect.poll(() => first.textContent('#status'), soon).toContain('You have mouse and keyboard');
  const second = await open(api, (await ticket(api, id)).path);
  await expect.poll(() => second.textContent('#status'), soon).toContain('Somebody else');
  await second.evaluate(() => {
    const { liveView } = globalThis as unknown as { liveView: { channel: { ask(request: object): void } } };
    liveView.channel.ask({ type: 'take' });
  });
  await expect
    .poll(() => second.textContent('#notice'), soon)
    .toContain('Somebody else has mouse and keyboard');
  expect(await second.isVisible('#notice')).toBe(true);
});

test('a run that ends while it is watched', async () => {
  const id = await start(api);
  const page = await open(api, (await ticket(api, id)).path);
  await expect.poll(() => page.isVisible('#steering'), soon).toBe(true);
  await expect.poll(() => page.textContent('#status'), soon).toContain('waits for a person');
  await api.call('POST', `/runs/${id}/cancel`);
  await expect.poll(() => page.textContent('#over-title'), soon).toBe('The run has ended');
  expect(await page.textContent('#over-words')).toBe('The run has ended.');
});
