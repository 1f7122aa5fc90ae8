/**
 * What can go wrong when talking to Step Functions, in classes that differ in what to do about them. The
 * table is the documentation: unrecoverable and slow ones are an explicit list, with the reason beside each.
 */
import { MACHINE_REVOKED, MACHINE_REVOKED_ADVICE } from '../aws/errors.ts';
import { messageOf } from '../base/errors.ts';

export type ProblemClass =
  | 'dead_token'
  | 'refused_payload'
  | 'throttled'
  | 'network'
  | 'clock'
  | 'denied'
  | 'credentials'
  | 'missing'
  | 'refused_request'
  | 'service';

export interface Problem {
  class: ProblemClass;
  /** The service's or the system's own name of it: `AccessDeniedException`, `ECONNREFUSED`. */
  name: string;
  message: string;
  /** What a person can do, empty when waiting is all there is. */
  advice: string;
  /** `slow`: only a person can mend it, so it is tried at long intervals, and shown at once. */
  pace: 'fast' | 'slow';
  /** No answer came: the service may have done what was asked. */
  unanswered: boolean;
}

interface Kind {
  class: ProblemClass;
  pace: Problem['pace'];
  advice: string;
}

const DEAD: Kind = { class: 'dead_token', pace: 'fast', advice: '' };
const THROTTLED: Kind = { class: 'throttled', pace: 'fast', advice: '' };
const DENIED: Kind = {
  class: 'denied',
  pace: 'slow',
  advice:
    'Allow states:GetActivityTask, states:SendTaskHeartbeat, states:SendTaskSuccess and states:SendTaskFailure on the activity for this identity (`doctor` shows which is missing).',
};
const CREDENTIALS: Kind = {
  class: 'credentials',
  pace: 'slow',
  advice: 'Fetch the AWS config again (`setup`), or sign in again if the credentials come from SSO.',
};
const KEY: Kind = {
  class: 'denied',
  pace: 'slow',
  advice: "The activity's KMS key is disabled or does not allow this identity: see its key policy.",
};
const CLOCK: Kind = {
  class: 'clock',
  pace: 'fast', // the SDK corrects its clock from the answer's date, so the next attempt often works
  advice: 'Set the clock of this machine: requests are signed with the time.',
};
const ARN: Kind = {
  class: 'missing',
  pace: 'slow',
  advice: 'Check aws.activity_arn and its region, or fetch the AWS config again (`setup`).',
};

/** By the error's name, as the service spells it (API reference of the four calls, and its common errors). */
const BY_NAME: Record<string, Kind> = {
  TaskTimedOut: DEAD, // expired, or already closed by a report, a time-out or an abort
  TaskDoesNotExist: DEAD, // the activity or the execution is gone
  InvalidToken: DEAD, // made by another account, or long forgotten
  InvalidOutput: { class: 'refused_payload', pace: 'fast', advice: '' },
  ThrottlingException: THROTTLED,
  Throttling: THROTTLED,
  TooManyRequestsException: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  KmsThrottlingException: THROTTLED,
  ActivityWorkerLimitExceeded: {
    class: 'throttled',
    pace: 'slow', // more than a thousand polls are open on this activity: it passes, but not soon
    advice: 'Too many workers poll this activity: stop some of them.',
  },
  AccessDeniedException: DENIED,
  AccessDenied: DENIED,
  NotAuthorized: DENIED,
  OptInRequired: DENIED,
  KmsAccessDeniedException: KEY,
  KmsInvalidStateException: KEY,
  UnrecognizedClientException: CREDENTIALS,
  InvalidClientTokenId: CREDENTIALS,
  IncompleteSignature: CREDENTIALS,
  MissingAuthenticationToken: CREDENTIALS,
  MissingAuthenticationTokenException: CREDENTIALS,
  ExpiredTokenException: CREDENTIALS,
  ExpiredToken: CREDENTIALS,
  [MACHINE_REVOKED]: { ...CREDENTIALS, advice: MACHINE_REVOKED_ADVICE },
  CredentialsProviderError: CREDENTIALS,
  TokenProviderError: CREDENTIALS,
  InvalidSignatureException: CLOCK,
  SignatureDoesNotMatch: CLOCK,
  RequestExpired: CLOCK,
  RequestTimeTooSkewed: CLOCK,
  ActivityDoesNotExist: ARN,
  InvalidArn: ARN,
  ValidationException: {
    class: 'refused_request',
    pace: 'slow', // the same request gets the same answer
    advice: 'The service refuses the request itself: check aws.activity_arn and worker.name.',
  },
};

/** Codes of Node's network errors, and the names of the SDK's own: no answer was received. */
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
  'EPROTO',
  'CERT_HAS_EXPIRED',
  'TimeoutError',
  'AbortError',
  'NetworkingError',
]);

/** Those of them where the request never reached the service. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTUNREACH',
]);

export function problemOf(thrown: unknown): Problem {
  const name = nameOf(thrown);
  const message = messageOf(thrown);
  const status = statusOf(thrown);
  const code = codeOf(thrown);
  const known = BY_NAME[name];
  if (known) return { ...known, name, message, unanswered: false };
  if (status === undefined && (NETWORK.has(code) || NETWORK.has(name))) {
    const shown = NETWORK.has(code) ? code : name;
    return {
      class: 'network',
      pace: 'fast',
      advice: '',
      name: shown,
      message,
      unanswered: !NOT_SENT.has(shown),
    };
  }
  if (status === 429) return { ...THROTTLED, name, message, unanswered: false };
  if (status === 401 || status === 403) return { ...DENIED, name, message, unanswered: false };
  // Whatever is left: 5xx, an answer that cannot be read, a bug. A 5xx may have been carried out; a 2xx
  // whose body was cut off on the way has been.
  return {
    class: 'service',
    pace: 'fast',
    advice: '',
    name,
    message,
    unanswered: status === undefined || status < 400 || status >= 500,
  };
}

/** One line for logs, status and rows: `AccessDeniedException: User … is not authorized …`. */
export function describe(problem: Problem): string {
  return `${problem.name}: ${problem.message}`;
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : 'Error';
}

function codeOf(thrown: unknown): string {
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : '';
}

function statusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('$metadata' in thrown)) return undefined;
  const metadata = thrown.$metadata as { httpStatusCode?: number } | undefined;
  return metadata?.httpStatusCode;
}
