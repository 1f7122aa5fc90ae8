/**
 * Which error code is of which kind (failure-kinds.ts), and where one code differs from its kind.
 *
 * Sources: "Common Errors" and the errors of each call in the API references of the services, the S3 error
 * responses, Node's `errno` codes and its X.509 codes, and the lists by which the SDK itself retries
 * (@smithy/core, service-error-classification), which errors.test.ts compares with this table.
 */
import type { ServiceId } from '../base/services.ts';
import type { AwsFailureKind, CallSubject, FailureTraits } from './failure-kinds.ts';

/** Set by this agent: the key of this machine was revoked (config/stored-keys.ts). */
export const MACHINE_REVOKED = 'MachineRevoked';

/** Set by errors.ts: the SDK throws a plain Error for it. */
export const REGION_MISSING = 'RegionMissing';

/** A code with what differs from its kind. */
interface Differing extends Partial<FailureTraits> {
  code: string;
  /** What the code means in this service only; elsewhere another row counts. */
  service?: ServiceId;
  /** AWS does not know the key, or no longer: other credentials may work. */
  refusesKey?: true;
  /** The request never reached the service. */
  neverSent?: true;
  /** May also mean that the clock is off: the message or the SDK's own comparison decides. */
  maybeClock?: true;
}

export type CodeRow = Omit<Differing, 'code' | 'service'> & { kind: AwsFailureKind };

const refusesKey = (code: string): Differing => ({ code, refusesKey: true });
const neverSent = (code: string): Differing => ({ code, neverSent: true });

const DATES_OF_CERTIFICATE = () =>
  'Check date and time of this machine. If they are right, the certificate of the endpoint or of a proxy is not valid today: ask its administrator.';
const REGION = ({ resource }: CallSubject) => `${resource} is in another region: set aws.region to that one.`;
const ACTIVITY = () =>
  'Check aws.activity_arn and its region, or run `local-browser-agent setup --env ENV` again.';
const KEY_POLICY = () =>
  'The KMS key is disabled or does not allow this identity: ask for its key policy to be checked.';

const CODES: Record<AwsFailureKind, readonly (string | Differing)[]> = {
  offline: [
    // Only looking a name up and connecting give these. For the others the system call tells (errors.ts).
    neverSent('ECONNREFUSED'),
    neverSent('ENOTFOUND'),
    neverSent('EAI_AGAIN'),
    neverSent('ERR_SOCKET_CONNECTION_TIMEOUT'),
    'ECONNRESET',
    'ECONNABORTED',
    'EPIPE',
    'EPROTO',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'EHOSTDOWN',
    'ENETUNREACH',
    'ENETDOWN',
    'ENETRESET',
    'EADDRNOTAVAIL',
    'TimeoutError',
    'NetworkingError',
  ],
  // A certificate is checked before anything is sent. Further codes by their prefix: isTlsCode().
  tls: [
    { ...neverSent('CERT_HAS_EXPIRED'), fix: DATES_OF_CERTIFICATE },
    { ...neverSent('CERT_NOT_YET_VALID'), fix: DATES_OF_CERTIFICATE },
    neverSent('CERT_UNTRUSTED'),
    neverSent('CERT_REJECTED'),
    neverSent('CERT_REVOKED'),
    neverSent('CERT_SIGNATURE_FAILURE'),
    neverSent('CERT_CHAIN_TOO_LONG'),
    neverSent('INVALID_CA'),
    neverSent('INVALID_PURPOSE'),
    neverSent('PATH_LENGTH_EXCEEDED'),
    neverSent('HOSTNAME_MISMATCH'),
    neverSent('SELF_SIGNED_CERT_IN_CHAIN'),
    neverSent('DEPTH_ZERO_SELF_SIGNED_CERT'),
    neverSent('UNABLE_TO_GET_ISSUER_CERT'),
    neverSent('UNABLE_TO_GET_ISSUER_CERT_LOCALLY'),
    neverSent('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    neverSent('ERR_TLS_CERT_ALTNAME_INVALID'),
  ],
  aborted: ['AbortError', 'ABORT_ERR'],
  throttled: [
    'Throttling',
    'ThrottlingException',
    'ThrottledException',
    'RequestThrottled',
    'RequestThrottledException',
    'TooManyRequestsException',
    'RequestLimitExceeded',
    'BandwidthLimitExceeded',
    'SlowDown',
    'EC2ThrottledException',
    'ProvisionedThroughputExceededException',
    'PriorRequestNotComplete',
    'TransactionInProgressException',
    'LimitExceededException',
    {
      code: 'ActivityWorkerLimitExceeded',
      pace: 'slow', // more than a thousand polls are open on this activity: it passes, but not soon
      needsPerson: true,
      fix: () => 'Too many workers poll this activity: stop some of them.',
    },
  ],
  server: [
    'InternalError',
    'InternalFailure',
    'InternalServerError',
    'InternalServerException',
    'InternalServiceError',
    'ServiceUnavailable',
    'ServiceUnavailableException',
    'OperationAborted',
    'RequestTimeout',
    'RequestTimeoutException',
  ],
  credentials: [
    {
      code: 'CredentialsProviderError',
      fix: () =>
        'No AWS credentials were found: run `local-browser-agent setup --env ENV --aws-profile PROFILE`, or set AWS_PROFILE.',
    },
    'TokenProviderError', // the SSO sign-in has expired
    refusesKey('ExpiredToken'),
    refusesKey('ExpiredTokenException'),
    refusesKey('InvalidAccessKeyId'),
    refusesKey('InvalidClientTokenId'),
    refusesKey('UnrecognizedClientException'),
    refusesKey('TokenRefreshRequired'),
    // S3 means a session token by it; for Step Functions it is a task token (dead_token).
    { ...refusesKey('InvalidToken'), service: 's3' },
    // Also what STS and the JSON services answer when the clock is off. Without a sign of that the secret key is
    // wrong: "set the clock" would send the person the wrong way.
    { code: 'SignatureDoesNotMatch', maybeClock: true },
    { code: 'InvalidSignatureException', maybeClock: true },
    'IncompleteSignature',
    'IncompleteSignatureException',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    {
      code: MACHINE_REVOKED,
      fix: () =>
        'Ask an administrator for a new setup code (`local-browser-agent invite`), then run `local-browser-agent setup --code CODE`.',
    },
  ],
  clock: ['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'],
  denied: [
    'AccessDenied',
    { code: 'AccessDeniedException', maybeClock: true },
    'UnauthorizedOperation',
    'NotAuthorized',
    'OptInRequired',
    'AllAccessDisabled',
    'AccountProblem',
    // Secrets Manager and the parameter store, when the KMS key of a value is disabled or denied.
    { code: 'DecryptionFailure', fix: KEY_POLICY },
    { code: 'EncryptionFailure', fix: KEY_POLICY },
    { code: 'InvalidKeyId', fix: KEY_POLICY },
  ],
  missing: [
    'NoSuchBucket',
    'NoSuchKey',
    'NoSuchEntity',
    'NoSuchEntityException',
    'NotFound',
    { code: 'PermanentRedirect', fix: REGION },
    { code: 'AuthorizationHeaderMalformed', fix: REGION },
    { code: 'ActivityDoesNotExist', fix: ACTIVITY },
    { code: 'InvalidArn', fix: ACTIVITY },
    'ResourceNotFound',
    'ResourceNotFoundException',
    'ParameterNotFound',
    {
      code: REGION_MISSING,
      fix: () =>
        'Set aws.region (or AWS_REGION), or run `local-browser-agent setup --env ENV --region REGION`.',
    },
  ],
  corrupt: ['BadDigest', 'InvalidDigest', 'XAmzContentSHA256Mismatch', 'IncompleteBody'],
  dead_token: [
    'TaskTimedOut', // expired, or closed by a report, a time-out or an abort
    'TaskDoesNotExist', // the activity or the execution is gone
    'InvalidToken', // made by another account, or long forgotten
  ],
  refused_payload: ['InvalidOutput'],
  refused_request: [
    'ValidationException',
    {
      code: 'ValidationException',
      service: 'sfn',
      fix: () => 'The service refuses the request itself: check aws.activity_arn and worker.name.',
    },
  ],
  invalid: [],
};

/**
 * Failures of the KMS key behind a resource, by what follows the prefix. Services spell the prefix differently:
 * `KmsThrottlingException` (Step Functions), `KMS.DisabledException` (S3), `KMSInvalidStateException` (KMS).
 */
const KMS_CODES: ReadonlyMap<string, CodeRow> = new Map<string, CodeRow>([
  ['Throttling', { kind: 'throttled' }],
  ['LimitExceeded', { kind: 'throttled' }],
  ['Internal', { kind: 'server' }],
  ['DependencyTimeout', { kind: 'server' }],
  ['KeyUnavailable', { kind: 'server' }],
  ['NotFound', { kind: 'missing', fix: KEY_POLICY }],
  ['AccessDenied', { kind: 'denied', fix: KEY_POLICY }],
  ['Disabled', { kind: 'denied', fix: KEY_POLICY }],
  ['InvalidState', { kind: 'denied', fix: KEY_POLICY }],
  ['InvalidKeyUsage', { kind: 'denied', fix: KEY_POLICY }],
  ['OptInRequired', { kind: 'denied', fix: KEY_POLICY }],
]);
const KMS_CODE = /^(?:kms\.?)+(.*?)(?:Exception)?$/i;

const ROWS: ReadonlyMap<string, CodeRow> = indexed();

/** @returns undefined for a code that is not in the table: the status decides */
export function rowOf(code: string, service: ServiceId | undefined): CodeRow | undefined {
  const own = service === undefined ? undefined : ROWS.get(`${service}:${code}`);
  const row = own ?? ROWS.get(code);
  if (row) return row;
  const [, kms] = KMS_CODE.exec(code) ?? [];
  return (
    (kms === undefined ? undefined : KMS_CODES.get(kms)) ?? (isTlsCode(code) ? { kind: 'tls' } : undefined)
  );
}

/** OpenSSL has hundreds of `ERR_SSL_…`. Some end a connection that was in use, so a request may have been sent. */
function isTlsCode(code: string): boolean {
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_');
}

/** @throws Error for a code that is listed twice: the table would contradict itself */
function indexed(): Map<string, CodeRow> {
  const rows = new Map<string, CodeRow>();
  for (const [kind, entries] of Object.entries(CODES) as [AwsFailureKind, (string | Differing)[]][]) {
    for (const entry of entries) {
      const { code, service, ...differing }: Differing = typeof entry === 'string' ? { code: entry } : entry;
      const key = service === undefined ? code : `${service}:${code}`;
      if (rows.has(key)) throw new Error(`the failure code ${key} is listed twice`);
      rows.set(key, { kind, ...differing });
    }
  }
  return rows;
}
