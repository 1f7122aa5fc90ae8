/**
 * The kinds of failure of an AWS call, and what follows from each: whether the service counts as down, how soon
 * the call is repeated, and what a person can do. The only place for these decisions; failure-codes.ts says which
 * code is of which kind, errors.ts reads both.
 */
import type { Backoff } from '../base/backoff.ts';

export const AWS_FAILURE_KINDS = [
  /** No answer: no network, no DNS, a proxy, a dead connection. */
  'offline',
  /** The certificate was not accepted, usually because a proxy inspects traffic. */
  'tls',
  /** The agent itself gave the call up. */
  'aborted',
  /** Asked to slow down. */
  'throttled',
  /** The service's own fault (5xx). */
  'server',
  /** No credentials were found, or they are expired, wrong or unknown to AWS. */
  'credentials',
  /** This machine's clock is too far off. */
  'clock',
  /** Known identity, missing permission. */
  'denied',
  /** The bucket, activity, secret or parameter does not exist, or is in another region. */
  'missing',
  /** What arrived is not what was sent. */
  'corrupt',
  /** The task token no longer counts: the task was reported, timed out or was aborted. */
  'dead_token',
  /** The output of a task breaks a rule of the service: it would be refused again. */
  'refused_payload',
  /** The request breaks a rule of the service: it would be refused again. */
  'refused_request',
  /** Neither the code nor the status is known. */
  'invalid',
] as const;
export type AwsFailureKind = (typeof AWS_FAILURE_KINDS)[number];

/** How soon calls that someone waits for are repeated: polls, heartbeats, reports. Uploads have uploads/retry.ts. */
export type Pace = 'fast' | 'slow';

export const RETRY_PACE: Record<Pace, Backoff> = {
  /** Soon enough to be unnoticed after a blip; at most one request a minute while a service is down. */
  fast: { firstMs: 1_000, mostMs: 60_000 },
  /** Only a person can fix it: a few requests an hour are enough to notice that they did. */
  slow: { firstMs: 30_000, mostMs: 300_000 },
};

/** What a failed call was about. */
export interface CallSubject {
  /** IAM's name of the action, e.g. `s3:PutObject`: also the permission to ask for. */
  call: string;
  /** ARN, URI or name. */
  resource: string;
}

export interface FailureTraits {
  /** The service cannot be used by any caller now, so the failure counts for the circuit breaker. */
  isOutage: boolean;
  pace: Pace;
  /** Waiting does not help, so the advice is shown at once. */
  needsPerson: boolean;
  /**
   * Whether the service may have done what was asked. `no`: this answer is given instead of doing it.
   * `unless_refused`: it may, unless the status is one of 4xx.
   */
  done: 'no' | 'unless_refused';
  /** What a person can do. */
  fix: (about: CallSubject) => string;
}

export const FAILURES: Record<AwsFailureKind, FailureTraits> = {
  offline: {
    isOutage: true,
    pace: 'fast',
    needsPerson: false,
    done: 'unless_refused',
    fix: () => 'Check the network, the proxy (the SDK does not use HTTPS_PROXY on its own) and the endpoint.',
  },
  tls: {
    isOutage: true, // a proxy in between: nothing gets through
    pace: 'slow',
    needsPerson: true,
    done: 'unless_refused',
    fix: () =>
      'A proxy seems to inspect traffic: save its root certificate as a PEM file and set NODE_EXTRA_CA_CERTS to its path.',
  },
  aborted: {
    isOutage: false, // the agent's decision says nothing about the service
    pace: 'fast',
    needsPerson: false,
    done: 'unless_refused',
    fix: () =>
      'Nothing to do: the agent stopped waiting for the answer and tries again if it still needs it.',
  },
  throttled: {
    isOutage: true,
    pace: 'fast',
    needsPerson: false,
    done: 'no',
    fix: () => 'Nothing to do: the agent tries again more slowly.',
  },
  server: {
    isOutage: true,
    pace: 'fast',
    needsPerson: false,
    done: 'unless_refused',
    fix: () => 'Nothing to do: the agent tries again. If it lasts, see https://health.aws.amazon.com.',
  },
  credentials: {
    isOutage: false,
    pace: 'slow',
    needsPerson: true,
    done: 'no',
    fix: () =>
      'The AWS credentials are wrong or expired: sign in again (`aws sso login`), or run `local-browser-agent setup --env ENV` for new ones.',
  },
  clock: {
    isOutage: false,
    pace: 'fast', // the SDK corrects its own clock from the answer's date, so the next attempt often works
    needsPerson: true,
    done: 'no',
    fix: () => 'Set the clock of this machine: turn on automatic time.',
  },
  denied: {
    isOutage: false, // about one identity and one resource
    pace: 'slow',
    needsPerson: true,
    done: 'no',
    fix: ({ call, resource }) => `Ask for the permission ${call} on ${resource} for this identity.`,
  },
  missing: {
    isOutage: false, // about one resource
    pace: 'slow',
    needsPerson: true,
    done: 'no',
    fix: ({ resource }) =>
      `Check the name and the region of ${resource}; \`local-browser-agent setup --env ENV\` fetches the right ones.`,
  },
  corrupt: {
    isOutage: false, // about one file
    pace: 'fast',
    needsPerson: false,
    done: 'no',
    fix: () =>
      'Nothing to do: the agent sends it again. If it lasts, something between here and AWS changes the data.',
  },
  dead_token: {
    isOutage: false,
    pace: 'fast', // never repeated: the task is over
    needsPerson: false,
    done: 'no',
    fix: () => 'Nothing to do: Step Functions has ended this task already.',
  },
  refused_payload: {
    isOutage: false,
    pace: 'fast', // repeated with another payload, which can arrive at once
    needsPerson: false,
    done: 'no',
    fix: () => 'Report this with the message: the output was refused.',
  },
  refused_request: {
    isOutage: false, // about one request
    pace: 'slow', // the same request gets the same answer
    needsPerson: true,
    done: 'no',
    fix: () => 'Report this with the message: the request itself was refused.',
  },
  invalid: {
    isOutage: false,
    pace: 'fast', // it may pass by itself: AWS adds codes, and one request a minute costs nothing
    needsPerson: false,
    done: 'unless_refused',
    fix: () => 'Report this with the message: the request itself was refused.',
  },
};
