/** Machines with an identity of their own, on a sandbox that refuses keys it does not know and what no policy allows. */
import { GetActivityTaskCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createClients, type AwsClients, type AwsCredentials } from '../../agent/aws/clients.ts';
import { homePaths } from '../../agent/base/paths.ts';
import { invite, listMachines, revoke, tradeSetupCode } from '../../agent/config/invitation.ts';
import { setup } from '../../agent/config/setup.ts';
import { readSetupCode, type SetupCode } from '../../agent/config/setup-code.ts';
import { readStoredKeys } from '../../agent/config/stored-keys.ts';
import { FileVault } from '../../agent/config/vault.ts';
import { startSandbox, type Sandbox, type SeededEnvironment } from '../../agent/sandbox/index.ts';
import { openDatabase } from '../../agent/store/database.ts';
import { openAgent } from '../../agent/agent.ts';
import { serve } from '../../agent/serve.ts';
import { silentLogger } from '../../agent/base/log.ts';
import { deploy } from '../fixtures/deployed.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

const ENV = 'prod';
const HOUR_MS = 3_600_000;
/** Polls end soon; in milliseconds. */
const POLL_MS = 200;

let sandbox: Sandbox;
let seeded: SeededEnvironment;
let admin: AwsClients;

beforeAll(async () => {
  sandbox = await startSandbox({ pollMs: POLL_MS, iam: {} });
  ({ seeded } = await deploy(sandbox, ENV));
  admin = connect({
    accessKeyId: sandbox.env['AWS_ACCESS_KEY_ID']!,
    secretAccessKey: sandbox.env['AWS_SECRET_ACCESS_KEY']!,
  });
});

afterAll(async () => {
  admin.destroy();
  await sandbox.close();
});

const connect = (credentials: AwsCredentials) =>
  createClients({ region: sandbox.region, endpoint: sandbox.url, credentials, env: {} });

function machineHome() {
  const home = makeHome('invite');
  onTestFinished(() => removeHome(home));
  return { home, vault: new FileVault(home) };
}

async function invited(more: { label?: string; forMs?: number } = {}) {
  const made = await invite(admin, { environment: ENV, region: sandbox.region, forMs: HOUR_MS, ...more });
  return { ...made, read: readSetupCode(made.code) };
}

const trade = (code: SetupCode, vault: FileVault) => tradeSetupCode(code, { vault, connect });

const state = async (machine: string) =>
  (await listMachines(admin, ENV)).find(({ name }) => name === machine)?.state ?? 'gone';

async function poll(credentials: AwsCredentials): Promise<string> {
  const clients = connect(credentials);
  const { activityArn } = seeded;
  try {
    await (await clients.sfnPoll()).send(new GetActivityTaskCommand({ activityArn }));
    return 'polled';
  } catch (thrown) {
    return (thrown as Error).message;
  } finally {
    clients.destroy();
  }
}

test('a code becomes keys of this machine’s own, which may do what agents do, and the code is worthless', async () => {
  const { machine, read } = await invited({ label: 'Front desk, left' });
  expect(machine).toMatch(/^browser-agent-prod-front-desk-lef-[0-9a-f]{8}$/);
  expect(await state(machine)).toBe('invited');
  const { vault } = machineHome();
  const own = await trade(read, vault);
  expect(await state(machine)).toBe('active');
  expect(await poll(own)).toBe('polled');
  expect(await poll(read)).toContain('security token included in the request is invalid');
  expect(await readStoredKeys(vault, ENV)).toMatchObject({ from: 'machine', accessKeyId: own.accessKeyId });
  await expect(trade(read, machineHome().vault)).rejects.toThrow(
    new RegExp(`was used already, or taken back.*ask an administrator for another.*revoke ${machine}`),
  );
});

test('before it is traded a code can do nothing else', async () => {
  const { read } = await invited();
  expect(await poll(read)).toContain('with an explicit deny');
});

test('of two machines with one code one gets keys', async () => {
  const { read, machine } = await invited();
  const [one, other] = [machineHome(), machineHome()];
  const both = await Promise.allSettled([trade(read, one.vault), trade(read, other.vault)]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  const [won] = both.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  expect(await poll(won!)).toBe('polled');
  expect(await state(machine)).toBe('active');
});

test('an invitation that fails half-way and cannot be taken back names the user that is left', async () => {
  const sdk = await import('@aws-sdk/client-iam');
  const iam = await admin.iam();
  const UserName = 'clerk';
  const mayBegin = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['iam:CreateUser', 'iam:PutUserPolicy'], Resource: '*' }],
  };
  await iam.send(new sdk.CreateUserCommand({ UserName }));
  await iam.send(
    new sdk.PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: JSON.stringify(mayBegin) }),
  );
  const { AccessKey: key } = await iam.send(new sdk.CreateAccessKeyCommand({ UserName }));
  const clerk = connect({ accessKeyId: key!.AccessKeyId!, secretAccessKey: key!.SecretAccessKey! });
  onTestFinished(() => clerk.destroy());
  const failed = await invite(clerk, { environment: ENV, region: sandbox.region, forMs: HOUR_MS }).catch(
    (thrown: unknown) => (thrown as Error).message,
  );
  const [, left] =
    /The IAM user (\S+) may have been left behind .*invite revoke \1$/.exec(failed as string) ?? [];
  expect(left).toMatch(/^browser-agent-prod-[0-9a-f]{8}$/);
  expect(await revoke(admin, left!)).toBe(true);
});

test('a code that has expired is refused by AWS, and so is one that was taken back', async () => {
  const late = await invited({ forMs: -1_000 });
  expect(await state(late.machine)).toBe('expired');
  await expect(trade(late.read, machineHome().vault)).rejects.toThrow(/has expired \(it was good until 20/);
  const back = await invited();
  expect(await revoke(admin, back.machine)).toBe(true);
  expect(await state(back.machine)).toBe('gone');
  await expect(trade(back.read, machineHome().vault)).rejects.toThrow('was used already, or taken back');
  expect(await revoke(admin, back.machine)).toBe(false);
});

test.each(['DeleteAccessKey', 'DeleteUserPolicy'])(
  'a trade that breaks off at %s goes on with the same code on the same machine',
  async (operation) => {
    const { read } = await invited();
    const { vault } = machineHome();
    const mend = sandbox.faults.add({ service: 'iam', operation, error: { code: 'Broken', status: 400 } });
    await expect(trade(read, vault)).rejects.toThrow('Broken');
    await expect(trade(read, machineHome().vault)).rejects.toThrow(/being used by another|was used already/);
    mend();
    expect(await poll(await trade(read, vault))).toBe('polled');
  },
);

test('a trade whose last answer was lost is complete', async () => {
  const { read } = await invited();
  const { vault } = machineHome();
  const mend = sandbox.faults.add({ service: 'iam', operation: 'DeleteUserPolicy', disconnect: 'after' });
  await trade(read, vault).catch(() => undefined);
  mend();
  expect(await poll(await trade(read, vault))).toBe('polled');
});

test('half a code, and what is no code, is seen before anything is asked of AWS', async () => {
  const { code } = await invited();
  sandbox.requests.clear();
  expect(() => readSetupCode(code.slice(0, -3))).toThrow('not complete');
  expect(() => readSetupCode(code.slice(0, 60) + code.slice(61))).toThrow('not complete');
  expect(() => readSetupCode('AKIA123')).toThrow('this is no setup code');
  expect(readSetupCode(`${code.slice(0, 70)}\n ${code.slice(70)}\n`).userName).toBe(
    readSetupCode(code).userName,
  );
  expect(sandbox.requests.all()).toEqual([]);
});

test('no stack, no machine: nothing is left behind', async () => {
  const nowhere = { environment: 'nowhere', region: sandbox.region, forMs: HOUR_MS };
  await expect(invite(admin, nowhere)).rejects.toThrow(
    'there is no policy arn:aws:iam::000000000000:policy/browser-agent-nowhere: deploy the stack',
  );
  expect(await listMachines(admin, 'nowhere')).toEqual([]);
});

test('setup leaves the shared key in the secret alone; a revoked machine asks nothing more and says why', async () => {
  const { read, machine } = await invited();
  const { home, vault } = machineHome();
  const own = await trade(read, vault);
  const env = { AWS_ENDPOINT_URL: sandbox.url, PATH: process.env['PATH'] };
  const db = openDatabase(homePaths(home).database);
  const result = await setup({
    home,
    env,
    db,
    vault,
    environment: ENV,
    region: sandbox.region,
    signIn: { kind: 'machine', credentials: own },
  });
  db.close();
  expect(result.steps.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect((await readStoredKeys(vault, ENV))?.accessKeyId).toBe(own.accessKeyId);

  const agent = await openAgent({ home, env: { ...env, LBA_API_ENABLED: 'false' }, log: silentLogger });
  const details: string[] = [];
  agent.events.on('test', (event) => {
    if (event.type === 'agent.state' && event.detail !== undefined) details.push(event.detail);
  });
  const { worker } = await serve(agent);
  try {
    const isOwn = ({ accessKeyId }: { accessKeyId?: string }) => accessKeyId === own.accessKeyId;
    await sandbox.requests.waitFor((each) => isOwn(each) && each.operation === 'GetActivityTask');
    expect(await revoke(admin, machine)).toBe(true);
    // What status, window and log show.
    await expect
      .poll(() => details.at(-1), { timeout: 20_000 })
      .toMatch(/^MachineRevoked: .* was taken back, .* Ask an administrator .* setup --code/);
    sandbox.requests.clear();
    // Each client asks for credentials, and gets the words in the place of any.
    await expect((await agent.clients.sts()).config.credentials()).rejects.toThrow('was taken back');
    expect(sandbox.requests.all().filter(isOwn)).toEqual([]);
  } finally {
    await worker.stop({ deadlineMs: 1_000 });
    await agent.close();
  }
});
