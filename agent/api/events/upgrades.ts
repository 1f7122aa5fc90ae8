/** Requests that ask to become a WebSocket, from the listener to the route that takes them. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

export interface Upgrade {
  socket: Duplex;
  /** What the client has sent already. */
  head: Buffer;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

export function offerUpgrade(request: IncomingMessage, upgrade: Upgrade): void {
  upgrades.set(request, upgrade);
}

/** Undefined: it is a request like any other, or somebody has taken it. */
export function takeUpgrade(request: IncomingMessage): Upgrade | undefined {
  const upgrade = upgrades.get(request);
  upgrades.delete(request);
  return upgrade;
}

/** Only what may become one; all others are answered as if they had not asked. */
export function asksForWebSocket({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}
