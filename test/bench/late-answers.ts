/** A service as over a network, in a process of its own: what it says arrives {@link LATE_MS} later. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

export const LATE_MS = 30;

export async function startLate(endpoint: string): Promise<{ url: string; close: () => void }> {
  const child = fork(fileURLToPath(import.meta.url), [endpoint]);
  const [port] = (await once(child, 'message')) as [number];
  return { url: `http://127.0.0.1:${port}`, close: () => child.disconnect() };
}

if (process.send) {
  process.once('disconnect', () => process.exit());
  const target = new URL(process.argv[2] ?? '');
  const server = createServer({ noDelay: true }, (client) => {
    const service = connect({ host: target.hostname, port: Number(target.port), noDelay: true });
    client.pipe(service);
    service.on('data', (bytes: Buffer) => setTimeout(() => client.write(bytes), LATE_MS));
    endTogether(client, service);
  });
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
}

function endTogether(client: Socket, service: Socket): void {
  const end = (): void => {
    client.destroy();
    service.destroy();
  };
  client.on('error', end).on('close', end);
  service.on('error', end).on('close', () => setTimeout(end, LATE_MS));
}
