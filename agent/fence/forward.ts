/** Requests in absolute form: unencrypted http, passed on header by header. */
import {
  Agent,
  request as httpRequest,
  type ClientRequest,
  type ClientRequestArgs,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import { pipeline, type Duplex } from 'node:stream';
import { targetOf, type HostTarget } from '../base/host-pattern.ts';
import type { Gate } from './gate.ts';
import { shownTarget, wordsOf } from './refusals.ts';
import { openConnection, openToProxy, proxyAuthorization, UPSTREAM_CODES } from './upstream/connect.ts';
import type { Proxy, Route } from './upstream/route.ts';

/** Chromium's own limit for the head of a response. */
export const MAX_HEADER_BYTES = 256 * 1024;

/** Of this connection alone (RFC 9110, section 7.6.1), and what is between browser and proxy. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'te',
  'upgrade',
]);

/** What {@link ServerConnections} needs to know of a request, beside what Node's agent does. */
interface Way {
  target: HostTarget;
  addresses: readonly string[];
  route: Route;
}

/**
 * Connections to servers of one browser connection: one for one, because a server may know who is signed in by
 * the connection (NTLM, Negotiate), and because browsers keep theirs apart by site.
 */
class ServerConnections extends Agent {
  readonly #closed = new AbortController();
  #chosen: { routes: string; route: Route } | null = null;

  constructor() {
    super({ keepAlive: true, maxSockets: 1 });
  }

  /** The first way that can be taken: how a request is written depends on it. @throws ConnectError */
  async choose(routes: readonly Route[]): Promise<Route> {
    const key = JSON.stringify(routes);
    if (this.#chosen?.routes === key) return this.#chosen.route;
    const route = await firstReachable(routes);
    this.#chosen = { routes: key, route };
    return route;
  }

  override createConnection(
    options: ClientRequestArgs & { way?: Way },
    onOpened?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const { way } = options;
    if (!way) throw new Error('a request without its way');
    const { target, addresses, route } = way;
    const opening = isHttpProxy(route)
      ? openToProxy(route)
      : openConnection({ ...target, addresses }, [route], this.#closed.signal);
    opening.then(
      (socket) => onOpened?.(null, socket),
      (error: Error) => onOpened?.(error, undefined as never),
    );
  }

  override destroy(): void {
    this.#closed.abort();
    super.destroy();
  }
}

const connections = new WeakMap<object, ServerConnections>();

/** Answers one request. Never throws. */
export async function forward(request: IncomingMessage, response: ServerResponse, gate: Gate): Promise<void> {
  request.on('error', () => response.destroy());
  const url = request.url ?? '';
  const target = targetOf(url);
  if (!target || target.secure !== false)
    return refuse(response, 400, 'This proxy takes http addresses in full.');
  const verdict = await gate.admit(target, 'request');
  if (response.destroyed) return;
  if (verdict.kind === 'refused') {
    return refuse(
      response,
      403,
      `The request to ${shownTarget(target)} was refused: ${wordsOf(verdict.reason)}.`,
    );
  }
  // The browser reports a connection that ends without an answer; one that it had used before, it tries again.
  if (verdict.kind === 'failed') return void request.socket.destroy();
  const fail = (code: string): void => {
    if (!response.headersSent) gate.noteFailure(target, code);
    request.socket.destroy();
  };
  const { addresses } = verdict;
  const server = connectionsOf(request);
  let route: Route;
  try {
    route = await server.choose(verdict.routes);
  } catch (thrown) {
    return fail(codeOf(thrown));
  }
  const outgoing = outgoingOf(request, new URL(url), server, { target, addresses, route });
  outgoing.on('response', (incoming) => {
    if (incoming.statusCode === 407 && isHttpProxy(route)) return fail(UPSTREAM_CODES.auth);
    gate.noteConnected(target);
    response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, headersBack(incoming));
    pipeline(incoming, response, () => undefined);
  });
  outgoing.on('error', (error) => fail(codeOf(error)));
  response.once('close', () => {
    if (!response.writableFinished) outgoing.destroy();
  });
  request.pipe(outgoing);
}

function outgoingOf(request: IncomingMessage, url: URL, agent: ServerConnections, way: Way): ClientRequest {
  const proxy = isHttpProxy(way.route) ? way.route : null;
  const { host, port } = proxy ?? way.target;
  const options: RequestOptions & { way: Way } = {
    method: request.method,
    host,
    port,
    path: proxy ? url.href.slice(0, url.href.length - url.hash.length) : `${url.pathname}${url.search}`,
    headers: [...plainHeaders(request), ...(proxy ? Object.entries(proxyAuthorization(proxy)).flat() : [])],
    agent,
    maxHeaderSize: MAX_HEADER_BYTES,
    // As lenient with old servers as browsers are.
    insecureHTTPParser: true,
    way,
  };
  return httpRequest(options);
}

/** One that takes requests in absolute form; to all others a connection is made, as for a tunnel. */
function isHttpProxy(route: Route): route is Proxy {
  return route.kind === 'proxy' && (route.protocol === 'http' || route.protocol === 'https');
}

/** @throws ConnectError */
async function firstReachable(routes: readonly Route[]): Promise<Route> {
  let last: unknown = new Error('no way to connect');
  for (const [index, route] of routes.entries()) {
    // Nothing comes after it that could be tried instead.
    if (route.kind === 'direct' || index === routes.length - 1) return route;
    try {
      (await openToProxy(route)).destroy();
      return route;
    } catch (thrown) {
      last = thrown;
    }
  }
  throw last;
}

function codeOf(thrown: unknown): string {
  return (thrown as NodeJS.ErrnoException).code ?? 'ECONNRESET';
}

function connectionsOf({ socket }: IncomingMessage): ServerConnections {
  const known = connections.get(socket);
  if (known) return known;
  const agent = new ServerConnections();
  connections.set(socket, agent);
  socket.once('close', () => agent.destroy());
  return agent;
}

/** As they came, in their order and spelling. */
function plainHeaders({ rawHeaders, headers }: IncomingMessage): string[] {
  const named = new Set(
    (headers.connection ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!HOP_BY_HOP.has(name) && !named.has(name)) kept.push(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
  }
  return kept;
}

function headersBack(incoming: IncomingMessage): string[] {
  const kept = plainHeaders(incoming);
  // RFC 4559, section 6: one connection to the server for each of the browser's, so that these can be used.
  if (incoming.statusCode === 401) kept.push('Proxy-Support', 'Session-Based-Authentication');
  return kept;
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${text}\n`);
}
