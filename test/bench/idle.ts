/** What the idle headless agent takes: resident memory of its own process, and processor time at rest. Linux only (/proc). */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { withStage } from './stage.ts';

const SETTLE_MS = 20_000;
const WATCH_MS = 30_000;
/** USER_HZ: fixed at 100 on Linux, whatever the kernel's own tick (proc(5)). */
const TICKS_PER_SECOND = 100;

export async function benchIdle(): Promise<void> {
  if (!existsSync('/proc/self/stat')) {
    console.log('\nIdle agent: not measured, /proc is only on Linux');
    return;
  }
  console.log('\nThe idle headless agent, own process');
  console.log(
    '| browser kept warm | resident MB (goal 120) | processor at rest (goal 0.5 %) |\n|---|---:|---:|',
  );
  for (const keepWarm of [false, true]) {
    await withStage({ keepWarm: false }, async ({ home, env, seeded }) => {
      const child = spawn(process.execPath, ['dist/agent/cli/main.js', 'run', '--home', `${home}-idle`], {
        cwd: new URL('../..', import.meta.url),
        env: { ...env, ACTIVITY_ARN: seeded.activityArn, LBA_BROWSER_KEEP_WARM: String(keepWarm) },
        stdio: 'ignore',
      });
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const before = ticks(child.pid!);
      await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
      const used = (ticks(child.pid!) - before) / TICKS_PER_SECOND / (WATCH_MS / 1_000);
      const residentMb = residentBytes(child.pid!) / 1e6;
      console.log(`| ${keepWarm ? 'yes' : 'no'} | ${residentMb.toFixed(0)} | ${(used * 100).toFixed(2)} % |`);
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 70_000).unref();
      await once(child, 'exit');
    });
  }
}

function ticks(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}
