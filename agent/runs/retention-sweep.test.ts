import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import { EventBus, type AgentEvent } from '../base/events.ts';
import { silentLogger } from '../base/log.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { RunStore } from '../store/runs.ts';
import { SessionStore } from '../store/sessions.ts';
import { RetentionSweep } from './retention-sweep.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let folder: string;
let db: Database;
let runs: RunStore;
let clock: ManualClock;
let seen: AgentEvent[];
let removed: string[][];
let limits: { keepDays: number; keepGb: number };
let sweep: RetentionSweep;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lba-sweep-'));
  db = openDatabase(':memory:');
  runs = new RunStore(db);
  clock = new ManualClock();
  [seen, removed] = [[], []];
  limits = { keepDays: 30, keepGb: 5 };
  const events = new EventBus(silentLogger);
  events.on('test', (event) => seen.push(event));
  sweep = new RetentionSweep({
    runs,
    uploads: () => ({ pending: 0, done: 0, failed: 0 }),
    sessions: new SessionStore(db),
    folder,
    limits: () => limits,
    onRemoved: (gone) => removed.push(gone.map(({ runId }) => runId)),
    clock,
    events,
    log: silentLogger,
  });
});

afterEach(() => {
  sweep.stop();
  db.close();
  rmSync(folder, { recursive: true });
});

function finishedRun(runId: string, ageDays: number): void {
  const now = clock.now() - ageDays * DAY_MS;
  runs.create({
    runId,
    taskId: null,
    scriptName: 's',
    script: '{}',
    level: { level: 'INFO', reason: 'r' },
    profile: null,
    owner: { pid: 1, started: 'x' },
    now,
  });
  runs.transition(runId, 'failed', { now });
  mkdirSync(join(folder, runId));
  writeFileSync(join(folder, runId, 'a'), 'x');
}

test('the first sweep is at once, the next an hour later with the limits of then', async () => {
  finishedRun('1-old', 31);
  finishedRun('2-newer', 10);
  sweep.start();
  await expect.poll(() => clock.pendingMs).toEqual([HOUR_MS]);
  expect(removed).toEqual([['1-old']]);
  expect(seen).toEqual([{ type: 'runs.removed', count: 1, sizeBytes: 1, notInS3: 1, overBytes: 0 }]);

  limits = { keepDays: 7, keepGb: 5 };
  await clock.advance(HOUR_MS);
  await expect.poll(() => removed).toEqual([['1-old'], ['2-newer']]);
});

test('a sweep that removes nothing reports nothing', async () => {
  finishedRun('1', 1);
  await sweep.sweep();
  expect([seen, removed]).toEqual([[], []]);
});

test('a sweep that fails is tried again at the next time', async () => {
  finishedRun('1-old', 31);
  limits = undefined as never;
  sweep.start();
  await expect.poll(() => clock.pendingMs).toEqual([HOUR_MS]);
  expect(removed).toEqual([]);
  limits = { keepDays: 30, keepGb: 5 };
  await clock.advance(HOUR_MS);
  await expect.poll(() => removed).toEqual([['1-old']]);
});

test('after stop no further sweep is planned', async () => {
  sweep.start();
  await expect.poll(() => clock.pendingMs).toEqual([HOUR_MS]);
  sweep.stop();
  await expect.poll(() => clock.pendingMs).toEqual([]);
});
