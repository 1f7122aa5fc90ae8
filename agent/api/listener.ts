/**
 * The server of the API: listens at once, and makes the application behind it with the first request. So an
 * agent whose API nobody uses does not carry it (some 12 MB), and starts as fast as without.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../base/log.ts';
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
  const server: Server = tls
    ? createTlsServer({ ...tls, requestTimeout: REQUEST_TIMEOUT_MS }, onRequest)
    : createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, onRequest);
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
      await closed;
      const app = await made?.then((it) => it.app).catch(() => undefined);
      await app?.close();
    },
  };
}
