/**
 * What whoever deploys an environment decides. All of it is CloudFormation parameters, the name of the
 * environment too: so one committed template deploys every environment, without Node and without CDK, and
 * what was reviewed is byte for byte what is deployed.
 */
import {
  CfnCondition,
  CfnParameter,
  Fn,
  type CfnParameterProps,
  type ICfnConditionExpression,
} from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

/** Which of the optional parts a deployment has: the logical ids of the template's conditions. */
export type ConditionName =
  | 'HasUploads'
  | 'HasKey'
  | 'HasOwnKey'
  | 'HasUploadsWithKey'
  | 'HasScriptSecrets'
  | 'HasRole'
  | 'HasRoleForArns'
  | 'HasRoleOnEc2'
  | 'HasUser'
  | 'HasUserAndAlarms'
  | 'HasDataTrail'
  | 'HasSample'
  | 'HasAlarms'
  | 'HasAlarmTopic'
  | 'HasDashboard';

const RECORDING_LEVELS = ['NONE', 'ERROR', 'INFO', 'DEBUG', 'TRACE'];

/** A bucket's name has at most 63 characters; what comes round the environment's in ours takes 38 of them. */
const MAX_ENVIRONMENT_LENGTH = 25;

/** Ten years: more is a typing error rather than a wish. */
const MAX_RETENTION_DAYS = 3650;

/** A key that is older is not rotated in any sense of the word. */
const MAX_KEY_DAYS = 365;

const PARAMETERS = {
  // Without a default: nobody deploys an environment without naming it.
  EnvironmentName: {
    description: 'Name of the environment, such as dev, staging or prod. Every name is made from it.',
    // Small letters only, because the bucket's name has it in it.
    allowedPattern: `^[a-z0-9]([a-z0-9-]{0,${MAX_ENVIRONMENT_LENGTH - 2}}[a-z0-9])?$`,
    constraintDescription: `up to ${MAX_ENVIRONMENT_LENGTH} small letters, digits and hyphens, no hyphen at either end`,
  },
  MaxRecordingLevel: {
    description:
      'The most that agents upload, whatever tasks and scripts ask for (recording.max_level, unless a machine has its own). NONE also takes their rights on the bucket.',
    allowedValues: RECORDING_LEVELS,
    default: 'TRACE',
  },
  DefaultRecordingLevel: {
    description: 'Recording level of runs for which neither task nor script says one.',
    allowedValues: RECORDING_LEVELS,
    default: 'INFO',
  },
  RetentionDays: {
    type: 'Number',
    description: 'Days after which recordings are removed.',
    minValue: 1,
    maxValue: MAX_RETENTION_DAYS,
    default: '90',
  },
  KmsKey: {
    description:
      'What encrypts recordings. Empty: keys of S3; create: a KMS key of this stack; or the ARN of a KMS key.',
    allowedPattern: '^(|create|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)$',
    constraintDescription: 'empty, create, or the ARN of a KMS key (not of an alias)',
    default: '',
  },
  ScriptSecrets: yesNo(
    'Whether agents may read the secrets whose names begin with browser-agent/ENVIRONMENT/, for {{secret:NAME}} in scripts.',
  ),
  AgentRoleTrustedArns: {
    type: 'CommaDelimitedList',
    description: 'ARNs of the roles, users or accounts that may assume a role for agents. Empty: none.',
    default: '',
  },
  AgentRoleOnEc2: yesNo('Whether EC2 instances get that role, through an instance profile of the same name.'),
  AgentUser: yesNo(
    'Whether there is a user that agents share, its access key in the secret. A role or a profile is better where you can.',
  ),
  KeyRotationDays: {
    type: 'Number',
    description:
      'Days after which the shared user gets a new access key; the old one works for a third of that time more. 0: never.',
    minValue: 0,
    maxValue: MAX_KEY_DAYS,
    // Agents look into the secret every few hours; the old key works for 30 days more.
    default: '90',
  },
  DataTrail: yesNo(
    'Whether CloudTrail writes down every read and write of a recording, in a bucket of its own. It costs by event.',
  ),
  SampleStateMachine: yesNo('Whether there is a state machine that shows how to use the activity.'),
  Alarms: yesNo('Alarms on tasks that failed, that timed out, and whose agent fell silent.', 'yes'),
  AlarmTopicArn: {
    description: 'SNS topic that alarms tell. Empty: they only show in CloudWatch.',
    allowedPattern: '^(|arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+)$',
    constraintDescription: 'empty or the ARN of an SNS topic',
    default: '',
  },
  AlarmFailedTasks: {
    type: 'Number',
    description: 'Failed tasks within five minutes that raise the alarm on failures.',
    minValue: 1,
    default: '1',
  },
  Dashboard: yesNo('Whether there is a CloudWatch dashboard of the activity and the bucket.'),
} as const satisfies Record<string, CfnParameterProps>;

export type ParameterName = keyof typeof PARAMETERS;

/**
 * @param environment a default for `EnvironmentName`, for a CDK app that makes one stack per environment; the
 *   committed template has none
 */
export function addParameters(scope: Construct, environment?: string): void {
  for (const [name, props] of Object.entries<CfnParameterProps>(PARAMETERS)) {
    const given = name === 'EnvironmentName' && environment !== undefined ? { default: environment } : {};
    new CfnParameter(scope, name, { ...props, ...given });
  }
  const add = (name: ConditionName, expression: ICfnConditionExpression) =>
    new CfnCondition(scope, name, { expression });
  const isYes = (name: ParameterName) => is(name, 'yes');
  const isSet = (name: ParameterName) => Fn.conditionNot(is(name, ''));

  const uploads = add('HasUploads', Fn.conditionNot(is('MaxRecordingLevel', 'NONE')));
  const key = add('HasKey', isSet('KmsKey'));
  add('HasOwnKey', is('KmsKey', 'create'));
  add('HasUploadsWithKey', Fn.conditionAnd(uploads, key));
  add('HasScriptSecrets', isYes('ScriptSecrets'));
  // A list cannot be compared; an empty one joined is empty.
  const joined = { 'Fn::Join': ['', { Ref: 'AgentRoleTrustedArns' satisfies ParameterName }] };
  const forArns = add('HasRoleForArns', Fn.conditionNot(Fn.conditionEquals(joined, '')));
  const onEc2 = add('HasRoleOnEc2', isYes('AgentRoleOnEc2'));
  add('HasRole', Fn.conditionOr(forArns, onEc2));
  const user = add('HasUser', isYes('AgentUser'));
  add('HasDataTrail', isYes('DataTrail'));
  add('HasSample', isYes('SampleStateMachine'));
  const alarms = add('HasAlarms', isYes('Alarms'));
  add('HasUserAndAlarms', Fn.conditionAnd(user, alarms));
  add('HasAlarmTopic', isSet('AlarmTopicArn'));
  add('HasDashboard', isYes('Dashboard'));
}

function yesNo(description: string, preset: 'yes' | 'no' = 'no') {
  return { description, allowedValues: ['yes', 'no'], default: preset };
}

function is(name: ParameterName, value: string): ICfnConditionExpression {
  return Fn.conditionEquals({ Ref: name }, value);
}
