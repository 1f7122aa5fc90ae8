/** The agent as Electron's utility process: what is shipped, here with a stand-in for the agent itself. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { isAlive } from '../../agent/base/is-alive.ts';
import { homePaths } from '../../agent/base/paths.ts';
import { lastWord } from '../fixtures/electron-app.ts';
import {
  cleanUp,
  closeDisplay,
  mainPage,
  makeHome,
  missingForElectron,
  startApp,
} from '../fixtures/electron.ts';

const STAND_IN = join(import.meta.dirname, '..', 'fixtures', 'utility-agent.cjs');

const missing = missingForElectron();
if (missing !== null) console.warn(`the desktop app is not tested: ${missing}`);

describe.skipIf(missing !== null)('the agent as a utility process', () => {
  afterEach(cleanUp);
  afterAll(closeDisplay);

  test('is started, started again when it is killed, and told to stop when the app quits', async () => {
    const home = await makeHome();
    const started = await startApp({
      home,
      env: { LBA_AGENT_RUNTIME: 'utility', LBA_AGENT_ENTRY: STAND_IN },
    });
    const page = await mainPage(started);
    const first = await readyPid(page, 0);
    const names = await started.app.evaluate(({ app }) => app.getAppMetrics().map(({ name }) => name));
    expect(names).toContain('Local Browser Agent');

    process.kill(first, 'SIGKILL');
    const second = await readyPid(page, first);

    const over = once(started.app.process(), 'exit');
    await started.app.evaluate(({ app }) => app.quit());
    await over;
    expect(isAlive(second)).toBe(false);
    expect(lastWord(home)).toBe('the app has ended');
  });

  // Electron 25 now and then loses the last lines of a utility process, so there the error itself may be missing.
  test.each([
    ['utility', 'exit', { end: 'exited' }, /exit code 3/],
    ['utility', 'throw', { end: 'exited', exitCode: 1 }, /RangeError: no such thing|exit code 1/],
    ['utility', 'crash', { end: 'crashed', reason: 'crashed' }, /The agent crashed/],
    ['utility', 'heap', { end: 'out-of-memory', heapWasFull: true }, /ran out of memory/],
    ['node', 'exit', { end: 'exited', exitCode: 3 }, /exit code 3/],
    ['node', 'throw', { end: 'exited', exitCode: 1 }, /RangeError: no such thing/],
    ['node', 'crash', { end: 'crashed', signal: 'SIGABRT' }, /The agent crashed \(SIGABRT\)/],
    ['node', 'heap', { end: 'out-of-memory', signal: 'SIGABRT' }, /ran out of memory/],
  ])('as %s: the person and the log are told why it ended (%s)', async (runtime, way, facts, words) => {
    const { home } = await startStandIn({ LBA_AGENT_RUNTIME: runtime, LBA_STAND_IN: way });
    await expect.poll(() => logged(home, 'the agent has ended')[0]).toMatchObject(facts);
    await expect
      .poll(() => logged(home, 'the agent is started again')[0]?.['problem'])
      .toEqual(expect.stringMatching(words));
  });

  test.each(['utility', 'node'])(
    'as %s: one that is killed is told from one that crashed',
    async (runtime) => {
      const { home, page } = await startStandIn({ LBA_AGENT_RUNTIME: runtime });
      process.kill(await readyPid(page, 0), 'SIGKILL');
      await expect.poll(() => logged(home, 'the agent has ended')[0]).toMatchObject({ end: 'killed' });
      expect(logged(home, 'the agent is started again')[0]).toMatchObject({
        problem: expect.stringContaining('ended from outside'),
      });
    },
  );

  test.each(['utility', 'node'])(
    'as %s: it gets the variables it needs, others on demand',
    async (runtime) => {
      const { home } = await startStandIn({
        LBA_AGENT_RUNTIME: runtime,
        LBA_STAND_IN_FILE: 'given.json',
        AWS_PROFILE: 'work',
        GITHUB_TOKEN: 'canary',
        GREETING: 'Hello',
      });
      const file = join(home, 'given.json');
      await expect.poll(() => existsSync(`${file}.answer`)).toBe(true);
      const given = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
      expect(given).toMatchObject({
        AWS_PROFILE: 'work',
        HOME: process.env['HOME'],
        PATH: process.env['PATH'],
      });
      expect(Object.keys(given)).not.toContain('GITHUB_TOKEN');
      expect(Object.keys(given)).not.toContain('GREETING');
      expect(JSON.parse(readFileSync(`${file}.answer`, 'utf8'))).toMatchObject({ value: 'Hello' });
    },
  );
});

async function startStandIn(env: Record<string, string>): Promise<{ home: string; page: Page }> {
  const home = await makeHome();
  const file = env['LBA_STAND_IN_FILE'];
  const started = await startApp({
    home,
    env: {
      LBA_AGENT_ENTRY: STAND_IN,
      ...env,
      ...(file === undefined ? {} : { LBA_STAND_IN_FILE: join(home, file) }),
    },
  });
  return { home, page: await mainPage(started) };
}

/** Lines of the app's log with this message, oldest first. */
function logged(home: string, message: string): Record<string, unknown>[] {
  return readFileSync(join(homePaths(home).logs, 'desktop.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => msg === message);
}

/** Once it is another than `before`. The stand-in gives its process id as its key. */
async function readyPid(page: Page, before: number): Promise<number> {
  let pid = before;
  await expect
    .poll(async () => {
      const agent = await page.evaluate(() => window.localBrowserAgent!.agent()).catch(() => null);
      if (agent?.state === 'ready') pid = Number(agent.token);
      return pid;
    })
    .not.toBe(before);
  return pid;
}
