import { expect, test } from 'vitest';
import { AgentError } from '../base/errors.ts';
import type { ScriptOutcome } from '../script/interpreter.ts';
import { endOf, type StepsEnd } from './run-end.ts';
import { LeaseLost } from './types.ts';

const running = new AbortController().signal;

function returned(success: boolean, more: Partial<ScriptOutcome> = {}): StepsEnd {
  const outcome: ScriptOutcome = { success, steps: [], stepsTotal: 0, data: {}, endedBy: 'end', ...more };
  return { kind: 'returned', outcome };
}

test('a lost lease wins over what the steps did', () => {
  const lost = AbortSignal.abort(new LeaseLost('the task timed out'));
  for (const steps of [returned(true), { kind: 'thrown', thrown: new Error('x') } as const]) {
    expect(endOf(steps, lost)).toMatchObject({
      state: 'lost',
      error: { errorName: 'BrowserAgent.Interrupted', message: 'the task timed out' },
    });
  }
});

test('steps that returned decide for themselves, also when the run is cancelled after them', () => {
  const cancelled = AbortSignal.abort(new AgentError('BrowserAgent.Cancelled', 'by hand'));
  expect(endOf(returned(true), cancelled)).toEqual({ state: 'succeeded', error: null });
});

test('a cancelled run is cancelled whether the steps returned it or something threw it', () => {
  const error = new AgentError('BrowserAgent.Cancelled', 'by hand');
  expect(endOf(returned(false, { error }), running)).toEqual({ state: 'cancelled', error });
  expect(endOf({ kind: 'thrown', thrown: error }, running)).toEqual({ state: 'cancelled', error });
});

test('every other end is a failure with an error', () => {
  expect(endOf(returned(false), running)).toMatchObject({
    state: 'failed',
    error: { errorName: 'BrowserAgent.StepFailed' },
  });
  expect(endOf({ kind: 'thrown', thrown: new TypeError('a bug') }, running)).toMatchObject({
    state: 'failed',
    error: { errorName: 'BrowserAgent.Internal' },
  });
});
