/**
 * The demo portal: a small made-up supplier site with the things real portals do to automation — a login,
 * late results, paging, downloads, pages that fail now and then, frames, shadow DOM, dialogs, pop-ups.
 * Deterministic: same requests, same answers. Pages are in resources/portal.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { drop } from '../../base/drop.ts';
import { silentLogger, type Logger } from '../../base/log.ts';
import { createPages, type Session } from './pages.ts';

export interface PortalOptions {
  /** Default 0: any free port. Always on loopback. */
  port?: number;
  log?: Logger;
}

export interface PortalRequest {
  method: string;
  path: string;
  query: string;
  status: number;
  /** Milliseconds since the epoch. */
  time: number;
}

export interface PortalRequests {
  all(): PortalRequest[];
  /** Requests per path, answered or under way. */
  counts(): Record<string, number>;
  count(path: string): number;
  clear(): void;
}

export interface Portal {
  url: string;
  /** The one account that can sign in. */
  user: { name: string; password: string };
  requests: PortalRequests;
  close(): Promise<void>;
}

export const PORTAL_USER = { name: 'demo', password: 'harbour-lights' };
const SESSION_COOKIE = 'portal_session';
/** Sessions and request entries kept: a bound, not a feature. */
const MAX_SESSIONS = 1000;
const MAX_ENTRIES = 10_000;
/** Largest upload the portal takes. */
const MAX_BODY_BYTES = 20 * 1_048_576;

export interface PortalExchange {
  method: string;
  url: URL;
  session: Session;
  body: Buffer;
  contentType: string;
  signal: AbortSignal;
}

export interface PortalAnswer {
  status?: number;
  headers?: Record<string, string>;
  body: string | Buffer;
}

export async function startPortal(options: PortalOptions = {}): Promise<Portal> {
  const log = options.log ?? silentLogger;
  const answer = createPages(PORTAL_USER);
  const sessions = new Map<string, Session>();
  let entries: PortalRequest[] = [];
  const closing = new AbortController();

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://portal.invalid');
    const entry: PortalRequest = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.search,
      status: 0,
      time: Date.now(),
    };
    entries.push(entry);
    if (entries.length > MAX_ENTRIES) entries.shift();
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const session = sessionOf(request, response, sessions);
    const exchange: PortalExchange = {
      method: entry.method,
      url,
      session,
      body: await readBody(request),
      contentType: request.headers['content-type'] ?? '',
      signal: AbortSignal.any([gone.signal, closing.signal]),
    };
    const { status = 200, headers = {}, body } = await answer(exchange);
    entry.status = status;
    if (response.destroyed) return;
    response.writeHead(status, { 'cache-control': 'no-store', ...headers });
    response.end(entry.method === 'HEAD' ? undefined : body);
  };

  const server = createServer((request, response) => {
    const done = handle(request, response).catch((thrown: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'content-type': 'text/plain' }).end('Internal error\n');
      throw thrown;
    });
    drop(done, log, 'portal request');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    user: PORTAL_USER,
    requests: {
      all: () => [...entries],
      counts: () => {
        const counts: Record<string, number> = {};
        for (const { path } of entries) counts[path] = (counts[path] ?? 0) + 1;
        return counts;
      },
      count: (path) => entries.filter((entry) => entry.path === path).length,
      clear: () => {
        entries = [];
      },
    },
    close: async () => {
      closing.abort();
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      server.closeAllConnections();
      await closed;
    },
  };
}

function sessionOf(
  request: IncomingMessage,
  response: ServerResponse,
  sessions: Map<string, Session>,
): Session {
  const prefix = `${SESSION_COOKIE}=`;
  const cookies = (request.headers.cookie ?? '').split(/; */);
  const known = cookies.find((cookie) => cookie.startsWith(prefix))?.slice(prefix.length);
  const found = known === undefined ? undefined : sessions.get(known);
  if (found) return found;
  const id = crypto.randomUUID();
  const session: Session = { user: null, counters: new Map() };
  sessions.set(id, session);
  if (sessions.size > MAX_SESSIONS) {
    for (const oldest of sessions.keys()) {
      sessions.delete(oldest);
      break;
    }
  }
  response.setHeader('set-cookie', `${SESSION_COOKIE}=${id}; Path=/; HttpOnly; SameSite=Lax; Max-Age=86400`);
  return session;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`The request body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
