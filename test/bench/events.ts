/**
 * 400 clients follow the events of runs while they are executed, and keep losing their connection: what
 * reaches them, in which order and how soon. Agent, clients, browser and site are processes of their own.
 * Writes the table of docs/api.md.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answerOf, type ApiClient } from '../../agent/client/client.ts';
import { withAgentProcess, type Address } from './api.ts';
import { writeTable } from './docs-table.ts';
import type { Follow, Followed, Over } from './event-clients.ts';
import { fifteenSteps } from './steps.ts';
import { withSurroundings, type Surroundings } from './surroundings.ts';

const CLIENTS_OF_EACH_KIND = 200;
const RUNS = 5;
/** Between steps, so that a run lasts as one that does something, in milliseconds. */
const STEP_DELAY_MS = 200;
/** With each event a client loses its connection about once in fifty. */
const BREAK_CHANCE = 0.02;
const POLL_MS = 250;
/** A run that has not ended by then never will. */
const RUN_MS = 60_000;

export async function benchEvents(): Promise<void> {
  const results = await withSurroundings(async (around) => {
    const home = mkdtempSync(join(tmpdir(), 'lba-bench-'));
    try {
      return await withAgentProcess(home, around, (client, address) => measure(client, address, around));
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
  const table = [
    '| clients | connections | events delivered | lost | out of order | twice | p50 ms | p95 ms | slowest ms |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...results.map(
      (it) =>
        `| ${it.clients} ${it.kind === 'sse' ? 'SSE' : 'WebSocket'} | ${it.connections.toLocaleString('en')} | ${it.delivered.toLocaleString('en')} | ${it.lost} | ${it.outOfOrder} | ${it.twice} | ${it.p50Ms.toFixed(0)} | ${it.p95Ms.toFixed(0)} | ${it.maxMs.toFixed(0)} |`,
    ),
  ].join('\n');
  console.log(
    `\nEvents of ${RUNS} runs, followed while they are executed by clients that lose their connection with one event in ${1 / BREAK_CHANCE} (goal: all, in order, once)\n${table}`,
  );
  writeTable('events', table, 'api.md');
  if (results.some((it) => it.lost + it.outOfOrder + it.twice > 0)) {
    console.log('BELOW THE GOAL');
    process.exitCode = 1;
  }
}

async function measure(
  client: ApiClient,
  { url, token }: Address,
  { portalUrl }: Surroundings,
): Promise<Followed[]> {
  const child = fork(fileURLToPath(new URL('event-clients.ts', import.meta.url)));
  try {
    const follow: Follow = {
      url,
      key: token,
      clientsOfEachKind: CLIENTS_OF_EACH_KIND,
      breakChance: BREAK_CHANCE,
    };
    child.send(follow);
    await once(child, 'message');
    for (let number = 0; number < RUNS; number += 1) await oneRun(client, portalUrl);
    const over: Over = { ids: await allIds(url, token) };
    const answered = once(child, 'message') as Promise<[Followed[]]>;
    child.send(over);
    return (await answered)[0];
  } finally {
    const exited = once(child, 'exit');
    child.disconnect();
    await exited;
  }
}

async function oneRun(client: ApiClient, portal: string): Promise<void> {
  const script = fifteenSteps(portal, STEP_DELAY_MS) as Record<string, unknown>;
  const { run_id } = await answerOf(client.POST('/api/v1/runs', { body: { script, level: 'INFO' } }));
  const params = { path: { run_id } };
  for (const until = Date.now() + RUN_MS; Date.now() < until;) {
    const run = await answerOf(client.GET('/api/v1/runs/{run_id}', { params }));
    if (run.state === 'failed') throw new Error(run.error?.message);
    if (run.ended_at !== null) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`run ${run_id} does not end`);
}

/** Of the whole history, once nothing new has come for a while: uploads go on after a run. */
async function allIds(url: string, token: string): Promise<number[]> {
  let last = -1;
  for (;;) {
    const ids: number[] = [];
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams({
        order: 'oldest_first',
        limit: '500',
        ...(cursor === null ? {} : { cursor }),
      });
      const answer = await fetch(`${url}/api/v1/events/history?${query.toString()}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const page = (await answer.json()) as { items: { id: number }[]; next_cursor: string | null };
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    if (ids.at(-1) === last) return ids;
    last = ids.at(-1) ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
