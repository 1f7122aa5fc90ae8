/** The events of real runs in a real browser, followed by programs that keep losing their connection. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestApi, type TestApi } from '../fixtures/api.ts';
import { SseClient, WsClient, type EventClient, type Received } from '../fixtures/event-clients.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';
import { startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';

const CLIENTS_OF_EACH_KIND = 20;
const RUN_MS = 40_000;
/** What no event may ever hold. */
const CANARY = 'canary-7d1f3c';

let home: string;
let site: FixtureSite;

beforeAll(async () => {
  home = makeHome('events');
  site = await startFixtureSite();
  site.page('/', '<h1>Hello</h1><input id="who">');
});

afterAll(async () => {
  await site.close();
  removeHome(home);
});

const open = async (): Promise<TestApi> => openTestApi({ home });

async function history(api: TestApi): Promise<Received[]> {
  const { json } = await api.call('GET', '/events/history?order=oldest_first&limit=500');
  return (json as { items: Received[] }).items;
}

async function run(api: TestApi, steps: object[]): Promise<string> {
  const script = { name: 'Followed', variables: { canary: { type: 'string', secret: true } }, steps };
  const body = { script, variables: { canary: CANARY } };
  const { json, text } = await api.call('POST', '/runs', { body });
  const { run_id } = json as { run_id?: string };
  if (run_id === undefined) throw new Error(text);
  return run_id;
}

const steps = (): object[] => [
  { action: 'navigate', url: `${site.url}/` },
  ...Array.from({ length: 15 }, (_one, index) => ({
    action: 'fill',
    name: `Fill ${index} in`,
    selector: '#who',
    value: '{{canary}}',
  })),
  { action: 'click', name: 'Not there', selector: '#{{canary}}', timeout: 300 },
];

/** The same each time, so that a failure can be looked at again. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

test('forty clients that keep losing their connection get every event of a run, in order and once', async () => {
  const api = await open();
  const random = chances(7);
  const options = { url: api.api.url, key: api.api.token, after: 0 };
  const clients: EventClient[] = Array.from({ length: CLIENTS_OF_EACH_KIND * 2 }, (_one, index) =>
    index % 2 === 0 ? new SseClient(options) : new WsClient(options),
  );
  const broken: Promise<void>[] = [];
  await Promise.all(clients.map((client) => client.connect()));
  // With every event that one of them sees, some lose their connection.
  const watcher = new SseClient({
    ...options,
    onEvent: () => {
      for (const client of clients) if (random() < 0.1) broken.push(client.breakOff());
    },
  });
  await watcher.connect();
  const runId = await run(api, steps());
  await expect
    .poll(() => watcher.events.find(({ type }) => type === 'run.finished')?.correlation_id, {
      timeout: RUN_MS,
    })
    .toBe(runId);
  await Promise.allSettled(broken);
  const all = await history(api);
  expect(all.length).toBeGreaterThan(30);
  for (const client of clients) {
    await expect.poll(() => client.events.length).toBeGreaterThanOrEqual(all.length);
    expect(client.events, client.kind).toEqual(all);
  }
  const connections = clients.reduce((total, client) => total + client.connections, 0);
  expect(connections).toBeGreaterThan(3 * clients.length);
  expect(all.at(-1)).toMatchObject({
    type: 'run.finished',
    priority: 'high',
    payload: { run_id: runId, state: 'failed', error: { name: 'BrowserAgent.ElementNotFound' } },
  });
  expect(JSON.stringify(all)).not.toContain(CANARY);
  for (const client of [...clients, watcher]) client.close();
  await api.close();
}, 60_000);

test('a client goes on where it was when the agent was started anew', async () => {
  const first = await open();
  const before = await history(first);
  const options = { url: first.api.url, key: first.api.token };
  const sse = new SseClient({ ...options, after: 0 });
  await sse.connect();
  await expect.poll(() => sse.events.length).toBe(before.length);
  await first.close();
  await sse.ended;

  const second = await open();
  const runId = await run(second, [{ action: 'navigate', url: `${site.url}/` }]);
  const again = new SseClient({
    url: second.api.url,
    key: second.api.token,
    after: sse.lastId,
  });
  await again.connect();
  await expect.poll(() => again.events.at(-1)?.type, { timeout: RUN_MS }).toBe('run.finished');
  const all = await history(second);
  expect([...sse.events, ...again.events]).toEqual(all);
  expect(all.at(-1)!.correlation_id).toBe(runId);
  again.close();
  await second.close();
});
