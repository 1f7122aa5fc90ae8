import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App, CloudFormationValidatePlugin } from 'aws-cdk-lib/core';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { namesInAws } from '../../agent/aws/arn.ts';
import { settingKeyOf } from '../../agent/config/fetch.ts';
import { seedEnvironment, startSandbox } from '../../agent/sandbox/index.ts';
import { evaluate, type Deployed } from './evaluate.ts';
import { ACKNOWLEDGED } from './stack.ts';
import { REGENERATE, synthesize, TEMPLATE_FILE } from './template.ts';

/** What CloudFormation takes with the call itself; more must be put into a bucket first. */
const MAX_TEMPLATE_BYTES = 51_200;

const committed = readFileSync(TEMPLATE_FILE, 'utf8');
const template = parse(committed) as Record<string, Record<string, never>>;
const ACCOUNT = '123456789012';
const REGION = 'eu-west-1';

function deployed(env: string, parameters: Record<string, string> = {}): Deployed {
  return evaluate(template, {
    account: ACCOUNT,
    region: REGION,
    parameters: { EnvironmentName: env, ...parameters },
  });
}

test('the committed template is what the stack synthesises', () => {
  expect(
    synthesize() === committed,
    `resources/aws/template.yaml is not what resources/aws/*.ts makes: run \`${REGENERATE}\` and look at the difference`,
  ).toBe(true);
});

test('the template deploys as it is: small enough, no assets, no bootstrap, nothing of the machine that made it', () => {
  expect(Buffer.byteLength(committed)).toBeLessThan(MAX_TEMPLATE_BYTES);
  expect(Object.keys(template)).toEqual([
    'Description',
    'AWSTemplateFormatVersion',
    'Parameters',
    'Conditions',
    'Resources',
    'Outputs',
  ]);
  expect(committed).not.toMatch(/cdk|^\s*Metadata:|BootstrapVersion|asset/im);
  expect(committed).not.toContain(process.cwd());
});

test.each(['dev', 'staging', 'prod'])(
  'a stack of %s is the same template, and its names are those that agents look for',
  (env) => {
    const synthesized = synthesize(env);
    expect(synthesized.replace(`    Default: ${env}\n`, '')).toBe(committed);

    const { resources, outputs } = deployed(env, { AgentUser: 'yes' });
    const property = (id: string, name: string) => resources[id]?.properties[name];
    const activityArn = namesInAws.activityArn(env, REGION, ACCOUNT);
    const bucket = namesInAws.bucket(env, ACCOUNT);
    expect(outputs).toMatchObject({
      ActivityArn: activityArn,
      BucketName: bucket,
      SetupCommand: `local-browser-agent setup --env ${env}`,
    });
    expect(property('Credentials', 'Name')).toBe(namesInAws.secret(env));
    expect(property('SharedUser', 'UserName')).toBe(`browser-agent-local-${env}`);
    const parameters = Object.values(resources)
      .filter(({ type }) => type === 'AWS::SSM::Parameter')
      .map(({ properties }) => [String(properties['Name']), properties['Value']] as const);
    const path = namesInAws.parameterPath(env);
    expect(
      Object.fromEntries(parameters.map(([name, value]) => [settingKeyOf(name.slice(path.length)), value])),
    ).toEqual({
      'aws.activity_arn': activityArn,
      'aws.s3_bucket': bucket,
      'aws.stack_permissions': 'work,uploads',
      'recording.max_level': 'TRACE',
      'recording.default_level': 'INFO',
    });
  },
);

test('what the sandbox has of an environment is what the stack makes', async () => {
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  const seeded = await seedEnvironment(sandbox, { env: 'prod' });
  const { resources } = evaluate(template, {
    account: sandbox.accountId,
    region: sandbox.region,
    parameters: { EnvironmentName: 'prod', AgentUser: 'yes' },
  });
  const values = (id: string) => resources[id]!.properties;
  expect(values('Recordings')['BucketName']).toBe(seeded.bucket);
  expect(values('Credentials')['Name']).toBe(seeded.secretName);
  expect(seeded.accessKey.arn).toMatch(new RegExp(`:user/${String(values('SharedUser')['UserName'])}$`));
  const parameters = Object.fromEntries(
    ['ActivityArnParameter', 'BucketParameter'].map((id) => [values(id)['Name'], values(id)['Value']]),
  );
  expect(parameters).toEqual(seeded.parameters);
});

test('to synthesise takes neither network nor programs', () => {
  const run = (code: string) =>
    spawnSync(
      process.execPath,
      // What is not allowed here is denied: network and other programs.
      ['--permission', '--allow-fs-read=*', '--allow-fs-write=*', '--input-type=module', '--eval', code],
      { encoding: 'utf8' },
    );
  const denied = run(
    `import { connect } from 'node:net'; connect(9).on('error', (error) => console.log(error.code));`,
  );
  expect(denied.stdout + denied.stderr).toContain('ERR_ACCESS_DENIED');
  const url = JSON.stringify(new URL('template.ts', import.meta.url).href);
  const made = run(`process.stdout.write((await import(${url})).synthesize());`);
  expect(made.stderr).toBe('');
  expect(made.stdout).toBe(committed);
});

test('an environment whose names AWS would refuse is refused before anything is made', () => {
  const longest = 'a'.repeat(25);
  expect(namesInAws.bucket(longest, ACCOUNT)).toHaveLength(63);
  expect(() => deployed(longest)).not.toThrow();
  for (const name of [`${longest}a`, 'Prod', 'a_b', '-a', 'a-', ''])
    expect(() => deployed(name)).toThrow('EnvironmentName may not be');
});

describe('what is in a stack', () => {
  const always = [
    'Recordings',
    'RecordingsPolicy',
    'Activity',
    'ActivityArnParameter',
    'BucketParameter',
    'MaxLevelParameter',
    'PermissionsParameter',
    'DefaultLevelParameter',
    'AgentPolicy',
    'Credentials',
  ];
  const alarms = ['FailedAlarm', 'TimedOutAlarm', 'SilentAlarm'];
  const user = [
    'SharedUser',
    'SharedUserKey',
    'KeysFunction',
    'KeysRole',
    'KeysLog',
    'KeysSchedule',
    'KeysMaySchedule',
  ];
  const optional: [Record<string, string>, string[]][] = [
    [{ KmsKey: 'create' }, ['RecordingsKey', 'RecordingsKeyAlias']],
    [{ KmsKey: `arn:aws:kms:${REGION}:${ACCOUNT}:key/1234` }, []],
    [{ DataTrail: 'yes' }, ['TrailBucket', 'TrailBucketPolicy', 'Trail']],
    [{ AgentRoleTrustedArns: `arn:aws:iam::${ACCOUNT}:role/a` }, ['AgentRole']],
    [{ AgentRoleOnEc2: 'yes' }, ['AgentRole', 'AgentInstanceProfile']],
    [{ AgentUser: 'yes' }, user],
    [{ AgentUser: 'yes', Alarms: 'yes' }, [...user, ...alarms, 'KeysAlarm']],
    [{ Dashboard: 'yes' }, ['DashboardOfAgents']],
    [{ SampleStateMachine: 'yes' }, ['SampleRole', 'Sample']],
    [{ ScriptSecrets: 'yes' }, []],
    [{ MaxRecordingLevel: 'NONE' }, []],
  ];

  test('without a word: what agents need, and alarms', () => {
    expect(Object.keys(deployed('dev').resources).toSorted()).toEqual([...always, ...alarms].toSorted());
    expect(Object.keys(deployed('dev', { Alarms: 'no' }).resources).toSorted()).toEqual(always.toSorted());
  });

  test.each(optional)('with %j: %j more', (parameters, more) => {
    expect(Object.keys(deployed('dev', { Alarms: 'no', ...parameters }).resources).toSorted()).toEqual(
      [...always, ...more].toSorted(),
    );
  });

  test('every resource of the template is in one of these', () => {
    const known = new Set([...always, ...alarms, ...optional.flatMap(([, more]) => more)]);
    expect(Object.keys(template['Resources']!).filter((id) => !known.has(id))).toEqual([]);
  });
});

test('recordings are private, encrypted, removed in time, and outlive the stack', () => {
  const assertions = Template.fromJSON(template);
  const closed = {
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
  };
  assertions.allResourcesProperties('AWS::S3::Bucket', closed);
  assertions.allResources('AWS::S3::Bucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  assertions.allResources('AWS::S3::BucketPolicy', { DeletionPolicy: 'Retain' });
  assertions.allResources('AWS::KMS::Key', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });

  const bucket = (parameters: Record<string, string>) =>
    deployed('dev', parameters).resources['Recordings']!.properties;
  const encryption = (parameters: Record<string, string>) =>
    (bucket(parameters)['BucketEncryption'] as Record<string, unknown>)['ServerSideEncryptionConfiguration'];
  expect(bucket({ RetentionDays: '30' })['LifecycleConfiguration']).toEqual({
    Rules: [
      { Id: 'remove-recordings', Status: 'Enabled', ExpirationInDays: 30 },
      {
        Id: 'remove-parts-of-uploads',
        Status: 'Enabled',
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
      },
    ],
  });
  expect(encryption({})).toEqual([{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }]);
  const key = `arn:aws:kms:${REGION}:${ACCOUNT}:key/1234`;
  expect(encryption({ KmsKey: key })).toEqual([
    {
      BucketKeyEnabled: true,
      ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key },
    },
  ]);
});

test('the secret tells agents where they work, and no parameter changes that: an update never takes a key out', () => {
  const secret = (parameters: Record<string, string>) =>
    deployed('dev', parameters).resources['Credentials']!.properties['SecretString'] as string;
  expect(JSON.parse(secret({}))).toEqual({
    AWS_DEFAULT_REGION: REGION,
    ACTIVITY_ARN: namesInAws.activityArn('dev', REGION, ACCOUNT),
    S3_BUCKET: namesInAws.bucket('dev', ACCOUNT),
  });
  expect(secret({ AgentUser: 'yes', KeyRotationDays: '90', KmsKey: 'create' })).toBe(secret({}));
});

test('alarms watch the activity, and tell a topic where one is named', () => {
  const topic = `arn:aws:sns:${REGION}:${ACCOUNT}:on-call`;
  const alarms = (parameters: Record<string, string>) =>
    Object.values(deployed('dev', parameters).resources)
      .filter(({ type }) => type === 'AWS::CloudWatch::Alarm')
      .map(({ properties }) => properties);
  expect(alarms({}).map(({ MetricName: metric }) => metric)).toEqual([
    'ActivitiesFailed',
    'ActivitiesTimedOut',
    'ActivitiesHeartbeatTimedOut',
  ]);
  for (const alarm of alarms({})) {
    expect(alarm).toMatchObject({
      Namespace: 'AWS/States',
      Dimensions: [{ Name: 'ActivityArn', Value: namesInAws.activityArn('dev', REGION, ACCOUNT) }],
      Threshold: 1,
    });
    expect(alarm).not.toHaveProperty('AlarmActions');
  }
  const told = alarms({ AlarmTopicArn: topic, AlarmFailedTasks: '5' });
  expect(told.map(({ AlarmActions: actions, Threshold: threshold }) => [actions, threshold])).toEqual([
    [[topic], 5],
    [[topic], 1],
    [[topic], 1],
  ]);
  const { DashboardBody: body } = deployed('dev', { Dashboard: 'yes' }).resources['DashboardOfAgents']!
    .properties as { DashboardBody: string };
  expect((JSON.parse(body) as { widgets: unknown[] }).widgets).toHaveLength(4);
});

test('the schemas and rules of CloudFormation have nothing to say against the template', () => {
  expect(problems(TEMPLATE_FILE)).toEqual([]);
  // The check does find what is wrong.
  const wrong = join(mkdtempSync(join(tmpdir(), 'lba-wrong-')), 'template.yaml');
  onTestFinished(() => rmSync(dirname(wrong), { recursive: true }));
  writeFileSync(wrong, committed.replace('SSEAlgorithm: AES256', 'SSEAlgorithm: AES1'));
  expect(problems(wrong)).not.toEqual([]);
});

/** By the check that CDK has built in; `ACKNOWLEDGED` says what of it does not count. */
function problems(file: string): string[] {
  const { violations } = new CloudFormationValidatePlugin().validate({
    templatePaths: [file],
    stackTemplates: [
      { stackConstructPath: 'committed', templatePath: file, accountId: ACCOUNT, region: REGION },
    ],
    appConstruct: new App({ analyticsReporting: false }),
  });
  return violations
    .filter(({ ruleName }) => !Object.hasOwn(ACKNOWLEDGED, ruleName))
    .map(({ ruleName, description }) => `${ruleName}: ${description}`);
}

test('cfn-lint has nothing to say against the template', ({ skip }) => {
  const { status, stdout, stderr, error } = spawnSync(
    'cfn-lint',
    ['--regions', REGION, '--', TEMPLATE_FILE],
    { encoding: 'utf8' },
  );
  // It is a Python program, which neither npm nor Debian has; the test before is what runs everywhere.
  if (error || /command not found/.test(stderr)) {
    skip('cfn-lint is not installed: where pip works, `pip install cfn-lint`');
    return;
  }
  expect(stdout + stderr).toBe('');
  expect(status).toBe(0);
});
