/**
 * The desktop app: how soon its window can be used and its agent polls, and what all its processes take while it
 * waits in the tray. In the Electron that tests use (test/fixtures/electron-runtime.ts), with a data directory that
 * was there before; Linux only (/proc). Medians of several starts; memory after the last.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { homePaths } from '../../agent/base/paths.ts';
import { openDatabase } from '../../agent/store/database.ts';
import { cleanUp, mainPage, makeHome, missingForElectron, startApp } from '../fixtures/electron.ts';
import { writeTable } from './docs-table.ts';
import { withStage } from './stage.ts';

const STARTS = 5;
/** Until caches are dropped, and a page that nobody sees is let go of, in milliseconds. */
const SETTLE_MS = 40_000;

/** How exactly the first poll is seen, in milliseconds. */
const LOOK_MS = 5;

interface Start {
  windowMs: number;
  pollMs: number;
}

export async function benchApp(): Promise<void> {
  const missing = process.platform === 'linux' ? missingForElectron() : 'only Linux has /proc';
  if (missing !== null) {
    console.log(`\nDesktop app: not measured, ${missing}`);
    return;
  }
  const starts: Start[] = [];
  let [openBytes, closedBytes] = [0, 0];
  await withStage({ keepWarm: false }, async ({ env, seeded, sandbox }) => {
    const home = await makeHome();
    openDatabase(homePaths(home).database).close();
    for (let round = 0; round <= STARTS; round += 1) {
      const variables = pick(env, [
        'AWS_ACCESS_KEY_ID',
        'AWS_SECRET_ACCESS_KEY',
        'AWS_REGION',
        'AWS_ENDPOINT_URL',
      ]);
      const polls = sandbox.requests.count('states', 'GetActivityTask');
      const beganMs = performance.now();
      const started = await startApp({
        home,
        env: {
          ...variables,
          ACTIVITY_ARN: seeded.activityArn,
          LBA_API_PORT: '0',
          LBA_BROWSER_KEEP_WARM: 'false',
        },
      });
      const firstPoll = until(() => sandbox.requests.count('states', 'GetActivityTask') > polls).then(
        () => performance.now() - beganMs,
      );
      const page = await mainPage(started);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
      const windowMs = performance.now() - beganMs;
      const pollMs = await firstPoll;
      const pid = started.app.process().pid!;
      // The first start fills the page's and the agent's caches of code.
      if (round > 0) starts.push({ windowMs, pollMs });
      if (round === STARTS) {
        await pause(SETTLE_MS);
        openBytes = memoryOf(pid);
        await started.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
        await pause(SETTLE_MS);
        closedBytes = memoryOf(pid);
      }
      await started.end();
    }
  });
  await cleanUp();
  const median = (key: keyof Start): number =>
    starts.map((start) => start[key]).sort((a, b) => a - b)[Math.floor(starts.length / 2)] ?? Number.NaN;
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  const rows = [
    ['start to a window that can be used', seconds(median('windowMs')), '1 s'],
    ['start to the first poll', seconds(median('pollMs')), '1.5 s'],
    ['memory of all processes, window open', mb(openBytes), ''],
    ['memory of all processes, window closed', mb(closedBytes), '250 MB'],
  ];
  const table = ['| | measured | goal |', '|---|---:|---:|', ...rows.map((row) => `| ${row.join(' | ')} |`)];
  console.log(`\nThe desktop app, ${STARTS} starts\n${table.join('\n')}`);
  writeTable('app', table.join('\n'), 'app.md');
}

/** Proportional set size of a process and all below it: memory that several share is counted once. */
function memoryOf(root: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = readIfThere(`/proc/${name}/stat`);
    if (text !== '') parents.set(Number(name), Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
      if (at === root) return true;
    }
    return false;
  };
  let bytes = 0;
  for (const pid of [...parents.keys()].filter(isBelow)) {
    bytes += Number(/^Pss:\s+(\d+) kB/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;
  }
  return bytes;
}

/** A process can end while it is looked at. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function pick(env: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(LOOK_MS);
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
