import { existsSync, lstatSync, readdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { hostname, homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { browserHome, type BrowserHome } from '../../test/fixtures/browser-home.ts';
import { silentLogger } from '../base/log.ts';
import { launchBrowser, type LaunchOptions } from './launch.ts';
import type { BrowserSession } from './session.ts';
import { isAlive } from '../base/is-alive.ts';
import { systemProcessTable } from './process-table.ts';

function launch(home: BrowserHome, options: Partial<LaunchOptions> = {}): Promise<BrowserSession> {
  const { temporary, processes } = home;
  return launchBrowser({ headless: true, temporary, processes, log: silentLogger, ...options });
}

async function site(): Promise<string> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<p>${request.headers['accept-language']} ${request.headers.cookie}</p>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe('a browser on a profile', () => {
  it('keeps its session from run to run, and leaves no process and no temporary file behind', async () => {
    const home = await browserHome();
    const url = await site();
    const profileDir = join(home.paths.profiles, 'p');
    const signals = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => process.listenerCount(name));

    const first = await launch(home, { profileDir, runId: 'r1' });
    expect(first).toMatchObject({ kind: 'profile', headless: true });
    expect(first.browser.version).toMatch(/^\d+\./);
    expect(home.processRows.list()).toMatchObject([
      { pid: first.browser.pid, kind: 'browser', runId: 'r1', userDataDir: profileDir },
    ]);
    expect((['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => process.listenerCount(name))).toEqual(
      signals,
    );
    await first.page().goto(url);
    await first.page().evaluate(() => {
      localStorage.setItem('seen', 'yes');
      document.cookie = 'session=abc; max-age=1000';
    });
    await first.close();
    await first.close();
    const left = (await systemProcessTable().list()).filter((info) => info.groupPid === first.browser.pid);
    expect(left).toEqual([]);
    expect(home.processRows.list()).toEqual([]);
    expect(readdirSync(home.paths.temporary)).toEqual([]);

    // What a crash on another host leaves, as in a container that was started anew.
    symlinkSync('another-host-12', join(profileDir, 'SingletonLock'));
    const second = await launch(home, { profileDir, locale: 'de-CH', timezone: 'Asia/Tokyo' });
    await second.page().goto(url);
    expect(await second.page().evaluate(() => localStorage.getItem('seen'))).toBe('yes');
    expect(await second.page().textContent('p')).toMatch(/de-CH.* session=abc/);
    expect(await second.page().evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone)).toBe(
      'Asia/Tokyo',
    );
    expect(second.page().viewportSize()).toEqual({ width: 1280, height: 800 });
    await second.close();
  });

  it('that another browser has open is busy, and stays open', async () => {
    const home = await browserHome();
    const profileDir = join(home.paths.profiles, 'p');
    const foreign = await launch(home, { profileDir });
    await expect(launch(home, { profileDir })).rejects.toMatchObject({
      errorName: 'BrowserAgent.ProfileBusy',
      message: expect.stringContaining(`process ${foreign.browser.pid}`),
    });
    expect(isAlive(foreign.browser.pid)).toBe(true);
    await foreign.close();
  });

  it('whose lock names a process that is no browser is free', async () => {
    const home = await browserHome();
    const profileDir = home.profiles.create({ name: 'p' }).dir;
    symlinkSync(`${hostname()}-${process.pid}`, join(profileDir, 'SingletonLock'));
    const session = await launch(home, { profileDir });
    expect(lstatSync(join(profileDir, 'SingletonLock')).isSymbolicLink()).toBe(true);
    await session.close();
  });

  it.runIf(process.platform === 'linux')(
    'is refused in the directory of the browser a person uses',
    async () => {
      const home = await browserHome();
      const own = join(process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'google-chrome');
      for (const profileDir of [own, join(own, 'Profile 1')]) {
        await expect(launch(home, { profileDir })).rejects.toMatchObject({
          errorName: 'BrowserAgent.InvalidInput',
        });
      }
      expect(home.processRows.list()).toEqual([]);
    },
  );
});

describe('a temporary browser', () => {
  it('that is killed is told to the run as BrowserUnavailable, and its directory goes', async () => {
    const home = await browserHome();
    const session = await launch(home);
    expect(session.kind).toBe('temporary');
    const crashed = new Promise((resolve) => session.onCrash(resolve));
    process.kill(session.browser.pid, 'SIGKILL');
    expect(await crashed).toMatchObject({ errorName: 'BrowserAgent.BrowserUnavailable' });
    expect(() => session.page()).toThrow(/ended while the run was on/);
    await session.close();
    expect(readdirSync(home.paths.temporary)).toEqual([]);
  });

  it('that cannot be started leaves nothing, and its error shows what the program said', async () => {
    const home = await browserHome();
    await expect(launch(home, { executablePath: '/bin/false' })).rejects.toMatchObject({
      errorName: 'BrowserAgent.BrowserUnavailable',
      message: expect.stringMatching(/\/bin\/false.*could not be started/),
    });
    await expect(launch(home, { timezone: 'Mars/Base' })).rejects.toMatchObject({
      errorName: 'BrowserAgent.InvalidScript',
    });
    expect(home.processRows.list()).toEqual([]);
    expect(existsSync(home.paths.temporary) ? readdirSync(home.paths.temporary) : []).toEqual([]);
  });

  it('is not started for a run that was cancelled', async () => {
    const home = await browserHome();
    const reason = new Error('cancelled');
    await expect(launch(home, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
