/** The sandbox with policies: real SDK clients meet AWS's own refusals. */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { GetActivityTaskCommand, ListActivitiesCommand } from '@aws-sdk/client-sfn';
import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListUsersCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClients, type AwsClients, type AwsCredentials } from '../../agent/aws/clients.ts';
import { messageOf } from '../../agent/base/errors.ts';
import {
  seedEnvironment,
  startSandbox,
  type PolicyText,
  type Sandbox,
  type SeededEnvironment,
} from '../../agent/sandbox/index.ts';

const ARN = 'arn:aws:iam::000000000000:user/tester';
const KEY = { accessKeyId: 'AKIATESTER', secretAccessKey: 'secret' };
const KMS_KEY = 'arn:aws:kms:us-east-1:000000000000:key/1';

let sandbox: Sandbox;
let seeded: SeededEnvironment;
const open: AwsClients[] = [];

beforeAll(async () => {
  sandbox = await startSandbox({
    pollMs: 50,
    iam: { identities: [{ ...KEY, arn: ARN, policy: { Version: '2012-10-17', Statement: [] } }] },
  });
  seeded = await seedEnvironment(sandbox, { env: 'dev' });
});

afterAll(async () => {
  for (const clients of open) clients.destroy();
  await sandbox.close();
});

function clientsOf(credentials: AwsCredentials): AwsClients {
  const clients = createClients({ region: sandbox.region, endpoint: sandbox.url, credentials, env: {} });
  open.push(clients);
  return clients;
}

function allow(action: string | string[], resource: string | string[], more: object = {}): void {
  const statement = { Effect: 'Allow', Action: action, Resource: resource, ...more };
  sandbox.iam.setPolicy(ARN, { Version: '2012-10-17', Statement: [statement] } as PolicyText);
}

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'allowed',
    (thrown: Error) => `${thrown.name}: ${messageOf(thrown)}`,
  );

test('each service refuses in its own form, naming user, action and resource, until a policy allows it', async () => {
  const clients = clientsOf(KEY);
  const { activityArn, bucket, secretName } = seeded;
  const calls: [action: string, resource: string, error: string, call: () => Promise<unknown>][] = [
    [
      'states:GetActivityTask',
      activityArn,
      'AccessDeniedException',
      async () => (await clients.sfnPoll()).send(new GetActivityTaskCommand({ activityArn })),
    ],
    [
      'states:ListActivities',
      '*',
      'AccessDeniedException',
      async () => (await clients.sfn()).send(new ListActivitiesCommand({})),
    ],
    [
      's3:PutObject',
      `arn:aws:s3:::${bucket}/a/b.txt`,
      'AccessDenied',
      async () =>
        (await clients.s3()).send(new PutObjectCommand({ Bucket: bucket, Key: 'a/b.txt', Body: 'x' })),
    ],
    [
      'ssm:GetParametersByPath',
      'arn:aws:ssm:us-east-1:000000000000:parameter/browser-agent/dev/',
      'AccessDeniedException',
      async () => (await clients.ssm()).send(new GetParametersByPathCommand({ Path: '/browser-agent/dev/' })),
    ],
    [
      'secretsmanager:GetSecretValue',
      'arn:aws:secretsmanager:us-east-1:000000000000:secret:nothing',
      'AccessDeniedException',
      async () => (await clients.secrets()).send(new GetSecretValueCommand({ SecretId: 'nothing' })),
    ],
    [
      'sts:AssumeRole',
      'arn:aws:iam::000000000000:role/r',
      'AccessDenied',
      async () =>
        (await clients.sts()).send(
          new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::000000000000:role/r', RoleSessionName: 'me' }),
        ),
    ],
  ];
  for (const [action, resource, error, call] of calls) {
    allow('nothing:AtAll', '*');
    expect(await refusal(call())).toBe(
      `${error}: User: ${ARN} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
    );
    allow(action, resource);
    expect(await refusal(call())).not.toContain('AccessDenied');
  }
  const own = await (
    await clients.secrets()
  )
    .send(new GetSecretValueCommand({ SecretId: secretName }))
    .catch(messageOf);
  expect(own).toMatch(
    /on resource: arn:aws:secretsmanager:us-east-1:000000000000:secret:browser-agent-credentials-dev-\w{6} /,
  );
  expect((await (await clients.sts()).send(new GetCallerIdentityCommand({}))).Arn).toBe(ARN);
});

test('an explicit deny wins, conditions count, and S3 asks for the key of the bucket', async () => {
  const s3 = await clientsOf(KEY).s3();
  const put = async () =>
    refusal(s3.send(new PutObjectCommand({ Bucket: seeded.bucket, Key: 'a', Body: 'x' })));
  const statement = (Effect: 'Allow' | 'Deny', Action: string, Resource: string, more: object = {}) => ({
    Effect,
    Action,
    Resource,
    ...more,
  });
  const mine = statement('Allow', 's3:Put*', `arn:aws:s3:::${seeded.bucket}/*`);
  const set = (...statements: object[]) =>
    sandbox.iam.setPolicy(ARN, { Version: '2012-10-17', Statement: statements } as PolicyText);
  set(mine);
  expect(await put()).toBe('allowed');
  set(
    mine,
    statement('Deny', '*', '*', {
      Condition: { DateGreaterThan: { 'aws:CurrentTime': '2020-01-01T00:00:00Z' } },
    }),
  );
  expect(await put()).toContain('with an explicit deny');
  set(
    mine,
    statement('Deny', '*', '*', {
      Condition: { DateGreaterThan: { 'aws:CurrentTime': '2120-01-01T00:00:00Z' } },
    }),
  );
  expect(await put()).toBe('allowed');
  sandbox.iam.encrypt(seeded.bucket, KMS_KEY);
  set(mine);
  expect(await put()).toContain(`kms:GenerateDataKey on resource: ${KMS_KEY}`);
  const via = { Condition: { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } } };
  set(mine, statement('Allow', 'kms:GenerateDataKey', KMS_KEY, via));
  expect(await put()).toBe('allowed');
  expect(await refusal(s3.send(new GetObjectCommand({ Bucket: seeded.bucket, Key: 'a' })))).toContain(
    's3:GetObject',
  );
});

test('a key that was revoked, deactivated or never was is unknown to every service', async () => {
  const [strange, one] = [
    { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' },
    { accessKeyId: 'AKIAREVOKED', secretAccessKey: 'x' },
  ];
  const policy: PolicyText = { Version: '2012-10-17', Statement: [] };
  sandbox.iam.add({ ...one, arn: `${ARN}2`, policy });
  sandbox.iam.revoke(one.accessKeyId);
  for (const credentials of [strange, one]) {
    const clients = clientsOf(credentials);
    expect(await refusal((await clients.sfn()).send(new ListActivitiesCommand({})))).toMatch(
      /^UnrecognizedClientException: /,
    );
    expect(await refusal((await clients.sts()).send(new GetCallerIdentityCommand({})))).toMatch(
      /^InvalidClientTokenId: /,
    );
    const put = new PutObjectCommand({ Bucket: seeded.bucket, Key: 'a', Body: 'x' });
    expect(await refusal((await clients.s3()).send(put))).toMatch(/^InvalidAccessKeyId: /);
  }
});

test('users have keys, two at the most, and may do what their policies say', async () => {
  const admin = new IAMClient({
    region: sandbox.region,
    endpoint: sandbox.url,
    credentials: {
      accessKeyId: sandbox.env['AWS_ACCESS_KEY_ID']!,
      secretAccessKey: sandbox.env['AWS_SECRET_ACCESS_KEY']!,
    },
  });
  const UserName = 'machine';
  await admin.send(new CreateUserCommand({ UserName, Path: '/browser-agent/dev/' }));
  const { AccessKey: key } = await admin.send(new CreateAccessKeyCommand({ UserName }));
  const { Users: users } = await admin.send(new ListUsersCommand({ PathPrefix: '/browser-agent/dev/' }));
  expect(users?.map(({ Arn }) => Arn)).toEqual(['arn:aws:iam::000000000000:user/browser-agent/dev/machine']);
  const mine = new IAMClient({
    region: sandbox.region,
    endpoint: sandbox.url,
    credentials: { accessKeyId: key!.AccessKeyId!, secretAccessKey: key!.SecretAccessKey! },
  });
  expect(await refusal(mine.send(new ListAccessKeysCommand({})))).toContain(
    'iam:ListAccessKeys on resource: arn:aws:iam::000000000000:user/browser-agent/dev/machine ',
  );
  await admin.send(
    new PutUserPolicyCommand({
      UserName,
      PolicyName: 'own',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Action: 'iam:*AccessKey*', Resource: '*' },
      }),
    }),
  );
  await mine.send(new CreateAccessKeyCommand({}));
  const { AccessKeyMetadata: keys } = await mine.send(new ListAccessKeysCommand({}));
  expect(keys?.map(({ Status }) => Status)).toEqual(['Active', 'Active']);
  expect(await refusal(mine.send(new CreateAccessKeyCommand({})))).toMatch(/^LimitExceeded/);
  admin.destroy();
  mine.destroy();
});
