/** The desktop app from its first start: the setup without AWS, a finished run, and a level that counts for the next. */
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentOf, ask, windowsOf, type AgentOf } from '../fixtures/electron-app.ts';
import {
  cleanUp,
  closeDisplay,
  mainPage,
  makeHome,
  missingForElectron,
  startAgain,
  startApp,
  type StartedApp,
} from '../fixtures/electron.ts';

const missing = missingForElectron();
if (missing !== null) console.warn(`the desktop app is not tested: ${missing}`);

/** A restart of the agent, or a run, on a busy machine. */
const PATIENCE_MS = 60_000;
/** Not the usual one: while the agent of this test starts anew, one of another test would take that. */
const PORT = '4591';

interface Listed {
  items: { run_id: string; state: string; task_id: string | null; level: string }[];
}

describe.skipIf(missing !== null)('from the first start', { timeout: 3 * PATIENCE_MS }, () => {
  let page: Page;
  let agent: AgentOf;

  let home: string;
  let started: StartedApp;

  beforeAll(async () => {
    home = await makeHome();
    started = await startApp({ home, env: { LBA_WINDOW_RELEASE_MS: '300', LBA_API_PORT: PORT } });
    page = await mainPage(started);
  });
  afterAll(async () => {
    await cleanUp();
    await closeDisplay();
  });

  const press = async (name: string): Promise<void> =>
    page.getByRole('button', { name, exact: true }).click({ timeout: PATIENCE_MS });

  test('the setup leads to a finished run on the sandbox, and to an agent that takes tasks', async () => {
    agent = await agentOf(page);
    await page.getByRole('radio', { name: 'Try it without AWS' }).waitFor();
    await press('Continue');
    await press('Start the sandbox');
    await press('Continue');
    await page.getByRole('heading', { level: 2, name: 'Checks' }).waitFor();
    await press('Continue');
    await page.getByText('Will be used').waitFor();
    await press('Continue');
    await press('Skip');
    await press('Start the test run');
    await page.getByTitle('Live view of the run').waitFor({ timeout: PATIENCE_MS });
    await page.getByText('Succeeded').waitFor({ timeout: PATIENCE_MS });
    await press('Finish');
    await expect.poll(() => page.evaluate(() => window.location.hash)).toBe('#/');
    const { items } = await ask<Listed>(agent, '/runs');
    expect(items).toMatchObject([{ state: 'succeeded', task_id: expect.any(String) }]);
    expect(await ask(agent, '/agent')).toMatchObject({ state: 'working' });
  });

  test('the level in the dropdown changes what the next run uploads', async () => {
    expect(await uploadsAt('NONE')).toBe(0);
    expect(await uploadsAt('INFO')).toBeGreaterThan(0);
  });

  test('a window that was closed for a while takes no memory, and comes back at the same place', async () => {
    await started.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.close());
    await expect.poll(() => windowsOf(started)).toEqual([]);
    const shown = started.app.waitForEvent('window');
    expect(await startAgain({ home })).toBe(0);
    page = await shown;
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
    await expect.poll(async () => (await windowsOf(started))[0]?.isVisible).toBe(true);
  });

  async function uploadsAt(level: string): Promise<number> {
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('combobox', { name: 'Recording level' }).click();
    await page.getByRole('option', { name: new RegExp(`^${level}`) }).click();
    await page.getByText(`Counts now: ${level}`).waitFor();
    const { run_id: id } = await ask<{ run_id: string }>(agent, '/setup/test-run', {
      script: 'first-run',
    });
    await expect
      .poll(async () => (await ask<{ state: string }>(agent, `/runs/${id}`)).state, { timeout: PATIENCE_MS })
      .toBe('succeeded');
    const { level: used } = await ask<{ level: string }>(agent, `/runs/${id}`);
    expect(used).toBe(level);
    const { items } = await ask<{ items: unknown[] }>(agent, `/uploads?run_id=${id}`);
    return items.length;
  }
});
