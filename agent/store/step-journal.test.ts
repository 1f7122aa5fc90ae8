import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRuns } from '../../test/support/run-rows.ts';
import { openDatabase, type Database } from './database.ts';
import { StepJournal } from './step-journal.ts';

let db: Database;
let journal: StepJournal;

beforeEach(() => {
  db = openDatabase(':memory:');
  journal = new StepJournal(db);
  createRuns(db, ['r1', 'r2']);
  journal.stepIntent('r1', { number: 1, name: 'Open', action: 'navigate', path: '$.steps[0]', now: 5 });
  journal.stepDone('r1', { number: 1, success: false, now: 6, result: { why: 'slow' } });
  journal.stepIntent('r1', { number: 2, name: 'Pay', action: 'click', path: '$.steps[1]', now: 7 });
});

afterEach(() => {
  db.close();
});

test('a step has a result once it has ended, and none before', () => {
  expect(journal.steps('r1')).toMatchObject([
    { step_number: 1, state: 'done', success: 0, started_at: 5, ended_at: 6 },
    { step_number: 2, state: 'intent', success: null, ended_at: null },
  ]);
  expect([...journal.stepResults('r1')]).toEqual([[1, { why: 'slow' }]]);
});

test('the last step is the one that started last, whether it has ended or not', () => {
  expect(journal.lastStep('r1')).toMatchObject({ step_number: 2, name: 'Pay' });
  journal.stepDone('r1', { number: 2, success: true, now: 8, result: {} });
  expect(journal.lastStep('r1')).toMatchObject({ step_number: 2, state: 'done' });
  expect(journal.lastStep('r2')).toBeUndefined();
});

test('a step is written once: a second intent with its number is a bug that is not hidden', () => {
  const again = { number: 2, name: 'Pay', action: 'click', path: '$.steps[1]', now: 9 };
  expect(() => journal.stepIntent('r1', again)).toThrow(/UNIQUE/);
});
