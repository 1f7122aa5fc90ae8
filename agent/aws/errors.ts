/**
 * What an AWS call that failed means: its class decides whether and how soon it is tried again, its text
 * says which call on which resource, and what to do about it.
 */
import { messageOf } from '../base/errors.ts';

/**
 * - `offline`: no answer: no network, no DNS, a proxy, a dead connection
 * - `tls`: the certificate was not accepted, usually a proxy that inspects traffic
 * - `throttled`: asked to slow down
 * - `server`: the service's own fault (5xx)
 * - `credentials`: none found, or expired, or unknown to AWS
 * - `clock`: this machine's clock is too far off
 * - `denied`: known identity, permission missing
 * - `missing`: the bucket, activity, secret or parameter does not exist, or is in another region
 * - `corrupt`: what arrived is not what was sent
 * - `invalid`: the request itself is wrong
 */
export type AwsFailureKind =
  | 'offline'
  | 'tls'
  | 'throttled'
  | 'server'
  | 'credentials'
  | 'clock'
  | 'denied'
  | 'missing'
  | 'corrupt'
  | 'invalid';

export interface AwsFailure {
  kind: AwsFailureKind;
  /** The service's or Node's own code, e.g. `AccessDenied`, `ECONNREFUSED`. */
  code: string;
  /** 0 when nothing answered. */
  httpStatus: number;
  /** `AccessDenied: s3:PutObject on s3://bucket/key: …`; never holds a credential. */
  message: string;
  /** What a person can do. */
  fix: string;
}

/** Our own: the key of this machine was taken back (config/stored-keys.ts). */
export const MACHINE_REVOKED = 'MachineRevoked';

/** What a person does about it. */
export const MACHINE_REVOKED_ADVICE =
  'Ask an administrator for a new setup code (`local-browser-agent invite`), then run `local-browser-agent setup --code CODE`.';

/** The codes of each class; the first class that lists a code has it. A status decides what no list has. */
const CODES: Record<Exclude<AwsFailureKind, 'invalid'>, readonly string[]> = {
  offline: [
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENETDOWN',
    'EPIPE',
    'EPROTO',
    'ERR_SOCKET_CONNECTION_TIMEOUT',
    'TimeoutError',
    'NetworkingError',
  ],
  tls: [
    'SELF_SIGNED_CERT_IN_CHAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ],
  throttled: [
    'Throttling',
    'ThrottlingException',
    'ThrottledException',
    'TooManyRequestsException',
    'RequestLimitExceeded',
    'SlowDown',
    'ActivityWorkerLimitExceeded',
    'LimitExceededException',
  ],
  server: [
    'InternalError',
    'InternalFailure',
    'InternalServerError',
    'InternalServiceError',
    'ServiceUnavailable',
    'OperationAborted',
    'RequestTimeout',
  ],
  credentials: [
    'CredentialsProviderError',
    'ExpiredToken',
    'ExpiredTokenException',
    'InvalidAccessKeyId',
    'InvalidClientTokenId',
    'UnrecognizedClientException',
    'SignatureDoesNotMatch',
    'InvalidSignatureException',
    'IncompleteSignature',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'TokenRefreshRequired',
    MACHINE_REVOKED,
  ],
  clock: ['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'],
  denied: [
    'AccessDenied',
    'AccessDeniedException',
    'UnauthorizedOperation',
    'NotAuthorized',
    'AllAccessDisabled',
    'AccountProblem',
    'KMS.DisabledException',
    'KMSAccessDeniedException',
  ],
  missing: [
    'NoSuchBucket',
    'NoSuchKey',
    'NotFound',
    'PermanentRedirect',
    'AuthorizationHeaderMalformed',
    'ActivityDoesNotExist',
    'ResourceNotFoundException',
    'ParameterNotFound',
  ],
  corrupt: ['BadDigest', 'InvalidDigest', 'XAmzContentSHA256Mismatch', 'IncompleteBody'],
};

/**
 * @param call IAM's name of the action, e.g. `s3:PutObject`: it is also the permission to ask for
 * @param resource ARN, URI or name of what was called upon
 */
export function describeAwsFailure(thrown: unknown, about: { call: string; resource: string }): AwsFailure {
  const code = codeOf(thrown);
  const httpStatus = statusOf(thrown);
  const kind = kindOf(code, httpStatus, messageOf(thrown));
  return {
    kind,
    code,
    httpStatus,
    message: `${code}: ${about.call} on ${about.resource}: ${messageOf(thrown)}`,
    fix: FIXES[kind](kind === 'denied' ? (otherDenied(thrown, about.call) ?? about) : about, code),
  };
}

/**
 * A call can fail for the lack of another permission, such as that on the key of a bucket; IAM names it:
 * `User: … is not authorized to perform: kms:GenerateDataKey on resource: arn:… because …`.
 */
function otherDenied(thrown: unknown, called: string): { call: string; resource: string } | undefined {
  const [, call, resource] = /to perform: ([\w-]+:\w+) on resource: (\S+)/.exec(messageOf(thrown)) ?? [];
  return call === undefined || resource === undefined || call === called ? undefined : { call, resource };
}

/** The SDK throws a plain Error for it. */
const REGION_MISSING = 'RegionMissing';

const FIXES: Record<AwsFailureKind, (about: { call: string; resource: string }, code: string) => string> = {
  offline: () =>
    'Check the network, the proxy (HTTPS_PROXY is not used by the SDK on its own) and the endpoint.',
  tls: () =>
    'A proxy seems to inspect traffic: save its root certificate as a PEM file and set NODE_EXTRA_CA_CERTS to its path.',
  throttled: () => 'Nothing to do: it is tried again more slowly.',
  server: () => 'Nothing to do: it is tried again. If it lasts, see https://health.aws.amazon.com.',
  credentials: (_about, code) =>
    code === MACHINE_REVOKED
      ? MACHINE_REVOKED_ADVICE
      : code === 'CredentialsProviderError'
        ? 'No AWS credentials were found: run `local-browser-agent setup --env ENV --aws-profile PROFILE`, or set AWS_PROFILE.'
        : 'The AWS credentials are wrong or expired: sign in again (`aws sso login`), or run `local-browser-agent setup --env ENV` for new ones.',
  clock: () => 'Set the clock of this machine: turn on automatic time.',
  denied: (about) => `Ask for the permission ${about.call} on ${about.resource} for this identity.`,
  missing: (about, code) =>
    code === REGION_MISSING
      ? 'Set aws.region (or AWS_REGION), or run `local-browser-agent setup --env ENV --region REGION`.'
      : code === 'PermanentRedirect' || code === 'AuthorizationHeaderMalformed'
        ? `${about.resource} is in another region: set aws.region to that one.`
        : `Check the name and the region of ${about.resource}; \`local-browser-agent setup --env ENV\` fetches the right ones.`,
  corrupt: () =>
    'Nothing to do: it is sent again. If it lasts, something between here and AWS changes the data.',
  invalid: () => 'Report this with the message: the request itself was refused.',
};

function kindOf(code: string, httpStatus: number, message: string): AwsFailureKind {
  if (/signature (expired|not yet current)/i.test(message)) return 'clock';
  if (code === REGION_MISSING) return 'missing';
  for (const [kind, codes] of Object.entries(CODES)) {
    if (codes.includes(code)) return kind as AwsFailureKind;
  }
  if (httpStatus >= 500) return 'server';
  if (httpStatus === 429) return 'throttled';
  if (httpStatus === 403 || httpStatus === 401) return 'denied';
  if (httpStatus === 404 || httpStatus === 301) return 'missing';
  return httpStatus === 0 && /socket|network|connect/i.test(message) ? 'offline' : 'invalid';
}

function codeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'UnknownError';
  if (/^region is missing/i.test(thrown.message)) return REGION_MISSING;
  // Node reports "every address failed" as an AggregateError whose first part has the code.
  const inner = thrown instanceof AggregateError ? (thrown.errors[0] as unknown) : thrown;
  for (const candidate of [thrown, inner]) {
    const code = (candidate as { code?: unknown } | undefined)?.code;
    if (typeof code === 'string' && code) return code;
  }
  const named = thrown as { Code?: unknown };
  if (typeof named.Code === 'string' && named.Code) return named.Code;
  return thrown.name || 'Error';
}

function statusOf(thrown: unknown): number {
  return (thrown as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode ?? 0;
}
