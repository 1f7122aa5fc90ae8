/** The decisions of the one failure table: each was made differently in two places before. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as s3Errors from '@aws-sdk/client-s3';
import * as secretsErrors from '@aws-sdk/client-secrets-manager';
import * as sfnErrors from '@aws-sdk/client-sfn';
import * as ssmErrors from '@aws-sdk/client-ssm';
import * as stsErrors from '@aws-sdk/client-sts';
import { isThrottlingError, isTransientError } from '@smithy/core/retry';
import { expect, test } from 'vitest';
import { hasOpenssl, makeCertificate } from '../../test/fixtures/certificate.ts';
import type { ServiceId } from '../base/services.ts';
import { createClients } from './clients.ts';
import { describeAwsFailure } from './errors.ts';
import { AWS_FAILURE_KINDS, FAILURES, type AwsFailureKind, type Pace } from './failure-kinds.ts';

const about = { call: 'CallCommand', resource: 'the resource' };

function awsError(name: string, status: number, message = 'said the service'): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}

function nodeError(code: string, more: { syscall?: string } = {}): Error {
  return Object.assign(new Error(`it failed with ${code}`), { code, ...more });
}

const WRONG_SECRET =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.';

test.each<[string, ServiceId, number, string, AwsFailureKind, Pace]>([
  // Only words tell a clock that is off from a wrong secret key; without them the key is the likely reason.
  ['SignatureDoesNotMatch', 's3', 403, WRONG_SECRET, 'credentials', 'slow'],
  [
    'SignatureDoesNotMatch',
    'sts',
    403,
    'Signature expired: 20260101T000000Z is now earlier than …',
    'clock',
    'fast',
  ],
  ['InvalidSignatureException', 'sfn', 400, WRONG_SECRET, 'credentials', 'slow'],
  [
    'InvalidSignatureException',
    'sfn',
    400,
    'Signature not yet current: 20260101T000000Z is …',
    'clock',
    'fast',
  ],
  ['RequestTimeTooSkewed', 's3', 403, '', 'clock', 'fast'],
  ['RequestInTheFuture', 's3', 403, '', 'clock', 'fast'],
  // The KMS key behind a resource, in every service's spelling.
  ['KmsThrottlingException', 'sfn', 400, '', 'throttled', 'fast'],
  ['KMS.ThrottlingException', 's3', 400, '', 'throttled', 'fast'],
  ['KmsAccessDeniedException', 'sfn', 400, '', 'denied', 'slow'],
  ['KMSAccessDeniedException', 'ssm', 400, '', 'denied', 'slow'],
  ['KmsInvalidStateException', 'sfn', 400, '', 'denied', 'slow'],
  ['KMS.KMSInvalidStateException', 's3', 400, '', 'denied', 'slow'],
  ['KMS.DisabledException', 's3', 400, '', 'denied', 'slow'],
  ['KMS.NotFoundException', 's3', 400, '', 'missing', 'slow'],
  ['KMSInternalException', 'ssm', 500, '', 'server', 'fast'],
  ['DecryptionFailure', 'secretsmanager', 400, '', 'denied', 'slow'],
  ['InvalidKeyId', 'ssm', 400, '', 'denied', 'slow'],
  // One code, two meanings.
  ['InvalidToken', 'sfn', 400, '', 'dead_token', 'fast'],
  ['InvalidToken', 's3', 400, 'The provided token is malformed or otherwise invalid.', 'credentials', 'slow'],
  // Known to one table only.
  [
    'TokenProviderError',
    'sts',
    0,
    'Token is expired. To refresh this SSO session run aws sso login',
    'credentials',
    'slow',
  ],
  ['TokenRefreshRequired', 's3', 400, '', 'credentials', 'slow'],
  ['InvalidArn', 'sfn', 400, '', 'missing', 'slow'],
  ['OptInRequired', 'sfn', 403, '', 'denied', 'slow'],
  ['ActivityWorkerLimitExceeded', 'sfn', 400, '', 'throttled', 'slow'],
  ['SlowDown', 'sfn', 503, '', 'throttled', 'fast'],
  ['ValidationException', 'ssm', 400, '', 'refused_request', 'slow'],
  ['InvalidOutput', 'sfn', 400, '', 'refused_payload', 'fast'],
  ['BadDigest', 's3', 400, '', 'corrupt', 'fast'],
  // An answer without a code that we know: its status decides; nothing is given up on a guess.
  ['SomethingNew', 'sfn', 400, '', 'invalid', 'fast'],
  ['SomethingNew', 'sfn', 502, '', 'server', 'fast'],
  ['SomethingNew', 'sfn', 429, '', 'throttled', 'fast'],
])('%s of %s (%i %s) is %s, repeated at the %s pace', (code, service, status, message, kind, pace) => {
  const thrown = awsError(code, status, message);
  expect(describeAwsFailure(thrown, about, service)).toMatchObject({ kind, code, pace });
});

test.each<[string, AwsFailureKind, Pace, boolean]>([
  // A certificate is checked before anything is sent, and only a person can change it.
  ['CERT_HAS_EXPIRED', 'tls', 'slow', false],
  ['CERT_NOT_YET_VALID', 'tls', 'slow', false],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls', 'slow', false],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls', 'slow', true],
  ['EPROTO', 'offline', 'fast', true],
  ['ECONNABORTED', 'offline', 'fast', true],
  ['ECONNREFUSED', 'offline', 'fast', false],
  ['ENOTFOUND', 'offline', 'fast', false],
  ['EAI_AGAIN', 'offline', 'fast', false],
  ['ECONNRESET', 'offline', 'fast', true],
  ['ABORT_ERR', 'aborted', 'fast', true],
])(
  'without an answer %s is %s, repeated at the %s pace; may it be done: %s',
  (code, kind, pace, mayBeDone) => {
    expect(describeAwsFailure(nodeError(code), about, 'sfn')).toMatchObject({ kind, code, pace, mayBeDone });
  },
);

test('a network that is gone may have taken a request along, unless there was no connection yet', () => {
  for (const code of ['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'ETIMEDOUT', 'EADDRNOTAVAIL']) {
    const mayBeDone = (syscall: string) =>
      describeAwsFailure(nodeError(code, { syscall }), about, 'sfn').mayBeDone;
    expect([code, mayBeDone('connect'), mayBeDone('write')]).toEqual([code, false, true]);
  }
  const everyAddress = new AggregateError([nodeError('ETIMEDOUT', { syscall: 'connect' })]);
  expect(describeAwsFailure(everyAddress, about, 'sfn')).toMatchObject({ kind: 'offline', mayBeDone: false });
});

test('only codes that refuse the access key itself ask for other credentials', () => {
  const refusing = (code: string, service: ServiceId) =>
    describeAwsFailure(awsError(code, 403), about, service).refusesKey;
  for (const code of [
    'ExpiredToken',
    'ExpiredTokenException',
    'InvalidAccessKeyId',
    'InvalidClientTokenId',
    'UnrecognizedClientException',
    'TokenRefreshRequired',
  ]) {
    expect([code, refusing(code, 'sfn')]).toEqual([code, true]);
  }
  expect(refusing('InvalidToken', 's3')).toBe(true);
  for (const code of ['InvalidToken', 'AccessDenied', 'SignatureDoesNotMatch', 'CredentialsProviderError']) {
    expect([code, refusing(code, 'sfn')]).toEqual([code, false]);
  }
});

test('what only a person can fix is repeated slowly, except where the SDK corrects its clock by itself', () => {
  const differing = AWS_FAILURE_KINDS.filter(
    (kind) => FAILURES[kind].needsPerson !== (FAILURES[kind].pace === 'slow'),
  );
  expect(differing).toEqual(['clock']);
});

test('no error that the SDK knows of our services counts otherwise here than in the SDK', () => {
  const sdks = {
    sfn: sfnErrors,
    s3: s3Errors,
    ssm: ssmErrors,
    secretsmanager: secretsErrors,
    sts: stsErrors,
  };
  let compared = 0;
  for (const [service, sdk] of Object.entries(sdks) as [ServiceId, object][]) {
    for (const [name, Class] of Object.entries(sdk) as [string, new (options: object) => SdkError][]) {
      if (typeof Class !== 'function' || !(Class.prototype instanceof Error)) continue;
      const { $fault } = new Class({ $metadata: {} });
      const thrown = new Class({ $metadata: { httpStatusCode: $fault === 'server' ? 500 : 400 } });
      const { kind, isOutage } = describeAwsFailure(thrown, about, service);
      compared += 1;
      if (isThrottlingError(thrown)) expect([name, kind]).toEqual([name, 'throttled']);
      else if ($fault === 'server') expect([name, kind]).toEqual([name, 'server']);
      else if (!isTransientError(thrown)) expect([name, isOutage]).toEqual([name, isUnmarked(name)]);
    }
  }
  expect(compared).toBeGreaterThan(150);
});

type SdkError = Parameters<typeof isThrottlingError>[0] & { $fault: 'client' | 'server' };

/** Throttling that the models of the SDK do not mark as such. */
function isUnmarked(name: string): boolean {
  return ['KmsThrottlingException', 'ActivityWorkerLimitExceeded'].includes(name);
}

async function failureFrom(url: string): Promise<ReturnType<typeof describeAwsFailure>> {
  const clients = createClients({
    region: 'us-east-1',
    endpoint: url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    env: {},
  });
  try {
    const sts = await clients.sts();
    sts.config.maxAttempts = () => Promise.resolve(1);
    await sts.send(new stsErrors.GetCallerIdentityCommand({}));
  } catch (thrown) {
    return describeAwsFailure(thrown, { call: 'sts:GetCallerIdentity', resource: 'the AWS account' });
  } finally {
    clients.destroy();
  }
  throw new Error('it worked');
}

async function serving<T>(server: Server, work: (port: number) => Promise<T>): Promise<T> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('a signature that is refused is the clock where the answer’s date says so, else the secret key', async () => {
  const dated =
    (offsetMs: number): RequestListener =>
    (_request, response) => {
      response.writeHead(403, {
        'content-type': 'text/xml',
        date: new Date(Date.now() + offsetMs).toUTCString(),
      });
      response.end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>${WRONG_SECRET}</Message></Error></ErrorResponse>`,
      );
    };
  const kindAt = async (offsetMs: number) =>
    serving(
      createServer(dated(offsetMs)),
      async (port) => (await failureFrom(`http://127.0.0.1:${port}`)).kind,
    );
  expect(await kindAt(0)).toBe('credentials');
  expect(await kindAt(20 * 60_000)).toBe('clock');
});

test.skipIf(!hasOpenssl)('an untrusted certificate is tls, and nothing was sent', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lba-tls-'));
  try {
    const { cert, key } = makeCertificate(folder, 'own');
    let requests = 0;
    const server = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, () => {
      requests += 1;
    });
    const failure = await serving(server, async (port) => failureFrom(`https://127.0.0.1:${port}`));
    expect(failure).toMatchObject({ kind: 'tls', code: 'DEPTH_ZERO_SELF_SIGNED_CERT', mayBeDone: false });
    expect(requests).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
