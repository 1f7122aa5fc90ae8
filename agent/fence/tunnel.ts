/** CONNECT: one encrypted connection, or a WebSocket, passed through byte by byte. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { canonicalHost, targetOf, type HostTarget } from '../base/host-pattern.ts';
import { readFirstBytes } from './first-bytes.ts';
import type { Gate } from './gate.ts';
import { shownTarget, wordsOf } from './refusals.ts';
import { openConnection } from './upstream/connect.ts';

/** How long a tunnel may stay silent before its first bytes are there, when they have to be looked at. */
const FIRST_BYTES_TIMEOUT_MS = 30_000;

/** Answers CONNECT. Never throws; the socket is destroyed when either side ends. */
export async function openTunnel(request: IncomingMessage, client: Duplex, gate: Gate): Promise<void> {
  const closed = new AbortController();
  client.on('error', () => client.destroy());
  client.once('close', () => closed.abort());
  const target = tunnelTarget(request.url ?? '');
  if (!target) return answer(client, '400 Bad Request', 'This is no host and port.');
  const verdict = await gate.admit(target, 'tunnel');
  if (verdict.kind === 'refused') {
    return answer(
      client,
      '403 Forbidden',
      `The request to ${shownTarget(target)} was refused: ${wordsOf(verdict.reason)}.`,
    );
  }
  if (verdict.kind === 'failed') return answer(client, '502 Bad Gateway', verdict.code);
  let server: Duplex;
  try {
    server = await openConnection({ ...target, addresses: verdict.addresses }, verdict.routes, closed.signal);
  } catch (thrown) {
    const { code = 'ECONNRESET' } = thrown as NodeJS.ErrnoException;
    if (!closed.signal.aborted) gate.noteFailure(target, code);
    return answer(client, '502 Bad Gateway', code);
  }
  gate.noteConnected(target);
  server.on('error', () => server.destroy());
  server.once('close', () => client.destroy());
  client.once('close', () => server.destroy());
  if (client.destroyed) {
    server.destroy();
    return;
  }
  client.write('HTTP/1.1 200 Connection established\r\n\r\n');
  if (verdict.isWatched && !(await passFirstBytes(client, server, target, gate))) {
    client.destroy();
    return;
  }
  client.pipe(server);
  server.pipe(client);
}

function tunnelTarget(authority: string): HostTarget | null {
  const [, hostText = '', port = ''] = /^(.*):(\d{1,5})$/.exec(authority) ?? [];
  const host = canonicalHost(hostText);
  if (host === null || Number(port) < 1 || Number(port) > 65_535) return null;
  return { host, port: Number(port), secure: null };
}

/** @returns whether the tunnel may go on; then what was read is on its way */
async function passFirstBytes(
  client: Duplex,
  server: Duplex,
  target: HostTarget,
  gate: Gate,
): Promise<boolean> {
  let bytes = Buffer.alloc(0);
  const read = Promise.withResolvers<void>();
  const timer = setTimeout(() => client.destroy(), FIRST_BYTES_TIMEOUT_MS);
  const onData = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    if (readFirstBytes(bytes).kind !== 'partial') read.resolve();
  };
  client.on('data', onData);
  client.once('close', () => read.resolve());
  await read.promise;
  clearTimeout(timer);
  client.pause();
  client.off('data', onData);
  const first = readFirstBytes(bytes);
  if (client.destroyed || first.kind === 'partial') return false;
  if (first.kind !== 'requests') {
    const origin = first.kind === 'websocket' && first.origin !== null ? targetOf(first.origin) : null;
    if (!(await gate.admitWebSocket(target, origin))) return false;
  }
  server.write(bytes);
  return true;
}

function answer(client: Duplex, status: string, text: string): void {
  if (client.destroyed) return;
  const body = `${text}\n`;
  client.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
