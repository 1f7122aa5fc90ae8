/** Streams of events of a real agent: what they carry, whom they refuse, and how they end. */
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { HeldClock } from '../../../test/fixtures/held-clock.ts';
import { openTestApi, type TestApi } from '../../../test/fixtures/api.ts';
import { SseClient, WsClient, type EventClient } from '../../../test/fixtures/event-clients.ts';
import { EventBus } from '../../base/events.ts';
import { silentLogger } from '../../base/log.ts';
import { systemClock } from '../../base/clock.ts';
import { EventJournal } from '../../journal/index.ts';
import { ApiKeyStore } from '../../store/api-keys.ts';
import { openDatabase } from '../../store/database.ts';
import { EventStore } from '../../store/events.ts';
import { serverMessage } from './messages.ts';

const RUN = '0198c0de-0000-7000-8000-000000000001';
const OTHER_RUN = '0198c0de-0000-7000-8000-000000000002';
const SOON = { timeout: 10_000, interval: 5 };

let api: TestApi;
let clients: EventClient[];

beforeEach(async () => {
  api = await openTestApi({ variables: { LBA_API_EVENT_ROWS: '100', LBA_API_BASIC_STREAMS: '2' } });
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.close();
  await api.close();
});

function make<T extends EventClient>(client: T): T {
  clients.push(client);
  return client;
}
const options = (): { url: string; key: string } => ({ url: api.api.url, key: api.api.token });
const step = (stepNumber: number, runId = RUN): void =>
  api.agent.events.emit({ type: 'step.started', runId, stepNumber, name: 'Open', action: 'navigate' });
const finish = (runId = RUN): void =>
  api.agent.events.emit({ type: 'run.finished', runId, state: 'failed', durationMs: 1 });
const many = (count: number): void => {
  for (let number = 1; number <= count; number += 1) {
    step(number);
    if (number % 100 === 0) api.agent.journal.flush();
  }
};
const idsOf = (client: EventClient): number[] => client.events.map(({ id }) => id);
/** True, or the test takes too long. */
const endedSoon = async (client: SseClient | WsClient): Promise<boolean> => client.ended.then(() => true);
const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_one, index) => first + index);

describe.each(['sse', 'ws'] as const)('%s', (kind) => {
  const follow = async (more: Partial<ConstructorParameters<typeof SseClient>[0]> = {}) => {
    const client = make(new (kind === 'sse' ? SseClient : WsClient)({ ...options(), ...more }));
    await client.connect();
    return client;
  };

  test('brings what happens from now on, in order', async () => {
    step(1);
    api.agent.journal.flush();
    const client = await follow();
    for (let number = 2; number <= 300; number += 1) step(number);
    await expect.poll(() => client.events.length, SOON).toBe(299);
    expect(idsOf(client)).toEqual(upTo(300, 2));
    expect(client.events[0]).toEqual({
      id: 2,
      type: 'step.started',
      priority: 'low',
      source: 'runs',
      correlation_id: RUN,
      time: expect.stringMatching(/Z$/) as string,
      payload: { run_id: RUN, step_number: 2, name: 'Open', action: 'navigate' },
    });
  });

  test('goes on where a broken connection ended, also before its first event', async () => {
    step(1);
    api.agent.journal.flush();
    const client = await follow();
    await client.breakOff();
    for (let number = 2; number <= 20; number += 1) {
      if (number % 5 === 0) client.close();
      step(number);
      if (number % 5 === 0) await client.connect();
    }
    await expect.poll(() => idsOf(client), SOON).toEqual(upTo(20, 2));
    expect(client.connections).toBe(6);
  });

  test('brings only types, run and priority that are asked for', async () => {
    const types = await follow({ types: 'run.*,human.resolved', after: 0 });
    const run = await follow({ runId: OTHER_RUN, after: 0 });
    step(1);
    finish();
    step(2, OTHER_RUN);
    finish(OTHER_RUN);
    await expect.poll(() => idsOf(types), SOON).toEqual([2, 4]);
    await expect.poll(() => idsOf(run), SOON).toEqual([3, 4]);
  });

  test('says first what history has lost, and goes on with what there is', async () => {
    many(1_500);
    const { oldest, newest } = api.agent.journal.store.bounds();
    expect(oldest).toBeGreaterThan(900);
    const client = await follow({ after: 5 });
    await expect.poll(() => client.events.at(-1)?.id, SOON).toBe(newest);
    const lost = { after: 5, from_id: oldest };
    if (client instanceof WsClient) {
      expect(client.messages.at(-1)).toEqual({ type: 'history_lost', id: 'all', ...lost });
    } else {
      const said = client.events.shift();
      expect(said).toMatchObject({ id: oldest - 1, type: 'agent.history_lost', payload: lost });
    }
    expect(idsOf(client)).toEqual(upTo(newest, oldest));
    // The database is another one: it knows nothing of that id.
    const future = await follow({ after: 1_000_000 });
    await expect.poll(() => future.events.at(-1)?.id, SOON).toBe(newest);
  });

  test('brings all that history holds to who has nothing yet, without a word of loss', async () => {
    many(1_500);
    const { oldest, newest } = api.agent.journal.store.bounds();
    const client = await follow({ after: 0 });
    await expect.poll(() => client.events.at(-1)?.id, SOON).toBe(newest);
    expect(idsOf(client)).toEqual(upTo(newest, oldest));
  });

  test('brings what another process of the same data directory does', async () => {
    const client = await follow();
    const db = openDatabase(api.agent.paths.database);
    const events = new EventBus(silentLogger);
    const journal = new EventJournal({
      events,
      store: new EventStore(db),
      clock: systemClock,
      log: silentLogger,
      keep: () => ({ rows: 1_000, days: 1 }),
    });
    step(1);
    api.agent.journal.flush();
    events.emit({ type: 'run.queued', runId: OTHER_RUN, scriptName: 'exec' });
    finish();
    events.emit({ type: 'run.finished', runId: OTHER_RUN, state: 'succeeded', durationMs: 1 });
    await expect.poll(() => idsOf(client), SOON).toEqual([1, 2, 3, 4]);
    journal.close();
    db.close();
  });

  test('ends at once when its key is revoked, and so does nothing else', async () => {
    const { key, key_id } = await api.key({ name: 'a', scopes: ['read'] });
    const mine = await follow({ key });
    const other = await follow();
    await api.call('DELETE', `/keys/${key_id}`);
    const end = await mine.ended;
    if (kind === 'ws') expect(end).toEqual({ code: 1008, reason: 'this key cannot be used any more' });
    step(1);
    await expect.poll(() => idsOf(other), SOON).toEqual([1]);
    expect(idsOf(mine)).toEqual([]);
    await expect(mine.connect()).rejects.toThrow('401');
  });

  test('ends when its key is revoked on the command line, or expires', async () => {
    const { key, key_id } = await api.key({ name: 'a', scopes: ['read'] });
    const revoked = await follow({ key });
    const db = openDatabase(api.agent.paths.database);
    new ApiKeyStore(db).revoke(key_id, Date.now());
    db.close();
    expect(await endedSoon(revoked)).toBe(true);
    const short = await api.key({
      name: 'b',
      scopes: ['read'],
      expires_at: new Date(Date.now() + 1_000).toISOString(),
    });
    expect(await endedSoon(await follow({ key: short.key }))).toBe(true);
  });

  test('is refused to one stream more than the key may have', async () => {
    const { key } = await api.key({ name: 'a', scopes: ['read'] });
    const first = await follow({ key });
    await follow({ key });
    await expect(follow({ key })).rejects.toThrow('429');
    first.close();
    await expect.poll(() => follow({ key }).catch(() => null), SOON).not.toBeNull();
  });

  test('ends with the last event when the agent does', async () => {
    const client = await follow();
    step(1);
    const closing = api.api.close();
    const end = await client.ended;
    if (kind === 'ws') expect(end).toEqual({ code: 1001, reason: 'the agent ends' });
    expect(idsOf(client)).toEqual([1]);
    await closing;
  });
});

describe('a slow reader', () => {
  test('holds nobody up, takes next to no memory, and gets everything in the end', async () => {
    const name = 'x'.repeat(1_900);
    await api.close();
    api = await openTestApi({ variables: { LBA_API_EVENT_ROWS: '20000' } });
    const slow = make(new SseClient(options()));
    const slowSocket = make(new WsClient(options()));
    const quick = make(new WsClient(options()));
    await Promise.all([slow.connect(), slowSocket.connect(), quick.connect()]);
    slow.response!.pause();
    slowSocket.socket!.pause();
    const count = 8_000; // 16 MB, more than the system's own buffers hold.
    for (let from = 0; from < count; from += 200) {
      for (let number = from + 1; number <= from + 200; number += 1) {
        api.agent.events.emit({ type: 'step.started', runId: RUN, stepNumber: number, name, action: 'a' });
      }
      await expect.poll(() => quick.events.length, SOON).toBe(from + 200);
    }
    expect(slow.events.length).toBeLessThan(count / 2);
    expect(slowSocket.events.length).toBeLessThan(count / 2);
    const waiting = serverSockets(api).map((socket) => socket.writableLength);
    expect(waiting.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...waiting)).toBeLessThan(500_000);
    slow.response!.resume();
    slowSocket.socket!.resume();
    await expect.poll(() => slow.events.length, SOON).toBe(count);
    await expect.poll(() => slowSocket.events.length, SOON).toBe(count);
    expect(idsOf(slow)).toEqual(upTo(count));
    expect(idsOf(slowSocket)).toEqual(upTo(count));
  });
});

describe('a stream on which nothing happens', () => {
  const clock = new HeldClock();
  /** Lets time pass until it has come true. */
  const passUntil = async (isTrue: () => boolean): Promise<void> => {
    const later = (): boolean => {
      clock.advance(250);
      return isTrue();
    };
    await expect.poll(later, { timeout: 20_000, interval: 1 }).toBe(true);
  };

  beforeEach(async () => {
    await api.close();
    api = await openTestApi({ clock });
  });

  test('shows that it lives, and how far it has come beyond what it does not show', async () => {
    const sse = make(new SseClient({ ...options(), types: 'human.*' }));
    const ws = make(new WsClient({ ...options(), types: 'human.*' }));
    await Promise.all([sse.connect(), ws.connect()]);
    step(1);
    finish();
    await passUntil(() => sse.lastId === 2 && ws.messages.length === 2);
    expect(ws.messages[1]).toEqual({ type: 'position', id: 'all', position: 2 });
    expect([sse.events, ws.events]).toEqual([[], []]);
  });

  test('is cut off when nobody is at the other end, and not when somebody is', async () => {
    const alive = make(new WsClient(options()));
    const dead = make(new WsClient(options()));
    await Promise.all([alive.connect(), dead.connect()]);
    // It reads nothing, so it answers no ping.
    dead.socket!.pause();
    const stalled = make(new SseClient({ ...options(), after: 0 }));
    await stalled.connect();
    stalled.response!.pause();
    const name = 'x'.repeat(1_900);
    for (let stepNumber = 1; stepNumber <= 6_000; stepNumber += 1) {
      api.agent.events.emit({ type: 'step.started', runId: RUN, stepNumber, name, action: 'a' });
    }
    await expect.poll(() => alive.events.length, SOON).toBe(6_000);
    const count = (): number => serverSockets(api).length;
    const before = count();
    await passUntil(() => count() <= before - 2);
    alive.send({ type: 'ping' });
    await expect.poll(() => alive.messages.at(-1), SOON).toEqual({ type: 'pong' });
  });
});

/** The agent's ends of its connections: it runs in this process. */
function serverSockets({ api: { url } }: TestApi): { writableLength: number }[] {
  const port = Number(new URL(url).port);
  const handles = (process as unknown as { _getActiveHandles(): object[] })._getActiveHandles();
  return handles.filter(
    (handle): handle is { localPort: number; writableLength: number } =>
      'localPort' in handle && 'writableLength' in handle && handle.localPort === port,
  );
}

describe('a WebSocket', () => {
  const open = async (): Promise<WsClient> => {
    const client = make(new WsClient(options()));
    await client.connect();
    return client;
  };
  const answers = async (client: WsClient, count: number): Promise<Record<string, unknown>[]> => {
    await expect.poll(() => client.messages.length, SOON).toBeGreaterThanOrEqual(count + 1);
    return client.messages.slice(1);
  };

  test('has subscriptions of their own filter and place, replaced by name and ended by name', async () => {
    const client = await open();
    client.send({ type: 'unsubscribe', id: 'all' });
    client.send({ type: 'subscribe', id: 'ends', types: ['run.finished'], min_priority: 'high' });
    client.send({ type: 'subscribe', id: 'steps', types: ['step.*'] });
    client.send({ type: 'ping' });
    expect(await answers(client, 4)).toEqual([
      { type: 'unsubscribed', id: 'all' },
      { type: 'subscribed', id: 'ends', position: 0 },
      { type: 'subscribed', id: 'steps', position: 0 },
      { type: 'pong' },
    ]);
    step(1);
    finish();
    await expect.poll(() => idsOf(client).toSorted((a, b) => a - b), SOON).toEqual([1, 2]);
    client.send({ type: 'subscribe', id: 'steps', types: ['human.*'], after: 2 });
    client.send({ type: 'unsubscribe', id: 'nothing' });
    expect((await answers(client, 6)).at(-1)).toMatchObject({ type: 'error', id: 'nothing' });
  });

  test('goes on behind what the consumer has acknowledged, also of another connection', async () => {
    const first = await open();
    for (let number = 1; number <= 5; number += 1) step(number);
    await expect.poll(() => idsOf(first), SOON).toEqual(upTo(5));
    first.send({ type: 'acknowledge', consumer: 'billing', event_id: 3 });
    first.send({ type: 'acknowledge', consumer: 'billing', event_id: 2 });
    first.send({ type: 'acknowledge', consumer: 'billing', event_id: 6 });
    expect(await answers(first, 3)).toMatchObject([
      { type: 'acknowledged', consumer: 'billing', event_id: 3 },
      { type: 'acknowledged', consumer: 'billing', event_id: 3 },
      { type: 'error', detail: 'There is no event 6 yet: the last is 5.' },
    ]);
    const second = await open();
    second.send({ type: 'subscribe', id: 'b', consumer: 'billing' });
    await expect.poll(() => idsOf(second), SOON).toEqual([4, 5]);
  });

  test('answers what it cannot follow with what is wrong, and stays open until there is too much of it', async () => {
    const client = await open();
    client.send('{"type":');
    client.send({ type: 'subscribe' });
    client.send({ type: 'subscribe', id: 'x', types: ['runs.*'] });
    client.send({ type: 'acknowledge', consumer: 'c', event_id: -1 });
    client.socket!.send(Buffer.from('{}'), { binary: true });
    const said = await answers(client, 5);
    expect(said.map(({ error }) => error)).toEqual(Array(5).fill('BrowserAgent.InvalidInput'));
    expect(said[1]).toMatchObject({ problems: [{ path: '$.id' }] });
    expect(said[2]).toMatchObject({ id: 'x', detail: 'No event has the type "runs.*".' });
    client.send({ type: 'ping' });
    expect((await answers(client, 6)).at(-1)).toEqual({ type: 'pong' });
    for (let number = 0; number < 20; number += 1) client.send('x');
    expect(await client.ended).toEqual({
      code: 1008,
      reason: 'too many messages that cannot be followed',
    });
  });

  test('is closed when a message is too large or there are too many of them', async () => {
    const large = await open();
    large.send('x'.repeat(20_000));
    expect((await large.ended).code).toBe(1009);
    const many = await open();
    for (let number = 0; number < 500; number += 1) many.send({ type: 'ping' });
    expect((await many.ended).code).toBe(1008);
  });

  test('counts each subscription as a request of its key', async () => {
    const { key } = await api.key({ name: 'a', scopes: ['read'], tier: 'basic' });
    const client = make(new WsClient({ ...options(), key }));
    await client.connect();
    for (let number = 0; number < 60; number += 1) client.send({ type: 'subscribe', id: 'a' });
    await expect
      .poll(() => client.messages.at(-1), SOON)
      .toMatchObject({ type: 'error', id: 'a', error: 'BrowserAgent.TooManyRequests' });
  });

  test('answers whatever it is sent with what is documented, and lives on', async () => {
    const value = fc.oneof(
      fc.constantFrom<unknown>('subscribe', 'unsubscribe', 'acknowledge', 'run.*', RUN, 'high', 0, 1e300),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const near = fc.record(
      {
        type: fc.oneof(fc.constantFrom('subscribe', 'unsubscribe', 'acknowledge', 'ping'), value),
        id: value,
        types: fc.oneof(fc.array(value, { maxLength: 3 }), value),
        run_id: value,
        min_priority: value,
        after: value,
        consumer: value,
        event_id: value,
        __proto__: value,
      },
      { requiredKeys: [] },
    );
    const message = fc.oneof(
      near.map((object) => JSON.stringify(object)),
      fc.json(),
      fc.string({ unit: 'binary', maxLength: 100 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 15 }), async (messages) => {
        const client = make(new WsClient(options()));
        await client.connect();
        for (const each of messages) client.send(each);
        client.send({ type: 'ping' });
        await expect
          .poll(() => client.messages.filter(({ type }) => type === 'pong').length, SOON)
          .toBeGreaterThan(0);
        for (const answer of client.messages) expect(() => serverMessage.parse(answer)).not.toThrow();
        client.close();
      }),
      { numRuns: 40 },
    );
    expect((await api.call('GET', '/health')).status).toBe(200);
  }, 60_000);
});

describe('the door', () => {
  const upgrade = async (headers: Record<string, string>, path = '/api/v1/events/ws'): Promise<number> => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const request = httpRequest(`${api.api.url}${path}`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    request.end();
    return promise;
  };
  const key = (): Record<string, string> => ({ authorization: `Bearer ${api.api.token}` });

  test('is shut to pages of others, to strange names, and to who has no key', async () => {
    const bearer = `lba.events.v1, bearer.${api.api.token}`;
    expect(await upgrade({ ...key(), origin: 'https://evil.example.com' })).toBe(403);
    expect(await upgrade({ ...key(), origin: 'null' })).toBe(403);
    expect(await upgrade({ ...key(), host: 'evil.example.com' })).toBe(421);
    expect(await upgrade({})).toBe(401);
    expect(await upgrade({ 'sec-websocket-protocol': 'lba.events.v1, bearer.lba_x' })).toBe(401);
    expect(await upgrade({ ...key(), 'sec-websocket-protocol': 'chat' })).toBe(400);
    expect(await upgrade({ 'sec-websocket-protocol': bearer, origin: api.api.url })).toBe(101);
    expect(await upgrade(key())).toBe(101);
  });

  test('takes no key from the address, and none as a subprotocol where no socket is', async () => {
    const { token } = api.api;
    expect(await upgrade({}, `/api/v1/events/ws?key=${token}&access_token=${token}`)).toBe(401);
    const headers = { 'sec-websocket-protocol': `bearer.${token}` };
    expect(await upgrade(headers, '/api/v1/keys')).toBe(401);
    expect(await upgrade(headers, '/api/v1/events')).toBe(401);
  });

  test('answers every other address as if nobody had asked for a socket', async () => {
    expect(await upgrade(key(), '/api/v1/version')).toBe(200);
    expect(await upgrade(key(), '/nowhere')).toBe(404);
    expect(await upgrade({ ...key(), upgrade: 'h2c' }, '/api/v1/version')).toBe(200);
    expect(await upgrade({ ...key(), 'sec-websocket-version': '1' })).toBe(400);
  });

  test('survives who slams it', async () => {
    const port = Number(new URL(api.api.url).port);
    const lines = [
      'GET /api/v1/events/ws HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      `Authorization: Bearer ${api.api.token}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    for (let number = 0; number < 20; number += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(`${lines.join('\r\n')}\r\n\r\n\u0081\u00ff`, () => socket.resetAndDestroy());
      await closed;
    }
    const client = make(new WsClient(options()));
    await client.connect();
    expect((await api.call('GET', '/version')).status).toBe(200);
  });

  test('opens to a socket that is the first request of all', async () => {
    const socket = new WebSocket(`${api.api.url.replace('http', 'ws')}/api/v1/events/ws`, {
      headers: key(),
    });
    const opened = Promise.withResolvers<void>();
    socket.on('open', () => opened.resolve());
    socket.on('error', opened.reject);
    await opened.promise;
    expect(socket.readyState).toBe(socket.OPEN);
    socket.terminate();
  });
});
