/** A state machine that uses the activity as docs/fleet.md says, to try and to copy. */
import { CfnRole } from 'aws-cdk-lib/aws-iam';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { ErrorName } from '../../agent/base/errors.ts';
import { ACCOUNT, ENVIRONMENT, only, sub } from './intrinsics.ts';

/** Three times `worker.heartbeat_seconds`: two may be lost. */
const HEARTBEAT_SECONDS = 60;

/**
 * The half hour of `run.default_timeout_ms`, the hour that a person may hold the run
 * (`run.max_pause_seconds`) and some air: the agent says what happened before the service says `States.Timeout`.
 */
const TASK_SECONDS = 1800 + 3600 + 300;

/** Ends a task that no agent asks for; the limits of the task count only from when one has it. */
const EXECUTION_SECONDS = 86_400;

/** In the order in which they are looked at; all that is not named ends in `Failed`. */
const CATCHERS: { errors: (ErrorName | `States.${string}`)[]; next: string }[] = [
  {
    // Steps may have been done: a person looks, or a state that knows how.
    errors: ['BrowserAgent.Interrupted', 'States.HeartbeatTimeout', 'States.Timeout'],
    next: 'LookWhatWasDone',
  },
  { errors: ['BrowserAgent.LoginRequired', 'BrowserAgent.ProfileNotFound'], next: 'TellTheOwner' },
  { errors: ['States.ALL'], next: 'Failed' },
];

/** Nothing was begun: another agent, or this one started again, takes it. */
const RETRIED: ErrorName[] = ['BrowserAgent.Draining'];

/** `${ActivityArn}` in it is replaced when the state machine is made. */
export function sampleDefinition(): object {
  return {
    Comment: 'Hands its input to the activity: {"tool_input": the script, "recording_level": "INFO"}',
    StartAt: 'Browser',
    TimeoutSeconds: EXECUTION_SECONDS,
    States: {
      Browser: {
        Type: 'Task',
        Resource: '${ActivityArn}',
        HeartbeatSeconds: HEARTBEAT_SECONDS,
        TimeoutSeconds: TASK_SECONDS,
        Retry: [{ ErrorEquals: RETRIED, IntervalSeconds: 5, MaxAttempts: 5, BackoffRate: 2 }],
        Catch: CATCHERS.map(({ errors, next }) => ({
          ErrorEquals: errors,
          ResultPath: '$.error',
          Next: next,
        })),
        End: true,
      },
      ...Object.fromEntries(CATCHERS.map(({ next }) => [next, failed(next)])),
    },
  };
}

export function addSample(scope: Construct): void {
  const role = new CfnRole(scope, 'SampleRole', {
    roleName: sub(`browser-agent-sample-${ENVIRONMENT}`),
    // No policy: a task of an activity needs none.
    assumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'StepFunctions',
          Effect: 'Allow',
          Principal: { Service: 'states.amazonaws.com' },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'aws:SourceAccount': sub(ACCOUNT) } },
        },
      ],
    },
  });
  only('HasSample', role);
  const machine = new CfnStateMachine(scope, 'Sample', {
    stateMachineName: sub(`browser-agent-sample-${ENVIRONMENT}`),
    roleArn: role.attrArn,
    definition: sampleDefinition(),
    definitionSubstitutions: { ActivityArn: sub('${Activity}') },
  });
  only('HasSample', machine);
}

/** Ends with the error and the cause as they came: both are for whoever looks at the execution. */
function failed(what: string): object {
  const comments: Record<string, string> = {
    LookWhatWasDone: 'Steps may have been done: the cause names the last one. Look before it is tried again.',
    TellTheOwner: 'A person must sign in, or make the profile, on the machine that had the task.',
  };
  return {
    Type: 'Fail',
    ErrorPath: '$.error.Error',
    CausePath: '$.error.Cause',
    ...(comments[what] === undefined ? {} : { Comment: comments[what] }),
  };
}
