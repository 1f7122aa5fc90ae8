/**
 * Connections that this process itself opens to its proxies: Playwright's own requests (`page.request`) come
 * from here and not from the browser, and know no key.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

export class OwnConnections {
  readonly #ports = new Set<number>();
  readonly #onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    socket.once('connect', () => {
      const { localPort, remoteAddress } = socket;
      if (localPort === undefined || remoteAddress !== '127.0.0.1') return;
      this.#ports.add(localPort);
      socket.once('close', () => this.#ports.delete(localPort));
    });
  };

  constructor() {
    subscribe('net.client.socket', this.#onSocket);
  }

  /** Whether the connection with this remote port begins in this process. */
  has(port: number | undefined): boolean {
    return port !== undefined && this.#ports.has(port);
  }

  close(): void {
    unsubscribe('net.client.socket', this.#onSocket);
  }
}
