import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import {
  CreateActivityCommand,
  CreateStateMachineCommand,
  DeleteActivityCommand,
  DeleteStateMachineCommand,
  DescribeActivityCommand,
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetActivityTaskCommand,
  GetExecutionHistoryCommand,
  ListActivitiesCommand,
  ListExecutionsCommand,
  ListTagsForResourceCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  TagResourceCommand,
  UpdateStateMachineCommand,
  ValidateStateMachineDefinitionCommand,
} from '@aws-sdk/client-sfn';
import {
  DeleteParameterCommand,
  DeleteParametersCommand,
  DescribeParametersCommand,
  GetParameterCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Upload } from '@aws-sdk/lib-storage';
import { assert as assertProperty, asyncProperty, string } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedEnvironment, startSandbox } from '../../agent/sandbox/index.ts';
import { clientConfig, errorOf, ROLE_ARN, sandboxFixture, type SandboxFixture } from './sandbox-fixture.ts';

let fixture: SandboxFixture;
let s3: S3Client;
let ssm: SSMClient;
let secrets: SecretsManagerClient;
let sts: STSClient;
beforeAll(async () => {
  fixture = await sandboxFixture({ pollMs: 300 });
  s3 = new S3Client(fixture.clientConfig);
  ssm = new SSMClient(fixture.clientConfig);
  secrets = new SecretsManagerClient(fixture.clientConfig);
  sts = new STSClient(fixture.clientConfig);
});
afterAll(async () => {
  for (const client of [s3, ssm, secrets, sts]) client.destroy();
  await fixture.close();
});

const NOTHING = { StartAt: 'A', States: { A: { Type: 'Succeed' } } };

function waitForTask(activityArn: string): object {
  return { StartAt: 'A', States: { A: { Type: 'Task', Resource: activityArn, End: true } } };
}

describe('Step Functions', () => {
  it('creating an activity again answers the same one', async () => {
    const first = await fixture.sfn.send(new CreateActivityCommand({ name: 'again' }));
    const second = await fixture.sfn.send(new CreateActivityCommand({ name: 'again' }));
    expect(second.activityArn).toBe(first.activityArn);
    expect(second.creationDate).toEqual(first.creationDate);
  });

  it('lists come in pages', async () => {
    for (let i = 0; i < 3; i += 1) await fixture.activity();
    const names: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await fixture.sfn.send(new ListActivitiesCommand({ maxResults: 2, nextToken }));
      expect(page.activities!.length).toBeLessThanOrEqual(2);
      names.push(...page.activities!.map((activity) => activity.name!));
      nextToken = page.nextToken;
    } while (nextToken);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(3);
  });

  it('a poll that finds nothing answers without a token', async () => {
    const activityArn = await fixture.activity();
    const answer = await fixture.sfn.send(new GetActivityTaskCommand({ activityArn }));
    expect(answer.taskToken).toBeUndefined();
  });

  it('a poll whose client has gone away takes no task with it', async () => {
    const own = await sandboxFixture();
    try {
      const activityArn = await own.activity();
      const gone = new AbortController();
      const poll = own.sfn
        .send(new GetActivityTaskCommand({ activityArn }), { abortSignal: gone.signal })
        .catch(() => undefined);
      await own.sandbox.requests.waitFor((entry) => entry.operation === 'GetActivityTask', {
        answered: false,
      });
      gone.abort();
      await poll;
      const closed = await own.sandbox.requests.waitFor(
        (entry) => entry.operation === 'GetActivityTask' && entry.durationMs !== undefined,
        { answered: false },
      );
      expect(closed.status).toBeUndefined();
      await own.start(waitForTask(activityArn));
      expect((await own.take(activityArn)).input).toEqual({});
    } finally {
      await own.close();
    }
  });

  it('waiting workers and waiting tasks are served in order', async () => {
    const activityArn = await fixture.activity();
    const executions = [
      await fixture.start(waitForTask(activityArn), { n: 1 }),
      await fixture.start(waitForTask(activityArn), { n: 2 }),
    ];
    for (const n of [1, 2]) {
      const task = await fixture.take(activityArn);
      expect(task.input).toEqual({ n });
      await task.succeed({ n });
    }
    for (const execution of executions) {
      expect(await fixture.result(execution)).toMatchObject({ status: 'SUCCEEDED' });
    }
  });

  it('starting an execution again with the same name and input answers the running one', async () => {
    const activityArn = await fixture.activity();
    const { stateMachineArn } = await fixture.sfn.send(
      new CreateStateMachineCommand({
        name: 'idempotent',
        definition: JSON.stringify(waitForTask(activityArn)),
        roleArn: ROLE_ARN,
      }),
    );
    const start = (input: string) =>
      fixture.sfn.send(new StartExecutionCommand({ stateMachineArn, name: 'one', input }));
    const first = await start('{"a":1}');
    expect((await start('{"a":1}')).executionArn).toBe(first.executionArn);
    expect(await errorOf(start('{"a":2}'))).toMatchObject({ name: 'ExecutionAlreadyExists', status: 400 });
    const running = await fixture.sfn.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }),
    );
    expect(running.executions).toHaveLength(1);
    await (await fixture.take(activityArn)).succeed({});
    await fixture.sandbox.executionEnded(first.executionArn!);
    const again = await fixture.sfn.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }),
    );
    expect(again.executions).toEqual([]);
    expect(await errorOf(start('{"a":1}'))).toMatchObject({ name: 'ExecutionAlreadyExists' });
  });

  it('history tells the worker, the input and the output, in either order', async () => {
    const activityArn = await fixture.activity();
    const executionArn = await fixture.start(waitForTask(activityArn), { in: 1 });
    await (await fixture.take(activityArn)).succeed({ out: 2 });
    await fixture.sandbox.executionEnded(executionArn);
    const { events } = await fixture.sfn.send(
      new GetExecutionHistoryCommand({ executionArn, reverseOrder: true }),
    );
    const find = (type: string) => events!.find((event) => event.type === type);
    expect(events![0]!.type).toBe('ExecutionSucceeded');
    expect(find('ActivityScheduled')!.activityScheduledEventDetails).toMatchObject({
      resource: activityArn,
      input: '{"in":1}',
    });
    expect(find('ActivityStarted')!.activityStartedEventDetails).toEqual({ workerName: 'worker' });
    expect(find('ActivitySucceeded')!.activitySucceededEventDetails).toMatchObject({ output: '{"out":2}' });
    expect(find('ExecutionStarted')!.timestamp).toBeInstanceOf(Date);
  });

  it('a machine can be changed, tagged and removed', async () => {
    const { stateMachineArn } = await fixture.sfn.send(
      new CreateStateMachineCommand({
        name: 'changing',
        definition: JSON.stringify(NOTHING),
        roleArn: ROLE_ARN,
      }),
    );
    const changed = { ...NOTHING, Comment: 'changed' };
    await fixture.sfn.send(
      new UpdateStateMachineCommand({ stateMachineArn, definition: JSON.stringify(changed) }),
    );
    const shown = await fixture.sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));
    expect(JSON.parse(shown.definition!)).toEqual(changed);
    await fixture.sfn.send(
      new TagResourceCommand({ resourceArn: stateMachineArn, tags: [{ key: 'env', value: 'dev' }] }),
    );
    const tags = await fixture.sfn.send(new ListTagsForResourceCommand({ resourceArn: stateMachineArn }));
    expect(tags.tags).toEqual([{ key: 'env', value: 'dev' }]);
    await fixture.sfn.send(new DeleteStateMachineCommand({ stateMachineArn }));
    expect(
      await errorOf(fixture.sfn.send(new DescribeStateMachineCommand({ stateMachineArn }))),
    ).toMatchObject({ name: 'StateMachineDoesNotExist' });
  });

  const broken: { rule: string; definition: object | string; says: RegExp }[] = [
    { rule: 'text that is not JSON', definition: '{', says: /not valid JSON/ },
    { rule: 'a state nobody defined', definition: { StartAt: 'B', States: NOTHING.States }, says: /B/ },
    {
      rule: 'JSONata',
      definition: { ...NOTHING, QueryLanguage: 'JSONata' },
      says: /SANDBOX_UNSUPPORTED.*JSONata/,
    },
    {
      rule: 'a task that is no activity',
      definition: {
        StartAt: 'A',
        States: { A: { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', End: true } },
      },
      says: /SANDBOX_UNSUPPORTED.*lambda:invoke.*States\/A\/Resource/,
    },
    {
      rule: 'variables',
      definition: { StartAt: 'A', States: { A: { Type: 'Pass', Assign: { x: 1 }, End: true } } },
      says: /variables/,
    },
  ];
  it.each(broken)('$rule is refused when the machine is created', async ({ definition, says }) => {
    const text = typeof definition === 'string' ? definition : JSON.stringify(definition);
    const error = await errorOf(
      fixture.sfn.send(
        new CreateStateMachineCommand({ name: 'broken', definition: text, roleArn: ROLE_ARN }),
      ),
    );
    expect(error.name).toBe('InvalidDefinition');
    expect(error.message).toMatch(says);
    const check = await fixture.sfn.send(new ValidateStateMachineDefinitionCommand({ definition: text }));
    expect(check.result).toBe('FAIL');
  });

  const unknownArn = 'arn:aws:states:us-east-1:000000000000:activity:nobody';
  const errors: { rule: string; name: string; send: (sfn: SFNClient) => Promise<unknown> }[] = [
    {
      rule: 'an unknown activity',
      name: 'ActivityDoesNotExist',
      send: (sfn) => sfn.send(new DescribeActivityCommand({ activityArn: unknownArn })),
    },
    {
      rule: 'a poll of an unknown activity',
      name: 'ActivityDoesNotExist',
      send: (sfn) => sfn.send(new GetActivityTaskCommand({ activityArn: unknownArn })),
    },
    {
      rule: 'an ARN of another kind',
      name: 'InvalidArn',
      send: (sfn) => sfn.send(new DeleteActivityCommand({ activityArn: 'arn:aws:s3:::bucket' })),
    },
    {
      rule: 'a name with forbidden characters',
      name: 'InvalidName',
      send: (sfn) => sfn.send(new CreateActivityCommand({ name: 'a b' })),
    },
    {
      rule: 'a token nobody gave out',
      name: 'InvalidToken',
      send: (sfn) => sfn.send(new SendTaskHeartbeatCommand({ taskToken: 'made up' })),
    },
    {
      rule: 'an output that is not JSON',
      name: 'InvalidOutput',
      send: (sfn) => sfn.send(new SendTaskSuccessCommand({ taskToken: 'x', output: '{' })),
    },
    {
      rule: 'an output above 262,144 characters',
      name: 'ValidationException',
      send: (sfn) =>
        sfn.send(new SendTaskSuccessCommand({ taskToken: 'x', output: `"${'x'.repeat(262_144)}"` })),
    },
    {
      rule: 'a cause above 32,768 characters',
      name: 'ValidationException',
      send: (sfn) => sfn.send(new SendTaskFailureCommand({ taskToken: 'x', cause: 'x'.repeat(32_769) })),
    },
    {
      rule: 'an unknown execution',
      name: 'ExecutionDoesNotExist',
      send: (sfn) =>
        sfn.send(
          new DescribeExecutionCommand({
            executionArn: 'arn:aws:states:us-east-1:000000000000:execution:a:b',
          }),
        ),
    },
  ];
  it.each(errors)('$rule is answered $name with status 400', async ({ name, send }) => {
    const error = await errorOf(send(fixture.sfn));
    expect(error).toMatchObject({ name, status: 400 });
    expect(error.message).not.toBe('');
  });

  it('any text sent as a token is InvalidToken, never a failure of the sandbox', async () => {
    await assertProperty(
      asyncProperty(string({ minLength: 1, maxLength: 300 }), async (taskToken) => {
        const error = await errorOf(fixture.sfn.send(new SendTaskHeartbeatCommand({ taskToken })));
        expect(error.name).toBe('InvalidToken');
      }),
      { numRuns: 40 },
    );
  });
});

describe('S3', () => {
  beforeAll(async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'evidence' }));
  });

  it('an object comes back as it was put, with type, metadata and checksum', async () => {
    const Body = randomBytes(100_000);
    await s3.send(
      new PutObjectCommand({
        Bucket: 'evidence',
        Key: 'browser-sessions/1/steps/001-öffnen.png',
        Body,
        ContentType: 'image/png',
        Metadata: { 'run-id': 'r1', level: 'INFO' },
      }),
    );
    const got = await s3.send(
      new GetObjectCommand({
        Bucket: 'evidence',
        Key: 'browser-sessions/1/steps/001-öffnen.png',
        ChecksumMode: 'ENABLED',
      }),
    );
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(Body)).toBe(true);
    expect(got.ContentType).toBe('image/png');
    expect(got.Metadata).toEqual({ 'run-id': 'r1', level: 'INFO' });
    expect(got.ChecksumCRC32).toBeDefined();
  });

  it('a large object goes up in parts', async () => {
    const Body = randomBytes(12 * 1_048_576);
    await new Upload({ client: s3, params: { Bucket: 'evidence', Key: 'video.webm', Body } }).done();
    const got = await s3.send(new GetObjectCommand({ Bucket: 'evidence', Key: 'video.webm' }));
    const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
    expect(sha256(await got.Body!.transformToByteArray())).toBe(sha256(Body));
    expect(fixture.sandbox.requests.count('s3', 'UploadPart')).toBeGreaterThan(1);
  });

  it('listing and removing work', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'evidence', Key: 'gone/a.txt', Body: 'a' }));
    await s3.send(new DeleteObjectCommand({ Bucket: 'evidence', Key: 'gone/a.txt' }));
    const list = await s3.send(new ListObjectsV2Command({ Bucket: 'evidence', Prefix: 'gone/' }));
    expect(list.KeyCount).toBe(0);
    expect(
      await errorOf(s3.send(new HeadObjectCommand({ Bucket: 'evidence', Key: 'gone/a.txt' }))),
    ).toMatchObject({
      name: 'NotFound',
      status: 404,
    });
  });

  it('a removed bucket is NoSuchBucket', async () => {
    fixture.sandbox.createBucket('short-lived');
    await s3.send(new PutObjectCommand({ Bucket: 'short-lived', Key: 'a', Body: 'a' }));
    fixture.sandbox.removeBucket('short-lived');
    expect(
      await errorOf(s3.send(new PutObjectCommand({ Bucket: 'short-lived', Key: 'b', Body: 'b' }))),
    ).toMatchObject({ name: 'NoSuchBucket', status: 404 });
  });

  it('what fauxqs would take for something else is refused instead', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'evidence', Key: 'tagged', Body: 'kept' }));
    expect(
      await errorOf(
        s3.send(
          new PutObjectTaggingCommand({
            Bucket: 'evidence',
            Key: 'tagged',
            Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] },
          }),
        ),
      ),
    ).toMatchObject({ name: 'NotImplemented', status: 501 });
    const got = await s3.send(new GetObjectCommand({ Bucket: 'evidence', Key: 'tagged' }));
    expect(await got.Body!.transformToString()).toBe('kept');
    expect(
      await errorOf(
        s3.send(new PutObjectCommand({ Bucket: 'evidence', Key: 'big', Body: Buffer.alloc(12 * 1_048_576) })),
      ),
    ).toMatchObject({ name: 'EntityTooLarge' });
  });
});

describe('SSM', () => {
  const put = (Name: string, Value: string, more: object = {}) =>
    ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', ...more }));

  it('a parameter is not overwritten unless asked to, and counts its versions', async () => {
    await put('/v/one', '1');
    expect(await errorOf(put('/v/one', '2'))).toMatchObject({ name: 'ParameterAlreadyExists', status: 400 });
    expect(await put('/v/one', '2', { Overwrite: true })).toMatchObject({ Version: 2 });
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: '/v/one' }));
    expect(Parameter).toMatchObject({ Value: '2', Version: 2, Type: 'String' });
  });

  it('a SecureString shows its value only with decryption', async () => {
    await put('/s/secret', 'hidden', { Type: 'SecureString' });
    const plain = await ssm.send(new GetParameterCommand({ Name: '/s/secret', WithDecryption: true }));
    const cipher = await ssm.send(new GetParameterCommand({ Name: '/s/secret' }));
    expect(plain.Parameter!.Value).toBe('hidden');
    expect(cipher.Parameter!.Value).not.toContain('hidden');
  });

  it('by path: one level or all of them, in pages', async () => {
    for (let i = 0; i < 12; i += 1) await put(`/p/n${String(i).padStart(2, '0')}`, 'x');
    await put('/p/deep/er', 'x');
    const first = await ssm.send(new GetParametersByPathCommand({ Path: '/p', MaxResults: 10 }));
    const second = await ssm.send(
      new GetParametersByPathCommand({ Path: '/p', MaxResults: 10, NextToken: first.NextToken }),
    );
    expect([first.Parameters!.length, second.Parameters!.length, second.NextToken]).toEqual([
      10,
      2,
      undefined,
    ]);
    const deep = await ssm.send(
      new GetParametersByPathCommand({ Path: '/p/', Recursive: true, MaxResults: 1 }),
    );
    expect(deep.Parameters![0]!.Name).toBe('/p/deep/er');
  });

  it('unknown names are told apart from known ones', async () => {
    await put('/g/a', '1');
    const got = await ssm.send(new GetParametersCommand({ Names: ['/g/a', '/g/b'] }));
    expect(got.InvalidParameters).toEqual(['/g/b']);
    const described = await ssm.send(
      new DescribeParametersCommand({
        ParameterFilters: [{ Key: 'Name', Option: 'BeginsWith', Values: ['/g/'] }],
      }),
    );
    expect(described.Parameters!.map((parameter) => parameter.Name)).toEqual(['/g/a']);
    expect(await ssm.send(new DeleteParametersCommand({ Names: ['/g/a', '/g/b'] }))).toMatchObject({
      DeletedParameters: ['/g/a'],
      InvalidParameters: ['/g/b'],
    });
    for (const command of [
      new GetParameterCommand({ Name: '/g/a' }),
      new DeleteParameterCommand({ Name: '/g/a' }),
    ]) {
      expect(await errorOf(ssm.send(command as GetParameterCommand))).toMatchObject({
        name: 'ParameterNotFound',
      });
    }
  });
});

describe('Secrets Manager', () => {
  it('a secret is created once, changed, and keeps its previous value', async () => {
    await secrets.send(new CreateSecretCommand({ Name: 'login', SecretString: 'one' }));
    expect(
      await errorOf(secrets.send(new CreateSecretCommand({ Name: 'login', SecretString: 'x' }))),
    ).toMatchObject({ name: 'ResourceExistsException', status: 400 });
    await secrets.send(new PutSecretValueCommand({ SecretId: 'login', SecretString: 'two' }));
    await secrets.send(new UpdateSecretCommand({ SecretId: 'login', Description: 'portal' }));
    const { ARN, SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: 'login' }));
    expect(SecretString).toBe('two');
    const previous = await secrets.send(
      new GetSecretValueCommand({ SecretId: ARN, VersionStage: 'AWSPREVIOUS' }),
    );
    expect(previous.SecretString).toBe('one');
    const described = await secrets.send(new DescribeSecretCommand({ SecretId: 'login' }));
    expect(described).toMatchObject({ Name: 'login', Description: 'portal' });
  });

  it('a secret marked for deletion is neither read nor listed; a forced one is gone', async () => {
    await secrets.send(new CreateSecretCommand({ Name: 'old', SecretString: 'x' }));
    await secrets.send(new DeleteSecretCommand({ SecretId: 'old' }));
    expect(await errorOf(secrets.send(new GetSecretValueCommand({ SecretId: 'old' })))).toMatchObject({
      name: 'InvalidRequestException',
    });
    const { SecretList } = await secrets.send(new ListSecretsCommand({}));
    expect(SecretList!.map((secret) => secret.Name)).not.toContain('old');
    await secrets.send(new DeleteSecretCommand({ SecretId: 'old', ForceDeleteWithoutRecovery: true }));
    expect(await errorOf(secrets.send(new GetSecretValueCommand({ SecretId: 'old' })))).toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

describe('STS and credentials', () => {
  it('a caller is who was given the key, and an assumed role is one', async () => {
    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: '000000000000',
      Arn: 'arn:aws:iam::000000000000:user/sandbox',
    });
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::000000000000:role/agent', RoleSessionName: 'mine' }),
    );
    const assumed = new STSClient({
      ...fixture.clientConfig,
      credentials: {
        accessKeyId: Credentials!.AccessKeyId!,
        secretAccessKey: Credentials!.SecretAccessKey!,
        sessionToken: Credentials!.SessionToken!,
      },
    });
    expect(await assumed.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Arn: 'arn:aws:sts::000000000000:assumed-role/agent/mine',
    });
    assumed.destroy();
  });

  it.each([
    {
      headers: { 'x-amz-target': 'AWSStepFunctions.ListActivities' },
      body: '{}',
      code: 'MissingAuthenticationTokenException',
    },
    {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
      code: '<Code>MissingAuthenticationToken</Code>',
    },
    { headers: {}, body: undefined, code: '<Code>AccessDenied</Code>' },
  ])('a request without credentials is refused ($code)', async ({ headers, body, code }) => {
    const answer = await fetch(fixture.sandbox.url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: headers as Record<string, string>,
      ...(body === undefined ? {} : { body }),
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await answer.text()).toContain(code);
  });

  it('a request under a name that is not loopback is refused', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      httpRequest(fixture.sandbox.url, { headers: { host: 'rebound.example' } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });
});

describe('faults and the request log', () => {
  it('a denied operation is answered as the service answers it, until the rule is removed', async () => {
    const allow = fixture.sandbox.faults.deny('s3', 'PutObject', { key: 'evidence/denied' });
    const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket: 'evidence', Key, Body: 'x' }));
    expect(await errorOf(put('denied/1'))).toMatchObject({ name: 'AccessDenied', status: 403 });
    await put('allowed/1');
    allow();
    await put('denied/1');
    const deny = fixture.sandbox.faults.deny('states', 'ListActivities', { times: 1 });
    const error = await errorOf(fixture.sfn.send(new ListActivitiesCommand({})));
    expect(error).toMatchObject({ name: 'AccessDeniedException', status: 400 });
    expect(error.message).toContain('states:ListActivities');
    await fixture.sfn.send(new ListActivitiesCommand({}));
    deny();
  });

  it('a lost answer is one whose operation was done', async () => {
    fixture.sandbox.faults.add({ service: 's3', operation: 'PutObject', disconnect: 'after', times: 1 });
    await errorOf(s3.send(new PutObjectCommand({ Bucket: 'evidence', Key: 'lost', Body: 'x' })));
    const lost = await s3.send(new HeadObjectCommand({ Bucket: 'evidence', Key: 'lost' }));
    expect(lost.ContentLength).toBe(1);
    fixture.sandbox.faults.add({ service: 's3', operation: 'PutObject', disconnect: 'before', times: 1 });
    await errorOf(s3.send(new PutObjectCommand({ Bucket: 'evidence', Key: 'never', Body: 'x' })));
    expect(await errorOf(s3.send(new HeadObjectCommand({ Bucket: 'evidence', Key: 'never' })))).toMatchObject(
      { name: 'NotFound' },
    );
  });

  it('requests are logged with service, operation, key and outcome', async () => {
    fixture.sandbox.requests.clear();
    await s3.send(new PutObjectCommand({ Bucket: 'evidence', Key: 'logged', Body: 'xyz' }));
    await errorOf(s3.send(new HeadObjectCommand({ Bucket: 'evidence', Key: 'missing' })));
    expect(fixture.sandbox.requests.counts()).toEqual({ 's3:HeadObject': 1, 's3:PutObject': 1 });
    expect(fixture.sandbox.requests.count('s3')).toBe(2);
    expect(fixture.sandbox.requests.count('states')).toBe(0);
    const put = await fixture.sandbox.requests.waitFor((entry) => entry.operation === 'PutObject');
    expect(put).toMatchObject({ service: 's3', key: 'evidence/logged', status: 200 });
  });
});

describe('a sandbox with a data directory', () => {
  it('remembers across a restart; what was running then is aborted', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'sandbox-'));
    try {
      const before = await sandboxFixture({ dataDir });
      const seeded = await seedEnvironment(before.sandbox, { env: 'dev' });
      const ended = await before.start(NOTHING);
      await before.sandbox.executionEnded(ended);
      const running = await before.start(waitForTask(seeded.activityArn));
      const { taskToken } = await before.take(seeded.activityArn);
      const first = new S3Client(before.clientConfig);
      await first.send(new PutObjectCommand({ Bucket: seeded.bucket, Key: 'kept/a.txt', Body: 'kept' }));
      first.destroy();
      await before.close();

      const sandbox = await startSandbox({ dataDir });
      const config = clientConfig(sandbox);
      const [sfn, s3After, ssmAfter, secretsAfter] = [
        new SFNClient(config),
        new S3Client(config),
        new SSMClient(config),
        new SecretsManagerClient(config),
      ];
      expect(await sfn.send(new DescribeExecutionCommand({ executionArn: ended }))).toMatchObject({
        status: 'SUCCEEDED',
      });
      expect(await sfn.send(new DescribeExecutionCommand({ executionArn: running }))).toMatchObject({
        status: 'ABORTED',
        error: 'Sandbox.Stopped',
      });
      expect(await errorOf(sfn.send(new SendTaskHeartbeatCommand({ taskToken })))).toMatchObject({
        name: 'TaskDoesNotExist',
      });
      const got = await s3After.send(new GetObjectCommand({ Bucket: seeded.bucket, Key: 'kept/a.txt' }));
      expect(await got.Body!.transformToString()).toBe('kept');
      const parameter = await ssmAfter.send(
        new GetParameterCommand({ Name: '/browser-agent/dev/activity-arn' }),
      );
      expect(parameter.Parameter!.Value).toBe(seeded.activityArn);
      const secret = await secretsAfter.send(new GetSecretValueCommand({ SecretId: seeded.secretName }));
      expect(JSON.parse(secret.SecretString!)).toEqual({
        AWS_ACCESS_KEY_ID: seeded.accessKey.accessKeyId,
        AWS_SECRET_ACCESS_KEY: seeded.accessKey.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
        ACTIVITY_ARN: seeded.activityArn,
        S3_BUCKET: seeded.bucket,
      });
      for (const client of [sfn, s3After, ssmAfter, secretsAfter]) client.destroy();
      await sandbox.close();
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });

  it('a key cannot lead out of it', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'sandbox-'));
    const own = await sandboxFixture({ dataDir });
    try {
      own.sandbox.createBucket('evidence');
      const { hostname, port } = new URL(own.sandbox.url);
      const status = await new Promise<number | undefined>((resolve, reject) => {
        httpRequest(
          {
            hostname,
            port,
            method: 'PUT',
            path: '/evidence/%2e%2e/%2e%2e/%2e%2e/%2e%2e/out.txt',
            headers: { authorization: 'AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request' },
          },
          (answer) => {
            answer.resume();
            resolve(answer.statusCode);
          },
        )
          .on('error', reject)
          .end('x');
      });
      expect(status).toBe(400);
    } finally {
      await own.close();
      await rm(dataDir, { recursive: true });
    }
  });
});

describe('closing', () => {
  it('ends long polls and running executions at once and frees the port', async () => {
    const own = await sandboxFixture();
    const activityArn = await own.activity();
    const other = await own.activity();
    await own.start(waitForTask(other));
    const poll = own.sfn.send(new GetActivityTaskCommand({ activityArn })).then(
      () => 'answered',
      () => 'cut',
    );
    await own.sandbox.requests.waitFor((entry) => entry.operation === 'GetActivityTask', { answered: false });
    const port = Number(new URL(own.sandbox.url).port);
    await own.close();
    expect(await poll).toBe('cut');
    const again = await startSandbox({ port });
    await again.close();
  });
});
