/** Reads what a failed AWS call means. The decisions are tables: failure-codes.ts and failure-kinds.ts. */
import { messageOf } from '../base/errors.ts';
import { serviceOfAction, type ServiceId } from '../base/services.ts';
import { REGION_MISSING, rowOf, type CodeRow } from './failure-codes.ts';
import {
  FAILURES,
  type AwsFailureKind,
  type CallSubject,
  type FailureTraits,
  type Pace,
} from './failure-kinds.ts';

export interface AwsFailure {
  kind: AwsFailureKind;
  /** The service's or Node's own code, e.g. `AccessDenied`, `ECONNREFUSED`. */
  code: string;
  /** 0 when nothing answered. */
  httpStatus: number;
  /** How soon a call that someone waits for is repeated. */
  pace: Pace;
  /** The service cannot be used by any caller now: it is down or out of reach. */
  isOutage: boolean;
  /** Waiting does not help. */
  needsPerson: boolean;
  /** AWS refused the access key itself: other credentials may work. */
  refusesKey: boolean;
  /** The service may have done what was asked. */
  mayBeDone: boolean;
  /** `AccessDenied: s3:PutObject on s3://bucket/key: …`; never holds a credential. */
  message: string;
  /** What a person can do. */
  fix: string;
}

/**
 * @param about the call and what it was about; the prefix of `about.call` names the service
 * @param service where `about.call` is not an action of IAM
 */
export function describeAwsFailure(
  thrown: unknown,
  about: CallSubject,
  service: ServiceId | undefined = serviceOfAction(about.call),
): AwsFailure {
  const code = codeOf(thrown);
  const httpStatus = statusOf(thrown);
  const row = rowOf(code, service);
  const isClock = saysClock(thrown, row);
  const kind = isClock ? 'clock' : (row?.kind ?? kindByStatus(thrown, httpStatus));
  const traits: FailureTraits = { ...FAILURES[kind], ...(isClock ? {} : row) };
  const subject = kind === 'denied' ? (otherDenied(thrown, about.call) ?? about) : about;
  return {
    kind,
    code,
    httpStatus,
    pace: traits.pace,
    isOutage: traits.isOutage,
    needsPerson: traits.needsPerson,
    refusesKey: row?.refusesKey === true,
    mayBeDone: row?.neverSent !== true && !failedToConnect(thrown) && mayBeDone(traits, httpStatus),
    message: `${code}: ${about.call} on ${about.resource}: ${messageOf(thrown)}`,
    fix: traits.fix(subject),
  };
}

/** An answer that was cut off may have been a yes, whatever its status line said, unless that was a no (4xx). */
function mayBeDone({ done }: FailureTraits, httpStatus: number): boolean {
  return done === 'unless_refused' && (httpStatus < 400 || httpStatus >= 500);
}

/**
 * Whether the clock is the reason. The JSON services and STS name the clock only in the message. The SDK compares every
 * answer's date with this machine's, and marks errors of answers that were minutes off.
 */
function saysClock(thrown: unknown, row: CodeRow | undefined): boolean {
  if (/signature (expired|not yet current)/i.test(messageOf(thrown))) return true;
  return row?.maybeClock === true && metadataOf(thrown).clockSkewCorrected === true;
}

function kindByStatus(thrown: unknown, httpStatus: number): AwsFailureKind {
  // The SDK knows of every service which of its errors are throttling.
  const retryable = (thrown as { $retryable?: { throttling?: boolean } } | undefined)?.$retryable;
  if (retryable?.throttling === true || httpStatus === 429) return 'throttled';
  if (httpStatus >= 500) return 'server';
  if (httpStatus === 403 || httpStatus === 401) return 'denied';
  if (httpStatus === 404 || httpStatus === 301) return 'missing';
  return httpStatus === 0 && /socket|network|connect/i.test(messageOf(thrown)) ? 'offline' : 'invalid';
}

/**
 * A call can fail for the lack of another permission, such as that on the key of a bucket; IAM names it:
 * `User: … is not authorized to perform: kms:GenerateDataKey on resource: arn:… because …`.
 */
function otherDenied(thrown: unknown, called: string): CallSubject | undefined {
  const [, call, resource] = /to perform: ([\w-]+:\w+) on resource: (\S+)/.exec(messageOf(thrown)) ?? [];
  return call === undefined || resource === undefined || call === called ? undefined : { call, resource };
}

function codeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'UnknownError';
  if (/^region is missing/i.test(thrown.message)) return REGION_MISSING;
  for (const candidate of [thrown, firstOf(thrown)]) {
    const code = (candidate as { code?: unknown } | undefined)?.code;
    if (typeof code === 'string' && code) return code;
  }
  const named = thrown as { Code?: unknown };
  if (typeof named.Code === 'string' && named.Code) return named.Code;
  return thrown.name || 'Error';
}

/** Whether looking the name up or connecting failed: nothing was sent. */
function failedToConnect(thrown: unknown): boolean {
  const { syscall } = (firstOf(thrown) ?? {}) as { syscall?: unknown };
  return syscall === 'connect' || syscall === 'getaddrinfo';
}

/** Node reports "every address failed" as an AggregateError whose first part has code and system call. */
function firstOf(thrown: unknown): unknown {
  return thrown instanceof AggregateError ? (thrown.errors[0] as unknown) : thrown;
}

function statusOf(thrown: unknown): number {
  return metadataOf(thrown).httpStatusCode ?? 0;
}

function metadataOf(thrown: unknown): { httpStatusCode?: number; clockSkewCorrected?: boolean } {
  return (
    (thrown as { $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean } } | undefined)
      ?.$metadata ?? {}
  );
}
