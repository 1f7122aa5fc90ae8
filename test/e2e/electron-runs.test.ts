/** The desktop app with a run at work: what is seen of it, and what becomes of it when the app ends. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '../../agent/base/is-alive.ts';
import { homePaths } from '../../agent/base/paths.ts';
import { openDatabase } from '../../agent/store/database.ts';
import type { RunRow } from '../../agent/store/run-rows.ts';
import { RunStore } from '../../agent/store/runs.ts';
import { agentOf, ask, lastWord, windowsOf, type AgentOf } from '../fixtures/electron-app.ts';
import {
  cleanUp,
  closeDisplay,
  mainPage,
  makeHome,
  missingForElectron,
  startApp,
  type StartedApp,
} from '../fixtures/electron.ts';

const missing = missingForElectron();
if (missing !== null) console.warn(`the desktop app is not tested: ${missing}`);

/** Colours that no page of ours has. */
const PAGE = `<!doctype html><title>Stripes</title><style>body { margin: 0; height: 100vh;
  background: repeating-linear-gradient(90deg, #f00 0 100px, #0c0 100px 200px, #00f 200px 300px) }</style>
<script>const timer = setInterval(async () => {
  if (!(await fetch('/may-end')).ok) return;
  clearInterval(timer);
  document.body.id = 'end';
}, 100);</script>`;
/** Three browsers start at once, maybe on a busy machine. */
const SLOW_MS = 60_000;
/** Longer than any test takes. */
const STEP_MS = 120_000;

describe.skipIf(missing !== null)('the desktop app with a run at work', { timeout: 2 * SLOW_MS }, () => {
  let site: Server;
  let started: StartedApp;
  /** Runs come to their end when this is so. */
  let mayEnd = false;

  beforeAll(async () => {
    site = createServer(({ url }, response) => {
      if (url === '/may-end') response.writeHead(mayEnd ? 200 : 404).end();
      else response.setHeader('content-type', 'text/html').end(PAGE);
    }).listen(0, '127.0.0.1');
    await once(site, 'listening');
  });
  afterEach(cleanUp);
  afterAll(async () => {
    await closeDisplay();
    site.close();
  });

  async function begin(home: string): Promise<{ page: Page; agent: AgentOf; runId: string }> {
    started = await startApp({ home });
    const page = await mainPage(started);
    const agent = await agentOf(page);
    const script = {
      name: 'stripes',
      starting_page: `http://127.0.0.1:${(site.address() as AddressInfo).port}/`,
      steps: [{ action: 'wait_for_selector', name: 'Look', selector: '#end', timeout: STEP_MS }],
    };
    const { run_id: runId } = await ask<{ run_id: string }>(agent, '/runs', { script });
    await expect
      .poll(async () => (await ask<{ state: string }>(agent, `/runs/${runId}`)).state)
      .toBe('running');
    return { page, agent, runId };
  }

  test('shows the run as it happens; quitting lets it come to its end, and says what it waits for', async () => {
    const home = await makeHome();
    const { page, agent, runId } = await begin(home);
    await page.evaluate((id) => {
      window.location.hash = `#/runs/${id}`;
    }, runId);
    const live = page.frameLocator('iframe[title="Live view of the run"]').locator('canvas');
    await live.waitFor({ timeout: SLOW_MS });
    await expect
      .poll(
        async () => {
          const { channels } = await sharp(await live.screenshot()).stats();
          return channels.slice(0, 3).every(({ stdev }) => stdev > 60);
        },
        { timeout: SLOW_MS },
      )
      .toBe(true);
    expect(await isAwake(started)).toBe(true);

    const over = once(started.app.process(), 'exit');
    await started.app.evaluate(({ app }) => app.quit());
    await expect.poll(async () => (await windowsOf(started)).map(({ title }) => title)).toContain('Quitting');
    expect(isAlive(agent.pid)).toBe(true);
    mayEnd = true;
    await over;
    mayEnd = false;
    expect(lastWord(home)).toBe('the app has ended');
    expect(isAlive(agent.pid)).toBe(false);
    expect(runOf(home, runId)).toMatchObject({ state: 'succeeded' });
  });

  test('"Quit now" cancels what is at work', async () => {
    const home = await makeHome();
    const { agent, runId } = await begin(home);
    const over = once(started.app.process(), 'exit');
    await started.app.evaluate(({ app }) => app.quit());
    await expect.poll(async () => (await windowsOf(started)).map(({ title }) => title)).toContain('Quitting');
    const quitting = (): Page | undefined =>
      started.app.windows().find((window) => window.url().startsWith('lba://quit'));
    await expect.poll(quitting).toBeDefined();
    await quitting()!.getByRole('button', { name: 'Quit now' }).click({ noWaitAfter: true });
    await over;
    expect(lastWord(home)).toBe('the app has ended');
    expect(isAlive(agent.pid)).toBe(false);
    expect(runOf(home, runId)).toMatchObject({ error_name: 'BrowserAgent.Cancelled' });
  });

  test('ended by force, with everything it had started: the next start tells what happened', async () => {
    const home = await makeHome();
    const { agent, runId } = await begin(home);
    process.kill(agent.pid, 'SIGKILL');
    await started.end();

    started = await startApp({ home });
    const page = await mainPage(started);
    await agentOf(page);
    const connection = await page.evaluate(() => window.localBrowserAgent!.agent());
    expect(connection).toMatchObject({
      state: 'ready',
      notice: expect.stringContaining('did not end by itself'),
    });
    const run = runOf(home, runId);
    expect(run).toMatchObject({ state: 'failed', error_name: 'BrowserAgent.Interrupted' });
    await page.getByText('did not end by itself').waitFor();
  });
});

function runOf(home: string, runId: string): RunRow | undefined {
  const db = openDatabase(homePaths(home).database);
  try {
    return new RunStore(db).get(runId);
  } finally {
    db.close();
  }
}

/** Whether the machine is kept from sleeping. */
function isAwake({ app }: StartedApp): Promise<boolean> {
  return app.evaluate(({ powerSaveBlocker }) => [0, 1, 2, 3].some((id) => powerSaveBlocker.isStarted(id)));
}
