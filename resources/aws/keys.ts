/** What makes and changes the access key of the user that agents share (access-keys.cjs), once a day. */
import { readFileSync } from 'node:fs';
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { CfnRole } from 'aws-cdk-lib/aws-iam';
import { CfnFunction, CfnPermission } from 'aws-cdk-lib/aws-lambda';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnCustomResource, Token } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { ACCOUNT, alarmActions, ENVIRONMENT, only, sub } from './intrinsics.ts';

const RUNTIME = 'nodejs24.x';

/** Five attempts with pauses between them. */
const FUNCTION_SECONDS = 60;

/** CloudFormation waits an hour for an answer that does not come, unless told otherwise. */
const ANSWER_SECONDS = 180;

/** Two rotations of 90 days, to see what became of a key. */
const LOG_RETENTION_DAYS = 180;

const ALARM_SECONDS = 86_400;

export function addKeys(scope: Construct): void {
  const name = `browser-agent-keys-${ENVIRONMENT}`;
  const logs = new CfnLogGroup(scope, 'KeysLog', {
    logGroupName: sub(`/aws/lambda/${name}`),
    retentionInDays: LOG_RETENTION_DAYS,
  });
  const role = new CfnRole(scope, 'KeysRole', {
    roleName: sub(name),
    assumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'Lambda',
          Effect: 'Allow',
          Principal: { Service: 'lambda.amazonaws.com' },
          Action: 'sts:AssumeRole',
        },
      ],
    },
    policies: [
      {
        policyName: 'keys',
        policyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'Keys',
              Effect: 'Allow',
              Action: [
                'iam:CreateAccessKey',
                'iam:DeleteAccessKey',
                'iam:ListAccessKeys',
                'iam:UpdateAccessKey',
              ],
              Resource: sub('${SharedUser.Arn}'),
            },
            {
              Sid: 'Secret',
              Effect: 'Allow',
              Action: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
              Resource: sub('${Credentials}'),
            },
            {
              Sid: 'Log',
              Effect: 'Allow',
              Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              Resource: sub('${KeysLog.Arn}'),
            },
          ],
        },
      },
    ],
  });
  const keys = new CfnFunction(scope, 'KeysFunction', {
    functionName: sub(name),
    description: sub(`Access keys of browser-agent-local-${ENVIRONMENT}`),
    runtime: RUNTIME,
    architectures: ['arm64'],
    handler: 'index.handler',
    timeout: FUNCTION_SECONDS,
    memorySize: 256,
    role: role.attrArn,
    environment: {
      variables: {
        USER: sub('${SharedUser}'),
        SECRET: sub('${Credentials}'),
        ROTATION_DAYS: sub('${KeyRotationDays}'),
      },
    },
    code: { zipFile: keysCode() },
  });
  keys.addResourceDependency(logs);
  const rule = new CfnRule(scope, 'KeysSchedule', {
    name: sub(name),
    description: 'Looks once a day whether the access key is due',
    scheduleExpression: 'rate(1 day)',
    targets: [{ id: 'keys', arn: keys.attrArn }],
  });
  const permission = new CfnPermission(scope, 'KeysMaySchedule', {
    action: 'lambda:InvokeFunction',
    functionName: keys.ref,
    principal: 'events.amazonaws.com',
    sourceAccount: sub(ACCOUNT),
    sourceArn: rule.attrArn,
  });
  // Makes the first key when the stack is made, and removes all before the user goes.
  const first = new CfnCustomResource(scope, 'SharedUserKey', {
    serviceToken: keys.attrArn,
    serviceTimeout: ANSWER_SECONDS,
  });
  for (const resource of [logs, role, keys, rule, permission, first]) only('HasUser', resource);

  const actions = Token.asList(alarmActions());
  only(
    'HasUserAndAlarms',
    new CfnAlarm(scope, 'KeysAlarm', {
      alarmName: sub(`browser-agent-${ENVIRONMENT}-access-key`),
      alarmDescription:
        'The access key of the shared user could not be looked after: the log of the function says why.',
      namespace: 'AWS/Lambda',
      metricName: 'Errors',
      dimensions: [{ name: 'FunctionName', value: keys.ref }],
      statistic: 'Sum',
      period: ALARM_SECONDS,
      evaluationPeriods: 1,
      threshold: 1,
      comparisonOperator: 'GreaterThanOrEqualToThreshold',
      treatMissingData: 'notBreaching',
      alarmActions: actions,
      okActions: actions,
    }),
  );
}

/** Without comments: CloudFormation takes 4096 bytes of code in a template. */
export function keysCode(): string {
  const text = readFileSync(new URL('access-keys.cjs', import.meta.url), 'utf8');
  return text
    .replaceAll(/^\s*\/\*\*[^]*?\*\/\n/gm, '')
    .replaceAll(/^\s*\/\/.*\n/gm, '')
    .replaceAll(/\n{2,}/g, '\n')
    .trimStart();
}
