/** Requests that ask to become a WebSocket, from the listener to the route that takes them. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WebSocket, WebSocketServer } from 'ws';
import { ApiError } from './problem.ts';

export interface Upgrade {
  socket: Duplex;
  /** What the client has sent already. */
  head: Buffer;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

export function offerUpgrade(request: IncomingMessage, upgrade: Upgrade): void {
  upgrades.set(request, upgrade);
}

/**
 * From here on the connection is the socket's: Fastify answers it no more.
 *
 * @param hint what else there is, for who did not ask for a WebSocket
 * @throws ApiError 426 when the request is like any other, or somebody has taken it
 */
export function becomeWebSocket(
  request: FastifyRequest,
  reply: FastifyReply,
  options: { server: WebSocketServer; hint: string; onOpen: (ws: WebSocket, socket: Duplex) => void },
): FastifyReply {
  const upgrade = upgrades.get(request.raw);
  upgrades.delete(request.raw);
  if (!upgrade) {
    void reply.header('upgrade', 'websocket');
    throw new ApiError(426, 'BrowserAgent.InvalidInput', 'This is only for WebSocket clients.', {
      hint: options.hint,
    });
  }
  const { socket, head } = upgrade;
  reply.hijack();
  reply.raw.detachSocket(socket as never);
  options.server.handleUpgrade(request.raw, socket, head, (ws) => options.onOpen(ws, socket));
  return reply;
}

/** Only what may become one; all others are answered as if they had not asked. */
export function asksForWebSocket({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}
