/** Access keys that change in AWS while tasks run, on a sandbox that refuses keys it does not know. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from 'vitest';
import type { LoggedRequest } from '../../agent/sandbox/index.ts';
import { startPortal, startSandbox, type Portal, type Sandbox } from '../../agent/sandbox/index.ts';
import { readStoredKeys, storeCredentials } from '../../agent/config/stored-keys.ts';
import { FileVault } from '../../agent/config/vault.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';
import { startMainJob, type MainJob } from '../fixtures/main-job.ts';

/** Polls end soon, so that closing the agent does not wait a minute; in milliseconds. */
const POLL_MS = 300;

/** A few looks into the secret in each test: 0.7 s, in hours. */
const CHECK_HOURS = '0.0002';

/** Four tasks, one of them while the browser starts; in milliseconds. */
const TEST_MS = 120_000;

let sandbox: Sandbox;
let portal: Portal;
let home: string;
let made = 0;

beforeAll(async () => {
  sandbox = await startSandbox({ pollMs: POLL_MS, iam: {} });
  portal = await startPortal();
});

afterAll(async () => {
  await portal.close();
  await sandbox.close();
});

beforeEach(() => {
  home = makeHome('rotation');
});

afterEach(() => removeHome(home));

async function start(env: string, variables: Record<string, string>): Promise<MainJob> {
  const arn = sandbox.createUser(`browser-agent-local-${env}`).arn;
  sandbox.iam.setPolicy(arn, {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Action: ['states:*', 's3:PutObject', 'secretsmanager:GetSecretValue'],
      Resource: '*',
    },
  });
  return startMainJob({ sandbox, home, env, variables });
}

/** What rotation does: another key of the same user, put into the secret. */
async function rotate({ seeded }: MainJob): Promise<{ before: string; after: string }> {
  made += 1;
  const { accessKeyId: before, arn } = seeded.accessKey;
  const key = { accessKeyId: `AKIAROTATED${made}`, secretAccessKey: `secret ${made}` };
  sandbox.iam.add({
    ...key,
    arn,
    policy: { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } },
  });
  const SecretString = JSON.stringify({
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    ACTIVITY_ARN: seeded.activityArn,
    S3_BUCKET: seeded.bucket,
  });
  await sandbox.call('secretsmanager', 'PutSecretValue', { SecretId: seeded.secretName, SecretString });
  return { before, after: key.accessKeyId };
}

const script = () => ({
  name: 'Rotation',
  recording_level: 'INFO',
  starting_page: `${portal.url}/login`,
  // Its evidence goes to S3. No step for a picture: on a busy machine that fails by itself.
  steps: [{ action: 'wait', name: 'Time passes', duration: 200 }],
});

test(
  'keys that rotate while tasks run are followed: no task fails, also when the old key is off',
  async () => {
    const job = await start('rotates', {
      LBA_AWS_KEY_CHECK_HOURS: CHECK_HOURS,
      LBA_RECORDING_WAIT_FOR_UPLOADS: 'true',
      LBA_WORKER_CONCURRENCY: '2',
      LBA_WORKER_HEARTBEAT_SECONDS: '1',
    });
    try {
      const ends: Promise<string>[] = [];
      const begin = async (count: number) => {
        for (let n = 0; n < count; n += 1) {
          ends.push(
            (await job.begin(script())).ended.then(({ status, error, cause }) =>
              error === undefined ? status : `${error}: ${JSON.stringify(cause)}`,
            ),
          );
        }
      };
      for (let round = 0; round < 2; round += 1) {
        await begin(1);
        const { after } = await rotate(job);
        const isWith = (service: string) => (request: LoggedRequest) =>
          request.accessKeyId === after && request.service === service;
        await sandbox.requests.waitFor(isWith('states'), { answered: false });
        for (const id of [job.seeded.accessKey.accessKeyId, `AKIAROTATED${made - 1}`]) sandbox.iam.revoke(id);
        await begin(1);
      }
      expect(await Promise.all(ends)).toEqual(ends.map(() => 'SUCCEEDED'));
      const stored = await readStoredKeys(new FileVault(home), 'rotates');
      expect(stored?.accessKeyId).toBe(`AKIAROTATED${made}`);
    } finally {
      await job.close();
    }
  },
  TEST_MS,
);

test('a key that stopped working before it was seen is replaced through the profile that setup was run with', async () => {
  const folder = join(home, 'aws');
  mkdirSync(folder);
  const admin = sandbox.env;
  writeFileSync(
    join(folder, 'credentials'),
    `[reader]\naws_access_key_id=${admin['AWS_ACCESS_KEY_ID']}\naws_secret_access_key=${admin['AWS_SECRET_ACCESS_KEY']}\n`,
  );
  const before = process.env['AWS_SHARED_CREDENTIALS_FILE'];
  // The SDK reads its own environment from the process, and only from there.
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = join(folder, 'credentials');
  const vault = new FileVault(home);
  const job = await start('late', {});
  try {
    const { accessKey } = job.seeded;
    await storeCredentials(vault, 'late', accessKey, { readerProfile: 'reader' });
    const { after } = await rotate(job);
    sandbox.iam.revoke(accessKey.accessKeyId);
    expect(await job.task(script())).toMatchObject({ status: 'SUCCEEDED' });
    expect((await readStoredKeys(vault, 'late'))?.accessKeyId).toBe(after);
  } finally {
    await job.close();
    if (before === undefined) delete process.env['AWS_SHARED_CREDENTIALS_FILE'];
    else process.env['AWS_SHARED_CREDENTIALS_FILE'] = before;
  }
});

test('a changed key that does not work leaves the old one in its place', async () => {
  const job = await start('broken', { LBA_AWS_KEY_CHECK_HOURS: CHECK_HOURS });
  try {
    const { after } = await rotate(job);
    sandbox.iam.revoke(after);
    await sandbox.requests.waitFor((request) => request.service === 'sts' && request.accessKeyId === after);
    expect(await job.task(script())).toMatchObject({ status: 'SUCCEEDED' });
    const stored = await readStoredKeys(new FileVault(home), 'broken');
    expect(stored?.accessKeyId).toBe(job.seeded.accessKey.accessKeyId);
  } finally {
    await job.close();
  }
});
