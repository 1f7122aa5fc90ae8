import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CHANNELS, channelPaths, chromiumPaths, defaultUserDataDirs, thisMachine } from './browser-paths.ts';
import { chooseBrowser, findBrowsers, findFfmpeg } from './detect.ts';
import { browserEnv, browserFlags, sandboxed } from './flags.ts';

/** A machine with one folder on its PATH that holds these commands. */
function machineWith(...commands: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'lba-path-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const command of commands) {
    writeFileSync(join(folder, command), '#!/bin/sh\necho "Chromium 141.0.7390.54 of a test"\n');
    chmodSync(join(folder, command), 0o755);
  }
  mkdirSync(join(folder, 'a-folder'));
  return { platform: 'linux' as const, env: { PATH: `/nowhere:${folder}` }, home: folder, folder };
}

describe('finding a browser', () => {
  it('finds one on this machine, with its version', async () => {
    const [first] = await findBrowsers();
    expect(first?.version).toMatch(/^\d+(\.\d+){3}$/);
    expect(await chooseBrowser()).toMatchObject({ executablePath: first?.executablePath });
  });

  it('finds the system Chromium on the PATH and reads its version', async () => {
    const machine = machineWith('chromium-browser');
    const found = (await findBrowsers(machine)).find(({ source }) => source === 'system');
    const executablePath = join(machine.folder, 'chromium-browser');
    expect(found).toMatchObject({ executablePath, version: '141.0.7390.54', channel: null });
  });

  it('takes a configured path or channel as it is, or refuses it: never another', async () => {
    const machine = machineWith('chromium');
    const executablePath = join(machine.folder, 'chromium');
    expect(await chooseBrowser({ executablePath }, machine)).toMatchObject({ source: 'configured' });
    const error = { errorName: 'BrowserAgent.BrowserUnavailable' };
    await expect(chooseBrowser({ executablePath: '/nowhere/chrome' }, machine)).rejects.toMatchObject({
      ...error,
      message: expect.stringContaining('/nowhere/chrome'),
    });
    await expect(chooseBrowser({ channel: 'msedge-beta' }, machine)).rejects.toMatchObject(error);
  });

  it('finds ffmpeg on the PATH, or says that there is none', () => {
    const machine = machineWith('ffmpeg');
    expect(findFfmpeg(machine)).toBe(join(machine.folder, 'ffmpeg'));
    expect(findFfmpeg(machineWith())).toBeNull();
  });

  it('looks where Windows and macOS install Chrome and Edge', () => {
    const windows = {
      platform: 'win32',
      env: { PROGRAMFILES: 'C:\\PF', LOCALAPPDATA: 'C:\\L' },
      home: 'C:\\U',
    };
    const mac = { platform: 'darwin', env: {}, home: '/Users/a' };
    expect(channelPaths(CHANNELS[1], windows as never)).toContain(
      'C:\\PF\\Microsoft\\Edge\\Application\\msedge.exe',
    );
    expect(channelPaths(CHANNELS[0], mac as never)).toEqual([
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Users/a/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ]);
    expect(chromiumPaths(mac as never)).toEqual(['/Applications/Chromium.app/Contents/MacOS/Chromium']);
    expect(defaultUserDataDirs(windows as never)).toContain('C:\\L\\Google\\Chrome\\User Data');
    expect(defaultUserDataDirs(mac as never)).toContain(
      '/Users/a/Library/Application Support/Microsoft Edge',
    );
  });
});

describe('a browser is started', () => {
  it('with the flags for closed networks, and configured ones after them, none twice', () => {
    const flags = browserFlags(['--lang=de', '--no-first-run']);
    for (const flag of [
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ]) {
      expect(flags.filter((other) => other === flag)).toHaveLength(1);
    }
    expect(flags.at(-1)).toBe('--lang=de');
  });

  it('without its sandbox only as root on Linux', () => {
    const machine = thisMachine();
    expect(sandboxed({ ...machine, platform: 'linux' }, 0)).toBe(false);
    expect(sandboxed({ ...machine, platform: 'linux' }, 1000)).toBe(true);
    expect(sandboxed({ ...machine, platform: 'darwin' }, 0)).toBe(true);
    expect(sandboxed({ ...machine, platform: 'win32' }, undefined)).toBe(true);
  });

  it('without the cloud credentials of the agent in its environment', () => {
    const env = {
      PATH: '/bin',
      AWS_SECRET_ACCESS_KEY: 's',
      LBA_HOME: '/h',
      NODE_OPTIONS: '-r x',
      DISPLAY: ':1',
    };
    expect(browserEnv(env)).toEqual({ PATH: '/bin', DISPLAY: ':1' });
  });
});
