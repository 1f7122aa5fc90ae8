/** The command line as people and scripts use it: exit codes, the two streams, and an agent that is steered by it. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  seedEnvironment,
  startPortal,
  startSandbox,
  type Portal,
  type Sandbox,
  type SeededEnvironment,
} from '../../agent/sandbox/index.ts';
import { cli, startCli, type CliOptions, type CliResult } from '../fixtures/cli.ts';
import { childrenOf, makeHome, removeHome } from '../fixtures/home.ts';

const VERBS = [
  'run',
  'setup',
  'invite',
  'doctor',
  'exec',
  'validate',
  'profiles',
  'runs',
  'uploads',
  'config',
  'status',
  'pause',
  'resume',
  'drain',
  'audit',
  'keys',
  'app',
  'live',
  'sandbox',
  'demo',
  'import',
];

let home: string;
let script: string;

beforeEach(() => {
  home = makeHome('cli');
  script = join(home, 'script.json');
});

afterEach(() => removeHome(home));

const verb = (args: string[], options?: CliOptions): Promise<CliResult> =>
  cli([...args, '--home', home], options);

async function json<T = Record<string, unknown>>(args: string[], options?: CliOptions): Promise<T> {
  const { stdout } = await verb([...args, '--json'], options);
  return JSON.parse(stdout) as T;
}

describe('help', () => {
  test('names every verb, on standard output', async () => {
    const { code, stdout } = await cli(['--help']);
    expect(code).toBe(0);
    const named = [...stdout.matchAll(/^ {2}([a-z]+) (?:\[|<| )/gm)].map((match) => match[1]);
    expect(named.filter((name) => name !== 'help')).toEqual(VERBS);
  });

  test.each(VERBS)('of %s exits with 0 and tells its options', async (name) => {
    const { code, stdout, stderr } = await cli([name, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: local-browser-agent ${name} `));
    expect(stdout).toContain('--home <folder>');
  });

  test('the version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });
});

describe('exit codes', () => {
  test.each([
    [['nonsense'], /unknown command 'nonsense'/],
    [['exec'], /missing required argument/],
    [['setup'], /--env, or give the setup code with --code/],
    [['run', '--log-level', 'loud'], /Allowed choices are trace/],
    [['exec', 'x.json', '--level', 'LOUD'], /--level is "LOUD".*Use one of NONE/],
    [['exec', '-', '--var', 'novalue'], /--var novalue: write it as --var name=value/],
    [['config', 'nonsense'], /use show, get, set or secret/],
    [['config', 'get', 'recording.levle'], /recording\.levle/],
    [['config', 'set', 'recording.max_level', 'LOUD'], /NONE, ERROR, INFO, DEBUG, TRACE/],
    [['profiles', 'nonsense', 'x'], /use list, create, tag/],
    [['profiles', 'create'], /usage: .*profiles create NAME/],
    [['runs', '--state', 'asleep'], /use one of .*succeeded/],
    [['runs', '--limit', '0'], /a whole number above 0/],
    [['runs', 'cancel'], /usage: .*runs cancel ID/],
    [['runs', 'one', 'two'], /use list, show ID or cancel ID/],
    [['audit', 'nonsense'], /use list or verify/],
    [['audit', 'list', '--before', 'x'], /a whole number above 0/],
    [['sandbox', '--port', '70000'], /use 0 to 65535/],
  ])('wrong use is 2, and says what would be right: %j', async (args, says) => {
    const home = ['nonsense', 'exec', 'setup'].includes(args.join(' '));
    const { code, stdout, stderr } = await (home ? cli(args) : verb(args));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(says);
  });

  test.each([
    [['exec', 'missing.json'], /missing\.json cannot be read/],
    [['runs', 'no-such-run'], /there is no run no-such-run/],
    [['runs', 'show', 'no-such-run'], /there is no run no-such-run/],
    [['runs', 'cancel', 'no-such-run'], /No agent has run/],
    [['status'], /No agent has run/],
    [['pause'], /No agent has run/],
    [['audit', 'verify'], /No agent has run .*no audit log/],
    [['profiles', 'delete', 'nobody'], /ProfileNotFound.*"nobody"/],
    [['run', '--once'], /no activity is configured.*setup --env/],
  ])('what fails is 1, and says what to do: %j', async (args, says) => {
    const { code, stdout, stderr } = await verb(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(says);
  });
});

describe('validate', () => {
  test('says every problem with file, line, column and path, on standard output', async () => {
    writeFileSync(
      script,
      '{\n  "name": "Bad",\n  "steps": [\n    { "action": "clik", "selector": "#go" },\n    { "action": "wait", "duration": "long" }\n  ]\n}\n',
    );
    const { code, stdout, stderr } = await verb(['validate', script]);
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([
      `${script}:4:17 error $.steps[0].action: unknown action "clik" Did you mean "click"?`,
      `${script}:5:37 error $.steps[1].duration: "duration" must be a number, not a string`,
      '',
    ]);
    expect(stderr).toContain('1 of 1 not valid');
    const [asJson] = await json<{ problems: object[] }[]>(['validate', script]);
    expect(asJson).toMatchObject({
      file: script,
      valid: false,
      problems: [
        { severity: 'error', path: '$.steps[0].action', line: 4, column: 17, suggestion: 'click' },
        {},
      ],
    });
  });
});

describe('settings', () => {
  test('each is shown with its source: environment before file before default', async () => {
    expect(await verb(['config', 'set', 'recording.max_level', 'DEBUG'])).toMatchObject({
      code: 0,
      stdout: '',
    });
    expect(await verb(['config', 'set', 'recording.keep_days', '7'])).toMatchObject({ code: 0 });
    const env = {
      LBA_RECORDING_KEEP_DAYS: '9',
      AWS_SECRET_ACCESS_KEY: 'never-shown',
      AWS_ACCESS_KEY_ID: 'AK',
    };
    const rows = await json<{ key: string; value: unknown; source: string }[]>(['config', 'show'], { env });
    const row = (key: string): object | undefined => rows.find((candidate) => candidate.key === key);
    expect(row('recording.max_level')).toMatchObject({
      value: 'DEBUG',
      source: expect.stringMatching(/^settings\.yaml/),
    });
    expect(row('recording.keep_days')).toMatchObject({
      value: 9,
      source: expect.stringContaining('LBA_RECORDING_KEEP_DAYS'),
    });
    expect(row('worker.concurrency')).toMatchObject({ value: 1, source: 'default' });
    const { stdout } = await verb(['config', 'show'], { env });
    expect(stdout).toMatch(/^recording\.max_level +DEBUG +settings\.yaml/m);
    expect(stdout + JSON.stringify(rows)).not.toContain('never-shown');
  });

  test('a secret is taken from standard input and shown nowhere', async () => {
    const kept = await verb(['config', 'secret', 'portal'], { input: 'open sesame 7\n' });
    expect(kept.code).toBe(0);
    const shown = await verb(['config', 'show']);
    expect(kept.stdout + kept.stderr + shown.stdout + shown.stderr).not.toContain('open sesame 7');
  });
});

describe('profiles', () => {
  test('are created, tagged, cloned, listed and deleted', async () => {
    for (const args of [
      ['create', 'Portal north', 'finance', 'north'],
      ['create', 'Second'],
      ['tag', 'Second', 'south'],
      ['clone', 'Portal north', 'Copy'],
      ['delete', 'Second'],
    ]) {
      expect(await verb(['profiles', ...args])).toMatchObject({ code: 0, stdout: '' });
    }
    const rows = await json<{ name: string; tags: string[] }[]>(['profiles', 'list']);
    expect(Object.fromEntries(rows.map(({ name, tags }) => [name, tags.toSorted()]))).toEqual({
      Copy: ['finance', 'north'],
      'Portal north': ['finance', 'north'],
    });
    const { code, stderr } = await verb(['profiles', 'create', 'Copy']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/"Copy"/);
  });
});

describe('what is asked as JSON where nothing is yet', () => {
  test.each([
    [['runs'], []],
    [['uploads'], []],
    [['profiles', 'list'], []],
    [['status'], { running: false }],
  ])('%j is valid JSON all the same', async (args, expected) => {
    expect(await json<unknown>(args)).toEqual(expected);
  });
});

describe('exec', () => {
  let portal: Portal;

  beforeAll(async () => {
    portal = await startPortal();
  });

  afterAll(() => portal.close());

  test('gives the result on standard output, progress on standard error, and the evidence where it is told to', async () => {
    const out = join(home, 'evidence');
    const input = JSON.stringify({
      name: 'From standard input',
      variables: { portal: { required: true }, count: { type: 'integer', required: true } },
      starting_page: '{{portal}}/login',
      steps: [{ action: 'screenshot', name: 'Page' }],
      output: { count: '{{count}}' },
    });
    writeFileSync(join(home, 'vars.json'), JSON.stringify({ portal: portal.url, count: 1 }));
    const args = [
      'exec',
      '-',
      '--vars',
      join(home, 'vars.json'),
      '--var',
      'count=2',
      '--level',
      'debug',
      '--out',
      out,
    ];
    const { code, stdout, stderr } = await verb(args, { input });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      success: true,
      data: { count: 2 },
      recording: { level: 'DEBUG', reason: '--level on the command line', files: expect.any(Number) },
    });
    expect(stderr).toMatch(/From standard input: level DEBUG[^]*✓ 1 Starting page[^]*✓ 2 Page/);
    expect(readdirSync(out)).toEqual(
      expect.arrayContaining(['manifest.json', 'steps', 'trace.zip', 'final']),
    );
    expect(await childrenOf(home)).toEqual([]);
  });

  test('of a script that is not valid gives a result, too, and exit code 1', async () => {
    const { code, stdout } = await verb(['exec', '-'], { input: '{"name": "No steps"}' });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      success: false,
      error: { name: 'BrowserAgent.InvalidScript', message: expect.stringContaining('"steps" is missing') },
    });
  });
});

describe('an agent on the sandbox', () => {
  /** Polls end soon, so that draining is not a minute of waiting; in milliseconds. */
  const POLL_MS = 1_000;

  let sandbox: Sandbox;
  let seeded: SeededEnvironment;
  let portal: Portal;
  let stateMachineArn: string;
  /** An administrator's shell, for setup. */
  let admin: CliOptions;
  /** The agent's own: it knows where AWS is, and nothing more. */
  let plain: CliOptions;

  beforeAll(async () => {
    sandbox = await startSandbox({ pollMs: POLL_MS });
    seeded = await seedEnvironment(sandbox, { env: 'cli', parameters: { 'recording/max-level': 'DEBUG' } });
    portal = await startPortal();
    admin = { env: sandbox.env };
    plain = { env: { AWS_ENDPOINT_URL: sandbox.url } };
    const created = await sandbox.call('states', 'CreateStateMachine', {
      name: 'command-line',
      roleArn: seeded.roleArn,
      definition: JSON.stringify({
        StartAt: 'Browser',
        States: { Browser: { Type: 'Task', Resource: seeded.activityArn, HeartbeatSeconds: 60, End: true } },
      }),
    });
    stateMachineArn = String(created['stateMachineArn']);
  });

  afterAll(async () => {
    await portal.close();
    await sandbox.close();
  });

  async function begin(...steps: object[]): Promise<string> {
    const input = JSON.stringify({ name: 'Task', starting_page: `${portal.url}/login`, steps });
    const { executionArn } = await sandbox.call('states', 'StartExecution', { stateMachineArn, input });
    return String(executionArn);
  }

  const quick = { action: 'screenshot', name: 'Page', full_page: false };
  const setUp = (): Promise<CliResult> => verb(['setup', '--env', 'cli', '--yes'], admin);

  test('setup fetches, stores and proves; the earlier spelling works; no secret is shown', async () => {
    const { code, stdout, stderr } = await verb(['--setup', '--env', 'cli', '--yes'], admin);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/✓ Signed in[^]*✓ Stored[^]*Ready\. Start the agent/);

    const rows = await json<{ key: string; value: unknown; source: string }[]>(['config', 'show'], plain);
    const row = (key: string): object | undefined => rows.find((candidate) => candidate.key === key);
    expect(row('aws.env')).toMatchObject({ value: 'cli', source: expect.stringContaining('settings.yaml') });
    expect(row('aws.activity_arn')).toMatchObject({
      value: seeded.activityArn,
      source: expect.stringMatching(/AWS|secret|parameter/i),
    });
    expect(row('recording.max_level')).toMatchObject({
      value: 'DEBUG',
      source: expect.stringMatching(/AWS|parameter/i),
    });
    expect(stdout + stderr + JSON.stringify(rows)).not.toContain(seeded.accessKey.secretAccessKey);

    const again = await json(['setup', '--env', 'cli', '--yes'], admin);
    expect(again).toMatchObject({ ok: true, steps: expect.any(Array) });
    // Another environment is not taken over without a question.
    const other = await verb(['setup', '--env', 'other'], admin);
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/set up for environment "cli".*Add --yes/);
  });

  test('setup of an environment that is not there fails and says what is missing', async () => {
    const { code, stderr } = await verb(['setup', '--env', 'nowhere', '--yes'], admin);
    expect(code).toBe(1);
    expect(stderr).toMatch(/browser-agent-credentials-nowhere|\/browser-agent\/nowhere/);
  });

  test('doctor checks each permission for real, and says how to mend what is missing', async () => {
    await setUp();
    const good = await verb(['doctor', '--json'], plain);
    const checks = JSON.parse(good.stdout) as { id: string; title: string; status: string; fix: string }[];
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(good.code).toBe(0);
    expect(checks.map(({ id }) => id)).toEqual(expect.arrayContaining(['browser', 'ffmpeg']));

    sandbox.faults.deny('s3', 'PutObject');
    const bad = await verb(['doctor'], plain);
    sandbox.faults.clear();
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/✗ .*s3:PutObject/i);
    expect(bad.stdout).toMatch(/To do:[^]*s3:PutObject/);
  });

  test('status, pause, resume and drain steer the running agent; runs and uploads show what it did', async () => {
    await setUp();
    const agent = startCli(['run', '--home', home], plain);
    await agent.said(/the agent is at work/);
    expect(await json(['status'])).toMatchObject({
      running: true,
      state: 'working',
      activityArn: seeded.activityArn,
    });

    expect(await verb(['pause'])).toMatchObject({ code: 0, stdout: '' });
    expect(await json(['status'])).toMatchObject({ running: true, state: 'paused' });
    // The poll that was open when it was paused ends without a task; then there is none to take the next.
    const openPolls = (): number =>
      sandbox.requests
        .all({ service: 'states', operation: 'GetActivityTask' })
        .filter(({ durationMs }) => durationMs === undefined).length;
    await expect.poll(openPolls, { timeout: 10_000 }).toBe(0);
    const execution = await begin(quick, {
      action: 'human',
      name: 'Ask',
      message: 'Please look at the page.',
      timeout: 60_000,
    });
    await expect.poll(() => sandbox.tasksWaiting(seeded.activityArn), { timeout: 10_000 }).toBe(1);
    expect(openPolls()).toBe(0);

    expect(await verb(['resume'])).toMatchObject({ code: 0 });
    await expect
      .poll(() => json<{ waitingForPerson?: object[] }>(['status']), { timeout: 30_000 })
      .toMatchObject({ waitingForPerson: [{ message: 'Please look at the page.' }] });
    const [run] = await json<{ run_id: string; state: string }[]>(['runs']);
    expect(run).toMatchObject({ state: 'running', script_name: 'Task' });
    expect(await verb(['resume', 'another-run'])).toMatchObject({ code: 1 });
    expect(await verb(['resume', run!.run_id])).toMatchObject({ code: 0 });
    expect(await sandbox.executionEnded(execution)).toMatchObject({ status: 'SUCCEEDED' });

    // The report does not wait for the uploads.
    await expect
      .poll(() => json(['runs', run!.run_id]), { timeout: 30_000 })
      .toMatchObject({
        state: 'succeeded',
        steps: [{ step_number: 1 }, { name: 'Page' }, { name: 'Ask', action: 'human' }],
        uploads: { pending: 0, failed: 0 },
        result: { success: true },
      });
    expect((await verb(['runs', run!.run_id])).stdout).toMatch(
      /Task: succeeded, level INFO[^]*manifest\.json/,
    );
    expect(await json<unknown[]>(['uploads'])).toEqual([]);
    expect(await verb(['uploads', '--retry'])).toMatchObject({ code: 0, stdout: '' });
    const uploads = await json<{ state: string; key: string }[]>(['uploads', '--all']);
    expect(new Set(uploads.map(({ state }) => state))).toEqual(new Set(['done']));
    expect(uploads.map(({ key }) => key)).toContain(`browser-sessions/${run!.run_id}/manifest.json`);

    expect(await verb(['drain'])).toMatchObject({ code: 0 });
    const ended = await agent.ended();
    expect(ended).toMatchObject({ code: 0, stdout: '' });
    expect(await verb(['status'])).toMatchObject({ code: 1 });
    expect(await childrenOf(home)).toEqual([]);

    expect(readFileSync(join(home, 'logs', 'agent.log'), 'utf8')).toBe(ended.stderr);
    const audit = await json<{ action: string; by: { kind: string } }[]>(['audit']);
    const said = audit.toReversed().map(({ action, by }) => `${by.kind} ${action}`);
    expect(said.filter((line) => / (setup|agent|run|api)\b/.test(line))).toEqual([
      'cli setup',
      'system agent.start',
      'owner api.pauseAgent',
      'owner api.resumeAgent',
      'task run.start',
      // Of a run that is none: what is refused is written down, too.
      'owner api.resumeRun',
      'owner api.resumeRun',
      'task run.end',
      'owner api.retryUploads',
      'owner api.drainAgent',
      'system agent.stop',
    ]);
    expect(await verb(['audit', 'verify'])).toMatchObject({ code: 0 });
  });

  test('runs cancel ends a run of the running agent, and says so when it has ended', async () => {
    await setUp();
    const agent = startCli(['run', '--home', home], plain);
    await agent.said(/the agent is at work/);
    const execution = await begin({ action: 'wait', name: 'Long', duration: 50_000 });
    await expect
      .poll(() => json<object[]>(['runs', 'list']), { timeout: 30_000 })
      .toMatchObject([{ state: 'running' }]);
    const [run] = await json<{ run_id: string }[]>(['runs']);
    expect(await verb(['runs', 'cancel', run!.run_id])).toMatchObject({ code: 0, stdout: '' });
    expect(await sandbox.executionEnded(execution)).toMatchObject({
      status: 'FAILED',
      error: 'BrowserAgent.Cancelled',
    });
    const again = await verb(['runs', 'cancel', run!.run_id]);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/Conflict.*has ended/);
    expect(await agent.end('SIGTERM')).toMatchObject({ code: 0 });
  });

  test('an agent whose API is off is seen to be at work; what needs the API says why it cannot', async () => {
    await setUp();
    const agent = startCli(['run', '--home', home], {
      env: { ...plain.env, LBA_API_ENABLED: 'false' },
    });
    await agent.said(/the agent is at work/);
    expect(await json(['status'])).toMatchObject({ running: true, api: false });
    expect(await verb(['status'])).toMatchObject({ code: 0, stderr: expect.stringContaining('api.enabled') });
    const paused = await verb(['pause']);
    expect(paused.code).toBe(1);
    expect(paused.stderr).toMatch(/An agent works on .*api\.enabled/);
    expect(await agent.end('SIGKILL')).toMatchObject({ code: null });
    expect(await json(['status'])).toMatchObject({ running: false });
  });

  test('an agent that was killed leaves an address behind that nobody believes', async () => {
    await setUp();
    const agent = startCli(['run', '--home', home], plain);
    await agent.said(/the agent is at work/);
    await agent.end('SIGKILL');
    expect(existsSync(join(home, 'api.json'))).toBe(true);
    expect(await verb(['status'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/No agent runs/) });
    expect(await verb(['pause'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/No agent runs/) });
  });

  test('a second agent on the same data directory is refused', async () => {
    await setUp();
    const agent = startCli(['run', '--home', home], plain);
    await agent.said(/the agent is at work/);
    const second = await verb(['run'], plain);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/works? on this data directory|already/i);
    expect(await agent.end('SIGTERM')).toMatchObject({ code: 0 });
  });

  test('SIGTERM drains: the task at hand is finished and reported, the next one is left, exit code 0', async () => {
    await setUp();
    const agent = startCli(['run', '--home', home], plain);
    await agent.said(/the agent is at work/);
    const first = await begin({ action: 'wait', name: 'Two seconds', duration: 2_000 }, quick);
    await agent.said(/task received/);
    process.kill(agent.pid, 'SIGTERM');
    await agent.said(/"msg":"draining"/);
    const second = await begin(quick);
    expect(await sandbox.executionEnded(first)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await agent.ended()).toMatchObject({ code: 0 });
    await expect.poll(() => sandbox.tasksWaiting(seeded.activityArn), { timeout: 10_000 }).toBe(1);
    expect(await childrenOf(home)).toEqual([]);

    // What was left is the next agent's; --once ends by itself after it.
    const once = await verb(['run', '--once'], plain);
    expect(once.code).toBe(0);
    expect(await sandbox.executionEnded(second)).toMatchObject({ status: 'SUCCEEDED' });
    expect(existsSync(join(home, 'runs'))).toBe(true);
    expect(await childrenOf(home)).toEqual([]);
  });
});
