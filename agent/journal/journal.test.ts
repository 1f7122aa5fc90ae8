import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HeldClock } from '../../test/fixtures/held-clock.ts';
import { EventBus, type AgentEvent } from '../base/events.ts';
import { redactLogs, silentLogger } from '../base/log.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { EventStore } from '../store/events.ts';
import { EventJournal } from './journal.ts';
import { payloads, PRIORITIES, publish, type PublishedType } from './published.ts';
import { wireEvent, type WireEvent } from './wire.ts';

const DAY_MS = 86_400_000;
const RUN = '0198c0de-0000-7000-8000-000000000001';

let db: Database;
let events: EventBus;
let clock: HeldClock;
let store: EventStore;
let journal: EventJournal;
const keep = { rows: 10_000, days: 7 };

beforeEach(() => {
  db = openDatabase(':memory:');
  events = new EventBus(silentLogger);
  clock = new HeldClock();
  store = new EventStore(db);
  Object.assign(keep, { rows: 10_000, days: 7 });
  journal = new EventJournal({ events, store, clock, log: silentLogger, keep: () => keep });
});

afterEach(() => {
  journal.close();
  db.close();
});

const step = (stepNumber: number, name = 'Open'): AgentEvent => ({
  type: 'step.started',
  runId: RUN,
  stepNumber,
  name,
  action: 'navigate',
});
const queued: AgentEvent = { type: 'run.queued', runId: RUN, scriptName: 'S' };
const ids = (): number[] => store.after(0, 20_000).map(({ id }) => id);

/** One of each kind of what happens inside. */
const EVERY: AgentEvent[] = [
  { ...queued, by: { kind: 'cli', id: 'ada', from: 'pid 1' } },
  { type: 'run.waiting', runId: RUN, for: 'profile', profile: 'p' },
  { type: 'run.started', runId: RUN, scriptName: 'S', profile: null, level: { level: 'INFO', reason: 'r' } },
  {
    type: 'run.finished',
    runId: RUN,
    state: 'failed',
    errorName: 'BrowserAgent.StepFailed',
    message: 'm',
    durationMs: 5,
  },
  {
    type: 'run.paused',
    runId: RUN,
    by: { kind: 'owner', id: 'owner', from: 'x' },
    reason: 'look',
    since: 5,
    isStanding: true,
  },
  { type: 'run.resumed', runId: RUN, pausedMs: 7 },
  step(1),
  {
    type: 'step.finished',
    runId: RUN,
    stepNumber: 1,
    name: 'Open',
    action: 'navigate',
    success: false,
    durationMs: 3,
    error: { name: 'E', message: 'm' },
  },
  { type: 'upload.finished', runId: RUN, key: 'k', sizeBytes: 1 },
  { type: 'upload.failed', runId: RUN, key: 'k', message: 'm', attempt: 1, retryAt: 0 },
  { type: 'human.requested', runId: RUN, stepNumber: 1, message: 'm', deadline: 1e300 },
  { type: 'human.resolved', runId: RUN, by: 'person' },
  { type: 'agent.state', state: 'working' },
  { type: 'task.received', taskId: 't', runId: RUN },
  { type: 'task.reported', taskId: 't', runId: RUN, outcome: 'succeeded' },
  { type: 'runs.removed', count: 2, sizeBytes: 10, notInS3: 1, overBytes: 0 },
  { type: 'lease.lost', taskId: 't', runId: RUN, reason: 'r' },
];

describe('what happens', () => {
  test('has the payload that its type declares, and a priority', () => {
    for (const event of EVERY) {
      const published = publish(event)!;
      const schema = payloads[published.type as PublishedType];
      expect(schema.parse(published.payload), event.type).toEqual(published.payload);
      expect(PRIORITIES).toContain(published.priority);
    }
  });

  test('that needs somebody is of high priority, every step of low', () => {
    const of = (priority: string): string[] =>
      EVERY.map((event) => publish(event)!).flatMap((it) => (it.priority === priority ? [it.type] : []));
    expect(of('high')).toEqual(['run.finished', 'upload.failed', 'human.requested', 'agent.lease_lost']);
    expect(of('low')).toEqual(['step.started', 'upload.finished']);
  });

  test('and says nothing to anybody stays inside', () => {
    events.emit({ type: 'poll.answered', outcome: 'empty' });
    events.emit({ type: 'browser.started', pid: 1 });
    journal.flush();
    expect(ids()).toEqual([]);
  });

  test('is shown without secrets: those of runs, and what is one by its form', () => {
    const secret = 'canary-93f1';
    const forget = redactLogs({
      contains: (text) => text.includes(secret),
      redact: (fields) =>
        JSON.parse(JSON.stringify(fields).replaceAll(secret, '[masked]')) as Record<string, string>,
    });
    const message = `asked for ${secret} at https://me:hunter2@example.com`;
    events.emit({ type: 'human.requested', runId: RUN, stepNumber: 1, message, deadline: 1 });
    events.emit(step(1, message));
    events.emit({
      type: 'run.finished',
      runId: RUN,
      state: 'failed',
      errorName: 'E',
      message,
      durationMs: 1,
    });
    forget();
    const text = JSON.stringify(store.after(0, 10));
    expect(text).toContain('asked for [masked] at https://[masked]@example.com');
    expect(text).not.toContain(secret);
    expect(text).not.toContain('hunter2');
  });

  test('and has much to say is cut short', () => {
    events.emit(step(1, 'x'.repeat(100_000)));
    journal.flush();
    expect(store.after(0, 1)[0]!.payload.length).toBeLessThan(3_000);
  });
});

describe('the history', () => {
  test('has events in order, with ids without gaps, when anybody is told of them', () => {
    const told: WireEvent[] = [];
    journal.onWritten((written) => {
      expect(store.bounds().newest).toBe(written.at(-1)!.id);
      told.push(...written);
    });
    events.emit(queued);
    for (let number = 1; number <= 100; number += 1) events.emit(step(number));
    expect(told).toHaveLength(1);
    journal.flush();
    expect(told.map(({ id }) => id)).toEqual(Array.from({ length: 101 }, (_one, index) => index + 1));
    expect(told).toEqual(store.after(0, 200).map(wireEvent));
  });

  test('reaches every follower when one of them throws', () => {
    const told: number[] = [];
    journal.onWritten(() => {
      throw new Error('broken follower');
    });
    journal.onWritten((written) => told.push(...written.map(({ id }) => id)));
    events.emit(step(1));
    journal.flush();
    expect(told).toEqual([1]);
  });

  test('has the end of a run at once, and with it all before', () => {
    events.emit(step(1));
    expect(ids()).toEqual([]);
    events.emit({ type: 'run.finished', runId: RUN, state: 'succeeded', durationMs: 1 });
    expect(ids()).toEqual([1, 2]);
  });

  test('is written by itself a moment later', async () => {
    events.emit(step(1));
    await expect.poll(ids, { interval: 2 }).toEqual([1]);
  });

  test('keeps about so many rows, and gives no id twice', () => {
    keep.rows = 100;
    for (let number = 1; number <= 2_000; number += 1) events.emit(queued);
    expect(ids().length).toBeLessThanOrEqual(100 + 500);
    expect(store.trim({ keepRows: 0, before: 0 })).toBeGreaterThan(0);
    expect(store.bounds()).toEqual({ oldest: 2_001, newest: 2_000 });
    events.emit(queued);
    expect(ids()).toEqual([2_001]);
  });

  test('forgets what is older than so many days', () => {
    events.emit(queued);
    clock.advance(8 * DAY_MS);
    for (let number = 0; number < 500; number += 1) events.emit(queued);
    expect(ids()[0]).toBe(2);
  });

  test('that cannot be written now is written with the next', () => {
    db.exec('ALTER TABLE events RENAME TO elsewhere');
    events.emit(queued);
    events.emit({ type: 'run.finished', runId: RUN, state: 'succeeded', durationMs: 1 });
    db.exec('ALTER TABLE elsewhere RENAME TO events');
    events.emit(step(1));
    journal.flush();
    expect(store.after(0, 10).map(({ type }) => type)).toEqual([
      'run.queued',
      'run.finished',
      'step.started',
    ]);
  });
});

describe('a consumer', () => {
  const at = (consumer: string, eventId: number): number | undefined =>
    store.acknowledge({ keyId: 'k', consumer, eventId }, { most: 2, now: 1 });

  test('only goes forward, and is another one for each key', () => {
    expect([at('a', 5), at('a', 3), at('a', 8)]).toEqual([5, 5, 8]);
    expect(store.position('k', 'a')).toBe(8);
    expect(store.position('other', 'a')).toBeUndefined();
  });

  test('is one of so many that a key may have', () => {
    expect([at('a', 1), at('b', 1), at('c', 1), at('b', 2)]).toEqual([1, 1, undefined, 2]);
    store.forgetConsumers(2);
    expect(at('c', 1)).toBe(1);
  });
});
