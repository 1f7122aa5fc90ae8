import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { readFirstBytes } from './first-bytes.ts';

/** What a TLS client of Node sends first. */
async function clientHello(protocols: string[]): Promise<Buffer> {
  const first = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => {
    socket.once('data', (bytes: Buffer) => {
      first.resolve(bytes);
      socket.destroy();
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, servername: 'shop.test', ALPNProtocols: protocols });
  client.on('error', () => undefined);
  const bytes = await first.promise;
  client.destroy();
  server.close();
  return bytes;
}

/** One byte at a time; the answer to the last. */
function readSlowly(bytes: Buffer) {
  for (let length = 0; length < bytes.length; length += 1) {
    const read = readFirstBytes(bytes.subarray(0, length));
    if (read.kind !== 'partial') return { read, length };
  }
  return { read: readFirstBytes(bytes), length: bytes.length };
}

test('TLS that offers HTTP/2 carries requests', async () => {
  const bytes = await clientHello(['h2', 'http/1.1']);
  expect(readSlowly(bytes)).toEqual({ read: { kind: 'requests' }, length: bytes.length });
});

test('TLS with HTTP/1.1 alone, or without a protocol, may carry a WebSocket', async () => {
  expect(readSlowly(await clientHello(['http/1.1'])).read).toEqual({ kind: 'unknown' });
  expect(readSlowly(await clientHello([])).read).toEqual({ kind: 'unknown' });
});

test('an unencrypted WebSocket shows the origin of its page', () => {
  const head =
    'GET /ws HTTP/1.1\r\nHost: portal.test\r\nOrigin: https://shop.test\r\nUpgrade: websocket\r\n\r\n';
  expect(readSlowly(Buffer.from(head))).toEqual({
    read: { kind: 'websocket', origin: 'https://shop.test' },
    length: head.length,
  });
  expect(readFirstBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toEqual({ kind: 'websocket', origin: null });
});

test('neither a flood nor rubbish is waited for without end', () => {
  expect(readFirstBytes(Buffer.alloc(64 * 1024, 'a'))).toEqual({ kind: 'unknown' });
  expect(readFirstBytes(Buffer.from([0x16, 3, 1, 0, 2, 1, 0]))).toEqual({ kind: 'unknown' });
  expect(readFirstBytes(Buffer.from([0x16, 3, 1, 0, 4, 2, 0, 0, 0]))).toEqual({ kind: 'unknown' });
});
