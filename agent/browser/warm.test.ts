import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isAlive } from '../base/is-alive.ts';
import { browserHome } from '../../test/fixtures/browser-home.ts';
import { silentLogger } from '../base/log.ts';
import { systemProcessTable } from './process-table.ts';
import { treeOf } from './process-tree.ts';
import { WarmBrowser, type WarmBrowserOptions } from './warm.ts';

async function warm(options: Partial<WarmBrowserOptions> = {}) {
  const home = await browserHome();
  const { temporary, processes } = home;
  const browser = new WarmBrowser({ temporary, processes, log: silentLogger, ...options });
  onTestFinished(() => browser.close());
  return { home, browser };
}

describe('the kept browser', () => {
  it('gives each run a context of its own in one process, a spare page first', async () => {
    const { home, browser } = await warm();
    expect(browser.status()).toBe('cold');
    await browser.start();
    expect(browser.status()).toBe('warm');
    const [a, b] = [await browser.session(), await browser.session({ locale: 'de-CH' })];
    expect(a.browser.pid).toBe(b.browser.pid);
    expect(a.kind).toBe('warm');
    await a.context.addCookies([{ name: 'n', value: 'v', url: 'http://a.test' }]);
    expect(await b.context.cookies()).toEqual([]);
    expect(await b.page().evaluate(() => navigator.language)).toBe('de-CH');
    const crashes: unknown[] = [];
    b.onCrash((error) => crashes.push(error));
    await a.close();
    expect(() => a.page()).toThrow(/All pages of the browser were closed/);
    expect(b.page().isClosed()).toBe(false);
    await b.close();
    expect(crashes).toEqual([]);
    await browser.close();
    expect(browser.status()).toBe('closed');
    expect(isAlive(b.browser.pid)).toBe(false);
    expect(readdirSync(home.paths.temporary)).toEqual([]);
    expect(home.processRows.list()).toEqual([]);
  });

  it('that dies under a run fails that run, and the next run gets another', async () => {
    const { browser } = await warm();
    const first = await browser.session();
    const crashed = new Promise((resolve) => first.onCrash(resolve));
    process.kill(first.browser.pid, 'SIGKILL');
    expect(await crashed).toMatchObject({ errorName: 'BrowserAgent.BrowserUnavailable' });
    await first.close();
    const second = await browser.session();
    expect(second.browser.pid).not.toBe(first.browser.pid);
    expect(await second.page().evaluate(() => 1 + 1)).toBe(2);
    await second.close();
  });

  it('whose spare page died gives the next run one that lives', async () => {
    const { browser } = await warm();
    await browser.start();
    const first = await browser.session();
    const { pid } = first.browser;
    await first.close();
    await browser.start();
    const all = await systemProcessTable().list();
    const renderers = treeOf(
      all,
      all.find((one) => one.pid === pid)!,
    ).filter(({ command }) => command.includes('--type=renderer'));
    expect(renderers.length).toBeGreaterThan(0);
    for (const renderer of renderers) process.kill(renderer.pid, 'SIGKILL');
    const second = await browser.session();
    expect(second.browser.pid).toBe(pid);
    expect(await second.page().evaluate(() => 1 + 1)).toBe(2);
    await second.close();
  });

  it('is given back after a while without a run, and started again by the next', async () => {
    const { home, browser } = await warm({ idleMs: 10 });
    const first = await browser.session();
    await first.close();
    await expect.poll(() => browser.status()).toBe('cold');
    await expect.poll(() => isAlive(first.browser.pid)).toBe(false);
    const second = await browser.session();
    expect(second.browser.pid).not.toBe(first.browser.pid);
    await second.close();
    await browser.close();
    expect(existsSync(home.paths.temporary) ? readdirSync(home.paths.temporary) : []).toEqual([]);
  });

  it('that cannot be started fails the run with advice, and is tried again by the next', async () => {
    const { browser } = await warm({ executablePath: '/bin/false' });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(browser.session()).rejects.toMatchObject({ errorName: 'BrowserAgent.BrowserUnavailable' });
      expect(browser.status()).toBe('cold');
    }
  });
});
