import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import { AgentError } from '../base/errors.ts';
import { ActiveRuns } from './active-runs.ts';
import type { RunExecutor, RunOutcome, RunRequest } from './types.ts';

/** Runs until it is cancelled or told to end. */
class Held implements RunExecutor {
  readonly ends = new Map<string, () => void>();

  execute(request: RunRequest, { signal }: { signal: AbortSignal }): Promise<RunOutcome> {
    const { promise, resolve } = Promise.withResolvers<RunOutcome>();
    const end = (state: RunOutcome['state']): void =>
      resolve({ runId: request.runId, state, result: {}, returnOnFailure: false });
    this.ends.set(request.runId, () => end('succeeded'));
    signal.addEventListener('abort', () => end('cancelled'));
    return promise;
  }
}

const request = (runId: string): RunRequest => ({ runId, input: { kind: 'script', script: {} } });
const reason = new AgentError('BrowserAgent.Cancelled', 'enough');

describe('runs at work', () => {
  test('one is cancelled by its id, the others go on', async () => {
    const held = new Held();
    const runs = new ActiveRuns(held, new ManualClock());
    const [one, two] = [runs.start(request('1')), runs.start(request('2'))];
    expect(runs.cancel('3', reason)).toBe(false);
    expect(runs.cancel('1', reason)).toBe(true);
    expect((await one).state).toBe('cancelled');
    expect(runs.cancel('1', reason)).toBe(false);
    expect(runs.detached).toBe(1);
    held.ends.get('2')!();
    expect((await two).state).toBe('succeeded');
  });

  test('stop waits until the deadline, then cancels what is left', async () => {
    const held = new Held();
    const clock = new ManualClock();
    const runs = new ActiveRuns(held, clock);
    const [quick, slow] = [runs.start(request('quick')), runs.start(request('slow'))];
    const stopped = runs.stop({ deadlineMs: 1_000 });
    held.ends.get('quick')!();
    expect((await quick).state).toBe('succeeded');
    await clock.advance(1_000);
    expect((await slow).state).toBe('cancelled');
    await stopped;
    expect(runs.detached).toBe(0);
  });

  test('stop leaves the runs of tasks to those who wait for them', async () => {
    const held = new Held();
    const runs = new ActiveRuns(held, new ManualClock());
    const task = runs.execute(request('task'), { signal: new AbortController().signal });
    await runs.stop({ deadlineMs: 0 });
    expect(runs.isRunning('task')).toBe(true);
    held.ends.get('task')!();
    expect((await task).state).toBe('succeeded');
  });
});
