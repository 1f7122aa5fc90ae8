/** A machine from nothing to its first finished run: with one command, and with a setup code, as its person does it. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  startPortal,
  startSandbox,
  type Portal,
  type Sandbox,
  type SeededEnvironment,
} from '../../agent/sandbox/index.ts';
import { cli, startCli } from '../fixtures/cli.ts';
import { deploy } from '../fixtures/deployed.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

const ENV = 'prod';
/** Polls end soon; in milliseconds. */
const POLL_MS = 500;
/** To the end of the first run, in milliseconds: 30 s on a machine that does little else, more on a busy one. */
const PATIENCE_MS = 4 * 30_000;
/** Processes start slowly on a busy machine. */
const TEST_MS = 240_000;

let sandbox: Sandbox;
let portal: Portal;
let seeded: SeededEnvironment;

beforeAll(async () => {
  sandbox = await startSandbox({ pollMs: POLL_MS, iam: {} });
  portal = await startPortal();
  ({ seeded } = await deploy(sandbox, ENV));
});

afterAll(async () => {
  await portal.close();
  await sandbox.close();
});

function folder(): string {
  const home = makeHome('first run');
  onTestFinished(() => removeHome(home));
  return home;
}

/** An execution that waits for somebody to do its task. */
async function startExecution(): Promise<string> {
  const { stateMachineArn } = await sandbox.call('states', 'CreateStateMachine', {
    name: 'first-run',
    roleArn: seeded.roleArn,
    definition: JSON.stringify({
      StartAt: 'Browser',
      States: { Browser: { Type: 'Task', Resource: seeded.activityArn, HeartbeatSeconds: 60, End: true } },
    }),
  });
  const input = JSON.stringify({
    name: 'First run',
    starting_page: `${portal.url}/login`,
    steps: [{ action: 'screenshot', name: 'Page' }],
  });
  const { executionArn } = await sandbox.call('states', 'StartExecution', { stateMachineArn, input });
  return String(executionArn);
}

/** Waits for its good end, and says how long that was. */
async function succeeded(executionArn: string, what: string, fromMs: number): Promise<void> {
  const { status, output, cause } = await sandbox.executionEnded(executionArn);
  const tookMs = performance.now() - fromMs;
  expect(status, cause).toBe('SUCCEEDED');
  expect(JSON.parse(output ?? '{}')).toMatchObject({ success: true });
  console.log(`from ${what} to the end of the first run: ${(tookMs / 1000).toFixed(1)} s`);
  expect(tookMs).toBeLessThan(PATIENCE_MS);
}

test('setup --run: configured, proved, and the first task done', { timeout: TEST_MS }, async () => {
  const execution = await startExecution();
  const fromMs = performance.now();
  const agent = startCli(['setup', '--env', ENV, '--run', '--home', folder()], {
    env: { ...sandbox.env, LBA_API_ENABLED: 'false' },
  });
  await succeeded(execution, 'nothing', fromMs);
  expect((await agent.end()).code).toBe(0);
  expect(agent.stderr()).toMatch(/✓ Activity[^]*Ready\. The agent starts\./);
});

interface Made {
  machine: string;
  code: string;
}

test(
  'invite, setup --code, run: a first run in S3; the code is no good twice; a revoked machine stops',
  { timeout: TEST_MS },
  async () => {
    const office = folder();
    const admin = (...args: string[]) =>
      cli(['invite', ...args, '--env', ENV, '--home', office, '--json'], { env: sandbox.env });
    const made = JSON.parse((await admin('--name', 'Front desk')).stdout) as Made;

    const desk = folder();
    const env = { AWS_ENDPOINT_URL: sandbox.url, AWS_EC2_METADATA_DISABLED: 'true' };
    const execution = await startExecution();
    const fromMs = performance.now();
    const set = await cli(['setup', '--code', '-', '--home', desk], { env, input: `${made.code}\n` });
    expect(set.code, set.stderr).toBe(0);
    expect(set.stderr).toMatch(
      /Setup code: traded for keys of this machine's own[^]*Ready\. Start the agent/,
    );
    expect(set.stdout + set.stderr).not.toContain(made.code);
    const agent = startCli(['run', '--home', desk], { env: { ...env, LBA_API_ENABLED: 'false' } });
    await succeeded(execution, 'the setup code', fromMs);

    // Its configuration can be read anew, with its own keys.
    const anew = await cli(['setup', '--env', ENV, '--home', desk], { env });
    expect(anew.code, anew.stderr).toBe(0);
    const again = await cli(['setup', '--code', made.code, '--home', folder()], { env });
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/this setup code was used already, or taken back\..*ask an administrator/);

    expect(JSON.parse((await admin('list')).stdout)).toMatchObject([
      { machine: made.machine, state: 'active' },
    ]);
    expect((await admin('revoke', made.machine)).code).toBe(0);
    await agent.said(/MachineRevoked: AWS does not know this machine's access key any more/);
    expect((await agent.end()).code).toBe(0);
    expect((await admin('list')).stdout.trim()).toBe('[]');
    expect((await admin('revoke', made.machine)).stderr).toContain(`there is no machine ${made.machine}`);
  },
);
