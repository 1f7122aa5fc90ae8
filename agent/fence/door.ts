/**
 * The proxy of one browser context: a port on loopback that requires its key. Behind it is the
 * context's gate.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { forward, MAX_HEADER_BYTES } from './forward.ts';
import type { Gate } from './gate.ts';
import type { OwnConnections } from './own-connections.ts';
import { openTunnel } from './tunnel.ts';

export interface Door {
  /** `http://127.0.0.1:PORT`, for the browser's proxy setting. */
  readonly address: string;
  readonly username: string;
  readonly password: string;
  readonly gate: Gate;
  /** Ends every connection: what the run before had open does not outlive its rules. */
  cut(): void;
  close(): Promise<void>;
}

/** Nobody is asked for by name: one context, one key. */
const USERNAME = 'context';
/** More than a browser ever opens through one proxy (Chromium: 32, and as many WebSockets as pages want). */
const MAX_CONNECTIONS = 2_000;

/** @param own tells connections that begin in this process, which need no key */
export async function openDoor(gate: Gate, own: Pick<OwnConnections, 'has'>): Promise<Door> {
  const password = randomBytes(24).toString('base64url');
  const key = `Basic ${Buffer.from(`${USERNAME}:${password}`).toString('base64')}`;
  const sockets = new Set<Socket>();
  const mayEnter = (request: IncomingMessage): boolean =>
    isSame(request.headers['proxy-authorization'] ?? '', key) || own.has(request.socket.remotePort);
  const server = createServer(
    // Uploads take as long as they take, and a browser decides itself how long it keeps a connection.
    { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0, keepAliveTimeout: 0, noDelay: true },
    (request, response) => {
      if (!mayEnter(request)) {
        response.writeHead(407, { 'proxy-authenticate': CHALLENGE, 'content-length': 0 }).end();
        return;
      }
      if (request.url === KEY_CHECK_URL) {
        response.writeHead(204, { 'cache-control': 'no-store' }).end();
        return;
      }
      void forward(request, response, gate);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('connect', (request, socket) => {
    if (mayEnter(request)) {
      void openTunnel(request, socket, gate);
      return;
    }
    socket.on('error', () => socket.destroy());
    socket.end(`HTTP/1.1 407 Key required\r\nProxy-Authenticate: ${CHALLENGE}\r\nContent-Length: 0\r\n\r\n`);
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `http://127.0.0.1:${port}`,
    username: USERNAME,
    password,
    gate,
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}

const CHALLENGE = 'Basic realm="Local Browser Agent"';
/** Asked for once by a new context, so that its browser knows the key. Reserved by RFC 6761: never a real host. */
export const KEY_CHECK_URL = 'http://key.invalid/';

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
