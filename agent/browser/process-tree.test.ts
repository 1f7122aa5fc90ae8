import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { platform } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isAlive } from '../base/is-alive.ts';
import type { ProcessInfo } from './process-table.ts';
import { systemProcessTable } from './process-table.ts';
import { endTree, treeOf } from './process-tree.ts';

const table = systemProcessTable();

function info(pid: number, parentPid: number, more: Partial<ProcessInfo> = {}): ProcessInfo {
  return { pid, parentPid, started: `s${pid}`, startOrder: pid, groupPid: null, command: 'x', ...more };
}

describe('a process tree', () => {
  it('is the process, its children and theirs', () => {
    const all = [info(1, 0), info(10, 1), info(11, 10), info(12, 11), info(20, 1)];
    expect(treeOf(all, { pid: 10, started: 's10' }).map(({ pid }) => pid)).toEqual([10, 11, 12]);
  });

  it('of a pid that was used again is empty', () => {
    expect(treeOf([info(10, 1), info(11, 10)], { pid: 10, started: 'earlier' })).toEqual([]);
  });

  it('leaves out a process that is older than its supposed parent', () => {
    const all = [info(10, 1), info(5, 10)];
    expect(treeOf(all, { pid: 10, started: 's10' }).map(({ pid }) => pid)).toEqual([10]);
  });

  it('whose root died first is what its process group holds of a browser', () => {
    const all = [
      info(11, 1, { groupPid: 10, command: '/usr/lib/chromium/chromium --type=renderer' }),
      info(12, 1, { groupPid: 10, command: 'vim' }),
    ];
    expect(treeOf(all, { pid: 10, started: 's10' }).map(({ pid }) => pid)).toEqual([11]);
  });
});

describe.skipIf(platform() === 'win32')('ending a tree', () => {
  it('ends a process that ignores SIGTERM, and its grandchildren', async () => {
    const script = 'trap "" TERM; (trap "" TERM; sleep 600 & echo $!; wait) & echo $!; wait';
    const child = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const pids: number[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      if (pids.push(Number(line)) === 2) break;
    }
    const exited = once(child, 'exit');
    const root = (await table.get(child.pid ?? 0))!;
    expect(await endTree(table, root)).toBe(3);
    await exited;
    expect(await Promise.all(pids.map((pid) => table.get(pid)))).toEqual([undefined, undefined]);
  });

  it('never touches a process that merely has the same pid', async () => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'spawn');
    expect(await endTree(table, { pid: child.pid!, started: 'another boot/1' })).toBe(0);
    expect(isAlive(child.pid!)).toBe(true);
  });
});
