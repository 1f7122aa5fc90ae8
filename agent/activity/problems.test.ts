import { expect, test } from 'vitest';
import { describeAwsFailure } from '../aws/errors.ts';
import { problemOf } from './problems.ts';

const answered = (httpStatusCode: number) =>
  Object.assign(new Error('aborted'), { code: 'ECONNRESET', $metadata: { httpStatusCode } });

test('an answer that was cut off may have been a yes, whatever its status line said, unless that was a no', () => {
  expect(problemOf(answered(200)).unanswered).toBe(true);
  expect(problemOf(answered(503)).unanswered).toBe(true);
  expect(problemOf(answered(400)).unanswered).toBe(false);
});

test('worker and uploads get the same advice, and the worker only where waiting does not help', () => {
  const refused = (name: string) => Object.assign(new Error(), { name, $metadata: { httpStatusCode: 400 } });
  expect(problemOf(refused('KmsThrottlingException'))).toMatchObject({
    class: 'throttled',
    pace: 'fast',
    advice: '',
  });
  const expired = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });
  expect(problemOf(expired)).toMatchObject({ class: 'network', pace: 'slow', unanswered: false });
  const { fix } = describeAwsFailure(expired, { call: 's3:PutObject', resource: 's3://bucket/key' });
  expect(problemOf(expired).advice).toBe(fix);
  expect(fix).toMatch(/^Check date and time of this machine\./);
  expect(problemOf(refused('SomethingNew'))).toMatchObject({ class: 'service', advice: '' });
  expect(problemOf(refused('AccessDeniedException')).advice).toBe(
    'Ask for the permission states:GetActivityTask, states:SendTaskHeartbeat, states:SendTaskSuccess, states:SendTaskFailure on the activity for this identity.',
  );
});
