/**
 * The server of the API: listens at once, and makes the application behind it with the first request. So an
 * agent whose API nobody uses does not carry it (some 6 MB), and starts as fast as without.
 */
import {
  createServer,
  ServerResponse,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../base/log.ts';
import { asksForWebSocket, offerUpgrade } from './upgrades.ts';
import type { ApiPorts } from './ports.ts';
import type { AppOptions } from './server.ts';

/** A client that has not sent its request by then never will. */
const REQUEST_TIMEOUT_MS = 30_000;

export interface Listener {
  port: number;
  /** Open requests are cut off. */
  close(): Promise<void>;
}

export interface ListenOptions {
  ports: ApiPorts;
  host: string;
  port: number;
  tls: AppOptions['tls'];
  allowedOrigins: readonly string[];
  log: Logger;
}

/** @throws what the operating system says, e.g. `EADDRINUSE` */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, tls, allowedOrigins, ports, log } = options;
  let made: Promise<{ app: FastifyInstance; answer: RequestListener }> | null = null;
  const make = async (): Promise<{ app: FastifyInstance; answer: RequestListener }> => {
    const { buildApp } = await import('./server.ts');
    let answer: RequestListener = () => undefined;
    const listening = {
      server,
      answer: (handler: RequestListener): void => {
        answer = handler;
      },
    };
    const app = await buildApp(ports, { host, tls, allowedOrigins, listening });
    await app.ready();
    return { app, answer };
  };
  const onRequest: RequestListener = (request, response) => {
    made ??= make();
    made.then(
      ({ answer }) => answer(request, response),
      (thrown: unknown) => {
        log.error({ err: thrown }, 'the local API could not be made');
        made = null;
        response.writeHead(500).end();
      },
    );
  };
  /** An ordinary request first, with all that holds for one; only the route of the WebSocket takes the socket. */
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // Node before 24.9 does not ask whether: what is no WebSocket has a body that nobody would read.
    if (!asksForWebSocket(request)) {
      socket.destroy();
      return;
    }
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once('finish', () => socket.end());
    offerUpgrade(request, { socket, head });
    onRequest(request, response);
  };
  const serverOptions = { requestTimeout: REQUEST_TIMEOUT_MS, shouldUpgradeCallback: asksForWebSocket };
  const server: Server = tls
    ? createTlsServer({ ...tls, ...serverOptions }, onRequest)
    : createServer(serverOptions, onRequest);
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request, socket, head) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    // Without a listener, a client that goes away would end the process.
    socket.on('error', () => undefined);
    onUpgrade(request, socket, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      await closed;
      const app = await made?.then((it) => it.app).catch(() => undefined);
      await app?.close();
    },
  };
}
