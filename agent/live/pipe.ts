/** What a viewer is connected through: a WebSocket or a TCP connection, as far as the live view cares. */
import type { Socket } from 'node:net';

export interface Pipe {
  /** One message; `onSent` is called when the network has taken it, or never will. */
  send(parts: readonly Buffer[], onSent?: () => void): void;
  /** JSON beside the picture, for a client that asked for it; nothing elsewhere. */
  say(message: object): void;
  close(reason: CloseReason): void;
}

/** Why a connection is closed. The words are for the person at the other end. */
export interface CloseReason {
  /** Of the WebSocket: 1000 when all is well, 4000 and more when something is not. */
  code: number;
  words: string;
}

/** A WebSocket's close frame has room for so many bytes of reason. */
const MAX_REASON_BYTES = 123;
/** What the last words get to leave, before the connection is cut. */
const LAST_WORDS_MS = 2_000;

/** What is used of a socket of the package `ws`. */
export interface WebSocketLike {
  readonly readyState: number;
  send(data: Buffer | string, options: { binary: boolean }, done: (error?: Error | null) => void): void;
  close(code: number, reason: string): void;
  terminate(): void;
}

const OPEN = 1;

/** `speaks`: the client understands JSON in text frames beside RFB in binary ones. */
export function webSocketPipe(socket: WebSocketLike, { speaks }: { speaks: boolean }): Pipe {
  return {
    send: (parts, onSent = () => {}) => {
      if (socket.readyState !== OPEN) return onSent();
      const message = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      socket.send(message, { binary: true }, () => onSent());
    },
    say: (message) => {
      if (speaks && socket.readyState === OPEN) {
        socket.send(JSON.stringify(message), { binary: false }, () => {});
      }
    },
    close: ({ code, words }) => {
      socket.close(code, cut(words));
      // One that does not answer the close.
      setTimeout(() => socket.terminate(), LAST_WORDS_MS).unref();
    },
  };
}

/** RFB alone has no words for an end after the greeting: who watched sees the connection close. */
export function tcpPipe(socket: Socket): Pipe {
  return {
    send: (parts, onSent = () => {}) => {
      if (!socket.writable) return onSent();
      socket.cork();
      const last = parts.length - 1;
      parts.forEach((part, index) => socket.write(part, index === last ? () => onSent() : undefined));
      socket.uncork();
    },
    say: () => {},
    close: () => {
      socket.end();
      setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
    },
  };
}

function cut(words: string): string {
  const bytes = Buffer.from(words);
  if (bytes.length <= MAX_REASON_BYTES) return words;
  // A character that was cut through becomes the replacement character, which has three bytes.
  return `${bytes
    .subarray(0, MAX_REASON_BYTES - 6)
    .toString()
    .replace(/\ufffd$/, '')}…`;
}
