/** The log and the diagnostics over HTTP, with a real log file that is rotated. */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAgent, type Agent } from '../../agent/agent.ts';
import { startApi, type RunningApi } from '../../agent/api/start.ts';
import { systemClock } from '../../agent/base/clock.ts';
import { openLogFile, type LogFile } from '../../agent/base/log-file.ts';
import { createLogger, redactLogs, type Logger } from '../../agent/base/log.ts';
import { newRunId } from '../../agent/base/ids.ts';
import { homePaths } from '../../agent/base/paths.ts';
import { Redactor } from '../../agent/recording/redaction.ts';
import { call, type Answer } from '../fixtures/api.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

const SECRET = 'Zq81-hidden-value';
const runId = newRunId();

let home: string;
let sink: number;
let file: LogFile;
let log: Logger;
let agent: Agent;
let api: RunningApi;

beforeAll(async () => {
  home = makeHome('log-api');
  sink = openSync(devNull, 'w');
  file = openLogFile({
    path: homePaths(home).logFile,
    maxSizeBytes: 4_000,
    maxFiles: 50,
    onProblem: (message) => expect.fail(message),
  });
  log = createLogger({ level: 'debug', to: sink, file });
  const redactor = new Redactor({ values: [SECRET] });
  redactLogs({
    contains: (text) => redactor.contains(text),
    redact: (fields) => redactor.redactJson(fields),
  });
  const env = { PATH: process.env['PATH'] ?? '', LBA_API_PORT: '0' };
  agent = await openAgent({ home, env, log, uploads: 'none', keepWarm: false });
  api = await startApi({ agent, worker: null, version: '0.0.0', clock: systemClock });
});

afterAll(async () => {
  await api.close();
  await agent.close();
  await file.close();
  closeSync(sink);
  removeHome(home);
});

interface Page {
  items: { message: string; level: string; run_id: string | null; fields: Record<string, unknown> }[];
  next_cursor: string | null;
}

const get = async (path: string): Promise<Answer> =>
  call(api.url, 'GET', `/api/v1${path}`, { key: api.token });
const page = async (query: string): Promise<Page> => (await get(`/log?${query}`)).json as Page;

/** All pages of it, so that places are read across the parts that were put aside. */
async function all(query: string): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const { items, next_cursor }: Page = await page(`${query}${cursor === null ? '' : `&cursor=${cursor}`}`);
    found.push(...items.map(({ message }) => message));
    cursor = next_cursor;
  } while (cursor !== null);
  return found;
}

test('lines come newest first, page by page, through all parts of the file, none twice', async () => {
  for (let number = 0; number < 200; number += 1) log.info({ number }, `line ${number}`);
  const wanted = Array.from({ length: 200 }, (_, index) => `line ${199 - index}`);
  await expect.poll(async () => all('q=line&limit=7'), { timeout: 20_000 }).toEqual(wanted);
  expect(await all('q=line&limit=500')).toEqual(wanted);
});

test('they are filtered by level, word and run, and hold no secret', async () => {
  log.child({ runId }).warn({ what: `so ${SECRET} it is` }, 'of a run');
  log.error('without one');
  await expect.poll(async () => all('level=error'), { timeout: 20_000 }).toEqual(['without one']);
  const { items } = await page(`run_id=${runId}`);
  expect(items).toMatchObject([{ message: 'of a run', level: 'warn', run_id: runId }]);
  expect(JSON.stringify(items)).not.toContain(SECRET);
  expect(await all('q=OF%20A%20RUN')).toEqual(['of a run']);
  expect(await all('q=nothing-like-it')).toEqual([]);
  expect((await get('/log?cursor=x')).status).toBe(400);
});

test('who follows gets each line as it is written, filtered and masked, until the agent ends', async () => {
  const answer = await fetch(`${api.url}/api/v1/log/follow?level=warn`, {
    headers: { authorization: `Bearer ${api.token}` },
  });
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let seen = (await reader.read()).value ?? '';
  log.info('not this');
  log.warn({ what: SECRET }, 'but this');
  while (!seen.includes('but this')) seen += (await reader.read()).value ?? '';
  expect(seen).toContain('event: line');
  expect(seen).not.toContain('not this');
  expect(seen).not.toContain(SECRET);
  await reader.cancel();
});

test('the diagnostics have everything that helps, and no secret', async () => {
  const { status, body, headers } = await get('/diagnostics');
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('application/zip');
  const files = unzipSync(body);
  expect(Object.keys(files).sort()).toEqual([
    'README.txt',
    'about.json',
    'audit.json',
    'checks.json',
    'events.json',
    'health.json',
    'log.json',
    'runs.json',
    'settings.json',
  ]);
  const text = (name: string): string => Buffer.from(files[name]!).toString('utf8');
  for (const name of Object.keys(files)) {
    expect(text(name), name).not.toContain(SECRET);
    if (name.endsWith('.json')) expect(JSON.parse(text(name)), name).not.toHaveProperty('problem');
  }
  expect(text('log.json')).toContain('line 199');
  expect(text('checks.json')).toContain('Browser');
});
