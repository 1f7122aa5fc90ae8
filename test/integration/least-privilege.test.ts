/**
 * The policy of the committed template is enough for the work of an agent, and no permission of it is too
 * many: the sandbox refuses what it does not allow.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { homePaths } from '../../agent/base/paths.ts';
import { RECORDING_LEVELS, type RecordingLevel } from '../../agent/base/words.ts';
import { doctor, type Check } from '../../agent/config/doctor.ts';
import { storeCredentials } from '../../agent/config/credentials.ts';
import { loadConfig } from '../../agent/config/load.ts';
import { FileVault } from '../../agent/config/vault.ts';
import {
  startPortal,
  startSandbox,
  type PolicyText,
  type Portal,
  type Sandbox,
} from '../../agent/sandbox/index.ts';
import { setup, type SetupStep } from '../../agent/config/setup.ts';
import { openDatabase } from '../../agent/store/database.ts';
import { deploy, type DeployedPolicy } from '../fixtures/deployed.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';
import { startMainJob, type Ended } from '../fixtures/main-job.ts';

/** Polls end soon, so that closing the agent does not wait a minute; in milliseconds. */
const POLL_MS = 500;

/** More than goes up in one piece (8 MiB). */
const LARGE_FILE_BYTES = 9_000_000;

/** More than Step Functions takes (262,144). */
const LARGE_OUTPUT_CHARS = 300_000;

let sandbox: Sandbox;
let portal: Portal;

beforeAll(async () => {
  sandbox = await startSandbox({ pollMs: POLL_MS, iam: {} });
  portal = await startPortal();
});

afterAll(async () => {
  await portal.close();
  await sandbox.close();
});

const kmsKey = () => `arn:aws:kms:${sandbox.region}:${sandbox.accountId}:key/1234`;

describe('with the policy of the stack alone the main job passes', () => {
  test.each(RECORDING_LEVELS)('at level %s', async (level) => {
    const home = makeHome('least-privilege');
    const env = `level-${level.toLowerCase()}`;
    const { seeded } = await deploy(sandbox, env, { MaxRecordingLevel: level, KmsKey: kmsKey() });
    const job = await startMainJob({
      sandbox,
      home,
      env,
      variables: { LBA_RECORDING_MAX_LEVEL: level, LBA_RECORDING_WAIT_FOR_UPLOADS: 'true' },
    });
    try {
      sandbox.requests.clear();
      const small = await job.task(script(level, 10));
      expect(small).toMatchObject({ status: 'SUCCEEDED', output: { success: true } });
      const recording = small.output['recording'] as { level: string; pending: number; problems?: string[] };
      expect(recording).toMatchObject({ level, pending: 0 });
      expect(recording.problems).toBeUndefined();
      const large = await job.task(script(level, LARGE_OUTPUT_CHARS));
      expectLarge(large, level);
      const refused = sandbox.requests.all().filter(({ error }) => error !== undefined);
      const isOutput = ({ key = '' }: { key?: string }) => key.endsWith('/output.json');
      expect(refused.filter((each) => !(level === 'NONE' && isOutput(each)))).toEqual([]);
      const inParts = sandbox.requests.count('s3', 'UploadPart');
      // A download is evidence from INFO upwards.
      if (level === 'NONE' || level === 'ERROR') expect(inParts).toBe(0);
      else expect(inParts).toBeGreaterThan(2);
      if (level === 'NONE')
        expect(sandbox.requests.all({ service: 's3' }).filter((each) => !isOutput(each))).toEqual([]);
      expect(seeded.env).toBe(env);
    } finally {
      await job.close();
      removeHome(home);
    }
  });
});

/** Above the limit an output goes to S3; where agents have no rights there, the task says so. */
function expectLarge(ended: Ended, level: RecordingLevel): void {
  if (level !== 'NONE') {
    expect(ended).toMatchObject({ status: 'SUCCEEDED' });
    expect(ended.output['output_s3_uri']).toMatch(/^s3:\/\/.+\/output\.json$/);
    return;
  }
  expect(ended).toMatchObject({ status: 'FAILED', error: 'BrowserAgent.OutputTooLarge', known: true });
  expect(ended.cause['message']).toMatch(/MaxRecordingLevel is NONE.*return less with the script's "output"/);
}

function script(level: RecordingLevel, outputChars: number): object {
  return {
    name: 'Least privilege',
    recording_level: level,
    starting_page: `${portal.url}/login`,
    steps: [
      {
        action: 'download',
        name: 'Large file',
        trigger: {
          action: 'execute_js',
          script: `const a = document.createElement('a'); a.href = URL.createObjectURL(new Blob([new Uint8Array(${LARGE_FILE_BYTES})])); a.download = 'large.bin'; document.body.append(a); a.click();`,
        },
      },
      { action: 'screenshot', name: 'Page' },
      { action: 'execute_js', name: 'Text', script: `return 'x'.repeat(${outputChars})` },
    ],
  };
}

describe('doctor', () => {
  const env = 'doctor';
  let home: string;
  let arn: string;
  let atSetup: SetupStep[];
  let policy: DeployedPolicy;

  beforeAll(async () => {
    home = makeHome('least-doctor');
    const deployed = await deploy(sandbox, env, { KmsKey: kmsKey(), ScriptSecrets: 'yes' });
    ({ policy } = deployed);
    arn = deployed.seeded.accessKey.arn;
    const db = openDatabase(homePaths(home).database);
    const admin = sandbox.env;
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: admin['AWS_ACCESS_KEY_ID'],
      AWS_SECRET_ACCESS_KEY: admin['AWS_SECRET_ACCESS_KEY'],
    });
    const result = await setup({
      home,
      env: { AWS_ENDPOINT_URL: sandbox.url },
      db,
      vault: new FileVault(home),
      environment: env,
      region: sandbox.region,
    });
    db.close();
    atSetup = result.steps.filter(({ status }) => status !== 'ok');
    const { accessKeyId, secretAccessKey } = deployed.seeded.accessKey;
    await storeCredentials(new FileVault(home), env, { accessKeyId, secretAccessKey });
  });

  afterAll(() => removeHome(home));

  async function examine(): Promise<Check[]> {
    const db = openDatabase(homePaths(home).database);
    const bare = { AWS_ENDPOINT_URL: sandbox.url };
    try {
      return await doctor({
        config: loadConfig({ home, env: bare, db }),
        env: bare,
        vault: new FileVault(home),
        db,
      });
    } finally {
      db.close();
    }
  }

  /** Asked for, and not needed. */
  const isExtra = ({ id, status }: Check) => id === 'activity' && status === 'skip';
  const troubles = async () => (await examine()).filter((each) => each.status !== 'ok' && !isExtra(each));

  test('has nothing to say with the whole policy, and neither had setup', async () => {
    expect(atSetup).toEqual([]);
    sandbox.iam.setPolicy(arn, policy as PolicyText);
    expect(await troubles()).toEqual([]);
  });

  test('names each permission that is taken away, its resource, and nothing else', async () => {
    const taken: string[] = [];
    for (const [index, statement] of policy.Statement.entries()) {
      for (const action of [statement.Action].flat()) {
        const actions = [statement.Action].flat().filter((each) => each !== action);
        const rest = policy.Statement.flatMap((each, at) =>
          at !== index ? [each] : actions.length > 0 ? [{ ...each, Action: actions }] : [],
        );
        sandbox.iam.setPolicy(arn, { ...policy, Statement: rest } as PolicyText);
        const found = await troubles();
        const what = `${statement.Sid} without ${action}`;
        expect(
          found.map(({ status }) => status),
          `${what}: ${JSON.stringify(found)}`,
        ).toEqual(['fail']);
        // Of polling the second resource is only for asking.
        const resources = [statement.Resource].flat().filter((each) => !each.endsWith('_doctor'));
        expect(found[0]!.fix, what).toBe(
          `Ask for the permission ${action} on ${resources.join(' and ')} for this identity.`,
        );
        taken.push(action);
      }
    }
    expect(taken).toHaveLength(11);
  });
});
