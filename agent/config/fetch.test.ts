import { expect, test } from 'vitest';
import { settingKeyOf } from './fetch.ts';

test.each([
  ['activity-arn', 'aws.activity_arn'],
  ['s3-bucket', 'aws.s3_bucket'],
  ['recording/max-level', 'recording.max_level'],
  ['recording-max-level', 'recording.max_level'],
  ['run/default-step-timeout-ms', 'run.default_step_timeout_ms'],
  ['browser/executable-path', undefined],
  ['aws/profile', undefined],
  ['something', undefined],
])('the parameter %s sets %s', (name, key) => {
  expect(settingKeyOf(name)).toBe(key);
});
