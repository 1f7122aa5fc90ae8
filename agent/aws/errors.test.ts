import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { expect, test } from 'vitest';
import { createClients } from './clients.ts';
import { isAwsEndpoint } from './endpoint.ts';
import { describeAwsFailure } from './errors.ts';

const about = { call: 's3:PutObject', resource: 's3://bucket/key' };

function awsError(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error('said the service'), { name, $metadata: { httpStatusCode } });
}

test.each([
  ['AccessDenied', 403, 'denied'],
  ['AccessDeniedException', 400, 'denied'],
  ['NoSuchBucket', 404, 'missing'],
  ['PermanentRedirect', 301, 'missing'],
  ['ExpiredTokenException', 400, 'credentials'],
  ['InvalidAccessKeyId', 403, 'credentials'],
  ['RequestTimeTooSkewed', 403, 'clock'],
  ['SlowDown', 503, 'throttled'],
  ['ThrottlingException', 400, 'throttled'],
  ['InternalError', 500, 'server'],
  ['SomethingNew', 502, 'server'],
  ['SomethingNew', 403, 'denied'],
  ['SomethingNew', 400, 'invalid'],
  ['BadDigest', 400, 'corrupt'],
])('%s with status %i is %s', (name, status, kind) => {
  const failure = describeAwsFailure(awsError(name, status), about);
  expect(failure).toMatchObject({ kind, code: name, httpStatus: status });
  expect(failure.message).toBe(`${name}: s3:PutObject on s3://bucket/key: said the service`);
  expect(failure.fix).not.toBe('');
});

test('a denied call names the permission to ask for, and on what', () => {
  expect(describeAwsFailure(awsError('AccessDenied', 403), about).fix).toBe(
    'Ask for the permission s3:PutObject on s3://bucket/key for this identity.',
  );
});

test('a call denied for the lack of another permission names that one', () => {
  const denied = awsError('AccessDenied', 403);
  denied.message =
    'User: arn:aws:iam::1:user/a is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:1:key/k because no identity-based policy allows the kms:GenerateDataKey action';
  expect(describeAwsFailure(denied, about).fix).toBe(
    'Ask for the permission kms:GenerateDataKey on arn:aws:kms:eu-west-1:1:key/k for this identity.',
  );
});

test('a missing region says where to set it', () => {
  const failure = describeAwsFailure(new Error('Region is missing'), about);
  expect(failure).toMatchObject({ kind: 'missing', code: 'RegionMissing' });
  expect(failure.fix).toContain('aws.region');
});

test('a port that nobody listens on and a connection that is cut are offline', async () => {
  const server = createServer((request) => request.socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const call = async () => {
    const clients = createClients({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${port}`,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      env: {},
    });
    const sts = await clients.sts();
    sts.config.maxAttempts = () => Promise.resolve(1);
    const thrown: unknown = await sts.send(new GetCallerIdentityCommand({})).catch((error: unknown) => error);
    clients.destroy();
    return describeAwsFailure(thrown, about).kind;
  };
  expect(await call()).toBe('offline');
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(await call()).toBe('offline');
});

test('buckets are host names at AWS and paths everywhere else', () => {
  expect(isAwsEndpoint('https://s3.eu-west-1.amazonaws.com')).toBe(true);
  expect(isAwsEndpoint('https://s3.cn-north-1.amazonaws.com.cn')).toBe(true);
  expect(isAwsEndpoint('https://amazonaws.com.example.org')).toBe(false);
  expect(isAwsEndpoint('http://127.0.0.1:4566')).toBe(false);
  expect(isAwsEndpoint('not a url')).toBe(false);
});
