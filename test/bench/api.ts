/**
 * What the local API bears: a hundred clients that look at runs, evidence, settings and health, while the
 * agent executes runs one after the other, a client follows its events and another watches the browser. Agent,
 * load, browser and site are processes of their own. Writes the table of docs/api.md.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { answerOf, type ApiClient } from '../../agent/client/client.ts';
import { reach } from '../../agent/client/connect.ts';
import { homePaths } from '../../agent/base/paths.ts';
import { newRunId } from '../../agent/base/ids.ts';
import { openDatabase } from '../../agent/store/database.ts';
import { RunStore } from '../../agent/store/runs.ts';
import type { Load, LoadResult } from './api-load.ts';
import { writeTable } from './docs-table.ts';
import { fifteenSteps } from './steps.ts';
import { withSurroundings, type Surroundings } from './surroundings.ts';

const CONNECTIONS = 100;
const DURATION_SECONDS = 20;
const ROUNDS = 3;
/** Above what is promised, 1,000 a second. */
const RATE = 1_200;
const GOAL = { perSecond: 1_000, p95Ms: 20 };
/** More than one page of the list. */
const PAST_RUNS = 300;
/** Before each step: about what the pages of a real portal take to come. */
const STEP_DELAY_MS = 300;
/** So long a run is looked at before it is looked at again. */
const POLL_MS = 500;
/** An agent that does not answer by then did not start. */
const START_MS = 30_000;

export async function benchApi(): Promise<void> {
  const rows = await withSurroundings(async (around) => {
    const home = mkdtempSync(join(tmpdir(), 'lba-bench-'));
    try {
      fillHistory(home);
      return await withAgentProcess(home, around, async (client, file) => {
        const paths = await mixOf(client, around.portalUrl);
        const over = new AbortController();
        const busy = keepRunning(client, file, around.portalUrl, over.signal);
        // Told at the end, with what it threw.
        busy.catch(() => undefined);
        const followed = await follow(file, over.signal);
        // Warms up both sides.
        await load({ ...file, paths, connections: CONNECTIONS, durationSeconds: 5, rate: RATE });
        const results: [string, LoadResult][] = [];
        for (const [name, rate] of [
          [`${RATE.toLocaleString('en')} a second`, RATE],
          ['as fast as they are answered', null],
        ] as const) {
          const request = { ...file, paths, connections: CONNECTIONS, durationSeconds: DURATION_SECONDS };
          results.push([name, await medianOf(ROUNDS, async () => load({ ...request, rate }))]);
        }
        over.abort();
        return { results, ...(await busy), events: await followed() };
      });
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
  const table = [
    `| ${CONNECTIONS} clients ask | answered a second | p50 ms | p95 ms | p99 ms | slowest ms | errors |`,
    '|---|---:|---:|---:|---:|---:|---:|',
    ...rows.results.map(
      ([name, it]) =>
        `| ${name} | ${Math.round(it.requests / it.seconds).toLocaleString('en')} | ${it.p50Ms.toFixed(1)} | ${it.p95Ms.toFixed(1)} | ${it.p99Ms.toFixed(1)} | ${it.maxMs.toFixed(0)} | ${it.errors} |`,
    ),
  ].join('\n');
  console.log(
    `\nThe local API under load, ${rows.runs} runs executed meanwhile, ${rows.frames} pictures of them watched, ${rows.events} events followed (goal: ${GOAL.perSecond} a second, p95 below ${GOAL.p95Ms} ms, no errors)\n${table}`,
  );
  writeTable('api', table, 'api.md');
  const [, paced] = rows.results[0]!;
  const isGood =
    paced.errors === 0 && paced.p95Ms < GOAL.p95Ms && paced.requests / paced.seconds >= GOAL.perSecond;
  if (!isGood) {
    console.log('BELOW THE GOAL');
    process.exitCode = 1;
  }
}

/** Debian's user without rights. */
const NOBODY = { uid: 65_534, gid: 65_534 };

/**
 * Nobody runs an agent as root, and the browser of root puts its threads before all others (nice -8), which
 * nobody else's may: the agent is measured as a user without rights has it.
 */
function giveAway(folder: string): void {
  for (const entry of [
    folder,
    ...readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))),
  ])
    chownSync(entry, NOBODY.uid, NOBODY.gid);
}

/** Runs of earlier days, so that the list has something to list. */
function fillHistory(home: string): void {
  const db = openDatabase(homePaths(home).database);
  const runs = new RunStore(db);
  db.transaction(() => {
    for (let index = 0; index < PAST_RUNS; index += 1) {
      const runId = newRunId();
      const now = Date.now();
      runs.create({
        runId,
        taskId: null,
        scriptName: `Earlier run ${index}`,
        script: '{}',
        level: { level: 'INFO', reason: 'bench' },
        profile: null,
        owner: { pid: 1, started: '0' },
        now,
      });
      runs.transition(runId, 'running', { now });
      runs.transition(runId, 'succeeded', { now, result: {} });
    }
  })();
  db.close();
}

export interface Address {
  url: string;
  token: string;
  pid: number;
}

export async function withAgentProcess<T>(
  home: string,
  { env, seeded }: Surroundings,
  work: (client: ApiClient, address: Address) => Promise<T>,
): Promise<T> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) giveAway(home);
  const child = spawn(process.execPath, ['dist/agent/cli/main.js', 'run', '--home', home], {
    cwd: new URL('../..', import.meta.url),
    env: {
      ...process.env,
      ...env,
      ...(isRoot ? { HOME: home } : {}),
      ACTIVITY_ARN: seeded.activityArn,
      S3_BUCKET: seeded.bucket,
      LBA_API_PORT: '0',
      LBA_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
    // In a session of its own, as it is installed: Linux shares processor time out by session (sched_autogroup),
    // browsers have one each, and the agent would share its with the sandbox, the portal and the load.
    detached: true,
    ...(isRoot ? NOBODY : {}),
  });
  try {
    const deadline = Date.now() + START_MS;
    for (;;) {
      const reached = reach(home);
      if (reached.state === 'open') return await work(reached.client, reached.file);
      if (Date.now() > deadline || child.exitCode !== null) throw new Error('the agent did not start');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    // The first signal drains, which would wait for the open poll; the second stops at once.
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGTERM'), 1_000);
    await exited;
  }
}

/** What clients look at: a window that shows an agent at work asks for these. */
async function mixOf(client: ApiClient, portal: string): Promise<string[]> {
  const { runId } = await oneRun(client, portal, null);
  const { items } = await answerOf(
    client.GET('/api/v1/runs/{run_id}/artifacts', { params: { path: { run_id: runId } } }),
  );
  const [small] = items.filter(({ kept }) => kept).sort((a, b) => a.size_bytes - b.size_bytes);
  if (!small) throw new Error('the run left no evidence');
  return ['/api/v1/health', '/api/v1/runs', `/api/v1/runs/${runId}`, small.href, '/api/v1/settings'];
}

/** Until the signal. @returns how many runs were begun, and how many pictures of them were seen */
async function keepRunning(
  client: ApiClient,
  address: Address,
  portal: string,
  signal: AbortSignal,
): Promise<{ runs: number; frames: number }> {
  let runs = 0;
  let frames = 0;
  while (!signal.aborted) {
    const seen = await oneRun(client, portal, signal, (runId) => watch(client, address, runId));
    runs += 1;
    frames += seen.frames;
  }
  if (frames === 0) throw new Error('nothing was seen of the runs');
  return { runs, frames };
}

/** Waits until it has ended, or the signal says that nobody waits any more. */
async function oneRun(
  client: ApiClient,
  portal: string,
  signal: AbortSignal | null,
  watcher: (runId: string) => Watcher = () => ({ frames: () => 0, look: async () => {} }),
): Promise<{ runId: string; frames: number }> {
  const body = {
    script: fifteenSteps(portal, STEP_DELAY_MS) as Record<string, unknown>,
    level: 'INFO' as const,
  };
  const { run_id } = await answerOf(client.POST('/api/v1/runs', { body }));
  const params = { path: { run_id } };
  const { frames, look } = watcher(run_id);
  for (;;) {
    if (signal?.aborted === true) break;
    const run = await answerOf(client.GET('/api/v1/runs/{run_id}', { params }));
    if (run.state === 'failed') throw new Error(run.error?.message);
    if (run.ended_at !== null) break;
    await look();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return { runId: run_id, frames: frames() };
}

interface Watcher {
  frames: () => number;
  /** Connects when nobody is connected: a run has a browser only after a moment. */
  look: () => Promise<void>;
}

/** RFB as a viewer speaks it: the answers to the greeting in order, then one request for each picture. */
const GREETING = [
  Buffer.from('RFB 003.008\n'),
  Buffer.from([1]),
  Buffer.from([1]),
  // SetEncodings (JPEG, DesktopSize) and a first request for all there is.
  Buffer.from('0200000200000015ffffff2103000000000007d007d0', 'hex'),
];
const NEXT_PICTURE = Buffer.from('03010000000007d007d0', 'hex');

function watch(client: ApiClient, { url }: Address, runId: string): Watcher {
  let socket: WebSocket | undefined;
  let frames = 0;
  const look = async (): Promise<void> => {
    if (socket && socket.readyState !== WebSocket.CLOSED) return;
    const { data } = await client.POST('/api/v1/runs/{run_id}/live-tickets', {
      params: { path: { run_id: runId } },
      body: { role: 'viewer' },
    });
    // It has ended since it was looked at.
    if (!data) return;
    const ticket = data.path.split('#ticket=')[1];
    let step = 0;
    socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/runs/${runId}/live`, [
      'binary',
      `ticket.${ticket}`,
    ]);
    socket.on('message', function (this: WebSocket) {
      if (step >= GREETING.length) frames += 1;
      this.send(GREETING[step] ?? NEXT_PICTURE);
      step += 1;
    });
    // Too early, or too late: the next look shows which.
    socket.on('error', () => {});
  };
  return { frames: () => frames, look };
}

/** Follows all events. @returns how many came */
async function follow({ url, token }: Address, signal: AbortSignal): Promise<() => Promise<number>> {
  const answer = await fetch(`${url}/api/v1/events`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal,
  });
  if (!answer.ok || !answer.body) throw new Error(`the events cannot be followed: ${answer.status}`);
  let count = 0;
  const read = async (body: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const chunk of body) count += Buffer.from(chunk).toString('latin1').split('\n\n').length - 1;
  };
  const done = read(answer.body).catch(() => undefined);
  return async () => {
    await done;
    return count;
  };
}

/** The round whose p95 is the median, with the errors of all. */
async function medianOf(count: number, round: () => Promise<LoadResult>): Promise<LoadResult> {
  const results: LoadResult[] = [];
  while (results.length < count) results.push(await round());
  const errors = results.reduce((sum, result) => sum + result.errors, 0);
  results.sort((a, b) => a.p95Ms - b.p95Ms);
  console.log(`p95 of the rounds: ${results.map(({ p95Ms }) => p95Ms.toFixed(1)).join(', ')} ms`);
  return { ...results[Math.floor(count / 2)]!, errors };
}

async function load(what: Load): Promise<LoadResult> {
  const child = fork(fileURLToPath(new URL('api-load.ts', import.meta.url)), { detached: true });
  try {
    child.send(what);
    const [result] = (await once(child, 'message')) as [LoadResult];
    return result;
  } finally {
    const exited = once(child, 'exit');
    child.disconnect();
    await exited;
  }
}
