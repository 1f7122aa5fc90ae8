/**
 * A thousand short tasks in one agent process, its browser kept warm: what it holds after the first fifty and at
 * the end, at rest both times, and what it leaves when it has ended. Linux only (/proc). Writes the table of
 * docs/reliability.md.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStateMachineCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { childrenOf } from '../fixtures/home.ts';
import { withAgentProcess, type Address } from './api.ts';
import { writeTable } from './docs-table.ts';
import type { ProbeReport } from './soak-probe.ts';
import { withSurroundings, type Surroundings } from './surroundings.ts';

const RUNS = 1_000;
/** By then all code has been loaded and the heap has its size. */
const FIRST = 50;
/** Tasks that wait for the agent, so that it never does. */
const AHEAD = 5;
/** Uploads, timers and garbage of the last runs; milliseconds. */
const REST_MS = 10_000;
/** Of a run that failed. */
const SHOWN_CHARACTERS = 1_000;
const LOOK_MS = 100;
/** For one task, on a busy machine. */
const STALLED_MS = 120_000;
const GOAL_GROWTH = 0.2;

interface Sample extends ProbeReport {
  runs: number;
  residentBytes: number;
  handles: number;
  threads: number;
  browserProcesses: number;
}

export async function benchSoak(runs = RUNS): Promise<void> {
  if (!existsSync('/proc/self/fd')) {
    console.log('\nSoak: not measured, /proc is only on Linux');
    return;
  }
  const home = mkdtempSync(join(tmpdir(), 'lba-bench-'));
  try {
    const startedMs = performance.now();
    const samples = await withSurroundings(async (around) => {
      const probe = join(home, 'probe.json');
      const env = {
        ...around.env,
        LBA_SOAK_PROBE: probe,
        NODE_OPTIONS: `--import=${new URL('soak-probe.ts', import.meta.url).href}`,
      };
      return withAgentProcess(home, { ...around, env }, async (_client, address) => {
        const feed = await feeder(around, address);
        const taken: Sample[] = [];
        for (const count of [Math.min(FIRST, runs), runs]) {
          await feed(count);
          await pause(REST_MS);
          taken.push({ runs: count, ...(await sample(home, address.pid, probe)) });
        }
        return taken;
      });
    });
    const left = await childrenOf(home);
    report(samples, left.length, (performance.now() - startedMs) / 60_000, runs === RUNS);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function report(samples: Sample[], left: number, minutes: number, isWhole: boolean): void {
  const [first, last] = samples as [Sample, Sample];
  const row = (what: string, of: (one: Sample) => number): string => {
    const [from, to] = [of(first), of(last)];
    const growth = ((to / from - 1) * 100).toFixed(0);
    return `| ${what} | ${from.toFixed(0)} | ${to.toFixed(0)} | ${growth === '-0' ? '0' : growth} % |`;
  };
  const table = [
    `| at rest | after ${first.runs} runs | after ${last.runs.toLocaleString('en')} | growth |`,
    '|---|---:|---:|---:|',
    row('resident memory of the agent’s process, MB', (one) => one.residentBytes / 1e6),
    row('its heap after a garbage collection, MB', (one) => one.heapBytes / 1e6),
    row('open file handles', (one) => one.handles),
    row('threads', (one) => one.threads),
    row('listeners of its process', (one) => one.processListeners),
    row('what keeps its event loop alive', (one) => one.activeResources),
    row('processes of the warm browser', (one) => one.browserProcesses),
    '',
    `Processes left when the agent had ended: ${left}. Took ${minutes.toFixed(1)} minutes.`,
  ].join('\n');
  console.log(
    `\n${last.runs} short runs (goal: resident memory within ${GOAL_GROWTH * 100} %, the rest flat)\n${table}`,
  );
  if (isWhole) writeTable('soak', table, 'reliability.md');
  const isGood =
    last.residentBytes <= first.residentBytes * (1 + GOAL_GROWTH) &&
    last.handles <= first.handles &&
    last.processListeners <= first.processListeners &&
    left === 0;
  if (isGood) return;
  console.log('BELOW THE GOAL');
  process.exitCode = 1;
}

/** @returns hands tasks to the agent until so many are reported since the start */
async function feeder(
  { env, seeded, portalUrl }: Surroundings,
  { url, token }: Address,
): Promise<(count: number) => Promise<void>> {
  const client = new SFNClient({
    region: env['AWS_REGION'] ?? 'us-east-1',
    endpoint: env['AWS_ENDPOINT_URL'] ?? '',
    credentials: {
      accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  });
  const definition = JSON.stringify({
    StartAt: 'Browser',
    States: { Browser: { Type: 'Task', Resource: seeded.activityArn, End: true } },
  });
  const { stateMachineArn } = await client.send(
    new CreateStateMachineCommand({ name: 'soak', roleArn: seeded.roleArn, definition }),
  );
  const input = JSON.stringify({
    name: 'soak',
    steps: [
      { action: 'navigate', url: `${portalUrl}/login` },
      { action: 'screenshot', name: 'Picture' },
    ],
  });
  let started = 0;
  return async (count) => {
    let lastSeenMs = performance.now();
    let done = 0;
    while (done < count) {
      const { succeeded, failed } = await reported(url, token);
      if (failed > 0) throw new Error(`${failed} tasks failed: ${await whatFailed(url, token)}`);
      if (succeeded > done) lastSeenMs = performance.now();
      if (performance.now() - lastSeenMs > STALLED_MS) throw new Error(`nothing ended after ${done} tasks`);
      done = succeeded;
      while (started < Math.min(count, done + AHEAD)) {
        await client.send(new StartExecutionCommand({ stateMachineArn, input }));
        started += 1;
      }
      await pause(LOOK_MS);
    }
  };
}

async function whatFailed(url: string, token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/api/v1/runs?state=failed&limit=1`, { headers });
  return (await answer.text()).slice(0, SHOWN_CHARACTERS);
}

/** As the agent's own metrics count them. */
async function reported(url: string, token: string): Promise<{ succeeded: number; failed: number }> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`the metrics answer ${answer.status}`);
  const text = await answer.text();
  const count = (outcome: string): number =>
    Number(
      new RegExp(`^browser_agent_tasks_reported_total\\{outcome="${outcome}"\\} (\\d+)`, 'm').exec(
        text,
      )?.[1] ?? 0,
    );
  return { succeeded: count('succeeded'), failed: count('failed') };
}

async function sample(home: string, pid: number, probe: string): Promise<Omit<Sample, 'runs'>> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  const handles = readdirSync(`/proc/${pid}/fd`).length;
  const browserProcesses = (await childrenOf(home)).length;
  rmSync(probe, { force: true });
  process.kill(pid, 'SIGUSR2');
  const until = performance.now() + STALLED_MS;
  while (!existsSync(probe)) {
    if (performance.now() > until) throw new Error('the agent does not tell of itself');
    await pause(LOOK_MS);
  }
  return {
    residentBytes: field('VmRSS') * 1024,
    threads: field('Threads'),
    handles,
    browserProcesses,
    ...(JSON.parse(readFileSync(probe, 'utf8')) as ProbeReport),
  };
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
