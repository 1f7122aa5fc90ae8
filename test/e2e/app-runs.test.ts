import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startPortal, type Portal } from '../../agent/sandbox/index.ts';
import { axe, goTo, openTestApp, shot, type TestApp } from '../fixtures/app.ts';

let portal: Portal;
let app: TestApp;
/** Of a run that failed, recorded at DEBUG. */
let failedId: string;

beforeAll(async () => {
  portal = await startPortal();
  app = await openTestApp({ variables: { LBA_RECORDING_KEEP_LEVEL: 'DEBUG' } });
  failedId = await startRun('missing-order', 'DEBUG');
  await ended(failedId);
}, 120_000);

afterAll(async () => {
  await app?.close();
  await portal?.close();
});

test.each(['light', 'dark'] as const)(
  'Home shows the day and the recent runs, and a run its steps and evidence (%s)',
  async (colorScheme) => {
    const page = await app.open('/runs', { colorScheme });
    const row = page.getByRole('row', { name: /missing-order/ });
    await row.waitFor();
    expect(await axe(page)).toEqual([]);
    await shot(page, `runs-${colorScheme}`);

    await row.getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: 'missing-order' }).waitFor();
    await page.getByRole('alert').getByText('order SO-9999 is not in the portal').waitFor();
    await page.getByRole('img', { name: 'The page after this step' }).waitFor();
    expect(await page.getByRole('list', { name: 'Steps' }).getByRole('button').count()).toBe(5);
    expect(await axe(page)).toEqual([]);
    await shot(page, `run-failed-${colorScheme}`);

    await page.getByRole('tab', { name: 'Page errors' }).click();
    await page.getByText(/status of 404/).waitFor();
    await page.getByRole('tab', { name: /Files/ }).click();
    await page.getByRole('button', { name: 'Save manifest.json' }).waitFor();
    await page.getByText('Open it with the Network panel').waitFor();
    expect(await axe(page)).toEqual([]);
    const download = page.waitForEvent('download');
    await page
      .getByRole('row', { name: /Network log/ })
      .getByRole('button', { name: 'Save network.har' })
      .click();
    const har = JSON.parse(readFileSync(await (await download).path(), 'utf8')) as {
      log: { entries: { request: { url: string } }[] };
    };
    expect(har.log.entries[0]!.request.url).toContain(portal.url);

    // The first visit of Home leads to the wizard; whoever goes back is let go.
    await goTo(page, '/');
    await page.waitForURL(/#\/setup/);
    await goTo(page, '/');
    await page.getByRole('region', { name: 'Today' }).getByText('Runs today').waitFor();
    await page.getByRole('heading', { name: 'Not set up yet' }).waitFor();
    await page
      .getByRole('table', { name: 'Recent runs' })
      .getByRole('link', { name: 'missing-order' })
      .first()
      .waitFor();
    expect(await axe(page)).toEqual([]);
    await shot(page, `home-${colorScheme}`);
    await page.context().close();
  },
);

test('search and filters are in the address, and a search that finds nothing says how to go on', async () => {
  const page = await app.open('/runs?q=missing');
  await page.getByRole('row', { name: /missing-order/ }).waitFor();
  await page.getByRole('searchbox', { name: 'Search runs' }).fill('no such run');
  await page.getByRole('heading', { name: 'No run matches' }).waitFor();
  expect(page.url()).toContain('#/runs?q=no+such+run');
  expect(await axe(page)).toEqual([]);
  await page.getByRole('button', { name: 'Show all runs' }).click();
  await page.getByRole('row', { name: /missing-order/ }).waitFor();
  expect(page.url()).not.toContain('?');
  await page.context().close();
});

test('the keyboard alone finds and opens a run', async () => {
  const page = await app.open('/runs');
  const grid = page.getByRole('grid', { name: 'Runs' });
  await grid.getByRole('link').first().waitFor();
  await grid.focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.getByRole('list', { name: 'Steps' }).waitFor();
  expect(page.url()).toMatch(/#\/runs\/[0-9a-f-]{36}$/);
  await page.context().close();
});

test('a run at work is on Home with its picture, can be paused, and is cancelled after a question', async () => {
  const runId = await startRun(
    {
      name: 'Slow work',
      steps: [
        { action: 'navigate', url: `${portal.url}/login` },
        { action: 'wait', name: 'A long wait', seconds: 60 },
        { action: 'wait', name: 'Another', seconds: 60 },
      ],
    },
    'INFO',
  );
  const page = await app.open('/');
  // The first visit leads to the wizard.
  await page.waitForURL(/#\/setup/);
  await goTo(page, '/');
  const card = page.getByRole('article', { name: 'Slow work' });
  await card.getByText(/Step 2 of 3|Step 3 of 4|A long wait/).waitFor();
  await card.getByTitle('Live view of the run').waitFor();
  await shot(page, 'home-running');
  await card.getByRole('button', { name: 'Pause' }).click();
  await card.getByText('Paused').first().waitFor();
  await card.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Cancel the run' }).click();
  await card.waitFor({ state: 'detached' });
  expect(await ended(runId)).toBe('cancelled');
  await page.context().close();
});

test('run again starts the same run and shows it', async () => {
  const page = await app.open(`/runs/${failedId}`);
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.waitForURL((url) => url.hash.startsWith('#/runs/') && !url.hash.includes(failedId));
  await page.getByRole('heading', { level: 1, name: 'missing-order' }).waitFor();
  expect(await ended(page.url().split('/').at(-1)!)).toBe('failed');
  await page.getByRole('button', { name: 'Run again' }).waitFor();
  await page.context().close();
});

test('a run that is not there is said to be not there', async () => {
  const page = await app.open('/runs/01a20042-ba5f-7d85-96d0-5689d5a82e90');
  await page
    .getByRole('alert')
    .getByText(/There is no run/)
    .waitFor();
  expect(await axe(page)).toEqual([]);
  await page.context().close();
});

async function startRun(script: string | object, level: string): Promise<string> {
  const body =
    typeof script === 'string'
      ? {
          script: JSON.parse(
            readFileSync(new URL(`../../resources/demo/${script}.json`, import.meta.url), 'utf8'),
          ) as object,
          variables: { portal: portal.url },
          level,
        }
      : { script, level };
  const { json, text } = await app.api.call('POST', '/runs', { body });
  const id = (json as { run_id?: string }).run_id;
  if (id === undefined) throw new Error(text);
  return id;
}

async function ended(id: string): Promise<string> {
  return vi.waitFor(
    async () => {
      const { state } = (await app.api.call('GET', `/runs/${id}`)).json as { state: string };
      expect(state).toMatch(/^(succeeded|failed|cancelled|lost)$/);
      return state;
    },
    { timeout: 60_000, interval: 200 },
  );
}
