import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { platform } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { browserHome, type BrowserHome } from '../../test/fixtures/browser-home.ts';
import { childAgent } from '../../test/fixtures/child-agent.ts';
import { systemProcessTable } from './process-table.ts';
import { isAlive } from '../base/is-alive.ts';
import { userDataDirBelow } from './processes.ts';

const table = systemProcessTable();

async function browsersOf(home: BrowserHome): Promise<number[]> {
  const all = await table.list();
  return all.filter((info) => info.command.includes(home.paths.home)).map((info) => info.pid);
}

function sleeper(...args: string[]): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '--', ...args], {
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child.pid!;
}

describe.skipIf(platform() === 'win32')('after kill -9 of an agent', () => {
  it('reapOrphans leaves none of its browser, although that was too hung to notice, nor its ffmpeg', async () => {
    const home = await browserHome();
    const child = await childAgent(home.paths.home, 'launch');
    const { browserPid, ffmpegPid } = child.said as { browserPid: number; ffmpegPid: number };
    const group = (await table.list()).filter((info) => info.groupPid === browserPid);
    expect(group.length).toBeGreaterThan(2);
    // Frozen, it cannot end by itself when its connection to the agent breaks.
    process.kill(-browserPid, 'SIGSTOP');
    await child.kill();
    expect(isAlive(browserPid)).toBe(true);

    expect(await home.processes.reapOrphans()).toBeGreaterThanOrEqual(group.length + 1);

    const left = await table.list();
    expect(left.filter((info) => info.groupPid === browserPid || info.pid === ffmpegPid)).toEqual([]);
    expect(await browsersOf(home)).toEqual([]);
    expect(home.processRows.list()).toEqual([]);
  });

  it('a browser that it had announced but not yet put on record is found by its directory', async () => {
    const home = await browserHome();
    const child = await childAgent(home.paths.home, 'announce');
    const { browserPid } = child.said as { browserPid: number };
    await child.kill();
    expect(await home.processes.reapOrphans()).toBe(1);
    expect(await table.get(browserPid)).toBeUndefined();
    expect(home.processRows.list()).toEqual([]);
  });

  it('while the agent lives, another agent leaves what it announced alone', async () => {
    const home = await browserHome();
    const child = await childAgent(home.paths.home, 'announce');
    const { browserPid } = child.said as { browserPid: number };
    expect(await home.processes.reapOrphans()).toBe(0);
    expect(isAlive(browserPid)).toBe(true);
    await child.kill();
    await home.processes.reapOrphans();
  });
});

describe('reaping', () => {
  it('ends a driven browser below our home that nobody answers for', async () => {
    const home = await browserHome();
    const pid = sleeper(`--user-data-dir=${join(home.paths.profiles, 'x')}`, '--remote-debugging-pipe');
    await expect.poll(() => browsersOf(home)).toContain(pid);
    expect(await home.processes.reapOrphans()).toBe(1);
  });

  it('leaves a browser alone that a person opened on one of our directories', async () => {
    const home = await browserHome();
    const pid = sleeper(`--user-data-dir=${join(home.paths.profiles, 'x')}`);
    await expect.poll(() => browsersOf(home)).toContain(pid);
    expect(await home.processes.reapOrphans()).toBe(0);
    expect(isAlive(pid)).toBe(true);
  });

  it('never ends a process that has got the pid of one on record', async () => {
    const home = await browserHome();
    const innocent = sleeper();
    const gone = { pid: 2 ** 22 + 7, started: 'gone' };
    const row = { kind: 'browser', owner: gone, runId: 'r', userDataDir: null, createdAt: 1 } as const;
    home.processRows.add({ ...row, pid: innocent, started: 'another start' });
    expect(await home.processes.reapOrphans()).toBe(0);
    expect(isAlive(innocent)).toBe(true);
    expect(home.processRows.list()).toEqual([]);
  });

  it('counts an owner as gone whose pid is in use by another process', async () => {
    const home = await browserHome();
    const orphan = (await table.get(sleeper()))!;
    const owner = { pid: process.pid, started: 'another start' };
    home.processRows.add({ ...orphan, kind: 'ffmpeg', owner, runId: null, userDataDir: null, createdAt: 1 });
    expect(await home.processes.reapOrphans()).toBe(1);
  });
});

it('a child on record is struck off when it has been ended, also when it ended by itself', async () => {
  const home = await browserHome();
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const tracked = await home.processes.track({ kind: 'ffmpeg', pid: child.pid!, runId: 'r' });
  expect(home.processRows.list()).toMatchObject([{ pid: child.pid, runId: 'r', owner: home.processes.self }]);
  await exited;
  await tracked.end();
  expect(home.processRows.list()).toEqual([]);
});

it('endAll ends every child of this process and of no other', async () => {
  const home = await browserHome();
  const [mine, other] = [sleeper(), (await table.get(sleeper()))!];
  await home.processes.track({ kind: 'ffmpeg', pid: mine });
  const owner = (await table.get(process.ppid))!;
  home.processRows.add({ ...other, kind: 'ffmpeg', owner, runId: null, userDataDir: null, createdAt: 1 });
  await home.processes.endAll();
  expect(await table.get(mine)).toBeUndefined();
  expect(isAlive(other.pid)).toBe(true);
});

describe('the directory on a command line', () => {
  const home = '/home/a b/agent';
  it('is found below our home, also where the home holds a space or the argument is quoted', () => {
    const dir = `${home}/profiles/0123`;
    const command = `chrome --remote-debugging-pipe --user-data-dir=${dir} about:blank`;
    expect(userDataDirBelow(command, home)).toBe(dir);
    expect(userDataDirBelow(`chrome "--user-data-dir=${dir}" --remote-debugging-pipe`, home)).toBe(dir);
  });

  it('elsewhere, or merely beginning alike, is none of ours', () => {
    const chrome = 'chrome --remote-debugging-pipe';
    expect(userDataDirBelow(`${chrome} --user-data-dir=/home/a`, home)).toBeUndefined();
    expect(userDataDirBelow(`${chrome} --user-data-dir=${home}-two/p`, home)).toBeUndefined();
    expect(userDataDirBelow(`${chrome} --user-data-dir=${home}/desktop`, home)).toBeUndefined();
  });
});
