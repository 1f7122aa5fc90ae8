import { afterEach, beforeEach, expect, test } from 'vitest';
import { EventBus, type AgentEvent } from '../base/events.ts';
import { silentLogger } from '../base/log.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { RunStore } from '../store/runs.ts';
import { AuditLog, auditRuns } from './index.ts';

let db: Database;
let runs: RunStore;
let audit: AuditLog;
let events: EventBus;

beforeEach(() => {
  db = openDatabase(':memory:');
  runs = new RunStore(db);
  audit = new AuditLog({ db });
  events = new EventBus(silentLogger);
  auditRuns({ events, audit, runs, log: silentLogger, by: { kind: 'cli', id: 'ann', from: 'pid 7' } });
});

afterEach(() => {
  if (db.open) db.close();
});

const level = { level: 'INFO', reason: 'task input' } as const;

function queue(runId: string, more: Partial<Extract<AgentEvent, { type: 'run.queued' }>> = {}): void {
  const owner = { pid: 1, started: 'boot' };
  runs.create({ runId, taskId: null, scriptName: 's', script: '{}', level, profile: null, owner, now: 1 });
  events.emit({ type: 'run.queued', runId, scriptName: 'Weekly', ...more });
}

test('a run is in the log from its beginning to its end, and its record names the head', () => {
  queue('r1');
  expect(runs.auditHeads()).toEqual([{ runId: 'r1', head: audit.head() }]);
  events.emit({ type: 'run.started', runId: 'r1', scriptName: 'Weekly', profile: 'portal', level });
  events.emit({
    type: 'run.finished',
    runId: 'r1',
    state: 'failed',
    errorName: 'BrowserAgent.StepTimeout',
    message: 'not here',
    durationMs: 12.4,
  });
  expect(audit.list({ limit: 9 })).toMatchObject([
    {
      seq: 2,
      by: { kind: 'cli', id: 'ann', from: 'pid 7' },
      action: 'run.end',
      target: 'run/r1',
      result: 'failed',
      details: {
        profile: 'portal',
        level: 'INFO',
        state: 'failed',
        error: 'BrowserAgent.StepTimeout',
        duration_ms: 12,
      },
    },
    { seq: 1, action: 'run.start', target: 'run/r1', result: 'ok', details: { script: 'Weekly' } },
  ]);
  expect(runs.auditHeads()).toEqual([{ runId: 'r1', head: audit.head() }]);
  expect(audit.verify()).toMatchObject({ ok: true, rows: 2 });
});

test('who asked is whoever the request names, else the task, else whoever opened the agent', () => {
  queue('r1', { by: { kind: 'key', id: 'k1', from: '127.0.0.1:5000' }, taskId: 't1' });
  queue('r2', { taskId: 't2' });
  queue('r3');
  expect(audit.list({ limit: 9 }).map(({ by }) => `${by.kind} ${by.id}`)).toEqual([
    'cli ann',
    'task t2',
    'key k1',
  ]);
});

test('a run that an earlier process began ends in the log as the agent found it', () => {
  const runId = 'r0';
  const owner = { pid: 1, started: 'boot' };
  runs.create({ runId, taskId: null, scriptName: 's', script: '{}', level, profile: null, owner, now: 1 });
  events.emit({
    type: 'run.finished',
    runId,
    state: 'failed',
    errorName: 'BrowserAgent.Interrupted',
    durationMs: 0,
  });
  expect(audit.list({ limit: 1 })[0]).toMatchObject({
    by: { kind: 'system' },
    details: { state: 'failed', error: 'BrowserAgent.Interrupted' },
  });
});

test('a log that cannot be written stops no run', () => {
  db.close();
  expect(() => events.emit({ type: 'run.queued', runId: 'r1', scriptName: 'Weekly' })).not.toThrow();
});
