import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { EventBus, type AgentEvent } from '../base/events.ts';
import { silentLogger } from '../base/log.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { RunStore } from '../store/runs.ts';
import { recoverRuns } from './recovery.ts';

const DEAD = { pid: 7, started: 'before' };
const ALIVE = { pid: 8, started: 'now' };
let db: Database;
let runs: RunStore;

beforeEach(() => {
  db = openDatabase(':memory:');
  runs = new RunStore(db);
});

afterEach(() => {
  db.close();
});

function create(runId: string, owner: typeof DEAD): void {
  runs.create({
    runId,
    taskId: null,
    scriptName: 's',
    script: '{}',
    level: { level: 'INFO', reason: 'r' },
    profile: null,
    owner,
    now: 1_000,
  });
  runs.transition(runId, 'running', { now: 2_000 });
}

async function recover(): Promise<AgentEvent[]> {
  const events = new EventBus(silentLogger);
  const seen: AgentEvent[] = [];
  events.on('test', (event) => seen.push(event));
  await recoverRuns({
    processes: {
      reapOrphans: () => Promise.resolve(0),
      isAlive: ({ pid }) => Promise.resolve(pid === ALIVE.pid),
    },
    temporary: { removeAbandoned: () => Promise.resolve(0) },
    sessions: { recover: () => Promise.resolve() },
    runs,
    events,
    clock: { ...systemClock, now: () => 5_000 },
  });
  return seen;
}

test('a run of a dead process fails, and names its last step and the one in doubt', async () => {
  create('r1', DEAD);
  runs.stepIntent('r1', { number: 1, name: 'Open', action: 'navigate', path: '$.steps[0]', now: 1 });
  runs.stepDone('r1', { number: 1, success: true, now: 2, result: {} });
  runs.stepIntent('r1', { number: 2, name: 'Pay', action: 'click', path: '$.steps[1]', now: 3 });
  const message = 'the agent stopped inside step 2 "Pay"; the last finished step is 1 "Open"';
  expect(await recover()).toEqual([
    {
      type: 'run.finished',
      runId: 'r1',
      state: 'failed',
      errorName: 'BrowserAgent.Interrupted',
      message,
      durationMs: 3_000,
    },
  ]);
  expect(runs.get('r1')).toMatchObject({ state: 'failed', error_message: message, ended_at: 5_000 });
});

test('a run of another process that is alive goes on', async () => {
  create('r1', ALIVE);
  expect(await recover()).toEqual([]);
  expect(runs.get('r1')?.state).toBe('running');
});
