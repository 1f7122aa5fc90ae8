/**
 * What can go wrong when talking to Step Functions, in the few classes that the worker treats differently. What a
 * failure means is decided in aws/failure-kinds.ts and aws/failure-codes.ts; this is the worker's view of it.
 */
import { describeAwsFailure } from '../aws/errors.ts';
import type { AwsFailureKind, CallSubject, Pace } from '../aws/failure-kinds.ts';
import { messageOf } from '../base/errors.ts';
import { SERVICES } from '../base/services.ts';

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
  /** `slow`: only a person can fix it, so it is tried at long intervals, and shown at once. */
  pace: Pace;
  /** No answer came: the service may have done what was asked. */
  unanswered: boolean;
}

/** The words of log and status. They tell whether the way or the service is at fault, and not more. */
const CLASSES: Record<AwsFailureKind, ProblemClass> = {
  offline: 'network',
  tls: 'network',
  aborted: 'network', // the agent gave up waiting for the answer
  throttled: 'throttled',
  server: 'service',
  credentials: 'credentials',
  clock: 'clock',
  denied: 'denied',
  missing: 'missing',
  corrupt: 'service',
  dead_token: 'dead_token',
  refused_payload: 'refused_payload',
  refused_request: 'refused_request',
  // Not `refused_request`: whether the service would refuse it again is not known, and an output is never given
  // up on a guess.
  invalid: 'service',
};

/** A worker needs all of its actions, so advice about one that is missing names them all. */
const WORK: CallSubject = {
  call: Object.keys(SERVICES.sfn.permissions).join(', '),
  resource: 'the activity',
};

export function problemOf(thrown: unknown): Problem {
  const { kind, code, fix, pace, needsPerson, mayBeDone } = describeAwsFailure(thrown, WORK, 'sfn');
  return {
    class: CLASSES[kind],
    name: code,
    message: messageOf(thrown),
    advice: needsPerson ? fix : '',
    pace,
    unanswered: mayBeDone,
  };
}

/** One line for logs, status and rows: `AccessDeniedException: User … is not authorized …`. */
export function describe(problem: Problem): string {
  return `${problem.name}: ${problem.message}`;
}
