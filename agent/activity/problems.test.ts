import { expect, test } from 'vitest';
import { problemOf } from './problems.ts';

const answered = (httpStatusCode: number) =>
  Object.assign(new Error('aborted'), { code: 'ECONNRESET', $metadata: { httpStatusCode } });

test('an answer that was cut off may have been a yes, whatever its status line said, unless that was a no', () => {
  expect(problemOf(answered(200)).unanswered).toBe(true);
  expect(problemOf(answered(503)).unanswered).toBe(true);
  expect(problemOf(answered(400)).unanswered).toBe(false);
});
