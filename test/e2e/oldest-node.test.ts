/** The built product on the oldest Node that package.json claims: its main job, its verbs, and the desktop's process. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { LEAST_NODE } from '../../agent/base/least-node.ts';
import { readToShell, type ToAgent, type ToShell } from '../../agent/base/shell-messages.ts';
import { cli, startCli, type CliResult } from '../fixtures/cli.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';
import { oldestNode } from '../fixtures/oldest-node.ts';
import { startOtlpReceiver } from '../fixtures/otlp-receiver.ts';

const DESKTOP = fileURLToPath(new URL('../../dist/agent/desktop.js', import.meta.url));
const MAIN_JOB_TIMEOUT_MS = 300_000;

const oldest = oldestNode();
if (!oldest.path) console.warn(`skipped, ${oldest.missing}`);

describe.skipIf(!oldest.path)(`on Node ${LEAST_NODE}`, () => {
  const node = oldest.path ?? '';
  let home: string;

  beforeEach(() => {
    home = makeHome('oldest');
    onTestFinished(() => removeHome(home));
  });

  const verb = (...args: string[]): Promise<CliResult> => cli([...args, '--home', home], { node });

  test('this is that Node', () => {
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' });
    expect(version).toMatch(new RegExp(`^v${LEAST_NODE}\\.`));
  });

  test('the main job holds every expectation of the demo', { timeout: MAIN_JOB_TIMEOUT_MS }, async () => {
    const demo = startCli(['demo', '--json'], { node });
    const [, rows] = await demo.said(/^(\[\n[\s\S]*^\])$/m);
    const problems = (JSON.parse(rows!) as { execution: string; problems: string[] }[]).flatMap((row) =>
      row.problems.map((problem) => `${row.execution}: ${problem}`),
    );
    expect(problems).toEqual([]);
    expect(await demo.ended()).toMatchObject({ code: 0 });
  });

  test('a script runs, an agent is steered over its API, and its traces reach a collector', async () => {
    const script = join(home, 'script.json');
    writeFileSync(
      script,
      JSON.stringify({ name: 'Wait', steps: [{ action: 'wait', name: 'A moment', duration: 10 }] }),
    );
    expect(await verb('validate', script)).toMatchObject({ code: 0 });
    expect(await verb('exec', script)).toMatchObject({ code: 0 });

    const collector = await startOtlpReceiver();
    onTestFinished(() => collector.close());
    const env = {
      LBA_API_PORT: '0',
      LBA_SANDBOX_ENABLED: 'true',
      LBA_TELEMETRY_OTLP_ENDPOINT: collector.url,
    };
    const agent = startCli(['run', '--home', home], { node, env });
    await agent.said(/the agent is at work/);
    expect(await verb('pause')).toMatchObject({ code: 0 });
    expect(JSON.parse((await verb('status', '--json')).stdout)).toMatchObject({ state: 'paused' });
    expect(await verb('resume')).toMatchObject({ code: 0 });
    expect(await agent.end('SIGTERM')).toMatchObject({ code: 0 });
    expect(collector.metrics().size).toBeGreaterThan(0);

    expect(await verb('audit', 'verify')).toMatchObject({ code: 0 });
    const { stdout } = await verb('doctor', '--json');
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ id: 'node', status: 'ok', detail: expect.stringMatching(/^22\./) }),
    );
  });

  test('the agent of the desktop app serves its API, and ends on request', async () => {
    const child = spawn(node, [DESKTOP], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { PATH: process.env['PATH'], HOME: home, LBA_API_PORT: '0', LBA_SANDBOX_ENABLED: 'true' },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const told: ToShell[] = [];
    const exited = once(child, 'exit');
    const ready = Promise.withResolvers<Extract<ToShell, { type: 'ready' }>>();
    child.on('message', (message) => {
      const read = readToShell(message);
      told.push(read);
      if (read.type === 'ready') ready.resolve(read);
    });
    const send = (message: ToAgent): boolean => child.send(message);
    send({ type: 'start', home, origin: 'app://app', vault: null });
    const { url, token } = await Promise.race([
      ready.promise,
      exited.then(() => Promise.reject(new Error(stderr))),
    ]);
    const answer = await fetch(`${url}/api/v1/agent`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    send({ type: 'stop', deadlineMs: 0 });
    expect(await exited).toEqual([0, null]);
    expect(told.at(-1)).toMatchObject({ type: 'ended', problem: null });
  });
});
