/** Every permission of the template, one by one: a word more, anywhere, fails here. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { SERVICES, type ServiceRow } from '../../agent/base/services.ts';
import { evaluate } from './evaluate.ts';
import { TEMPLATE_FILE } from './template.ts';

const template = parse(readFileSync(TEMPLATE_FILE, 'utf8')) as object;
const ACCOUNT = '123456789012';
const KEY = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/1234`;

interface Statement {
  Sid: string;
  Effect: string;
  Principal?: unknown;
  Action: string | string[];
  Resource?: string | string[];
  Condition?: unknown;
}

const everything = {
  KmsKey: 'create',
  ScriptSecrets: 'yes',
  AgentRoleTrustedArns: `arn:aws:iam::${ACCOUNT}:role/a,arn:aws:iam::${ACCOUNT}:role/b`,
  AgentRoleOnEc2: 'yes',
  AgentUser: 'yes',
  DataTrail: 'yes',
  SampleStateMachine: 'yes',
  Dashboard: 'yes',
};

function deployed(env: string, parameters: Record<string, string>) {
  return evaluate(template, {
    account: ACCOUNT,
    region: 'eu-west-1',
    parameters: { EnvironmentName: env, ...parameters },
  }).resources;
}

/** Of any resource, wherever in it they stand: `Resource.Sid effect principal: actions on resources if …`. */
function statements(env: string, parameters: Record<string, string>): string[] {
  const found: string[] = [];
  const look = (resource: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { Statement: list } = value as { Statement?: Statement[] };
    for (const each of list ?? []) found.push(inWords(resource, each));
    for (const inner of Object.values(value)) look(resource, inner);
  };
  for (const [id, { properties }] of Object.entries(deployed(env, parameters))) look(id, properties);
  return found.toSorted();
}

function inWords(resource: string, statement: Statement): string {
  const { Sid, Effect, Principal, Action, Resource, Condition, ...other } = statement;
  expect(other).toEqual({});
  const all = (value: string | string[] = []) => [value].flat().join(' ');
  return [
    `${resource}.${Sid} ${Effect}`,
    ...(Principal === undefined ? [] : [`to ${JSON.stringify(Principal)}`]),
    all(Action),
    ...(Resource === undefined ? [] : [`on ${all(Resource)}`]),
    ...(Condition === undefined ? [] : [`if ${JSON.stringify(Condition)}`]),
  ].join(' ');
}

const agent = (env: string, parameters: Record<string, string>) =>
  statements(env, parameters).filter((each) => each.startsWith('AgentPolicy.'));

/** On what an agent may do anything, as ARNs and patterns of them. */
const resources = (env: string, parameters: Record<string, string>): string[] =>
  agent(env, parameters).flatMap((each) =>
    each
      .replace(/ if .*/, '')
      .split(' on ')[1]!
      .split(' '),
  );

test('a stack with everything allows and denies exactly this', () => {
  const trail = `"aws:SourceArn":"arn:aws:cloudtrail:eu-west-1:${ACCOUNT}:trail/browser-agent-prod"`;
  const bucket = `arn:aws:s3:::browser-agent-recordings-prod-${ACCOUNT}`;
  const trailBucket = `arn:aws:s3:::browser-agent-trail-prod-${ACCOUNT}`;
  const here = `eu-west-1:${ACCOUNT}`;
  expect(statements('prod', everything)).toEqual([
    `AgentPolicy.EncryptUploads Allow kms:Decrypt kms:GenerateDataKey on arn:aws:kms:${here}:key/RecordingsKey if {"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}`,
    `AgentPolicy.ReadParameters Allow ssm:GetParametersByPath on arn:aws:ssm:${here}:parameter/browser-agent/prod arn:aws:ssm:${here}:parameter/browser-agent/prod/*`,
    `AgentPolicy.ReadSecret Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:${here}:secret:browser-agent-credentials-prod-AbCdEf`,
    `AgentPolicy.ReadSecretsOfScripts Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:${here}:secret:browser-agent/prod/*`,
    `AgentPolicy.Upload Allow s3:AbortMultipartUpload s3:PutObject on ${bucket}/browser-sessions/*`,
    `AgentPolicy.Work Allow states:GetActivityTask states:SendTaskFailure states:SendTaskHeartbeat states:SendTaskSuccess on arn:aws:states:${here}:activity:browser-remote-prod arn:aws:states:${here}:activity:browser-remote-prod_doctor`,
    `AgentRole.Instances Allow to {"Service":"ec2.amazonaws.com"} sts:AssumeRole`,
    `AgentRole.Named Allow to {"AWS":["arn:aws:iam::${ACCOUNT}:role/a","arn:aws:iam::${ACCOUNT}:role/b"]} sts:AssumeRole`,
    `KeysRole.Keys Allow iam:CreateAccessKey iam:DeleteAccessKey iam:ListAccessKeys iam:UpdateAccessKey on arn:aws:iam::${ACCOUNT}:user/browser-agent-local-prod`,
    `KeysRole.Lambda Allow to {"Service":"lambda.amazonaws.com"} sts:AssumeRole`,
    `KeysRole.Log Allow logs:CreateLogStream logs:PutLogEvents on arn:aws:logs:${here}:log-group:/aws/lambda/browser-agent-keys-prod:*`,
    `KeysRole.Secret Allow secretsmanager:GetSecretValue secretsmanager:PutSecretValue on arn:aws:secretsmanager:${here}:secret:browser-agent-credentials-prod-AbCdEf`,
    `RecordingsKey.AccountDecides Allow to {"AWS":"arn:aws:iam::${ACCOUNT}:root"} kms:* on *`,
    `RecordingsPolicy.TlsOnly Deny to "*" s3:* on ${bucket} ${bucket}/* if {"Bool":{"aws:SecureTransport":"false"}}`,
    `SampleRole.StepFunctions Allow to {"Service":"states.amazonaws.com"} sts:AssumeRole if {"StringEquals":{"aws:SourceAccount":"${ACCOUNT}"}}`,
    `TrailBucketPolicy.TlsOnly Deny to "*" s3:* on ${trailBucket} ${trailBucket}/* if {"Bool":{"aws:SecureTransport":"false"}}`,
    `TrailBucketPolicy.TrailLooks Allow to {"Service":"cloudtrail.amazonaws.com"} s3:GetBucketAcl on ${trailBucket} if {"StringEquals":{${trail}}}`,
    `TrailBucketPolicy.TrailWrites Allow to {"Service":"cloudtrail.amazonaws.com"} s3:PutObject on ${trailBucket}/AWSLogs/${ACCOUNT}/* if {"StringEquals":{${trail},"s3:x-amz-acl":"bucket-owner-full-control"}}`,
  ]);
});

/** Action of each call that agents make. */
const NEEDED: Record<string, string> = {};
/** Calls of `setup` and `doctor` that may be denied, or need no permission. */
const NOT_NEEDED: string[] = [];
for (const { permissions, otherCommands } of Object.values<ServiceRow>(SERVICES)) {
  NOT_NEEDED.push(...otherCommands);
  for (const [action, { commands }] of Object.entries(permissions)) {
    for (const command of commands) NEEDED[command] = action;
  }
}

test('the policy is for the calls that agents make, all of them and no others', () => {
  const root = new URL('../../agent/', import.meta.url);
  const isOfAgents = (file: string) =>
    file.endsWith('.ts') &&
    !file.endsWith('.test.ts') &&
    !file.startsWith('sandbox/') &&
    // The demo plays whoever starts workflows, on the sandbox; invitations are for administrators, and what a machine
    // does with one has a policy of its own.
    !['cli/verbs/demo.ts', 'config/invitation.ts'].includes(file);
  const calls = new Set(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter(isOfAgents)
      .flatMap((file) => [
        ...readFileSync(new URL(file, root), 'utf8').matchAll(/new (?:\w+\.)?(\w+)Command\(/g),
      ])
      .map(([, call]) => call!),
  );
  expect([...calls].toSorted()).toEqual([...Object.keys(NEEDED), ...NOT_NEEDED].toSorted());
  const allowed = agent('dev', {}).flatMap((each) => / Allow (.+) on /.exec(each)![1]!.split(' '));
  expect([...new Set(Object.values(NEEDED))].toSorted()).toEqual(allowed.toSorted());
});

test('only the schedule of the keys may call their function', () => {
  const { KeysMaySchedule: permission } = deployed('prod', everything);
  expect(permission!.properties).toEqual({
    Action: 'lambda:InvokeFunction',
    FunctionName: 'browser-agent-keys-prod',
    Principal: 'events.amazonaws.com',
    SourceAccount: ACCOUNT,
    SourceArn: `arn:aws:events:eu-west-1:${ACCOUNT}:rule/browser-agent-keys-prod`,
  });
});

test('no identity has more than the policy for agents', () => {
  const resources = deployed('prod', everything);
  const policies = Object.entries(resources).flatMap(([id, { type, properties }]) => [
    ...(type === 'AWS::IAM::Policy' ? [`${id} is an inline policy`] : []),
    ...((properties['ManagedPolicyArns'] as string[] | undefined) ?? []).map((arn) => `${id} has ${arn}`),
    ...((properties['Users'] as string[] | undefined) ?? []).map((user) => `${id} is of user ${user}`),
    ...((properties['Policies'] as { PolicyName: string }[] | undefined) ?? []).map(
      ({ PolicyName: name }) => `${id} has ${name} inline`,
    ),
    ...(properties['Roles'] === undefined ? [] : [`${id} carries ${JSON.stringify(properties['Roles'])}`]),
  ]);
  expect(policies).toEqual([
    'AgentPolicy is of user browser-agent-local-prod',
    `AgentRole has arn:aws:iam::${ACCOUNT}:policy/browser-agent-prod`,
    'AgentInstanceProfile carries ["browser-agent-prod"]',
    'KeysRole has keys inline',
  ]);
});

describe('what an agent may do', () => {
  const usual = ['ReadParameters', 'ReadSecret', 'Work'];
  const sids = (parameters: Record<string, string>) =>
    agent('dev', parameters).map((each) => each.slice('AgentPolicy.'.length).split(' ')[0]);

  test.each<[Record<string, string>, string[]]>([
    [{}, ['Upload']],
    [{ MaxRecordingLevel: 'ERROR' }, ['Upload']],
    [{ MaxRecordingLevel: 'NONE' }, []],
    [{ MaxRecordingLevel: 'NONE', KmsKey: KEY }, []],
    [{ KmsKey: KEY }, ['EncryptUploads', 'Upload']],
    [{ ScriptSecrets: 'yes' }, ['ReadSecretsOfScripts', 'Upload']],
  ])('with %j beside the usual: %j', (parameters, more) => {
    expect(sids(parameters)).toEqual([...usual, ...more].toSorted());
  });

  test('a key from elsewhere is the only one it may use', () => {
    expect(agent('dev', { KmsKey: KEY })[0]).toContain(`kms:GenerateDataKey on ${KEY} if`);
  });

  test('nothing of another environment, not even of one whose name begins the same', () => {
    const patterns = resources('dev', everything);
    expect(patterns).not.toHaveLength(0);
    const isAllowed = (arn: string) =>
      patterns.some((pattern) =>
        new RegExp(
          `^${pattern
            .split('*')
            .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
            .join('.*')}$`,
        ).test(arn),
      );
    for (const other of ['prod', 'dev2', 'dev-2', 'de', 'a-dev', 'dev-doctor']) {
      const strange = resources(other, { ...everything, KmsKey: KEY }).map((arn) =>
        arn.replaceAll('*', 'anything'),
      );
      expect(strange.filter(isAllowed), other).toEqual([]);
    }
    expect(isAllowed(`arn:aws:s3:::browser-agent-recordings-dev-${ACCOUNT}/browser-sessions/1/a.jpg`)).toBe(
      true,
    );
    expect(isAllowed(`arn:aws:s3:::browser-agent-recordings-dev-${ACCOUNT}/other/a.jpg`)).toBe(false);
  });
});
