import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { RunStore } from '../store/runs.ts';
import type { UploadCounts } from '../store/uploads.ts';
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

function run(
  runId: string,
  options: { ageDays: number; sizeBytes?: number; open?: boolean; state?: 'succeeded' | 'failed' },
): void {
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
  runs.transition(runId, 'running', { now: at });
  if (!options.open) runs.transition(runId, options.state ?? 'failed', { now: at });
  mkdirSync(join(folder, runId, 'steps'), { recursive: true });
  writeFileSync(join(folder, runId, 'steps', 'a'), Buffer.alloc(options.sizeBytes ?? 10));
}

function artifact(runId: string, upload: boolean): void {
  const file = { contentType: 'image/png', sizeBytes: 1, sha256: '0', masked: 0 };
  const key = upload ? 'steps/both' : 'steps/here';
  runs.addArtifact(runId, { kind: 'screenshot', key, path: key, ...file, upload, keep: true, now });
}

const none = { pending: 0, done: 0, failed: 0 };
const sweep = (limits: { keepDays: number; keepGb: number }, uploads: Record<string, UploadCounts> = {}) =>
  sweepRuns({ runs, folder, clock, uploads: (runId) => uploads[runId] ?? none, ...limits });

test('a run older than the limit goes, folder and row, and the report says so', async () => {
  run('1-old', { ageDays: 31 });
  run('2-new', { ageDays: 29 });
  expect(await sweep({ keepDays: 30, keepGb: 5 })).toEqual({
    removed: [{ runId: '1-old', reason: 'age', sizeBytes: 10, isInS3: false }],
    overBytes: 0,
  });
  expect(existsSync(join(folder, '1-old'))).toBe(false);
  expect(runs.get('1-old')).toBeUndefined();
  expect(runs.get('2-new')).toBeDefined();
});

test('above the size limit, of equals the oldest go first, and no more than needed', async () => {
  run('1', { ageDays: 3, sizeBytes: 600 });
  run('2', { ageDays: 2, sizeBytes: 600 });
  run('3', { ageDays: 1, sizeBytes: 600 });
  const { removed } = await sweep({ keepDays: 30, keepGb: 1300 / 1e9 });
  expect(removed).toEqual([{ runId: '1', reason: 'size', sizeBytes: 600, isInS3: false }]);
});

test('above the size limit what is in S3 too goes first, then what succeeded, then what failed', async () => {
  run('1-failed', { ageDays: 9, sizeBytes: 600 });
  run('2-succeeded', { ageDays: 8, sizeBytes: 600, state: 'succeeded' });
  run('3-half-in-s3', { ageDays: 7, sizeBytes: 600 });
  artifact('3-half-in-s3', true);
  artifact('3-half-in-s3', false);
  run('4-in-s3', { ageDays: 6, sizeBytes: 600 });
  artifact('4-in-s3', true);
  const uploads = { '3-half-in-s3': { ...none, done: 1 }, '4-in-s3': { ...none, done: 1 } };
  const { removed, overBytes } = await sweep({ keepDays: 30, keepGb: 500 / 1e9 }, uploads);
  expect(removed.map(({ runId, isInS3 }) => [runId, isInS3])).toEqual([
    ['4-in-s3', true],
    ['2-succeeded', false],
    ['1-failed', false],
    ['3-half-in-s3', false],
  ]);
  expect(overBytes).toBe(0);
});

test('an open run and one whose evidence is on its way are left alone, and what they take too much is told', async () => {
  run('1-open', { ageDays: 99, open: true, sizeBytes: 600 });
  run('2-uploading', { ageDays: 99, sizeBytes: 600 });
  const uploads = { '2-uploading': { ...none, pending: 1 } };
  expect(await sweep({ keepDays: 30, keepGb: 5 }, uploads)).toEqual({ removed: [], overBytes: 0 });
  const keepGb = 1000 / 1e9;
  expect(await sweep({ keepDays: 30, keepGb }, uploads)).toEqual({ removed: [], overBytes: 200 });
  expect(existsSync(join(folder, '2-uploading', 'steps', 'a'))).toBe(true);
});
