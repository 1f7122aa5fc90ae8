/** A run that ends in any of its stages: what its result says, and that it leaves nothing behind. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openAgent, type Agent } from '../../agent/agent.ts';
import { AgentError } from '../../agent/base/errors.ts';
import type { AgentEvent } from '../../agent/base/events.ts';
import { newRunId } from '../../agent/base/ids.ts';
import { silentLogger } from '../../agent/base/log.ts';
import type { KeptBrowser } from '../../agent/runs/kept-browser.ts';
import { BrowserSource } from '../../agent/runs/browser-source.ts';
import { LeaseLost, type RunControl, type RunOutcome } from '../../agent/runs/types.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

let home: string;
let agent: Agent;
const ended: AgentEvent[] = [];

beforeAll(async () => {
  home = makeHome('stages');
  const env = { PATH: process.env['PATH'] ?? '' };
  agent = await openAgent({ home, env, log: silentLogger, uploads: 'none', keepWarm: false });
  agent.events.on('test', (event) => {
    if (event.type === 'run.finished') ended.push(event);
  });
  agent.profiles.create({ name: 'mine' });
});

afterEach(() => {
  vi.restoreAllMocks();
});

afterAll(async () => {
  await agent.close();
  removeHome(home);
});

const SCRIPT = {
  name: 'Any',
  session: { profile_name: 'mine' },
  steps: [{ action: 'execute_js', script: 'return 1', save_as: 'one' }],
};

async function run(script: unknown, control: Partial<Omit<RunControl, 'gate'>> = {}): Promise<RunOutcome> {
  const runId = newRunId();
  const signal = AbortSignal.timeout(60_000);
  return agent.engine.execute({ runId, input: { kind: 'script', script } }, { signal, ...control });
}

/** The row, the event and the result agree, and the next run gets profile and browser. */
async function expectEnd(
  outcome: RunOutcome,
  { state, error }: { state: RunOutcome['state']; error: string },
): Promise<void> {
  const { runId } = outcome;
  expect(outcome).toMatchObject({ state, error: { name: error, cause: { run_id: runId } } });
  expect(agent.runs.get(runId)).toMatchObject({ state, error_name: error });
  expect(agent.runs.result(runId)).toEqual(outcome.result);
  expect(ended.filter((event) => event.type === 'run.finished' && event.runId === runId)).toMatchObject([
    { state, errorName: error },
  ]);
  expectNothingLeft();
  expect(await run(SCRIPT)).toMatchObject({ state: 'succeeded' });
  expectNothingLeft();
}

function expectNothingLeft(): void {
  expect(agent.db.prepare('SELECT * FROM processes').all()).toEqual([]);
  expect(agent.watchable.newest()).toBeUndefined();
}

function filesOf(runId: string): string[] {
  return agent.runs.artifacts(runId).map(({ key }) => key);
}

test('asked: a script that cannot be read is in the history, with what was handed over', async () => {
  const outcome = await run('{"steps": nonsense');
  await expectEnd(outcome, { state: 'failed', error: 'BrowserAgent.InvalidScript' });
  expect(outcome.result).toMatchObject({ script_name: '(not readable)', profile_used: null, steps_total: 0 });
  expect(agent.runs.script(outcome.runId)).toBe('{"steps": nonsense');
});

test('queued: a run that is cancelled before its browser starts none', async () => {
  const signal = AbortSignal.abort(new AgentError('BrowserAgent.Cancelled', 'by hand'));
  const outcome = await run(SCRIPT, { signal });
  await expectEnd(outcome, { state: 'cancelled', error: 'BrowserAgent.Cancelled' });
  expect(outcome.result).toMatchObject({ profile_used: null, steps_executed: 0, steps_total: 1 });
  expect(agent.runs.get(outcome.runId)?.started_at).toBeNull();
});

test('opened: a script that asks for another profile than the open one touches no page', async () => {
  await withKept(async (kept) => {
    const outcome = await run({ ...SCRIPT, session: { profile_name: 'other' } }, { kept });
    expect(outcome).toMatchObject({ state: 'failed', error: { name: 'BrowserAgent.InvalidInput' } });
    expect(outcome.result).toMatchObject({ profile_used: 'mine', recording: { files: 0 } });
    expect(agent.runs.get(outcome.runId)?.started_at).toBeNull();
    expect(kept.page).toBeNull();
  });
});

test('on page: a policy that forbids the open page fails the run with the page’s address', async () => {
  await withKept(async (kept) => {
    const page = kept.opened.session.page();
    await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: 'here' }));
    await page.goto('http://elsewhere.example/');
    await page.unrouteAll();
    kept.page = page;
    const outcome = await run({ ...SCRIPT, policy: { allowed_domains: ['example.org'] } }, { kept });
    expect(outcome).toMatchObject({
      state: 'failed',
      error: { name: 'BrowserAgent.PolicyDenied', cause: { url: 'http://elsewhere.example/' } },
    });
    expect(filesOf(outcome.runId)).toEqual([]);
    // The policy is gone with its run: the next one may act here.
    expect(await run(SCRIPT, { kept })).toMatchObject({ state: 'succeeded' });
  });
});

test('guarded: a run whose recorder cannot be made closes its browser', async () => {
  vi.spyOn(agent.audit, 'head').mockImplementationOnce(() => {
    throw new Error('the disk is full');
  });
  const outcome = await run(SCRIPT);
  await expectEnd(outcome, { state: 'failed', error: 'BrowserAgent.Internal' });
  expect(outcome.result).toMatchObject({ profile_used: 'mine' });
  expect(filesOf(outcome.runId)).toEqual([]);
});

test('recording: a run that fails before its first step has a manifest and the evidence of its failure', async () => {
  vi.spyOn(agent.watchable, 'add').mockImplementationOnce(() => {
    throw new Error('no room');
  });
  const outcome = await run(SCRIPT);
  await expectEnd(outcome, { state: 'failed', error: 'BrowserAgent.Internal' });
  expect(filesOf(outcome.runId)).toEqual(
    expect.arrayContaining(['manifest.json', 'failure/errors.json', 'failure/screenshot.jpg']),
  );
});

test('a run whose lease is lost between its steps ends as lost, without evidence of a failure', async () => {
  const lease = new AbortController();
  const outcome = await run(SCRIPT, {
    signal: lease.signal,
    beforeStep: () => {
      lease.abort(new LeaseLost('the task timed out'));
      return Promise.reject(lease.signal.reason as Error);
    },
  });
  await expectEnd(outcome, { state: 'lost', error: 'BrowserAgent.Interrupted' });
  expect(filesOf(outcome.runId)).toContain('manifest.json');
  expect(filesOf(outcome.runId).filter((key) => key.startsWith('failure/'))).toEqual([]);
});

test('a lease that is lost while the evidence is finished still makes the run lost', async () => {
  const lease = new AbortController();
  const [addArtifact] = [agent.runs.addArtifact.bind(agent.runs)];
  vi.spyOn(agent.runs, 'addArtifact').mockImplementation((runId, artifact) => {
    if (artifact.key === 'manifest.json') lease.abort(new LeaseLost('the task timed out'));
    addArtifact(runId, artifact);
  });
  const outcome = await run(SCRIPT, { signal: lease.signal });
  vi.restoreAllMocks();
  await expectEnd(outcome, { state: 'lost', error: 'BrowserAgent.Interrupted' });
  expect(outcome.result['step_results']).toMatchObject([{ success: true }]);
});

async function withKept(work: (kept: KeptBrowser) => Promise<void>): Promise<void> {
  const source = new BrowserSource({
    profiles: agent.profiles,
    processes: agent.processes,
    temporary: agent.temporary,
    warm: null,
    log: silentLogger,
  });
  const { browser } = agent.config.settings;
  const opened = await source.open({
    session: { profile_name: 'mine' } as never,
    runId: 'session:test',
    browser: { channel: null, executablePath: null, headless: true, args: browser.args },
    signal: AbortSignal.timeout(60_000),
    onWaiting: () => undefined,
  });
  try {
    await work({ opened, page: null, secrets: new Set() });
  } finally {
    await opened.close();
  }
  expectNothingLeft();
}
