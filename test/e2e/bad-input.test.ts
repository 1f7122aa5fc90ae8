/**
 * Whatever a task brings and whatever breaks under it: the task ends with an error that a state machine can
 * catch and a cause that helps a person, the agent goes on with the next task, and no process is left.
 * Through the real main job: an execution, an activity task, a browser, evidence in S3.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { homePaths } from '../../agent/base/paths.ts';
import { startPortal, startSandbox, type Portal, type Sandbox } from '../../agent/sandbox/index.ts';
import { childrenOf, makeHome, removeHome } from '../fixtures/home.ts';
import { startMainJob, type Ended, type MainJob } from '../fixtures/main-job.ts';
import { freePort } from '../support/ports.ts';

/** What Step Functions hands over at the most, in bytes of UTF-8. */
const MAX_INPUT_BYTES = 262_144;
/** Polls end soon, so that closing an agent does not wait a minute; in milliseconds. */
const POLL_MS = 1_000;

let sandbox: Sandbox;
let portal: Portal;

beforeAll(async () => {
  sandbox = await startSandbox({ pollMs: POLL_MS });
  portal = await startPortal();
});

afterAll(async () => {
  await portal.close();
  await sandbox.close();
});

/** A script that works, needs no sign-in, and makes evidence. */
const good = (extra: object = {}): object => ({
  name: 'Good',
  starting_page: `${portal.url}/login`,
  steps: [
    { action: 'extract_dom', name: 'Heading', extractions: [{ name: 'heading', selector: 'h1' }] },
    { action: 'screenshot', name: 'Page', full_page: false },
  ],
  ...extra,
});

const steps = (...list: object[]): object => good({ steps: list });

/** The task after the bad one, which shows that the agent is as it was. */
async function expectGood(job: MainJob): Promise<Ended> {
  const ended = await job.task(good());
  expect(ended).toMatchObject({
    status: 'SUCCEEDED',
    output: { success: true, data: { Heading: { heading: 'Sign in' } } },
  });
  return ended;
}

/** What a state machine and a person get of a task that failed. */
const failure = (error: string, says: RegExp): object => ({
  status: 'FAILED',
  error,
  known: true,
  cause: { run_id: expect.any(String), message: expect.stringMatching(says) },
});

describe('one agent takes them all, one after the other', () => {
  let home: string;
  let job: MainJob;

  beforeAll(async () => {
    home = makeHome('bad-input');
    const { scripts } = homePaths(home);
    mkdirSync(scripts, { recursive: true });
    const including = (name: string, other: string): void =>
      writeFileSync(
        join(scripts, `${name}.json`),
        JSON.stringify({ name, steps: [{ action: 'include', name: `Include ${other}`, script: other }] }),
      );
    including('chicken', 'egg');
    including('egg', 'chicken');
    including('narcissus', 'narcissus');
    job = await startMainJob({ sandbox, home, env: 'bad' });
  });

  afterAll(async () => {
    await job.close();
    removeHome(home);
  });

  afterEach(() => sandbox.faults.clear());

  test.each([
    ['a list', '[1, 2, 3]', /must be a JSON object/],
    ['a text', '"run the invoice script"', /must be a JSON object/],
    ['a number', '42', /must be a JSON object/],
    [
      'an envelope around a list',
      { tool_name: 'browser_remote', tool_input: [] },
      /"tool_input" must be an object/,
    ],
    ['an envelope around broken JSON', { tool_input: '{"name": ' }, /"tool_input" is a string, .*not JSON/],
    ['a level that does not exist', { tool_input: {}, recording_level: 'LOUD' }, /one of NONE, ERROR, INFO/],
    ['a stored script that is not there', { script: 'invoices@7' }, /no stored script "invoices@7"/],
    ['a stored script outside of its folder', { script: '../../etc/passwd' }, /no stored script/],
    ['variables that are a list', { script: 'chicken', variables: [] }, /"variables" must be an object/],
  ])('%s is InvalidInput', async (_what, input, says) => {
    expect(await job.task(input)).toMatchObject(failure('BrowserAgent.InvalidInput', says));
  });

  test.each([
    ['an empty object', {}, /\$.*"steps" is missing/s],
    ['no steps', { name: 'Empty', steps: [] }, /"steps" must not be empty/],
    ['steps that are an object', { name: 'Wrong', steps: { action: 'click' } }, /"steps" must be a list/],
    [
      'steps that are no objects',
      { name: 'Wrong', steps: ['click', 7, null] },
      /\$\.steps\[2\].*must be an object/s,
    ],
    [
      'an unknown action',
      { name: 'Wrong', steps: [{ action: 'clik', selector: '#go' }] },
      /\$\.steps\[0\]\.action: unknown action "clik".*Did you mean "click"/s,
    ],
    [
      'wrong types',
      {
        name: 7,
        timeout: 'soon',
        steps: [
          { action: 'navigate', url: { href: 'x' } },
          { action: 'wait', duration: 'long' },
          { action: 'click', locator: { strategy: 'telepathy', value: 'the button' } },
          { action: 'assert', condition: { type: 'element_exist', selector: 'a' } },
        ],
      },
      /(?=.*\$\.name)(?=.*\$\.timeout)(?=.*\$\.steps\[0\]\.url)(?=.*telepathy)(?=.*element_exist)/s,
    ],
    [
      'an undefined variable, where the script declares its variables',
      { name: 'Wrong', variables: { portal: 'x' }, steps: [{ action: 'navigate', url: '{{protal}}/x' }] },
      /\{\{protal\}\} is not defined.*Did you mean "portal"/s,
    ],
    [
      'a jump to nowhere',
      { name: 'Wrong', steps: [{ action: 'goto', target: 'Nowhere' }] },
      /no step named "Nowhere"/,
    ],
  ])('%s is InvalidScript, with its place', async (_what, input, says) => {
    expect(await job.task(input)).toMatchObject(failure('BrowserAgent.InvalidScript', says));
  });

  test.each([101, 1_000])('lists nested %i deep are InvalidInput', async (depth) => {
    const ended = await job.task(`{"name":"Deep","steps":${'['.repeat(depth)}${']'.repeat(depth)}}`);
    expect(ended).toMatchObject(failure('BrowserAgent.InvalidInput', /more than 100 deep/));
  });

  test('an input of exactly the largest size runs, and its envelope comes back by way of S3', async () => {
    const small = { tool_name: 'browser_remote', tool_input: good(), padding: '' };
    const padding = 'x'.repeat(MAX_INPUT_BYTES - Buffer.byteLength(JSON.stringify(small)));
    const text = JSON.stringify({ ...small, padding });
    expect(Buffer.byteLength(text)).toBe(MAX_INPUT_BYTES);
    const ended = await job.task(text);
    expect(ended).toMatchObject({
      status: 'SUCCEEDED',
      output: {
        output_s3_uri: expect.stringMatching(`^s3://${job.seeded.bucket}/`),
        bytes: expect.any(Number),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
  });

  test('a script of the largest size that is wrong in every step names the first ones and says how many more', async () => {
    const wrong = { action: 'no_such_action', name: 'Step' };
    const count = Math.floor((MAX_INPUT_BYTES - 100) / (JSON.stringify(wrong).length + 1));
    const ended = await job.task({ name: 'Wrong', steps: Array.from({ length: count }, () => wrong) });
    expect(ended).toMatchObject(
      failure('BrowserAgent.InvalidScript', /\$\.steps\[0\]\.action.*and \d+ more/s),
    );
  });

  test('a variable that nobody gave fails the step that needs it, by its name', async () => {
    const ended = await job.task(steps({ action: 'navigate', name: 'Open', url: '{{nobody_gave_it}}/x' }));
    expect(ended).toMatchObject(
      failure('BrowserAgent.InvalidInput', /"Open".*\{\{nobody_gave_it\}\} is not defined/),
    );
    expect(ended.cause).toMatchObject({ step: 2, name: 'Open', action: 'navigate' });
  });

  test('scripts that include each other in a circle are InvalidScript, with the circle', async () => {
    expect(await job.task({ script: 'chicken' })).toMatchObject(
      failure('BrowserAgent.InvalidScript', /in a circle: chicken → egg → chicken/),
    );
    expect(await job.task({ script: 'narcissus' })).toMatchObject(
      failure('BrowserAgent.InvalidScript', /in a circle: narcissus → narcissus/),
    );
  });

  test('a profile that is not there is ProfileNotFound, not a temporary one', async () => {
    const ended = await job.task(good({ session: { profile_name: 'nobody' } }));
    expect(ended).toMatchObject(failure('BrowserAgent.ProfileNotFound', /"nobody".*profiles create/s));
    const byTags = good({ session: { required_tags: ['finance', 'north'], allow_temp_profile: false } });
    expect(await job.task(byTags)).toMatchObject(failure('BrowserAgent.ProfileNotFound', /finance/));
  });

  test('a page that cannot be reached is NavigationFailed, with the address and what to check', async () => {
    const address = `http://127.0.0.1:${await freePort()}/orders`;
    const ended = await job.task(good({ starting_page: address }));
    expect(ended).toMatchObject(
      failure('BrowserAgent.NavigationFailed', /ERR_CONNECTION_REFUSED.*check the port/s),
    );
    expect(ended.cause['message']).toContain(address);
    const noHost = good({ starting_page: 'http://no-such-host.invalid/' });
    expect(await job.task(noHost)).toMatchObject(
      failure('BrowserAgent.NavigationFailed', /no-such-host\.invalid/),
    );
  });

  test('addresses that are not of the web are PolicyDenied', async () => {
    for (const url of ['file:///etc/passwd', 'chrome://crash']) {
      expect(await job.task(good({ starting_page: url }))).toMatchObject(
        failure('BrowserAgent.PolicyDenied', /only http and https/),
      );
    }
  });

  test('a page that closes itself is BrowserUnavailable, and says that a page must stay open', async () => {
    // Only a page without a history may close itself.
    const ended = await job.task({
      name: 'Closes itself',
      steps: [
        { action: 'execute_js', name: 'Close', script: 'window.close()' },
        { action: 'wait', name: 'A moment', duration: 300 },
        { action: 'navigate', name: 'Too late', url: portal.url },
      ],
    });
    expect(ended).toMatchObject(failure('BrowserAgent.BrowserUnavailable', /closed/));
    await expectGood(job);
  });

  test.each([
    ['the browser', /^(?!.*--type=).*--user-data-dir/],
    ["the page's process", /--type=renderer/],
  ])(
    'when %s is killed in the middle of a step, the task fails at once as BrowserUnavailable',
    async (_what, which) => {
      const waiting = Promise.withResolvers<void>();
      const forget = job.agent.events.on('test', (event) => {
        if (event.type === 'step.started' && event.name === 'Long') waiting.resolve();
      });
      const { ended } = await job.begin(
        steps(
          { action: 'wait', name: 'Long', duration: 60_000 },
          { action: 'click', name: 'After', selector: 'h1' },
        ),
      );
      await waiting.promise;
      forget();
      const victims = (await childrenOf(home)).filter(({ command }) => which.test(command));
      expect(victims.length).toBeGreaterThan(0);
      for (const { pid } of victims) process.kill(pid, 'SIGKILL');
      const killedMs = performance.now();
      expect(await ended).toMatchObject(failure('BrowserAgent.BrowserUnavailable', /crashed|ended/));
      expect(performance.now() - killedMs).toBeLessThan(20_000);
      await expectGood(job);
    },
  );

  test('a bucket that refuses the evidence fails no run: the result says what is pending and why', async () => {
    sandbox.faults.deny('s3', 'PutObject');
    const { output, ...ended } = await job.task(good());
    expect(ended).toMatchObject({ status: 'SUCCEEDED' });
    expect(output).toMatchObject({
      success: true,
      recording: {
        pending: expect.any(Number),
        problems: [expect.stringMatching(/^not in S3 yet \(\d+ of \d+ files\): .*s3:PutObject/)],
      },
    });
    expect((output['recording'] as { pending: number }).pending).toBeGreaterThan(0);
  });

  test('after all of it a good task is done, with its evidence in S3', async () => {
    const { output } = await expectGood(job);
    expect(output['recording']).toMatchObject({ level: 'INFO' });
    // The report does not wait for the uploads.
    const uploads = await job.agent.uploads.settle(output['run_id'] as string, { deadlineMs: 30_000 });
    expect(uploads).toMatchObject({ pending: 0, failed: 0 });
    expect(output['recording']).not.toHaveProperty('problems');
    const uri = (output['recording'] as { manifest_s3_uri: string }).manifest_s3_uri;
    expect(uri).toContain(`s3://${job.seeded.bucket}/browser-sessions/`);
  });

  test('nothing is left: no open task, no browser', async () => {
    const status = {
      tasks: job.agent.runs.unfinished(),
      waiting: sandbox.tasksWaiting(job.seeded.activityArn),
    };
    expect(status).toEqual({ tasks: [], waiting: 0 });
    await job.close();
    expect(await childrenOf(home)).toEqual([]);
  });
});

test('without a bucket a run is a success, and says that its evidence stays on the machine', async () => {
  const home = makeHome('no-bucket');
  const job = await startMainJob({ sandbox, home, env: 'nobucket', variables: { S3_BUCKET: null } });
  try {
    const { output } = await expectGood(job);
    expect(output['recording']).toMatchObject({
      manifest_s3_uri: null,
      files: 0,
      problems: [expect.stringMatching(/no bucket is configured.*Set aws\.s3_bucket/)],
    });
  } finally {
    await job.close();
  }
  expect(await childrenOf(home)).toEqual([]);
  removeHome(home);
});

const noTmpfs = whyNoTmpfs();
if (noTmpfs) console.warn(`the tests of a full disk are skipped: ${noTmpfs}`);

describe.skipIf(noTmpfs)('a full disk', () => {
  /** Room for a database, a browser's throw-away profile and the evidence of a short run. */
  const DISK_KB = 131_072;

  test('where only the evidence goes fails no run: the result names what could not be written', async () => {
    const home = makeHome('full-runs');
    const { runs } = homePaths(home);
    mountSmall(runs, 256);
    const job = await startMainJob({ sandbox, home, env: 'fullruns' });
    try {
      await expectGood(job);
      fill(runs);
      const ended = await job.task(good());
      expect(ended).toMatchObject({ status: 'SUCCEEDED', output: { success: true } });
      const problems = (ended.output['recording'] as { problems?: string[] }).problems ?? [];
      expect(problems.join('\n')).toMatch(/ENOSPC|no space left/i);
      rmSync(join(runs, BALLAST));
      const again = await expectGood(job);
      expect(again.output['recording']).not.toHaveProperty('problems');
    } finally {
      await job.close();
      unmount(runs);
    }
    expect(await childrenOf(home)).toEqual([]);
    removeHome(home);
  });

  test('where the journal goes: the task is not lost without a word, and a new agent works once there is room', async () => {
    const home = makeHome('full-home');
    mountSmall(home, DISK_KB);
    const start = (): Promise<MainJob> =>
      startMainJob({ sandbox, home, env: 'fullhome', variables: { LBA_BROWSER_KEEP_WARM: 'false' } });
    try {
      const job = await start();
      fill(home);
      expect(await job.task(good())).toMatchObject(
        failure(
          'BrowserAgent.Internal',
          /could not be written down.*was not begun.*disk is full.*start the agent/,
        ),
      );
      expect(await job.done).toMatchObject({ reason: 'failed' });
      await job.close();
      rmSync(join(home, BALLAST));
      const again = await start();
      await expectGood(again);
      await again.close();
      expect(await childrenOf(home)).toEqual([]);
    } finally {
      unmount(home);
    }
    removeHome(home);
  });
});

/** A port that nothing listens on: it was free a moment ago. */
function whyNoTmpfs(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'mounting a small disk needs root on Linux';
  const folder = makeHome('tmpfs');
  try {
    mountSmall(folder, 64);
    unmount(folder);
    return false;
  } catch {
    return 'this machine does not let root mount a tmpfs';
  } finally {
    removeHome(folder);
  }
}

function mountSmall(folder: string, sizeKb: number): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeKb}k`, 'tmpfs', folder], { stdio: 'pipe' });
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder], { stdio: 'pipe' });
}

/** Fills a disk. */
const BALLAST = 'ballast';

/** Writes until nothing more fits. */
function fill(folder: string): void {
  const file = join(folder, BALLAST);
  for (const size of [1_048_576, 65_536, 4_096, 512]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown;
    }
  }
}
