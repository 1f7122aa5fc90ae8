/**
 * What a browser begins a tunnel with: enough to tell a WebSocket from requests that the browser itself has
 * checked. Nothing is decrypted.
 */

export type FirstBytes =
  /** TLS that offers HTTP/2: browsers never begin a WebSocket so. */
  | { kind: 'requests' }
  /** An unencrypted WebSocket, with the origin of its page as the browser wrote it. */
  | { kind: 'websocket'; origin: string | null }
  /** TLS with HTTP/1.1 alone, as for a WebSocket, or something else. */
  | { kind: 'unknown' }
  /** More bytes are needed. */
  | { kind: 'partial' };

/** A ClientHello is 2 kB, with post-quantum keys; a request's head up to 256 kB in Chromium, rarely above 8. */
const MAX_BYTES = 64 * 1024;
const HANDSHAKE = 0x16;
const CLIENT_HELLO = 1;
const ALPN = 16;

export function readFirstBytes(bytes: Buffer): FirstBytes {
  if (bytes.length === 0) return { kind: 'partial' };
  const read = bytes[0] === HANDSHAKE ? readClientHello(bytes) : readHead(bytes);
  return read.kind === 'partial' && bytes.length >= MAX_BYTES ? { kind: 'unknown' } : read;
}

/** RFC 8446, section 4.1.2; RFC 7301. */
function readClientHello(bytes: Buffer): FirstBytes {
  if (bytes.length < 5) return { kind: 'partial' };
  const end = 5 + bytes.readUInt16BE(3);
  if (bytes.length < end) return { kind: 'partial' };
  try {
    const record = bytes.subarray(5, end);
    if (record[0] !== CLIENT_HELLO) return { kind: 'unknown' };
    let at = 4 + 2 + 32;
    at += 1 + record.readUInt8(at);
    at += 2 + record.readUInt16BE(at);
    at += 1 + record.readUInt8(at);
    const extensionsEnd = at + 2 + record.readUInt16BE(at);
    at += 2;
    while (at < extensionsEnd) {
      const type = record.readUInt16BE(at);
      const length = record.readUInt16BE(at + 2);
      if (type === ALPN && protocolsIn(record.subarray(at + 6, at + 4 + length)).includes('h2'))
        return { kind: 'requests' };
      at += 4 + length;
    }
  } catch {
    // Not as the standard has it, or split over several records.
  }
  return { kind: 'unknown' };
}

function protocolsIn(list: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < list.length; at += 1 + list.readUInt8(at)) {
    found.push(list.toString('latin1', at + 1, at + 1 + list.readUInt8(at)));
  }
  return found;
}

function readHead(bytes: Buffer): FirstBytes {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return { kind: 'partial' };
  const lines = bytes.toString('latin1', 0, end).split('\r\n');
  const header = lines.find((line) => /^origin:/i.test(line));
  return { kind: 'websocket', origin: header === undefined ? null : header.slice('origin:'.length).trim() };
}
