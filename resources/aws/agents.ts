/** What agents work for, where they learn of it, who they are and what they may do. */
import { CfnInstanceProfile, CfnManagedPolicy, CfnRole, CfnUser } from 'aws-cdk-lib/aws-iam';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { CfnParameter as CfnSsmParameter } from 'aws-cdk-lib/aws-ssm';
import { CfnActivity } from 'aws-cdk-lib/aws-stepfunctions';
import { Fn, Token } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { namesInAws } from '../../agent/aws/arn.ts';
import { SERVICES, type ServiceId } from '../../agent/base/services.ts';
import type { STACK_PERMISSIONS } from '../../agent/config/settings/aws.ts';
import { ENVIRONMENT, only, parameter, sub, when } from './intrinsics.ts';
import { keyArn } from './recordings.ts';

export function addAgents(scope: Construct): void {
  const activity = new CfnActivity(scope, 'Activity', { name: sub(`browser-remote-${ENVIRONMENT}`) });
  const parameters: Record<string, [name: string, value: string, description: string]> = {
    ActivityArnParameter: ['activity-arn', activity.ref, 'The activity that agents work for'],
    BucketParameter: ['s3-bucket', sub('${Recordings}'), 'The bucket for recordings'],
    MaxLevelParameter: ['recording/max-level', parameter('MaxRecordingLevel'), 'The most that is uploaded'],
    DefaultLevelParameter: [
      'recording/default-level',
      parameter('DefaultRecordingLevel'),
      'Level of runs for which nothing says one',
    ],
  };
  const permissions: Record<(typeof STACK_PERMISSIONS)[number], unknown> = {
    work: 'work',
    uploads: when('HasUploads', 'uploads'),
    'script-secrets': when('HasScriptSecrets', 'script-secrets'),
  };
  parameters['PermissionsParameter'] = [
    'stack-permissions',
    Fn.join(',', Object.values(permissions) as string[]),
    'What the policy of this stack allows agents: doctor holds them to it',
  ];
  for (const [id, [name, value, description]] of Object.entries(parameters)) {
    new CfnSsmParameter(scope, id, {
      name: sub(namesInAws.parameterPath(ENVIRONMENT) + name),
      type: 'String',
      value,
      description,
    });
  }
  const policy = addPolicy(scope);
  addIdentities(scope, policy.ref);
}

/**
 * Each action that an agent calls, on the one thing it calls it on: the actions are those of base/services.ts,
 * which also says why (docs/iam-permissions.md).
 */
function addPolicy(scope: Construct): CfnManagedPolicy {
  return new CfnManagedPolicy(scope, 'AgentPolicy', {
    managedPolicyName: sub(`browser-agent-${ENVIRONMENT}`),
    description: sub(`What a browser agent of ${ENVIRONMENT} does in AWS, and no more`),
    users: Token.asList(when('HasUser', [sub('${SharedUser}')])),
    policyDocument: {
      Version: '2012-10-17',
      Statement: Object.values(STATEMENTS).flatMap((statements) => statements()),
    },
  });
}

/** The statements of each service, made within the stack. */
const STATEMENTS: Record<ServiceId, () => unknown[]> = {
  sfn: () => [
    {
      Sid: 'Work',
      Effect: 'Allow',
      Action: actionsOf('sfn'),
      // The second never exists: on it doctor asks whether polling is allowed, without taking a task.
      Resource: [sub('${Activity}'), sub(namesInAws.pollCheckArn('${Activity}'))],
    },
  ],
  secretsmanager: () => [
    {
      Sid: 'ReadSecret',
      Effect: 'Allow',
      Action: actionsOf('secretsmanager'),
      Resource: sub('${Credentials}'),
    },
    when('HasScriptSecrets', {
      Sid: 'ReadSecretsOfScripts',
      Effect: 'Allow',
      Action: actionsOf('secretsmanager'),
      Resource: arn('secretsmanager', `secret:browser-agent/${ENVIRONMENT}/*`),
    }),
  ],
  ssm: () => {
    const path = `parameter${namesInAws.parameterPath(ENVIRONMENT)}`;
    return [
      {
        Sid: 'ReadParameters',
        Effect: 'Allow',
        Action: actionsOf('ssm'),
        // The path itself, with and without its last slash, and what is below it.
        Resource: [arn('ssm', path.slice(0, -1)), arn('ssm', `${path}*`)],
      },
    ];
  },
  s3: () => [
    when('HasUploads', {
      Sid: 'Upload',
      Effect: 'Allow',
      Action: actionsOf('s3'),
      Resource: sub('${Recordings.Arn}/browser-sessions/*'),
    }),
    when('HasUploadsWithKey', {
      Sid: 'EncryptUploads',
      Effect: 'Allow',
      Action: actionsOf('s3', 'kms'),
      Resource: keyArn(),
      Condition: { StringEquals: { 'kms:ViaService': sub('s3.${AWS::Region}.${AWS::URLSuffix}') } },
    }),
  ],
  sts: () => [], // GetCallerIdentity needs no permission
  iam: () => [], // for administrators who invite machines
};

/** Actions of the service itself or, by `prefix`, those on a service that it calls in the agent’s name. */
function actionsOf(service: ServiceId, prefix: string = SERVICES[service].iamPrefix): string | string[] {
  const actions = Object.keys(SERVICES[service].permissions)
    .filter((action) => action.startsWith(`${prefix}:`))
    .toSorted();
  return actions.length === 1 ? actions[0]! : actions;
}

function arn(service: string, resource: string): unknown {
  return sub(`arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${resource}`);
}

function addIdentities(scope: Construct, policyArn: string): void {
  const role = new CfnRole(scope, 'AgentRole', {
    roleName: sub(`browser-agent-${ENVIRONMENT}`),
    description: sub(`Browser agents of ${ENVIRONMENT}`),
    managedPolicyArns: [policyArn],
    assumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        when('HasRoleForArns', {
          Sid: 'Named',
          Effect: 'Allow',
          Principal: { AWS: { Ref: 'AgentRoleTrustedArns' } },
          Action: 'sts:AssumeRole',
        }),
        when('HasRoleOnEc2', {
          Sid: 'Instances',
          Effect: 'Allow',
          Principal: { Service: 'ec2.amazonaws.com' },
          Action: 'sts:AssumeRole',
        }),
      ],
    },
  });
  only('HasRole', role);
  only(
    'HasRoleOnEc2',
    new CfnInstanceProfile(scope, 'AgentInstanceProfile', {
      instanceProfileName: role.roleName!,
      roles: [role.ref],
    }),
  );

  const user = new CfnUser(scope, 'SharedUser', { userName: sub(`browser-agent-local-${ENVIRONMENT}`) });
  only('HasUser', user);
  const values =
    '"AWS_DEFAULT_REGION":"${AWS::Region}","ACTIVITY_ARN":"${Activity}","S3_BUCKET":"${Recordings}"';
  new CfnSecret(scope, 'Credentials', {
    name: sub(namesInAws.secret(ENVIRONMENT)),
    description: sub(`What browser agents of ${ENVIRONMENT} fetch with setup`),
    // The key of a shared user comes from access-keys.cjs; this never changes, so no update overwrites it.
    secretString: sub(`{${values}}`),
  });
}
