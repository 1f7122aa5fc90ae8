/** A machine from nothing to its first finished run with one command. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  startPortal,
  startSandbox,
  type Portal,
  type Sandbox,
  type SeededEnvironment,
} from '../../agent/sandbox/index.ts';
import { startCli } from '../fixtures/cli.ts';
import { deploy } from '../fixtures/deployed.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

const ENV = 'dev';
/** Polls end soon; in milliseconds. */
const POLL_MS = 500;
/** The goal is 30 s, for a machine that does little else; in milliseconds. */
const PATIENCE_MS = 4 * 30_000;
const TEST_MS = 180_000;

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

test('setup --run: configured, proved, and the first task done', { timeout: TEST_MS }, async () => {
  const home = makeHome('first run');
  onTestFinished(() => removeHome(home));
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

  const from = performance.now();
  const agent = startCli(['setup', '--env', ENV, '--run', '--home', home], {
    env: { ...sandbox.env, LBA_API_ENABLED: 'false' },
  });
  const { status, output } = await sandbox.executionEnded(String(executionArn));
  const tookMs = performance.now() - from;
  expect(status, agent.stderr()).toBe('SUCCEEDED');
  expect(JSON.parse(output ?? '{}')).toMatchObject({ success: true });
  console.log(`from nothing to the end of the first run: ${(tookMs / 1000).toFixed(1)} s`);
  expect(tookMs).toBeLessThan(PATIENCE_MS);
  expect((await agent.end()).code).toBe(0);
  expect(agent.stderr()).toMatch(/✓ Activity[^]*Ready\. The agent starts\./);
});
