/** fetch, setup and doctor with real SDK clients against the sandbox. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createClients, type AwsClients } from '../../agent/aws/clients.ts';
import { doctor, type Check } from '../../agent/config/doctor.ts';
import { fetchConfig } from '../../agent/config/fetch.ts';
import { loadConfig } from '../../agent/config/load.ts';
import { setup, type SetupOptions } from '../../agent/config/setup.ts';
import { FileVault } from '../../agent/config/vault.ts';
import { homePaths } from '../../agent/base/paths.ts';
import {
  seedEnvironment,
  startSandbox,
  type Sandbox,
  type SeededEnvironment,
} from '../../agent/sandbox/index.ts';
import { AgentStateStore, LAST_POLL_KEY } from '../../agent/store/agent-state.ts';
import { openDatabase, type Database } from '../../agent/store/database.ts';

let sandbox: Sandbox;
let seeded: SeededEnvironment;
let admin: AwsClients;
let home: string;
let db: Database;
let vault: FileVault;

/** An administrator's shell: keys that may read the configuration, no stored ones. */
let env: NodeJS.ProcessEnv;
/** A service's: nothing but the endpoint. */
let bare: NodeJS.ProcessEnv;

beforeAll(async () => {
  sandbox = await startSandbox();
  seeded = await seedEnvironment(sandbox, {
    env: 'prod',
    // More than one page of ten.
    parameters: {
      'recording/max-level': 'DEBUG',
      ...Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`custom-${n}`, 'x'])),
    },
  });
  bare = { AWS_ENDPOINT_URL: sandbox.url };
  env = { ...sandbox.env };
  // The SDK reads its own environment from the process, and only from there.
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION']) {
    process.env[name] = sandbox.env[name] ?? '';
  }
  admin = createClients({ region: sandbox.region, env });
});

afterAll(async () => {
  admin.destroy();
  await sandbox.close();
});

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lba-setup-'));
  db = openDatabase(homePaths(home).database);
  vault = new FileVault(home);
});

afterEach(() => {
  sandbox.faults.clear();
  db.close();
  rmSync(home, { recursive: true });
});

const runSetup = (more: Partial<SetupOptions> = {}) =>
  setup({ home, env, db, vault, environment: 'prod', region: sandbox.region, ...more });

describe('fetching', () => {
  test('takes keys from the secret and the rest from every page of parameters', async () => {
    const fetched = await fetchConfig({ env: 'prod', clients: admin, now: 7 });
    const { accessKeyId, secretAccessKey } = seeded.accessKey;
    expect(fetched).toMatchObject({ ok: true, missing: [], credentials: { accessKeyId, secretAccessKey } });
    const values = Object.fromEntries(fetched.values.map(({ key, value }) => [key, value]));
    expect(values).toEqual({
      'aws.activity_arn': seeded.activityArn,
      'aws.s3_bucket': seeded.bucket,
      'aws.region': sandbox.region,
      'recording.max_level': 'DEBUG',
    });
    expect(fetched.warnings).toHaveLength(12);
  });

  test.each([
    ['secretsmanager', 'secretsmanager:GetSecretValue', 'browser-agent-credentials-prod'],
    ['ssm', 'ssm:GetParametersByPath', '/browser-agent/prod/'],
  ] as const)(
    'works without %s, and names the permission that was missing',
    async (service, call, resource) => {
      sandbox.faults.deny(service);
      const fetched = await fetchConfig({ env: 'prod', clients: admin, now: 7 });
      expect(fetched).toMatchObject({ ok: true, missing: [] });
      const failure = fetched.attempts.find((attempt) => attempt.failure)?.failure;
      expect(failure).toMatchObject({
        kind: 'denied',
        fix: `Ask for the permission ${call} on ${resource} for this identity.`,
      });
    },
  );

  test('says what is missing when both are denied', async () => {
    sandbox.faults.deny('secretsmanager');
    sandbox.faults.deny('ssm');
    const fetched = await fetchConfig({ env: 'prod', clients: admin, now: 7 });
    expect(fetched).toMatchObject({ ok: false, missing: ['aws.activity_arn', 'aws.s3_bucket'] });
    expect(fetched.attempts.filter(({ failure }) => failure)).toHaveLength(2);
  });
});

describe('setup', () => {
  test('stores what it fetched and proves it with the stored keys', async () => {
    const result = await runSetup();
    expect(result.steps.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(result.ok).toBe(true);
    expect(result.steps.find(({ title }) => title === 'Identity')?.detail).toContain(
      'user/browser-agent-local-prod (keys stored for prod)',
    );

    // Afterwards a process with a bare environment finds everything.
    const config = loadConfig({ home, env: bare, db });
    expect(config.settings.aws).toMatchObject({
      env: 'prod',
      activity_arn: seeded.activityArn,
      s3_bucket: seeded.bucket,
      region: sandbox.region,
    });
    expect(config.settings.recording.max_level).toBe('DEBUG');
    expect(config.sourceOf('aws.s3_bucket')).toMatch(
      /^parameter \/browser-agent\/prod\/s3-bucket, fetched 20/,
    );

    const everything = JSON.stringify([result, config.explain()]);
    expect(everything).not.toContain(seeded.accessKey.secretAccessKey);
    expect(readFileSync(join(home, 'settings.yaml'), 'utf8')).not.toContain('AKIA');
    expect(statSync(join(home, 'credentials.json')).mode & 0o777).toBe(0o600);
  });

  test('leaves no test object behind', async () => {
    await runSetup();
    const s3 = await admin.s3();
    const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: seeded.bucket }));
    expect(KeyCount).toBe(0);
  });

  test('fails with the permission to ask for when nothing can be put', async () => {
    sandbox.faults.deny('s3', 'PutObject');
    const result = await runSetup();
    expect(result.ok).toBe(false);
    expect(result.steps.find(({ title }) => title === 'Upload')).toMatchObject({
      status: 'fail',
      fix: expect.stringContaining('s3:PutObject on arn:aws:s3:::browser-agent-recordings-prod-') as string,
    });
  });

  test('where nothing is ever uploaded needs no permission to', async () => {
    sandbox.faults.deny('s3');
    const result = await runSetup({ env: { ...env, LBA_RECORDING_MAX_LEVEL: 'NONE' } });
    expect(result.ok).toBe(true);
    expect(result.steps.find(({ title }) => title === 'Upload')?.detail).toContain('not tried');
  });

  test('of an environment that does not exist fails, and changes nothing', async () => {
    const result = await runSetup({ environment: 'nowhere' });
    expect(result.ok).toBe(false);
    expect(result.steps.at(-1)?.fix).toContain('config set aws.s3_bucket browser-agent-recordings-nowhere-');
    expect(loadConfig({ home, env: bare, db }).settings.aws.env).toBe('dev');
  });
});

describe('doctor', () => {
  const check = async (environment: NodeJS.ProcessEnv = bare) =>
    doctor({ config: loadConfig({ home, env: environment, db }), env: environment, vault, db });
  const of = (checks: Check[], id: string) => checks.find((each) => each.id === id);

  test('finds nothing wrong after setup, and takes no task', async () => {
    await runSetup();
    const polls = () =>
      sandbox.requests
        .all({ service: 'states', operation: 'GetActivityTask' })
        .filter(({ key }) => key === seeded.activityArn).length;
    const before = polls();
    const checks = await check();
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(checks.map(({ id }) => id)).toEqual([
      'node',
      'machine',
      'home',
      'settings',
      'identity',
      'clock',
      'activity',
      'permission.states:GetActivityTask',
      'permission.states:SendTaskHeartbeat',
      'permission.states:SendTaskSuccess',
      'permission.states:SendTaskFailure',
      'permission.s3:PutObject',
      'read_back',
      'permission.s3:AbortMultipartUpload',
      'permission.secretsmanager:GetSecretValue',
      'permission.ssm:GetParametersByPath',
    ]);
    expect(polls()).toBe(before);
  });

  test.each([
    ['s3', 'PutObject', 'permission.s3:PutObject', 'fail'],
    ['states', 'SendTaskSuccess', 'permission.states:SendTaskSuccess', 'fail'],
    ['states', 'GetActivityTask', 'permission.states:GetActivityTask', 'warn'],
    ['states', 'DescribeActivity', 'activity', 'skip'],
    ['s3', 'AbortMultipartUpload', 'permission.s3:AbortMultipartUpload', 'warn'],
    ['secretsmanager', 'GetSecretValue', 'permission.secretsmanager:GetSecretValue', 'skip'],
  ] as const)('%s %s denied makes %s %s, and nothing else', async (service, operation, id, status) => {
    await runSetup();
    sandbox.faults.deny(service, operation);
    const checks = await check();
    expect(of(checks, id)?.status).toBe(status);
    expect(checks.filter((each) => each.status !== 'ok').map((each) => each.id)).toEqual([id]);
  });

  test('takes the answer of a running agent for the permission to poll', async () => {
    await runSetup();
    const state = new AgentStateStore(db);
    sandbox.faults.deny('states', 'GetActivityTask');
    state.set(LAST_POLL_KEY, { activityArn: seeded.activityArn, ok: true }, Date.now());
    expect(of(await check(), 'permission.states:GetActivityTask')?.status).toBe('ok');
    state.set(
      LAST_POLL_KEY,
      { activityArn: seeded.activityArn, ok: false, message: 'AccessDenied' },
      Date.now(),
    );
    expect(of(await check(), 'permission.states:GetActivityTask')?.status).toBe('fail');
  });

  test('where nothing is ever uploaded does not ask for permissions on the bucket', async () => {
    await runSetup();
    sandbox.faults.deny('s3');
    const checks = await check({ ...bare, LBA_RECORDING_MAX_LEVEL: 'NONE' });
    expect(checks.filter(({ status }) => status !== 'ok')).toMatchObject([
      { id: 'permission.s3:PutObject', status: 'skip' },
    ]);
  });

  test('where the agent works on a sandbox of its own nothing is asked of AWS', async () => {
    await runSetup();
    sandbox.requests.clear();
    const checks = await check({ ...bare, LBA_SANDBOX_ENABLED: 'true' });
    expect(of(checks, 'sandbox')).toMatchObject({ status: 'skip' });
    expect(of(checks, 'identity')).toBeUndefined();
    expect(sandbox.requests.all()).toEqual([]);
  });

  test('without removal says where the test object stays', async () => {
    await runSetup();
    sandbox.faults.deny('s3', 'DeleteObject');
    const put = of(await check(), 'permission.s3:PutObject');
    expect(put).toMatchObject({ status: 'ok', detail: expect.stringContaining('stays there') as string });
  });

  test('with nothing configured says what to run', async () => {
    const checks = await check(env);
    expect(of(checks, 'activity')).toMatchObject({
      status: 'fail',
      fix: expect.stringContaining('local-browser-agent setup --env dev') as string,
    });
  });

  test('sees a clock that is off', async () => {
    await runSetup();
    const clock = {
      now: () => Date.now() + 300_000,
      monotonic: () => performance.now(),
      sleep: () => Promise.resolve(),
    };
    const checks = await doctor({ config: loadConfig({ home, env: bare, db }), env: bare, vault, db, clock });
    // AWS tells whole seconds.
    const detail = expect.stringMatching(/^(299|300|301) s ahead of AWS$/);
    expect(of(checks, 'clock')).toMatchObject({ status: 'fail', detail });
  });
});
