import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { RunStore } from '../store/runs.ts';
import { sweepRuns } from './retention.ts';

const DAY_MS = 86_400_000;
const now = 100 * DAY_MS;
const clock = { ...systemClock, now: () => now };
let folder: string;
let db: Database;
let runs: RunStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lba-retention-'));
  db = openDatabase(':memory:');
  runs = new RunStore(db);
});

afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

function run(runId: string, options: { ageDays: number; sizeBytes?: number; open?: boolean }): void {
  const at = now - options.ageDays * DAY_MS;
  runs.create({
    runId,
    taskId: null,
    scriptName: 's',
    script: '{}',
    level: { level: 'INFO', reason: 'r' },
    profile: null,
    owner: { pid: 1, started: 'x' },
    now: at,
  });
  if (!options.open) runs.transition(runId, 'failed', { now: at });
  mkdirSync(join(folder, runId, 'steps'), { recursive: true });
  writeFileSync(join(folder, runId, 'steps', 'a'), Buffer.alloc(options.sizeBytes ?? 10));
}

const sweep = (
  limits: { keepDays: number; keepGb: number },
  pendingUploads: (runId: string) => number = () => 0,
) => sweepRuns({ runs, folder, clock, pendingUploads, ...limits });

test('a run older than the limit goes, folder and row', async () => {
  run('1-old', { ageDays: 31 });
  run('2-new', { ageDays: 29 });
  expect(await sweep({ keepDays: 30, keepGb: 5 })).toEqual(['1-old']);
  expect(existsSync(join(folder, '1-old'))).toBe(false);
  expect(runs.get('1-old')).toBeUndefined();
  expect(runs.get('2-new')).toBeDefined();
});

test('above the size limit the oldest go first', async () => {
  run('1', { ageDays: 3, sizeBytes: 600 });
  run('2', { ageDays: 2, sizeBytes: 600 });
  run('3', { ageDays: 1, sizeBytes: 600 });
  expect(await sweep({ keepDays: 30, keepGb: 1300 / 1e9 })).toEqual(['1']);
});

test('an open run and one whose evidence is on its way are left alone', async () => {
  run('1-open', { ageDays: 99, open: true });
  run('2-uploading', { ageDays: 99 });
  expect(await sweep({ keepDays: 30, keepGb: 5 }, (runId) => (runId === '2-uploading' ? 1 : 0))).toEqual([]);
});
