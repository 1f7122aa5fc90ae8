import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database } from './database.ts';
import { OutboxStore } from './outbox.ts';
import { TaskStore, taskIdOf } from './tasks.ts';

let dir: string;
let db: Database;
let tasks: TaskStore;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tasks-'));
  db = openDatabase(join(dir, 'agent.db'));
  tasks = new TaskStore(db);
});

afterEach(async () => {
  db.close();
  await rm(dir, { recursive: true });
});

const receive = (token = 'secret-token') =>
  tasks.receive({ token, activityArn: 'arn', input: '{}', runId: `run of ${token}`, now: 1 });

test('a task that was received is there for another connection at once', () => {
  const { row, isNew } = receive();
  expect(isNew).toBe(true);
  const other = openDatabase(join(dir, 'agent.db'));
  expect(new TaskStore(other).open()).toEqual([row]);
  other.close();
});

test('a database that does not sync every commit is refused', () => {
  db.pragma('synchronous = NORMAL');
  expect(() => new TaskStore(db)).toThrow(/synchronous=FULL/);
});

test('the same token is the same task', () => {
  receive();
  tasks.running(taskIdOf('secret-token'));
  expect(receive()).toMatchObject({ isNew: false, row: { state: 'running' } });
  expect(tasks.open()).toHaveLength(1);
});

test('a task id does not give the token away', () => {
  expect(taskIdOf('secret-token')).toMatch(/^[0-9a-f]{32}$/);
});

test('a closed task forgets its token and is not open', () => {
  const { row } = receive();
  tasks.lost(row.task_id, { reason: 'TaskTimedOut', now: 5, fenceMs: 12.4 });
  expect(tasks.get(row.task_id)).toMatchObject({
    state: 'lost',
    token: '',
    ended_at: 5,
    lost_reason: 'TaskTimedOut',
    fence_ms: 12,
  });
  expect(tasks.open()).toEqual([]);
});

test('a closed task stays closed', () => {
  const { row } = receive();
  tasks.lost(row.task_id, { reason: 'TaskTimedOut', now: 5 });
  expect(() => tasks.running(row.task_id)).toThrow(/cannot go from lost to running/);
});

test('a report and its task change together or not at all', () => {
  const { row } = receive();
  const outbox = new OutboxStore(db);
  tasks.lost(row.task_id, { reason: 'TaskTimedOut', now: 5 });
  expect(() => outbox.put(row.task_id, { kind: 'success', output: '{}' }, 6)).toThrow(/lost to reporting/);
  expect(outbox.all()).toEqual([]);
});
