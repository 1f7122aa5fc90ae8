/** The agent as Electron's utility process: what is shipped, here with a stand-in for the agent itself. */
import { once } from 'node:events';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, describe, expect, test } from 'vitest';
import { isAlive } from '../../agent/base/is-alive.ts';
import { lastWord } from '../fixtures/electron-app.ts';
import { closeDisplay, mainPage, makeHome, missingForElectron, startApp } from '../fixtures/electron.ts';

const missing = missingForElectron();
if (missing !== null) console.warn(`the desktop app is not tested: ${missing}`);

describe.skipIf(missing !== null)('the agent as a utility process', () => {
  afterAll(closeDisplay);

  test('is started, started again when it is killed, and told to stop when the app quits', async () => {
    const home = await makeHome();
    const started = await startApp({
      home,
      env: {
        LBA_AGENT_RUNTIME: 'utility',
        LBA_AGENT_ENTRY: join(import.meta.dirname, '..', 'fixtures', 'utility-agent.cjs'),
      },
    });
    const page = await mainPage(started);
    const first = await readyPid(page, 0);
    const names = await started.app.evaluate(({ app }) => app.getAppMetrics().map(({ name }) => name));
    expect(names).toContain('Local Browser Agent');

    process.kill(first, 'SIGKILL');
    const second = await readyPid(page, first);

    const over = once(started.app.process(), 'exit');
    await started.app.evaluate(({ app }) => app.quit());
    await over;
    expect(isAlive(second)).toBe(false);
    expect(lastWord(home)).toBe('the app has ended');
  });
});

/** Once it is another than `before`. The stand-in gives its process id as its key. */
async function readyPid(page: Page, before: number): Promise<number> {
  let pid = before;
  await expect
    .poll(async () => {
      const agent = await page.evaluate(() => window.localBrowserAgent!.agent()).catch(() => null);
      if (agent?.state === 'ready') pid = Number(agent.token);
      return pid;
    })
    .not.toBe(before);
  return pid;
}
