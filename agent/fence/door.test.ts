/** The proxy as a browser uses it, byte for byte, without a browser. */
import { once } from 'node:events';
import { Agent, createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startFencedSites, type FencedSites } from '../../test/fixtures/fenced-sites.ts';
import { parseHostPattern } from '../base/host-pattern.ts';
import { openDoor, type Door } from './door.ts';
import type { FenceOptions } from './fence.ts';
import type { FenceRules } from './rules.ts';
import { DIRECT, type Proxy } from './upstream/route.ts';

let sites: FencedSites;
let door: Door;
let agent: Agent;
const cleanup: (() => unknown)[] = [];

beforeEach(() => begin());
afterEach(async () => {
  agent.destroy();
  await door.close();
  await sites.close();
  for (const step of cleanup.splice(0)) await step();
});

async function begin(options: Partial<FenceOptions> = {}): Promise<void> {
  sites = await startFencedSites(options);
  const opened = await sites.fence.open({ isPersistent: false });
  await opened.close();
  // What this process opens needs no key: these tests speak for a browser.
  door = await openDoor(opened.gate, { has: () => false });
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await setRules();
}

async function beginAgain(options: Partial<FenceOptions>): Promise<void> {
  agent.destroy();
  await door.close();
  await sites.close();
  await begin(options);
}

const setRules = (rules: Partial<FenceRules> = {}): Promise<void> =>
  door.gate.setRules({ requests: null, named: [], privateAddresses: 'allow', privateHosts: [], ...rules });

const key = (): string => `Basic ${Buffer.from(`${door.username}:${door.password}`).toString('base64')}`;

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  key?: string | null;
}

/** One request in absolute form, on the one connection that is kept. */
async function ask(
  url: string,
  { method = 'GET', headers = {}, body, key: shown = key() }: Asked = {},
): Promise<IncomingMessage> {
  const { port } = new URL(door.address);
  const outgoing = httpRequest({
    host: '127.0.0.1',
    port,
    method,
    path: url,
    agent,
    headers: {
      host: new URL(url).host,
      ...(shown === null ? {} : { 'proxy-authorization': shown }),
      ...headers,
    },
  });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return response;
}

/** A raw connection to the door, which says CONNECT. */
async function tunnel(authority: string): Promise<{ socket: Socket; status: number; body: string }> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(door.address).port) });
  socket.on('error', () => undefined);
  cleanup.push(() => socket.destroy());
  socket.write(
    `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nProxy-Authorization: ${key()}\r\n\r\n`,
  );
  const [first] = (await once(socket, 'data')) as [Buffer];
  const [head = '', body = ''] = first.toString().split('\r\n\r\n');
  return { socket, status: Number(head.split(' ')[1]), body };
}

async function listen(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('the key', () => {
  test.each([null, 'Basic bm9ib2R5', 'Bearer x'])(
    'a request with the key %s is not answered',
    async (given) => {
      const response = await ask(`${sites.url('shop')}/`, { key: given });
      expect(response.statusCode).toBe(407);
      expect(response.headers['proxy-authenticate']).toMatch(/^Basic realm=/);
      expect(sites.asked).toEqual([]);
    },
  );

  test('the key of one context opens no door of another', async () => {
    const other = await sites.fence.open({ isPersistent: false });
    const response = await ask(`${sites.url('shop')}/`, {
      key: `Basic ${Buffer.from(`${other.username}:${other.password}`).toString('base64')}`,
    });
    expect(response.statusCode).toBe(407);
  });

  test('the server never sees the key', async () => {
    let seen: Record<string, unknown> = {};
    sites.page('/', (request, response) => {
      seen = request.headers;
      response.end();
    });
    await ask(`${sites.url('shop')}/`, { headers: { 'x-own': '1' } });
    expect(seen).toMatchObject({ 'x-own': '1' });
    expect(Object.keys(seen).filter((name) => name.startsWith('proxy'))).toEqual([]);
  });
});

describe('requests', () => {
  test('a refused one is answered 403, with the reason and the setting to change', async () => {
    await setRules({ requests: [parseHostPattern('shop.test')] });
    const response = await ask(`${sites.url('ads')}/`);
    expect(response.statusCode).toBe(403);
    expect(await text(response)).toMatch(
      /^The request to ads\.test:\d+ was refused: .*policy\.allowed_requests/,
    );
    expect(sites.asked).toEqual([]);
  });

  test('one without an address ends without an answer, as in a browser without a proxy', async () => {
    await expect(ask('http://nosuch.test/')).rejects.toThrow('socket hang up');
    expect(door.gate.failureOf({ host: 'nosuch.test', port: 80 })).toBe('ENOTFOUND');
  });

  test('anything but an http address in full is refused', async () => {
    for (const path of ['/', 'https://shop.test/', 'ftp://shop.test/', 'file:///etc/passwd']) {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(door.address).port) });
      cleanup.push(() => socket.destroy());
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: ${key()}\r\n\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString(), path).toMatch(/^HTTP\/1\.1 400 /);
    }
  });

  test('status, headers in their order, and doubled headers come through as they were sent', async () => {
    sites.page('/', (_request, response) =>
      response
        .writeHead(418, 'Short and stout', ['Set-Cookie', 'a=1', 'X-Case', 'Kept', 'Set-Cookie', 'b=2'])
        .end('tea'),
    );
    const response = await ask(`${sites.url('shop')}/`);
    expect([response.statusCode, response.statusMessage]).toEqual([418, 'Short and stout']);
    expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(response.rawHeaders).toContain('X-Case');
    expect(await text(response)).toBe('tea');
  });

  test('an upload of 32 MB arrives whole', async () => {
    let bytes = 0;
    sites.page('/', (request, response) => {
      request.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('end', () => response.end('done'));
    });
    const body = Buffer.alloc(32 * 1024 * 1024, 7);
    const response = await ask(`${sites.url('shop')}/`, { method: 'POST', body });
    expect(await text(response)).toBe('done');
    expect(bytes).toBe(body.length);
  });

  test('events of a stream come one by one, and end when the browser leaves', async () => {
    const gone = Promise.withResolvers<void>();
    const events = Promise.withResolvers<{ write(text: string): unknown }>();
    sites.page('/', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.on('close', () => gone.resolve());
      events.resolve(response);
      response.write('data: 1\n\n');
    });
    const response = await ask(`${sites.url('shop')}/`);
    expect(String((await once(response, 'data'))[0])).toBe('data: 1\n\n');
    (await events.promise).write('data: 2\n\n');
    expect(String((await once(response, 'data'))[0])).toBe('data: 2\n\n');
    response.destroy();
    await gone.promise;
  });

  test('a body that breaks off is not taken for a whole one', async () => {
    sites.page('/', (_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half');
      setImmediate(() => response.destroy());
    });
    await expect(text(await ask(`${sites.url('shop')}/`))).rejects.toThrow('aborted');
  });

  test('a connection to the server belongs to one connection of the browser, and is used again', async () => {
    const ports: (number | undefined)[] = [];
    sites.page('/', (request, response) => {
      ports.push(request.socket.remotePort);
      response.writeHead(401, { 'www-authenticate': 'NTLM' }).end();
    });
    const response = await ask(`${sites.url('shop')}/`);
    expect(response.headers['proxy-support']).toBe('Session-Based-Authentication');
    response.resume();
    (await ask(`${sites.url('shop')}/`)).resume();
    expect(ports[0]).toBe(ports[1]);
    agent.destroy();
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
    (await ask(`${sites.url('shop')}/`)).resume();
    expect(ports[2]).not.toBe(ports[0]);
  });

  test('when the run ends, its connections do', async () => {
    sites.page('/', (_request, response) => void response.writeHead(200).write('open'));
    const response = await ask(`${sites.url('shop')}/`);
    const ended = once(response, 'error');
    const { socket } = await tunnel(`127.1.0.1:${sites.port}`);
    const closed = once(socket, 'close');
    door.cut();
    await expect(Promise.all([ended, closed])).resolves.toHaveLength(2);
  });
});

describe('tunnels', () => {
  test('bytes go both ways until either side ends', async () => {
    const port = await listen(createTcpServer((socket) => socket.pipe(socket)));
    const { socket, status } = await tunnel(`127.0.0.1:${port}`);
    expect(status).toBe(200);
    socket.write('ping');
    expect(String((await once(socket, 'data'))[0])).toBe('ping');
    socket.end();
    await once(socket, 'close');
  });

  test('a refused one is answered 403, with the reason', async () => {
    const { status, body } = await tunnel('metadata.test:443');
    expect(status).toBe(403);
    expect(body).toContain('link-local or metadata address');
  });

  test('one that cannot be made is answered 502, and the reason is remembered', async () => {
    const closed = createTcpServer();
    const port = await listen(closed);
    await new Promise((resolve) => closed.close(resolve));
    const { status } = await tunnel(`127.0.0.1:${port}`);
    expect(status).toBe(502);
    expect(door.gate.failureOf({ host: '127.0.0.1', port })).toBe('ECONNREFUSED');
  });

  test.each(['shop.test', 'shop.test:0', 'shop.test:99999', 'a b:443', ''])(
    '"%s" is no tunnel',
    async (authority) => {
      const { port } = new URL(door.address);
      const socket = connect({ host: '127.0.0.1', port: Number(port) });
      cleanup.push(() => socket.destroy());
      socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: ${key()}\r\n\r\n`);
      let answer = '';
      socket.on('data', (bytes) => (answer += bytes.toString()));
      await once(socket, 'close');
      // A request that is not HTTP gets no answer.
      expect(answer).toMatch(/^(?:HTTP\/1\.1 400 .*)?$/s);
      expect(sites.asked).toEqual([]);
    },
  );

  test('the address that was checked is the one that is connected to', async () => {
    let now = 0;
    await beginAgain({ now: () => now });
    await setRules({ privateAddresses: 'named' });
    const first = await tunnel(`shop.test:${sites.port}`);
    expect(first.status).toBe(200);
    sites.lead('shop.test', ['127.2.0.1']);
    now = 61_000;
    const second = await tunnel(`shop.test:${sites.port}`);
    expect(second).toMatchObject({
      status: 403,
      body: expect.stringContaining('led to a public address before'),
    });
  });

  test('a WebSocket of a public page is cut before a byte of it arrives, one of a private page is not', async () => {
    await setRules({ privateAddresses: 'named', named: [parseHostPattern('portal.test')] });
    await door.gate.setView(
      {
        documents: () => Promise.resolve(new Set(['public' as const])),
        prepare: () => Promise.resolve(),
        guard: () => Promise.resolve(),
      },
      { isKept: false },
    );
    (await tunnel(`shop.test:${sites.port}`)).socket.destroy();
    (await tunnel(`portal.test:${sites.port}`)).socket.destroy();
    for (const [from, arrives] of [
      ['shop', false],
      ['portal', true],
    ] as const) {
      sites.asked.length = 0;
      const { socket, status } = await tunnel(`portal.test:${sites.port}`);
      expect(status).toBe(200);
      const closed = once(socket, 'close');
      const head = `GET /ws HTTP/1.1\r\nHost: portal.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: ${sites.url(from)}\r\n\r\n`;
      for (const byte of head) socket.write(byte);
      await closed;
      expect(sites.asked).toEqual(arrives ? ['WS portal.test/ws'] : []);
    }
  });
});

describe('upstream proxies', () => {
  /** A proxy of somebody else's, which wants a name and a password. */
  async function startUpstream(): Promise<{ proxy: Proxy; asked: string[] }> {
    const asked: string[] = [];
    const wanted = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    const server = createServer((request, response) => {
      if (request.headers['proxy-authorization'] !== wanted) return response.writeHead(407).end();
      asked.push(`${request.method} ${request.url}`);
      return response.end('from upstream');
    });
    server.on('connect', (request, socket) => {
      socket.on('error', () => undefined);
      if (request.headers['proxy-authorization'] !== wanted) return socket.end('HTTP/1.1 407 no\r\n\r\n');
      asked.push(`CONNECT ${request.url}`);
      socket.write('HTTP/1.1 200 ok\r\n\r\n');
      return socket.pipe(socket);
    });
    const port = await listen(server);
    return {
      proxy: {
        kind: 'proxy',
        protocol: 'http',
        host: '127.0.0.1',
        port,
        credentials: { username: 'me', password: 'secret' },
      },
      asked,
    };
  }

  test('requests and tunnels go through it by name, with its credentials', async () => {
    const { proxy, asked } = await startUpstream();
    await beginAgain({ router: { routes: () => Promise.resolve([proxy]) } });
    const response = await ask('http://outside.test:81/path?q=1');
    expect(await text(response)).toBe('from upstream');
    const { socket, status } = await tunnel('outside.test:443');
    expect(status).toBe(200);
    socket.write('ping');
    expect(String((await once(socket, 'data'))[0])).toBe('ping');
    expect(asked).toEqual(['GET http://outside.test:81/path?q=1', 'CONNECT outside.test:443']);
  });

  test('wrong credentials are a failure of their own', async () => {
    const { proxy } = await startUpstream();
    await beginAgain({ router: { routes: () => Promise.resolve([{ ...proxy, credentials: null }]) } });
    expect((await tunnel('outside.test:443')).status).toBe(502);
    expect(door.gate.failureOf({ host: 'outside.test', port: 443 })).toBe('UPSTREAM_AUTH');
    await expect(ask('http://outside.test/')).rejects.toThrow('socket hang up');
    expect(door.gate.failureOf({ host: 'outside.test', port: 80 })).toBe('UPSTREAM_AUTH');
  });

  test('the next way is taken when one is not there', async () => {
    const closed = createTcpServer();
    const port = await listen(closed);
    await new Promise((resolve) => closed.close(resolve));
    const missing: Proxy = { kind: 'proxy', protocol: 'http', host: '127.0.0.1', port, credentials: null };
    await beginAgain({ router: { routes: () => Promise.resolve([missing, DIRECT]) } });
    expect((await tunnel(`shop.test:${sites.port}`)).status).toBe(200);
    sites.page('/', 'direct');
    expect(await text(await ask(`${sites.url('shop')}/`))).toContain('direct');
  });
});
