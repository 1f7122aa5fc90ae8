/** Pausing runs over the API, in a real browser: they stand still before their next action, and go on from there. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentEvent } from '../../agent/base/events.ts';
import { openTestApi, type Answer, type TestApi } from '../fixtures/api.ts';
import { startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';

/** How long anything may take on a busy machine. */
const SOON_MS = 30_000;

let api: TestApi;
let site: FixtureSite;
const events: AgentEvent[] = [];

beforeAll(async () => {
  site = await startFixtureSite();
  site.page('/', '<input id="name"><p>Hello</p>');
  api = await openTestApi({ variables: { LBA_RUN_MAX_PAUSE_SECONDS: '600' } });
  api.agent.events.on('test', (event) => events.push(event));
});

afterAll(async () => {
  await api.close();
  await site.close();
});

interface Run {
  run_id: string;
  state: string;
  paused: boolean;
  pause: { by: { kind: string; id: string }; kind: string; standing: boolean; since: string } | null;
  steps: { name: string; state: string }[];
  error: { name: string; message: string } | null;
  waiting_for_person: string | null;
  result: { step_results: Record<string, unknown>[] } | null;
}

const post = (id: string, verb: string): Promise<Answer> => api.call('POST', `/runs/${id}/${verb}`);
const get = async (id: string): Promise<Run> => (await api.call('GET', `/runs/${id}`)).json as Run;
const visit = (name: string): object => ({ action: 'navigate', name, url: `${site.url}/?${name}` });

async function start(script: object): Promise<string> {
  const answer = await api.call('POST', '/runs', { body: { script: { name: 'Paused', ...script } } });
  expect(answer.status, answer.text).toBe(201);
  return (answer.json as Run).run_id;
}

async function until(id: string, holds: (run: Run) => boolean): Promise<Run> {
  await expect.poll(async () => holds(await get(id)), { timeout: SOON_MS, interval: 20 }).toBe(true);
  return get(id);
}

const ended = (id: string): Promise<Run> =>
  until(id, ({ state }) => state !== 'queued' && state !== 'running');
const standing = (id: string, name?: string): Promise<Run> =>
  until(
    id,
    ({ pause, steps }) => pause?.standing === true && (name === undefined || steps.at(-1)?.name === name),
  );
const done = (run: Run): string[] =>
  run.steps.filter(({ state }) => state === 'done').map(({ name }) => name);

/** A page that answers when the test says so: the run is inside this step until then. */
function gatedPage(path: string): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  site.page(path, (_request, response) => {
    void promise.then(() => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Late</p>'));
  });
  return resolve;
}

describe('a paused run', () => {
  test('ends its action, stands still before the next, and goes on with the same page', async () => {
    const answer = gatedPage('/late');
    const id = await start({
      steps: [
        { action: 'navigate', name: 'late', url: `${site.url}/late` },
        visit('a'),
        { action: 'fill', name: 'fill', selector: '#name', value: 'x' },
      ],
    });
    await until(id, ({ steps }) => steps.length === 1);
    const paused = await post(id, 'pause');
    expect(paused.status, paused.text).toBe(202);
    expect(paused.json).toMatchObject({
      paused: true,
      pause: {
        by: { kind: 'owner', id: 'owner' },
        kind: 'pause',
        reason: 'paused by owner',
        standing: false,
      },
    });
    answer();
    expect(done(await standing(id))).toEqual(['late']);
    expect(site.requests).not.toContain('127.0.0.1/?a');
    expect((await post(id, 'pause')).status).toBe(202);
    expect((await post(id, 'resume')).json).toMatchObject({ paused: false, pause: null });
    const run = await ended(id);
    expect(run).toMatchObject({ state: 'succeeded', paused: false, pause: null });
    expect(run.result?.step_results[1]).toMatchObject({
      name: 'a',
      paused: [{ kind: 'pause', by: 'owner owner', from: expect.any(String) as string }],
    });
    expect(run.result?.step_results[2]).not.toHaveProperty('paused');
    expect(events.filter((event) => 'runId' in event && event.runId === id).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['run.paused', 'run.resumed']),
    );
    const trail = api.agent.audit.list({ limit: 100 }).map(({ action }) => action);
    expect(trail).toEqual(expect.arrayContaining(['api.pauseRun', 'run.pause', 'api.resumeRun']));
    for (const verb of ['pause', 'step', 'resume']) expect((await post(id, verb)).status).toBe(409);
  });

  test('does one step at a time inside a loop and a try, and no more', async () => {
    const answer = gatedPage('/loop');
    const id = await start({
      steps: [
        { action: 'navigate', name: 'first', url: `${site.url}/loop` },
        {
          action: 'for_each',
          name: 'loop',
          items: ['1', '2'],
          as: 'item',
          steps: [
            {
              action: 'try',
              name: 'try',
              strategies: [{ steps: [visit('inner')] }, { steps: [visit('other')] }],
            },
          ],
        },
      ],
    });
    await until(id, ({ steps }) => steps.length === 1);
    await post(id, 'pause');
    answer();
    await standing(id);
    const names = ['loop', 'try', 'inner', 'try', 'inner'];
    for (const [index, name] of names.entries()) {
      expect((await post(id, 'step')).status).toBe(202);
      const run = await standing(id, name);
      if (index < names.length - 1) expect(run.steps).toHaveLength(index + 2);
    }
    expect((await get(id)).state).toBe('running');
    await post(id, 'resume');
    expect((await ended(id)).state).toBe('succeeded');
  });

  test('is not ended by its time-outs, nor by that of a step that waits for a person', async () => {
    const id = await start({
      timeout: 3_000,
      steps: [{ action: 'human', name: 'ask', message: 'Look', timeout: 2_000 }, visit('after')],
    });
    await until(id, (run) => run.waiting_for_person !== null);
    await post(id, 'pause');
    expect((await get(id)).pause?.standing).toBe(true);
    const from = Date.now();
    await expect.poll(() => Date.now() - from, { timeout: SOON_MS }).toBeGreaterThan(3_500);
    expect(await get(id)).toMatchObject({ state: 'running', waiting_for_person: 'Look' });
    // The person is done; the run is still paused.
    expect((await post(id, 'resume?of=person')).json).toMatchObject({ paused: true });
    expect((await post(id, 'resume?of=person')).status).toBe(409);
    await until(id, (run) => run.waiting_for_person === null);
    expect(done(await get(id))).toEqual(['ask']);
    expect((await post(id, 'resume?of=pause')).status).toBe(202);
    expect((await ended(id)).state).toBe('succeeded');
  });

  test('is resumed first, and its person answered next, when resume does not say which', async () => {
    const id = await start({ steps: [{ action: 'human', name: 'ask', message: 'Look' }] });
    await until(id, (run) => run.waiting_for_person !== null);
    await post(id, 'pause');
    expect((await post(id, 'resume')).json).toMatchObject({ paused: false });
    expect(await get(id)).toMatchObject({ waiting_for_person: 'Look' });
    expect((await post(id, 'resume')).status).toBe(202);
    expect((await ended(id)).state).toBe('succeeded');
  });

  test('is cancelled while it stands still', async () => {
    const answer = gatedPage('/cancel');
    const id = await start({
      steps: [{ action: 'navigate', name: 'first', url: `${site.url}/cancel` }, visit('never')],
    });
    await until(id, ({ steps }) => steps.length === 1);
    await post(id, 'pause');
    answer();
    await standing(id);
    await post(id, 'cancel');
    expect(await ended(id)).toMatchObject({
      state: 'cancelled',
      paused: false,
      error: { name: 'BrowserAgent.Cancelled' },
    });
  });

  test('keeps its page open at its end until it is resumed', async () => {
    const answer = gatedPage('/end');
    const id = await start({ steps: [{ action: 'navigate', name: 'only', url: `${site.url}/end` }] });
    await until(id, ({ steps }) => steps.length === 1);
    const hold = api.agent.engine.gate(id)!.hold({ kind: 'key', id: 'k1', from: 'here' }, 'types')!;
    answer();
    await hold.standing;
    expect(await get(id)).toMatchObject({ state: 'running', pause: { kind: 'takeover' } });
    for (const verb of ['step', 'resume']) expect((await post(id, verb)).status).toBe(409);
    hold.release();
    const run = await ended(id);
    expect(run.result?.step_results[0]).toMatchObject({
      person_acted: true,
      paused: [{ kind: 'takeover', by: 'key k1', reason: 'types' }],
    });
  });
});

test('a person has a run that waits at once, its wait does not run out meanwhile, and it looks anew afterwards', async () => {
  const id = await start({
    steps: [visit('wait'), { action: 'wait_for_selector', name: 'done', selector: '#done', timeout: 1_500 }],
  });
  await until(id, ({ steps }) => steps.at(-1)?.name === 'done');
  const page = api.agent.watchable.get(id)!.page();
  const hold = api.agent.engine.gate(id)!.hold({ kind: 'key', id: 'k1', from: 'here' }, 'types')!;
  await hold.standing;
  const from = Date.now();
  await expect.poll(() => Date.now() - from, { timeout: SOON_MS }).toBeGreaterThan(2_500);
  expect(await get(id)).toMatchObject({ state: 'running', pause: { kind: 'takeover', standing: true } });
  await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p id=done>Done')");
  expect(await get(id)).toMatchObject({ state: 'running' });
  hold.release();
  const run = await ended(id);
  expect(run.error).toBeNull();
  expect(run.result?.step_results[1]).toMatchObject({ success: true, person_acted: true });
});

test.each([
  ['is not there yet', '', '<button id=go onclick="document.title += \'clicked\'">Go</button>'],
  ['may not be used yet', '<button id=go disabled onclick="document.title += \'clicked\'">Go</button>', null],
])(
  'a person has a run at once whose click waits for an element that %s; it is clicked once, afterwards',
  async (_title, before, after) => {
    const id = await start({
      steps: [
        visit('click'),
        {
          action: 'execute_js',
          script: `document.title = ''; document.body.innerHTML = ${JSON.stringify(before)}`,
        },
        { action: 'click', name: 'go', selector: '#go', timeout: 2_500 },
        { action: 'execute_js', name: 'title', script: 'return document.title' },
      ],
    });
    await until(id, ({ steps }) => steps.at(-1)?.name === 'go');
    const page = api.agent.watchable.get(id)!.page();
    const hold = api.agent.engine.gate(id)!.hold({ kind: 'key', id: 'k1', from: 'here' }, 'types')!;
    const from = Date.now();
    await hold.standing;
    expect(Date.now() - from).toBeLessThan(2_000);
    if (after === null) await page.evaluate("document.querySelector('#go').disabled = false");
    else await page.evaluate((html) => void (document.body.innerHTML = html), after);
    await expect.poll(() => Date.now() - from, { timeout: SOON_MS }).toBeGreaterThan(3_500);
    // Under their hands nothing is clicked.
    expect(await page.title()).toBe('');
    hold.release();
    const run = await ended(id);
    expect(run.error).toBeNull();
    expect(run.result?.step_results[2]).toMatchObject({ success: true, person_acted: true });
    expect(JSON.stringify(run.result?.step_results[3])).toContain('"result":"clicked"');
  },
);

test('nothing keeps a run that has ended in memory', async () => {
  const id = await start({ steps: [visit('memory'), { action: 'wait', duration: 1_000 }] });
  await until(id, ({ steps }) => steps.length === 2);
  const gate = new WeakRef(api.agent.engine.gate(id)!);
  await ended(id);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const isGone = (): boolean => {
    collect();
    return gate.deref() === undefined;
  };
  await expect.poll(isGone, { timeout: SOON_MS, interval: 100 }).toBe(true);
});

test('a run that nobody lets go on fails, and says who held it and what to do', async () => {
  const short = await openTestApi({ variables: { LBA_RUN_MAX_PAUSE_SECONDS: '1' } });
  try {
    const body = { script: { name: 'Forgotten', steps: [{ action: 'wait', duration: 300 }, visit('x')] } };
    const { json } = await short.call('POST', '/runs', { body });
    const { run_id } = json as Run;
    await short.call('POST', `/runs/${run_id}/pause`);
    const run = async (): Promise<Run> => (await short.call('GET', `/runs/${run_id}`)).json as Run;
    await expect.poll(async () => (await run()).state, { timeout: SOON_MS }).toBe('failed');
    expect((await run()).error).toMatchObject({
      name: 'BrowserAgent.HumanTimeout',
      message: expect.stringContaining('run.max_pause_seconds') as string,
    });
  } finally {
    await short.close();
  }
});
