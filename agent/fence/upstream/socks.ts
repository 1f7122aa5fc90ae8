/** Through a SOCKS proxy. Loaded where one is used. */
import type { Socket } from 'node:net';
import { SocksClient } from 'socks';
import { ConnectError, UPSTREAM_CODES, type Destination } from './connect.ts';
import type { Proxy } from './route.ts';

/** A proxy nearby answers at once; one that waits for the other end takes as long as that. */
const TIMEOUT_MS = 60_000;

/** @throws ConnectError */
export async function openThroughSocks(
  proxy: Proxy,
  { host, port, addresses }: Destination,
): Promise<Socket> {
  const isVersion5 = proxy.protocol === 'socks5';
  try {
    const { socket } = await SocksClient.createConnection({
      command: 'connect',
      timeout: TIMEOUT_MS,
      proxy: {
        host: proxy.host,
        port: proxy.port,
        type: isVersion5 ? 5 : 4,
        ...(proxy.credentials
          ? { userId: proxy.credentials.username, password: proxy.credentials.password }
          : {}),
      },
      // The address that was checked, where there is one.
      destination: { host: addresses[0] ?? host, port },
    });
    socket.setNoDelay(true);
    return socket;
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const code = /authentication/i.test(message) ? UPSTREAM_CODES.auth : UPSTREAM_CODES.refused;
    throw new ConnectError((thrown as NodeJS.ErrnoException).code ?? code, message);
  }
}
