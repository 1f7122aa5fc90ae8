/**
 * The desktop app: how soon its window can be used and its agent polls, and what all its processes take while it
 * waits in the tray. In the Electron that tests use (scripts/electron.ts), with a data directory that
 * was there before; Linux only (/proc). Medians of several starts; memory after the last.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { homePaths } from '../../agent/base/paths.ts';
import { openDatabase } from '../../agent/store/database.ts';
import { cleanUp, closeDisplay, commandOf, makeHome, missingForElectron } from '../fixtures/electron.ts';
import { writeTable } from './docs-table.ts';
import { withStage } from './stage.ts';

const STARTS = 7;
/** Until caches are dropped, and a page that nobody sees is let go of, in milliseconds. */
const SETTLE_MS = 40_000;
/** How exactly the first poll is seen, in milliseconds. */
const LOOK_MS = 5;
/** An agent keeps its compiled code some seconds after its start, in milliseconds. */
const WARM_MS = 8_000;
/** For an agent alone to end, in milliseconds. */
const ENDS_MS = 1_000;

/** Resolves with the time when a person sees Home with what the agent says. */
const HOME_IS_SHOWN = `new Promise((resolve) => {
  const look = () => {
    const isThere = document.querySelector('h1')?.textContent === 'Home' && document.querySelector('main h2');
    if (!isThere) return false;
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(Date.now())));
    return true;
  };
  if (!look()) {
    const observer = new MutationObserver(() => look() && observer.disconnect());
    observer.observe(document, { childList: true, subtree: true, characterData: true });
  }
})`;
const FIRST_CONTENT = `performance.timeOrigin + performance.getEntriesByName('first-contentful-paint')[0].startTime`;

interface Start {
  windowMs: number;
  homeMs: number;
  pollMs: number;
}

export async function benchApp(): Promise<void> {
  const missing = process.platform === 'linux' ? missingForElectron() : 'only Linux has /proc';
  if (missing !== null) {
    console.log(`\nDesktop app: not measured, ${missing}`);
    return;
  }
  const starts: Start[] = [];
  const nothing = { bytes: 0, nodeBytes: 0 };
  let [open, closed] = [nothing, nothing];
  await withStage({ keepWarm: false }, async ({ env, seeded, sandbox }) => {
    const home = await makeHome();
    openDatabase(homePaths(home).database).close();
    const variables = pick(env, [
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_REGION',
      'AWS_ENDPOINT_URL',
    ]);
    const {
      path,
      args,
      env: own,
    } = await commandOf({
      home,
      args: ['--remote-debugging-port=0'],
      env: {
        ...variables,
        ACTIVITY_ARN: seeded.activityArn,
        S3_BUCKET: seeded.bucket,
        LBA_BROWSER_KEEP_WARM: 'false',
      },
    });
    for (let round = 0; round <= STARTS; round += 1) {
      const polls = sandbox.requests.count('states', 'GetActivityTask');
      const beganMs = Date.now();
      const app = spawn(path, args, { env: own, stdio: ['ignore', 'ignore', 'pipe'] });
      const firstPoll = until(() => sandbox.requests.count('states', 'GetActivityTask') > polls).then(
        () => Date.now() - beganMs,
      );
      const debugging = await debuggingAddress(app);
      const homeMs = (await inPage(debugging, HOME_IS_SHOWN)) - beganMs;
      const windowMs = (await inPage(debugging, FIRST_CONTENT)) - beganMs;
      const pollMs = await firstPoll;
      // The first start fills the page's and the agent's caches of code.
      if (round > 0) starts.push({ windowMs, homeMs, pollMs });
      else await pause(WARM_MS);
      if (round === STARTS) {
        await pause(SETTLE_MS);
        open = memoryOf(app.pid!);
        await inPage(debugging, 'setTimeout(() => window.close()), 0');
        await pause(SETTLE_MS);
        closed = memoryOf(app.pid!);
      }
      const isOver = once(app, 'exit');
      // Quitting would wait for the poll that is open. The agent ends when nobody is there to steer it.
      app.kill('SIGKILL');
      await isOver;
      await pause(ENDS_MS);
      // As after quitting: what a killed app says with its next start is not what is measured.
      await rm(join(home, 'desktop', 'running'), { force: true });
    }
  });
  await cleanUp();
  await closeDisplay();
  const median = (key: keyof Start): number =>
    starts.map((start) => start[key]).sort((a, b) => a - b)[Math.floor(starts.length / 2)] ?? Number.NaN;
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  const rows = [
    ['start to a window that can be used: where to go', seconds(median('windowMs')), '1 s'],
    ['start to Home with what the agent says', seconds(median('homeMs')), ''],
    ['start to the first poll', seconds(median('pollMs')), '1.5 s'],
    ['memory of all processes, window open', mb(open.bytes), ''],
    ['memory of all processes, window closed', mb(closed.bytes), '250 MB'],
    ['of it, code of the separate Node that only this older Electron needs', mb(closed.nodeBytes), ''],
  ];
  const table = ['| | measured | goal |', '|---|---:|---:|', ...rows.map((row) => `| ${row.join(' | ')} |`)];
  console.log(`\nThe desktop app, ${STARTS} starts\n${table.join('\n')}`);
  writeTable('app', table.join('\n'), 'app.md');
}

/** Chromium says it on standard error. The port serves what is asked of the page; nothing is attached to the shell. */
async function debuggingAddress(app: ChildProcess): Promise<string> {
  const lines = createInterface({ input: app.stderr! });
  for await (const line of lines) {
    const found = /^DevTools listening on ws:\/\/([^/]+)/.exec(line)?.[1];
    if (found !== undefined) {
      // Nobody reads on, and a full pipe would hold the app up.
      app.stderr!.resume();
      return found;
    }
  }
  throw new Error('the app ended before it had a window');
}

/** What an expression in the window's page comes to; asked again when the page is not there yet, or loaded anew. */
async function inPage(address: string, expression: string): Promise<number> {
  for (;;) {
    const pages = (await (await fetch(`http://${address}/json/list`)).json()) as {
      type: string;
      url: string;
      webSocketDebuggerUrl?: string;
    }[];
    const page = pages.find(({ type, url }) => type === 'page' && url.startsWith('lba:'));
    const value = page?.webSocketDebuggerUrl && (await evaluated(page.webSocketDebuggerUrl, expression));
    if (typeof value === 'number') return value;
    await pause(LOOK_MS * 2);
  }
}

async function evaluated(url: string, expression: string): Promise<unknown> {
  const socket = new WebSocket(url);
  try {
    await once(socket, 'open');
    const params = { expression, awaitPromise: true, returnByValue: true };
    socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }));
    const [data] = (await once(socket, 'message')) as [Buffer];
    return (JSON.parse(data.toString()) as { result?: { result?: { value?: unknown } } }).result?.result
      ?.value;
  } finally {
    socket.close();
  }
}

/**
 * Proportional set size of a process and all below it: memory that several share is counted once. `nodeBytes`:
 * of it, pages of a Node program of its own; an Electron that runs the agent itself has none.
 */
function memoryOf(root: number): { bytes: number; nodeBytes: number } {
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
  const memory = { bytes: 0, nodeBytes: 0 };
  for (const pid of [...parents.keys()].filter(isBelow)) {
    let isNode = false;
    for (const line of readIfThere(`/proc/${pid}/smaps`).split('\n')) {
      if (/^[\da-f]+-[\da-f]+ /.test(line)) isNode = line.endsWith('/bin/node');
      const bytes = Number(/^Pss:\s+(\d+) kB/.exec(line)?.[1] ?? 0) * 1024;
      memory.bytes += bytes;
      if (isNode) memory.nodeBytes += bytes;
    }
  }
  return memory;
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
