import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from './database.ts';
import { migrations } from './migrations.ts';
import { RunStore } from './runs.ts';

let folder: string;
let db: Database;
let runs: RunStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lba-store-'));
  db = openDatabase(join(folder, 'sub', 'agent.db'));
  runs = new RunStore(db);
});

afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

function create(runId: string): void {
  runs.create({
    runId,
    taskId: null,
    scriptName: 'sample',
    script: '{}',
    level: { level: 'INFO', reason: 'built-in default' },
    profile: null,
    owner: { pid: 1, started: 'boot' },
    now: 1,
  });
}

describe('the database', () => {
  test('is in WAL mode with synchronous=FULL', () => {
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(db.pragma('synchronous', { simple: true })).toBe(2);
  });

  test('of a newer program is refused with words that say what to do', () => {
    db.pragma(`user_version = ${migrations.length + 1}`);
    expect(() => openDatabase(join(folder, 'sub', 'agent.db'))).toThrow(/newer version.*--home/);
  });
});

describe('a run', () => {
  test('that is paused before it begins stays paused when it does, and until its end', () => {
    create('r1');
    const by = { kind: 'owner', id: 'owner' };
    runs.setPaused('r1', { by, reason: 'looks', kind: 'pause', since: 1, isStanding: false });
    runs.transition('r1', 'running', { now: 2 });
    expect(runs.get('r1')?.paused).toMatchObject({ by, reason: 'looks' });
    runs.transition('r1', 'cancelled', { now: 3 });
    expect(runs.get('r1')?.paused).toBeNull();
  });

  test('goes through legal states only', () => {
    create('r1');
    runs.transition('r1', 'running', { now: 2, profile: 'portal' });
    runs.transition('r1', 'failed', { now: 3, errorName: 'BrowserAgent.StepFailed', errorMessage: 'no' });
    expect(runs.get('r1')).toMatchObject({
      state: 'failed',
      profile: 'portal',
      started_at: 2,
      ended_at: 3,
      error_name: 'BrowserAgent.StepFailed',
    });
    expect(() => runs.transition('r1', 'running', { now: 4 })).toThrow(/cannot go from failed to running/);
  });

  test('keeps its result', () => {
    create('r1');
    runs.transition('r1', 'running', { now: 2 });
    runs.transition('r1', 'succeeded', { now: 3, result: { success: true } });
    expect(runs.result('r1')).toEqual({ success: true });
  });

  test('is listed newest first, page by page', () => {
    for (const id of ['a', 'b', 'c', 'd']) create(id);
    const first = runs.list({ limit: 3 });
    expect(first.map((run) => run.run_id)).toEqual(['d', 'c', 'b']);
    expect(runs.list({ limit: 3, before: 'b' }).map((run) => run.run_id)).toEqual(['a']);
    expect(runs.unfinished()).toHaveLength(4);
  });

  test('remembers the last finished step and the one in doubt', () => {
    create('r1');
    expect(runs.lastSteps('r1')).toEqual({ finished: null, inDoubt: null });
    runs.stepIntent('r1', { number: 1, name: 'Open', action: 'navigate', path: '$.steps[0]', now: 5 });
    runs.stepDone('r1', { number: 1, success: true, now: 6, result: { success: true } });
    runs.stepIntent('r1', { number: 2, name: 'Pay', action: 'click', path: '$.steps[1]', now: 7 });
    const last = runs.lastSteps('r1');
    expect(last.finished?.name).toBe('Open');
    expect(last.inDoubt?.name).toBe('Pay');
  });

  test('takes its journal and artifacts with it when removed', () => {
    create('r1');
    runs.stepIntent('r1', { number: 1, name: 'Open', action: 'navigate', path: '$.steps[0]', now: 5 });
    runs.addArtifact('r1', {
      kind: 'manifest',
      key: 'manifest.json',
      path: join(folder, 'manifest.json'),
      contentType: 'application/json',
      sizeBytes: 2,
      sha256: 'x',
      upload: true,
      keep: true,
      masked: 0,
      now: 1,
    });
    expect(runs.artifacts('r1')).toHaveLength(1);
    runs.remove('r1');
    expect(runs.get('r1')).toBeUndefined();
    expect(runs.artifacts('r1')).toEqual([]);
    expect(runs.steps('r1')).toEqual([]);
  });
});

describe('the list of runs', () => {
  const make = (runId: string, scriptName: string, profile: string | null, now: number): void =>
    runs.create({
      runId,
      taskId: null,
      scriptName,
      script: '{}',
      level: { level: runId === 'a1' ? 'TRACE' : 'INFO', reason: 'test' },
      profile,
      owner: { pid: 1, started: 'boot' },
      now,
    });
  const ids = (filter: Partial<Parameters<RunStore['list']>[0]>): string[] =>
    runs.list({ limit: 10, ...filter }).map((run) => run.run_id);

  beforeEach(() => {
    make('a1', 'Überweisung', null, 100);
    make('b2', 'Invoices', 'Portal Ö', 200);
    make('c3', 'Invoices', null, 300);
    runs.transition('c3', 'running', { now: 301, profile: 'late' });
    runs.transition('c3', 'failed', { now: 302, errorName: 'BrowserAgent.StepTimeout', errorMessage: 'x' });
  });

  test('is searched by script, profile and error in any case, and by how the id begins', () => {
    expect(ids({ q: 'üBER' })).toEqual(['a1']);
    expect(ids({ q: 'portal ö' })).toEqual(['b2']);
    expect(ids({ q: 'steptime' })).toEqual(['c3']);
    expect(ids({ q: 'LATE' })).toEqual(['c3']);
    expect(ids({ q: 'B2' })).toEqual(['b2']);
    expect(ids({ q: '2' })).toEqual([]);
    expect(ids({ q: '%' })).toEqual([]);
  });

  test('is narrowed by states, levels, times and errors together, and counted the same way', () => {
    expect(ids({ state: ['queued', 'failed'] })).toEqual(['c3', 'b2', 'a1']);
    expect(ids({ state: 'failed', hasError: true })).toEqual(['c3']);
    expect(ids({ hasError: false, level: ['INFO', 'DEBUG'] })).toEqual(['b2']);
    expect(ids({ from: 200, to: 300 })).toEqual(['b2']);
    expect(runs.count({ from: 200 })).toBe(2);
    expect(runs.count()).toBe(3);
  });

  test('is scrolled by offset as well as by cursor', () => {
    expect(ids({ limit: 1, offset: 1 })).toEqual(['b2']);
    expect(ids({ limit: 1, offset: 1, before: 'c3' })).toEqual(['a1']);
    expect(ids({ offset: 3 })).toEqual([]);
  });
});
