/** Opens a connection to a host at addresses that were checked: directly, or through an upstream proxy. */
import { request as httpRequest } from 'node:http';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Proxy, Route } from './route.ts';

export interface Destination {
  host: string;
  port: number;
  /** Checked addresses of the host; empty: only the upstream proxy knows them. */
  addresses: readonly string[];
}

/** A connection that could not be made; `code` as Node has it, or one of {@link UPSTREAM_CODES}. */
export class ConnectError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ConnectError';
    this.code = code;
  }
}

/** What an upstream proxy may answer instead of a connection. */
export const UPSTREAM_CODES = {
  /** It wants a sign-in that we have not, or not the right one. */
  auth: 'UPSTREAM_AUTH',
  /** It does not connect there. */
  refused: 'UPSTREAM_REFUSED',
} as const;

/** As long as Chromium waits for a connection before it reports one that timed out. */
const CONNECT_TIMEOUT_MS = 120_000;
/** How long each address is tried before the next is; Node's own 250 ms is less than a satellite link takes. */
const ATTEMPT_TIMEOUT_MS = 1_000;

/** @throws ConnectError */
export async function openConnection(
  destination: Destination,
  routes: readonly Route[],
  signal: AbortSignal,
): Promise<Socket> {
  let last: unknown;
  for (const route of routes) {
    try {
      return await within(openVia(route, destination, signal));
    } catch (thrown) {
      last = thrown;
      signal.throwIfAborted();
    }
  }
  throw last;
}

async function openVia(route: Route, destination: Destination, signal: AbortSignal): Promise<Socket> {
  if (route.kind === 'direct') return openTcp(destination, signal);
  switch (route.protocol) {
    case 'http':
    case 'https':
      return openThroughHttp(route, destination, signal);
    case 'socks4':
    case 'socks5': {
      const { openThroughSocks } = await import('./socks.ts');
      return openThroughSocks(route, destination);
    }
  }
}

function openTcp({ host, port, addresses }: Destination, signal: AbortSignal): Promise<Socket> {
  return connected(
    connectTcp({
      host: isIP(host) === 0 ? host : (addresses[0] ?? host),
      port,
      lookup: lookupOf(addresses),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS,
      noDelay: true,
      keepAlive: true,
      signal,
    }),
    'connect',
  );
}

/** Answers with the addresses that were checked, whatever the name leads to by now. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  return (_host, options, callback) => {
    const all = addresses.map((address) => ({ address, family: isIP(address) }));
    if (options.all === true) callback(null, all);
    else callback(null, all[0]?.address ?? '', all[0]?.family ?? 4);
  };
}

/** A connection to the proxy itself. @throws ConnectError */
export function openToProxy({ protocol, host, port }: Proxy): Promise<Socket> {
  const to = {
    host,
    port,
    noDelay: true,
    keepAlive: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS,
  };
  if (protocol !== 'https') return connected(connectTcp(to), 'connect');
  return connected(connectTls({ ...to, ...(isIP(host) === 0 ? { servername: host } : {}) }), 'secureConnect');
}

export function proxyAuthorization({ credentials }: Proxy): Record<string, string> {
  if (!credentials) return {};
  const { username, password } = credentials;
  return { 'proxy-authorization': `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

async function openThroughHttp(proxy: Proxy, destination: Destination, signal: AbortSignal): Promise<Socket> {
  const { host, port } = destination;
  const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const opened = Promise.withResolvers<Socket>();
  const connection = await openToProxy(proxy);
  const request = httpRequest({
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...proxyAuthorization(proxy) },
    createConnection: () => connection,
    signal,
  });
  request.on('connect', (response, socket, head) => {
    if (response.statusCode === 200) {
      if (head.length > 0) socket.unshift(head);
      opened.resolve(socket as Socket);
      return;
    }
    socket.destroy();
    const code = response.statusCode === 407 ? UPSTREAM_CODES.auth : UPSTREAM_CODES.refused;
    opened.reject(new ConnectError(code, `the proxy answered ${response.statusCode} for ${authority}`));
  });
  request.on('response', (response) => {
    response.destroy();
    opened.reject(new ConnectError(UPSTREAM_CODES.refused, `the proxy answered ${response.statusCode}`));
  });
  request.on('error', (error) => opened.reject(asConnectError(error)));
  request.end();
  return opened.promise;
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const fail = (error: Error): void => reject(asConnectError(error));
  socket.once('error', fail).once(event, () => {
    socket.off('error', fail);
    resolve(socket);
  });
  return promise;
}

function asConnectError(error: Error): ConnectError {
  const { code = 'ECONNRESET' } = error as NodeJS.ErrnoException;
  return new ConnectError(code, error.message);
}

async function within(opening: Promise<Socket>): Promise<Socket> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new ConnectError('ETIMEDOUT', `no connection within ${CONNECT_TIMEOUT_MS} ms`)),
      CONNECT_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([opening, late]);
  } catch (thrown) {
    opening.then(
      (socket) => socket.destroy(),
      () => undefined,
    );
    throw thrown;
  } finally {
    clearTimeout(timer);
  }
}
