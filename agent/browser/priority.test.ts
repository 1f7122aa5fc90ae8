import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { BROWSER_PRIORITY, yieldProcessor } from './priority.ts';

const children: ReturnType<typeof spawn>[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
});

async function started(detached: boolean): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached, stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  return child.pid!;
}

/** "/autogroup-1234 nice 10" */
const niceOf = (pid: number | 'self'): number =>
  Number(/nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'))?.[1]);

describe.skipIf(!existsSync('/proc/self/autogroup'))('on Linux with autogroups', () => {
  it('lowers the whole session of a browser', async () => {
    const pid = await started(true);
    await yieldProcessor(pid);
    expect(niceOf(pid)).toBe(BROWSER_PRIORITY);
  });

  it('waits where the system takes only so many changes', async () => {
    const pids = await Promise.all(Array.from({ length: 3 }, async () => started(true)));
    await Promise.all(pids.map(async (pid) => yieldProcessor(pid)));
    expect(pids.map(niceOf)).toEqual(pids.map(() => BROWSER_PRIORITY));
  });

  it('leaves the session of the agent itself as it is', async () => {
    const before = niceOf('self');
    await yieldProcessor(await started(false));
    expect(niceOf('self')).toBe(before);
  });

  it('says so when the process is gone', async () => {
    const pid = await started(true);
    const [child] = children.splice(0);
    const exited = once(child!, 'exit');
    child!.kill('SIGKILL');
    await exited;
    await expect(yieldProcessor(pid)).rejects.toThrow(/ENOENT|ESRCH/);
  });
});
