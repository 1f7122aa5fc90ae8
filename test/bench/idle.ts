/** What the idle headless agent takes: resident memory of its own process, and processor time at rest. Linux only (/proc). */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { answerOf } from '../../agent/client/client.ts';
import { connect } from '../../agent/client/connect.ts';
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
  await withStage({ keepWarm: false }, async ({ home, env, seeded, sandbox, portal }) => {
    const child = spawn(process.execPath, ['dist/agent/cli/main.js', 'run', '--home', `${home}-idle`], {
      cwd: new URL('../..', import.meta.url),
      env: { ...env, ACTIVITY_ARN: seeded.activityArn, LBA_API_PORT: '0' },
      stdio: 'ignore',
    });
    console.log('\nThe idle headless agent, its own process');
    console.log('| idle | resident MB (goal 120) | processor at rest (goal 0.5 %) |\n|---|---:|---:|');
    await watch('since its start, its API never called', child.pid!);
    await answerOf(connect({ home: `${home}-idle` }).GET('/api/v1/agent'));
    await watch('its API called once', child.pid!);
    const { stateMachineArn } = await sandbox.call('states', 'CreateStateMachine', {
      name: 'idle',
      definition: JSON.stringify({
        StartAt: 'Browser',
        States: { Browser: { Type: 'Task', Resource: seeded.activityArn, End: true } },
      }),
      roleArn: seeded.roleArn,
    });
    const input = JSON.stringify({
      name: 'open',
      steps: [{ action: 'navigate', url: `${portal.url}/health` }],
    });
    const { executionArn } = await sandbox.call('states', 'StartExecution', { stateMachineArn, input });
    const { status, cause } = await sandbox.executionEnded(String(executionArn));
    if (status !== 'SUCCEEDED') throw new Error(cause);
    await watch('after a run, the browser kept warm', child.pid!);
    // The first signal drains, which would wait for the open poll; the second stops at once.
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGTERM'), 1_000);
    await once(child, 'exit');
    rmSync(`${home}-idle`, { recursive: true, force: true });
  });
}

async function watch(name: string, pid: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const before = ticks(pid);
  await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  const used = (ticks(pid) - before) / TICKS_PER_SECOND / (WATCH_MS / 1_000);
  console.log(`| ${name} | ${(residentBytes(pid) / 1e6).toFixed(0)} | ${(used * 100).toFixed(2)} % |`);
}

function ticks(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}
