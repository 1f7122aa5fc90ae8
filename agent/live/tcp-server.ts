/**
 * The live view for ordinary VNC clients: a TCP port on this machine alone, with VNC authentication. Whoever
 * connects watches the run that began last, until it ends; what they do with mouse and keyboard is not done,
 * because such clients cannot say that they want to take over, and send every move of the mouse.
 *
 * The password is short (VNC knows no longer ones), so it cannot be tried often: after some wrong ones nobody
 * gets in for a while, whoever asks. All come from this machine, so they cannot be told apart.
 */
import { randomInt } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Actor } from '../base/actor.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { LiveView } from './live-view.ts';
import { tcpPipe, type Pipe } from './pipe.ts';
import { ClientParser } from './rfb/parser.ts';
import { MAX_PASSWORD_BYTES } from './rfb/vnc-auth.ts';
import { refused, SERVER_VERSION } from './rfb/writer.ts';
import { MAX_VIEWERS, type LiveSession } from './session.ts';

const HOST = '127.0.0.1';
/** Those in their greeting, and those who watch: more nobody opens by hand. */
const MAX_CONNECTIONS = 32;
/** Without letters and digits that look alike; 8 of 56 are 46 bits. */
const PASSWORD_CHARACTERS = '23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ';
/** A person's typing errors. At 5 a minute half of all passwords take longer than a million years. */
const MAX_WRONG = 5;
const LOCKED_MS = 60_000;
/** Who is refused has so long to read why. */
const REFUSAL_MS = 5_000;

export interface TcpServer {
  port: number;
  /** Connections are cut off. */
  close(): Promise<void>;
}

export interface TcpServerOptions {
  /** 0 picks a free one. */
  port: number;
  password: string;
  view: () => Promise<Pick<LiveView, 'newest'>>;
  audit: { append(entry: { by: Actor; action: string; target: string }): unknown };
  log: Logger;
  clock: Pick<Clock, 'monotonic'>;
}

/** A new one that nobody can guess. */
export function makePassword(): string {
  const characters = Array.from(
    { length: MAX_PASSWORD_BYTES },
    () => PASSWORD_CHARACTERS[randomInt(PASSWORD_CHARACTERS.length)],
  );
  return characters.join('');
}

/** @throws what the operating system says, e.g. `EADDRINUSE` */
export async function listenTcp(options: TcpServerOptions): Promise<TcpServer> {
  const { port, password, view, audit, log, clock } = options;
  const sockets = new Set<Socket>();
  /** Those who have not shown the password yet. */
  const strangers = new Set<Socket>();
  let wrong = 0;
  let lockedUntilMs = 0;

  const onWrong = (from: string): void => {
    wrong += 1;
    log.warn({ from }, 'a VNC client sent a wrong password');
    if (wrong < MAX_WRONG) return;
    wrong = 0;
    lockedUntilMs = clock.monotonic() + LOCKED_MS;
    // Their challenges would be more tries.
    for (const socket of strangers) socket.end();
    strangers.clear();
    audit.append({ by: { kind: 'key', id: 'vnc', from }, action: 'live.vncLocked', target: 'live/tcp' });
  };

  const watch = (socket: Socket, session: LiveSession): void => {
    const from = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
    const by: Actor = { kind: 'key', id: 'vnc', from };
    const watcher = { role: 'viewer', keyId: 'vnc', actor: by, password, isDeaf: true } as const;
    const connection = session.attach(
      withClose(tcpPipe(socket), (code) => {
        // Its own end closes it, too; what it says after that is not listened to.
        if (code === 4401 && strangers.delete(socket)) onWrong(from);
      }),
      watcher,
    );
    strangers.add(socket);
    socket.once('close', () => {
      strangers.delete(socket);
      connection.gone();
    });
    socket.on('data', (bytes: Buffer) => {
      if (!socket.writable) return;
      connection.receive(bytes);
      if (!connection.hasEntered() || !strangers.delete(socket)) return;
      wrong = 0;
      audit.append({ by, action: 'live.vncWatch', target: `run/${session.runId}` });
      log.info({ from, runId: session.runId }, 'a VNC client watches');
    });
  };

  const receive = async (socket: Socket): Promise<void> => {
    const session = (await view()).newest();
    if (socket.destroyed) return;
    if (!session) refuse(socket, 'no run is at work: start one, and connect again');
    else if (session.viewers >= MAX_VIEWERS) refuse(socket, 'too many watch this run already');
    else watch(socket, session);
  };

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // What it was is in the close that follows; without a listener it would end the process.
    socket.on('error', () => undefined);
    if (clock.monotonic() < lockedUntilMs) {
      refuse(socket, 'too many wrong passwords: try again in a minute');
      return;
    }
    receive(socket).catch((thrown: unknown) => {
      log.error({ err: thrown }, 'the live view could not be opened');
      socket.destroy();
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: HOST, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** In RFB's own words, which depend on the version that the client speaks. */
function refuse(socket: Socket, words: string): void {
  const parser = new ClientParser({ security: 'vnc' });
  const timer = setTimeout(() => socket.destroy(), REFUSAL_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.write(SERVER_VERSION);
  socket.on('data', (bytes: Buffer) => {
    if (!socket.writable) return;
    const { ok, messages } = parser.push(bytes);
    const [first] = messages;
    if (!first && ok) return;
    const isOld = first?.type === 'version' && first.version === '3.3';
    // 3.3 has a security type of four bytes where later ones count their types in one.
    socket.end(isOld ? Buffer.concat([Buffer.alloc(3), refused(words)]) : refused(words));
  });
}

function withClose(pipe: Pipe, onClose: (code: number) => void): Pipe {
  return {
    ...pipe,
    close: (reason) => {
      onClose(reason.code);
      pipe.close(reason);
    },
  };
}
