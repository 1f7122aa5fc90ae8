import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HeldClock } from '../../test/fixtures/held-clock.ts';
import { EventBus, type AgentEvent } from './events.ts';
import { createLogger } from './log.ts';

let sink: number;
let lines: string[];
let clock: HeldClock;
let events: EventBus;

beforeEach(() => {
  sink = openSync(devNull, 'w');
  lines = [];
  clock = new HeldClock();
  const log = createLogger({ to: sink, file: { write: (line) => lines.push(line) } });
  events = new EventBus(log, clock);
});

afterEach(() => closeSync(sink));

const logged = (): Record<string, unknown>[] =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>);

const queued: AgentEvent = { type: 'run.queued', runId: 'r1', scriptName: 'S' };
const paused: AgentEvent = { type: 'agent.state', state: 'paused' };

function listenAndThrow(name: string): void {
  events.on(name, () => {
    throw new TypeError('no such series');
  });
}

test('a listener that throws is logged with its name, the event and the run', () => {
  listenAndThrow('metrics');
  events.emit(queued);
  expect(logged()).toMatchObject([
    {
      level: 50,
      msg: 'an event listener failed',
      listener: 'metrics',
      event: 'run.queued',
      runId: 'r1',
      failures: 1,
      err: { type: 'TypeError', message: 'no such series', stack: expect.stringContaining('events.test.ts') },
    },
  ]);
});

test('the other listeners and the emitter do not notice', () => {
  const seen: string[] = [];
  events.on('before', ({ type }) => seen.push(`before ${type}`));
  listenAndThrow('broken');
  events.on('after', ({ type }) => seen.push(`after ${type}`));
  events.emit(queued);
  expect(seen).toEqual(['before run.queued', 'after run.queued']);
});

test('a listener that fails with every event is logged once a minute, with the number of failures', () => {
  listenAndThrow('metrics');
  listenAndThrow('journal');
  for (let count = 0; count < 100; count += 1) events.emit(queued);
  expect(logged().map(({ listener }) => listener)).toEqual(['metrics', 'journal']);
  clock.advance(60_000);
  events.emit(paused);
  expect(logged().slice(2)).toMatchObject([
    { listener: 'metrics', event: 'agent.state', failures: 100 },
    { listener: 'journal', event: 'agent.state', failures: 100 },
  ]);
});

test('a listener that has unsubscribed is not called', () => {
  const seen: string[] = [];
  const forget = events.on('first', () => seen.push('first'));
  events.emit(queued);
  forget();
  events.emit(queued);
  expect(seen).toEqual(['first']);
});
