/** The desktop app in a real Electron window: what its shell promises whoever is on the page. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Page } from 'playwright';
import { isAlive } from '../../agent/base/is-alive.ts';
import { pagePolicy } from '../../electron/scheme.ts';
import {
  closeDisplay,
  mainPage,
  makeHome,
  missingForElectron,
  startAgain,
  startApp,
  type StartedApp,
} from '../fixtures/electron.ts';
import { agentOf, installedCopy, lastWord, windowsOf, type InstalledCopy } from '../fixtures/electron-app.ts';

const missing = missingForElectron();
if (missing !== null) console.warn(`the desktop app is not tested: ${missing}`);

/** An agent starts again after a moment, on a busy machine. */
const RESTART_MS = 20_000;

describe.skipIf(missing !== null)('the desktop app, on its first start', () => {
  let copy: InstalledCopy;
  let home: string;
  let started: StartedApp;
  let page: Page;

  beforeAll(async () => {
    copy = await installedCopy('Programme für Zoë');
    home = await makeHome('Zoë Müller, 東京');
    started = await startApp({ home, folder: copy.folder });
    page = await mainPage(started);
  });
  afterAll(async () => {
    await closeDisplay();
    await copy.remove();
  });

  test('opens the setup', async () => {
    await expect.poll(() => page.evaluate(() => window.location.hash)).toContain('#/setup');
    await page.getByRole('heading', { level: 1 }).first().waitFor();
    // Where another agent has the usual port, the page is loaded anew until then.
    await agentOf(page);
  });

  test('gives the page exactly the functions of the bridge', async () => {
    const keys = await page.evaluate(() => Object.keys(window.localBrowserAgent ?? {}).sort());
    expect(keys).toEqual([
      'agent',
      'getLoginItem',
      'onAgentChange',
      'onNavigate',
      'openExternal',
      'openFolder',
      'platform',
      'restartAgent',
      'saveFile',
      'setLoginItem',
      'vault',
      'version',
    ]);
    const node = await page.evaluate(() => [
      typeof Reflect.get(window, 'require'),
      typeof Reflect.get(window, 'process'),
    ]);
    expect(node).toEqual(['undefined', 'undefined']);
  });

  test('says honestly how credentials are kept', async () => {
    const vault = await page.evaluate(() => window.localBrowserAgent!.vault());
    expect(vault).toEqual({ isProtected: false, protection: expect.stringContaining('not protected') });
  });

  test('its page carries the policy, which names the agent alone', async () => {
    const { url } = await agentOf(page);
    const policy = await page.evaluate(async () =>
      (await fetch(window.location.pathname)).headers.get('content-security-policy'),
    );
    expect(policy).toBe(pagePolicy(url));
    const refused = await page.evaluate(() => fetch('https://example.com/').then(() => 'answered', String));
    expect(refused).toContain('TypeError');
  });

  test('leads nowhere else: no navigation, no window, no foreign frame', async () => {
    const before = page.url();
    await page.evaluate(() => {
      window.location.href = 'https://example.com/';
    });
    expect(await page.evaluate(() => window.open('https://example.com/') === null)).toBe(true);
    await page.evaluate(() => {
      const link = document.createElement('a');
      link.href = 'https://example.com/';
      link.target = '_blank';
      document.body.append(link);
      link.click();
      link.remove();
    });
    expect(page.url()).toBe(before);
    expect(await windowsOf(started)).toHaveLength(1);
  });

  test('grants a page nothing but writing to the clipboard', async () => {
    const states = await page.evaluate(async () => {
      const asked: Record<string, string> = {};
      for (const name of ['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read', 'midi']) {
        asked[name] = await navigator.permissions.query({ name: name as PermissionName }).then(
          ({ state }) => state,
          () => 'refused',
        );
      }
      return asked;
    });
    expect(Object.values(states).filter((state) => state === 'granted')).toEqual([]);
    expect(
      await page.evaluate(() =>
        navigator.mediaDevices.getUserMedia({ audio: true }).then(
          () => 'yes',
          () => 'no',
        ),
      ),
    ).toBe('no');
  });

  test('answers no page but its own', async () => {
    const answer = await started.app.evaluate(async ({ app, BrowserWindow }) => {
      const preload = `${app.getAppPath()}/dist/electron/preload.cjs`;
      const foreign = new BrowserWindow({ show: false, webPreferences: { preload, sandbox: true } });
      try {
        await foreign.loadURL('data:text/html,<p>foreign</p>');
        const text = (await foreign.webContents.executeJavaScript(
          'localBrowserAgent.agent().then(JSON.stringify, String)',
        )) as string;
        return text;
      } finally {
        foreign.destroy();
      }
    });
    expect(answer).toContain('may not ask');
    expect(answer).not.toContain('token');
  });

  test('opens no address outside its list, and no folder outside the data directory', async () => {
    const opened = await page.evaluate(() =>
      Promise.all(
        [
          'http://docs.aws.amazon.com/',
          'https://example.com/',
          'file:///etc/passwd',
          'javascript:alert(1)',
        ].map((url) => window.localBrowserAgent!.openExternal(url)),
      ),
    );
    expect(opened).toEqual([false, false, false, false]);
    const run = await page.evaluate(() =>
      window.localBrowserAgent!.openFolder({ kind: 'run', runId: '../../etc' }).then(() => 'opened', String),
    );
    expect(run).not.toBe('opened');
  });

  test('closing hides the window and keeps the agent; a second start shows it again', async () => {
    const { pid } = await agentOf(page);
    await started.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.close());
    await expect.poll(async () => (await windowsOf(started))[0]?.isVisible).toBe(false);
    expect(isAlive(pid)).toBe(true);
    expect(await startAgain({ home, folder: copy.folder, args: ['local-browser-agent://run/abc'] })).toBe(0);
    await expect.poll(async () => (await windowsOf(started))[0]?.isVisible).toBe(true);
    await expect.poll(() => page.evaluate(() => window.location.hash)).toBe('#/runs/abc');
    expect((await agentOf(page)).pid).toBe(pid);
  });

  test('an agent that is killed is started again, and the page finds it', async () => {
    const { pid, token } = await agentOf(page);
    process.kill(pid, 'SIGKILL');
    await expect
      .poll(() => page.evaluate(async () => (await window.localBrowserAgent!.agent()).state))
      .toBe('restarting');
    await expect
      .poll(() => page.evaluate(async () => (await window.localBrowserAgent!.agent()).state))
      .toBe('ready');
    const next = await agentOf(page);
    expect(next.pid).not.toBe(pid);
    expect(next.token).not.toBe(token);
    await page.getByRole('navigation').first().waitFor();
  });

  test('quitting at rest ends everything at once, and leaves the installed files as they were', async () => {
    const { pid } = await agentOf(page);
    const child = started.app.process();
    const over = once(child, 'exit');
    await started.app.evaluate(({ app }) => app.quit());
    await over;
    expect(lastWord(home)).toBe('the app has ended');
    expect(isAlive(pid)).toBe(false);
    expect(await copy.changes()).toEqual([]);
  });
});

describe.skipIf(missing !== null)('the page of a window that was not drawn yet', () => {
  afterAll(closeDisplay);

  test('hears what becomes of the agent', async () => {
    const home = await makeHome();
    const started = await startApp({ home, env: { LBA_WINDOW_RELEASE_MS: '1' } });
    await agentOf(await mainPage(started));
    // As on a slow machine: the next window is not ready to be shown.
    await started.app.evaluate(({ app }) => {
      app.on('browser-window-created', (_event, window) => {
        const once = window.once.bind(window) as (...parameters: unknown[]) => typeof window;
        window.once = (...parameters: unknown[]) =>
          parameters[0] === 'ready-to-show' ? window : once(...parameters);
      });
    });
    await started.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.close());
    await expect.poll(async () => (await windowsOf(started)).length).toBe(0);
    const opened = started.app.waitForEvent('window');
    expect(await startAgain({ home })).toBe(0);
    const page = await opened;
    const { pid } = await agentOf(page);
    const says = (words: string): Promise<boolean> =>
      page.evaluate((wanted) => document.body.textContent.includes(wanted), words);
    await expect.poll(() => says('Not set up for tasks')).toBe(true);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => says('is being started again')).toBe(true);
    await expect.poll(() => says('Not set up for tasks'), { timeout: RESTART_MS }).toBe(true);
    expect(await windowsOf(started)).toMatchObject([{ isVisible: false }]);
  });
});
