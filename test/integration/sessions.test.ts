/** Sessions over the API, in a real browser: what one message leaves is there for the next. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestApi, type Answer, type TestApi } from '../fixtures/api.ts';
import { startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';

/** How long anything may take on a busy machine. */
const SOON_MS = 40_000;

let api: TestApi;
let site: FixtureSite;

beforeAll(async () => {
  site = await startFixtureSite();
  site.page(
    '/',
    `<title>Start</title><h1 id="who"></h1><input id="pw" type="password"><a href="/tab" target="_blank" id="tab">tab</a>
     <script>document.cookie = 'seen=1'; window.visits = (window.visits ?? 0) + 1</script>`,
  );
  site.page('/cookie', (request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<p id="cookie">${request.headers.cookie ?? 'none'}</p>`);
  });
  site.page('/tab', '<p id="here">the tab</p>');
  api = await openTestApi({ variables: { LBA_API_MAX_SESSIONS: '6' } });
});

afterAll(async () => {
  await api.close();
  await site.close();
});

interface Session {
  session_id: string;
  state: string;
  ended: { reason: string; detail: string } | null;
  profile: string | null;
}

interface Message {
  message_id: string;
  state: string;
  run_id: string | null;
  error: { name: string; message: string } | null;
  result: { success: boolean; step_results: { value?: unknown; text?: string; data?: object }[] } | null;
}

async function open(body: object = {}, key?: string): Promise<Session> {
  const { status, json, text } = await api.call('POST', '/sessions', { body, ...(key ? { key } : {}) });
  expect(status, text).toBe(201);
  return json as Session;
}

const send = (id: string, body: object): Promise<Answer> =>
  api.call('POST', `/sessions/${id}/messages`, { body });

/** Sends it and waits for its end. */
async function run(id: string, body: object): Promise<Message> {
  const sent = await send(id, body);
  expect(sent.status, sent.text).toBe(202);
  return ended(id, (sent.json as Message).message_id);
}

async function ended(id: string, messageId: string): Promise<Message> {
  const path = `/sessions/${id}/messages/${messageId}?wait_seconds=40`;
  return (await api.call('GET', path)).json as Message;
}

const end = async (id: string): Promise<Session> =>
  (await api.call('DELETE', `/sessions/${id}`)).json as Session;
const get = async (id: string): Promise<Session> =>
  (await api.call('GET', `/sessions/${id}`)).json as Session;
const js = (script: string): object => ({ step: { action: 'execute_js', script, save_as: 'it' } });
const textOf = (message: Message): string => JSON.stringify(message.result?.step_results);

describe('a session', () => {
  test('keeps page, cookies and tabs from message to message, each a run of its own with its evidence', async () => {
    const { session_id } = await open({ level: 'TRACE', variables: { site: site.url } });
    const first = await run(session_id, { step: { action: 'navigate', url: '{{site}}/' } });
    expect(first).toMatchObject({ state: 'succeeded', error: null, result: { success: true } });
    // The same document: nothing was loaded anew.
    const second = await run(session_id, js('return `${location.pathname} ${window.visits}`'));
    expect(textOf(second)).toContain('/ 1');
    expect(second.run_id).not.toBe(first.run_id);
    await run(session_id, { step: { action: 'click', selector: '#tab' } });
    expect(textOf(await run(session_id, js('return document.querySelector("#here").textContent')))).toContain(
      'the tab',
    );
    const cookie = await run(session_id, {
      script: {
        name: 'Cookie',
        steps: [
          { action: 'navigate', url: '{{site}}/cookie' },
          { action: 'execute_js', script: 'return document.querySelector("#cookie").textContent' },
        ],
      },
    });
    expect(textOf(cookie)).toContain('seen=1');
    for (const { run_id } of [first, second, cookie]) {
      expect(api.agent.runs.get(run_id!)).toMatchObject({ state: 'succeeded', level: 'TRACE' });
      const keys = api.agent.runs.artifacts(run_id!).map(({ key }) => key);
      expect(keys).toEqual(expect.arrayContaining(['manifest.json', 'trace.zip']));
    }
    const { json } = await api.call('GET', `/sessions/${session_id}/messages?limit=2`);
    expect(json).toMatchObject({
      items: [{ run_id: cookie.run_id }, {}],
      next_cursor: expect.any(String) as string,
    });
    expect(await end(session_id)).toMatchObject({ state: 'ended', ended: { reason: 'closed' } });
    expect((await send(session_id, js('return 1'))).json).toMatchObject({ status: 409 });
  });

  test('does its messages in the order in which they came; one that fails ends nothing', async () => {
    const { session_id } = await open();
    const bodies = [
      { step: { action: 'navigate', url: `${site.url}/` } },
      { step: { action: 'click', selector: '#nowhere', timeout: 300 } },
      js('return document.title'),
    ];
    const ids: string[] = [];
    for (const body of bodies) ids.push(((await send(session_id, body)).json as Message).message_id);
    const all = await Promise.all(ids.map((id) => ended(session_id, id)));
    expect(all.map(({ state }) => state)).toEqual(['succeeded', 'failed', 'succeeded']);
    expect(all[1]?.error?.name).toBe('BrowserAgent.ElementNotFound');
    const runIds = all.map((message) => message.run_id ?? '');
    expect(runIds).toEqual(runIds.toSorted((a, b) => a.localeCompare(b)));
    await end(session_id);
  });

  test('hides from every message what an earlier one hid', async () => {
    const { session_id } = await open({ level: 'TRACE' });
    const secret = 'correct horse battery';
    await run(session_id, {
      script: {
        name: 'Fill',
        steps: [
          { action: 'navigate', url: `${site.url}/` },
          { action: 'fill', selector: '#pw', value: secret, sensitive: true },
        ],
      },
    });
    for (let round = 0; round < 3; round += 1) {
      const message = await run(session_id, js('return document.querySelector("#pw").value'));
      expect(message.state).toBe('succeeded');
      expect(textOf(message)).not.toContain(secret);
    }
    await end(session_id);
  });

  test('holds each message to its own domains, and not the next one', async () => {
    const { session_id } = await open();
    const narrow = (steps: object[]): object => ({
      script: { name: 'Narrow', policy: { allowed_domains: ['127.0.0.1'] }, steps },
    });
    const at = (url: string): object => ({ action: 'navigate', url: `${url}/` });
    expect((await run(session_id, narrow([at(site.url)]))).state).toBe('succeeded');
    expect((await run(session_id, narrow([at(site.otherUrl)]))).error?.name).toBe(
      'BrowserAgent.PolicyDenied',
    );
    expect((await run(session_id, { step: at(site.otherUrl) })).state).toBe('succeeded');
    // It would act on a page that it may not be on.
    const there = await run(session_id, narrow([{ action: 'execute_js', script: 'return 1' }]));
    expect(there.error?.name).toBe('BrowserAgent.PolicyDenied');
    await end(session_id);
  });

  test('is ended with what it does, and what waits in it is cancelled', async () => {
    const { session_id } = await open();
    const ids: string[] = [];
    for (const duration of [60_000, 1]) {
      const { json } = await send(session_id, { step: { action: 'wait', duration } });
      ids.push((json as Message).message_id);
    }
    const running = async (): Promise<string> =>
      ((await api.call('GET', `/sessions/${session_id}/messages/${ids[0]}`)).json as Message).state;
    await expect.poll(running, { timeout: SOON_MS }).toBe('running');
    await end(session_id);
    const [one, two] = await Promise.all(ids.map((id) => ended(session_id, id)));
    expect(one).toMatchObject({ state: 'cancelled', error: { name: 'BrowserAgent.Cancelled' } });
    expect(two).toMatchObject({ state: 'cancelled', run_id: null, result: null });
  });

  test('takes no more than fits into its queue', async () => {
    const { session_id } = await open();
    const statuses: number[] = [];
    const body = { step: { action: 'wait', duration: 60_000 }, variables: { much: 'x'.repeat(900_000) } };
    for (let count = 0; count < 6; count += 1) statuses.push((await send(session_id, body)).status);
    // One is at work, four wait.
    expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    await end(session_id);
  });

  test('is ended when it has nothing to do for long enough, and when its browser dies', async () => {
    const idle = await open({ idle_timeout_seconds: 1 });
    await expect
      .poll(async () => (await get(idle.session_id)).ended?.reason, { timeout: SOON_MS })
      .toBe('idle');
    const { session_id } = await open();
    await run(session_id, { step: { action: 'navigate', url: `${site.url}/` } });
    for (const row of api.agent.db.prepare("SELECT pid FROM processes WHERE kind = 'browser'").all()) {
      process.kill((row as { pid: number }).pid, 'SIGKILL');
    }
    await expect
      .poll(async () => (await get(session_id)).ended?.reason, { timeout: SOON_MS })
      .toBe('browser_ended');
    const refused = (await send(session_id, js('return 1'))).json;
    expect(refused).toMatchObject({ status: 409, detail: expect.stringContaining('has ended') as string });
  });

  test('holds its profile, and says so to others', async () => {
    await api.call('POST', '/profiles', { body: { name: 'portal' } });
    const { session_id } = await open({ profile: 'portal' });
    const busy = await api.call('POST', '/sessions', { body: { profile: 'portal' } });
    expect(busy.json).toMatchObject({
      status: 409,
      error: 'BrowserAgent.ProfileBusy',
      detail: expect.stringContaining(`by the open session ${session_id}`) as string,
    });
    const other = {
      name: 'Other',
      session: { profile_name: 'else' },
      steps: [{ action: 'wait', duration: 1 }],
    };
    const wrong = await send(session_id, { script: other });
    expect(wrong.json).toMatchObject({ status: 400, error: 'BrowserAgent.InvalidInput' });
    const own = { ...other, session: { profile_name: 'Portal' } };
    expect((await run(session_id, { script: own })).state).toBe('succeeded');
    await end(session_id);
    expect((await api.call('POST', '/sessions', { body: { profile: 'nobody' } })).status).toBe(404);
  });
});

describe('who may have which', () => {
  test('each tier has its number, the machine has its own, and a key sees only its own sessions', async () => {
    const make = (tier: string, name: string) => api.key({ name, scopes: ['run'], tier });
    const [basic, standard] = [await make('basic', 'b'), await make('standard', 's')];
    const tryOpen = (key?: string): Promise<Answer> =>
      api.call('POST', '/sessions', { body: {}, ...(key === undefined ? {} : { key }) });
    const mine = await open({}, basic.key);
    const refused = await tryOpen(basic.key);
    expect(refused.json).toMatchObject({
      status: 429,
      detail: 'This key has 1 sessions open, and may have no more.',
      hint: 'End one, or raise api.basic_sessions.',
    });
    expect(refused.headers['retry-after']).toBeDefined();
    for (let count = 0; count < 3; count += 1) await open({}, standard.key);
    expect((await tryOpen(standard.key)).status).toBe(429);
    for (let count = 4; count < 6; count += 1) await open();
    expect((await tryOpen()).json).toMatchObject({
      status: 429,
      hint: 'End one, or raise api.max_sessions.',
    });

    const seen = async (key?: string): Promise<number> => {
      const { json } = await api.call('GET', '/sessions?state=open', key === undefined ? {} : { key });
      return (json as { items: unknown[] }).items.length;
    };
    expect([await seen(basic.key), await seen(standard.key), await seen()]).toEqual([1, 3, 6]);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/messages'],
    ] as const) {
      const { status } = await api.call(method, `/sessions/${mine.session_id}${path}`, { key: standard.key });
      expect(status).toBe(404);
    }
    await api.call('DELETE', `/keys/${standard.key_id}`);
    await expect.poll(() => seen(), { timeout: SOON_MS }).toBe(3);
    expect((await api.call('GET', '/sessions')).text).toContain('key_revoked');
  });
});

test('after a start, a session of before has ended, and what waited in it was cancelled', async () => {
  const { store } = api.agent.sessions;
  const now = Date.now();
  const sessionId = '01890000-0000-7000-8000-000000000001';
  const messageId = '01890000-0000-7000-8000-000000000002';
  store.create({
    sessionId,
    keyId: 'owner',
    keyName: 'owner',
    profile: null,
    headed: false,
    level: null,
    idleTimeoutMs: 1_000,
    owner: { pid: 1, started: 'another' },
    now,
  });
  store.addMessage({ messageId, sessionId, scriptName: 'Waits', now });
  await api.agent.sessions.recover(() => Promise.resolve(false));
  expect(await get(sessionId)).toMatchObject({
    state: 'ended',
    ended: { reason: 'agent_stopped', detail: 'The agent was stopped.' },
  });
  expect(await ended(sessionId, messageId)).toMatchObject({ state: 'cancelled' });
  store.removeEndedBefore(Date.now() + 1);
  expect(store.get(sessionId)).toBeUndefined();
});
