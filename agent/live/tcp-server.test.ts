import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import type { BrowserContext, Page } from 'playwright';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import { noiseJpeg, plainJpeg } from '../../test/support/pictures.ts';
import { until } from '../../test/support/recording.ts';
import { silentLogger } from '../base/log.ts';
import { Screencast } from '../recording/screencast.ts';
import { encrypted } from './rfb/vnc-auth.ts';
import { ENDED, LiveSession, type RunControls } from './session.ts';
import { listenTcp, makePassword, type TcpServer } from './tcp-server.ts';

const PASSWORD = 'Tr7kqW2x';
const V38 = Buffer.from('RFB 003.008\n');
const VNC = Buffer.from([2]);
const SHARED = Buffer.from([1]);
const ENCODINGS = Buffer.from([2, 0, 0, 1, 0, 0, 0, 21]);
const WHOLE_REQUEST = Buffer.from([3, 0, 0, 0, 0, 0, 0, 64, 0, 48]);
const CLICK = Buffer.from([5, 1, 0, 1, 0, 1]);
/** Version, types, challenge. */
const HELLO_BYTES = 12 + 2 + 16;

const red = await plainJpeg('red');

let cast: Screencast;
let session: LiveSession;
let newest: LiveSession | undefined;
let server: TcpServer;
let clock: ManualClock;
let audited: { action: string; target: string }[];
const clients: Socket[] = [];

beforeEach(async () => {
  cast = new Screencast({ log: silentLogger });
  const page = Object.assign(new EventEmitter(), { url: () => 'https://shop.example/' });
  const context = Object.assign(new EventEmitter(), { pages: () => [page] });
  session = new LiveSession({
    run: {
      runId: 'r1',
      scriptName: 'Script',
      context: context as unknown as BrowserContext,
      page: () => page as unknown as Page,
      watch: async () => cast,
      watchPage: async () => null,
      personActs: async () => async () => {},
    },
    controls: { paused: () => null, waiting: () => null } as unknown as RunControls,
    log: silentLogger,
  });
  newest = session;
  clock = new ManualClock();
  audited = [];
  server = await listenTcp({
    port: 0,
    password: PASSWORD,
    view: async () => ({ newest: () => newest }),
    audit: { append: (entry) => audited.push(entry) },
    log: silentLogger,
    clock,
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await server.close();
  session.end(ENDED);
  cast.close();
});

interface Client {
  socket: Socket;
  heard: () => Buffer;
  isOver: () => boolean;
  /** With this password; false: it was refused. */
  enter(password?: string): Promise<boolean>;
}

function client(): Client {
  const socket = connect(server.port, '127.0.0.1');
  clients.push(socket);
  const parts: Buffer[] = [];
  let over = false;
  socket.on('data', (data: Buffer) => parts.push(data));
  socket.on('error', () => undefined);
  socket.on('close', () => (over = true));
  const heard = (): Buffer => Buffer.concat(parts);
  return {
    socket,
    heard,
    isOver: () => over,
    enter: async (password = PASSWORD) => {
      socket.write(Buffer.concat([V38, VNC]));
      await until(() => heard().length >= HELLO_BYTES || over, 'the challenge');
      if (over) return false;
      const challenge = heard().subarray(HELLO_BYTES - 16, HELLO_BYTES);
      socket.write(Buffer.concat([encrypted(challenge, password), SHARED]));
      await until(() => heard().length >= HELLO_BYTES + 4 || over, 'the answer');
      return heard().readUInt32BE(HELLO_BYTES) === 0;
    },
  };
}

let drawnAtMs = Date.now();
function draw(jpeg = red): void {
  drawnAtMs += 1;
  cast.offer({ jpeg, wallTimeMs: drawnAtMs, monotonicMs: drawnAtMs });
}
const nobodyIsLeft = (): Promise<void> => until(() => session.viewers === 0, 'nobody being left');

describe('the port', () => {
  test('shows the newest run to whom knows the password, and writes down who watched', async () => {
    const one = client();
    expect(await one.enter()).toBe(true);
    await until(() => audited.length > 0, 'the entry in the audit log');
    expect(audited).toMatchObject([{ action: 'live.vncWatch', target: 'run/r1', by: { id: 'vnc' } }]);
    draw();
    one.socket.write(Buffer.concat([ENCODINGS, WHOLE_REQUEST]));
    await until(() => one.heard().includes(red), 'the picture');
  });

  test('does nothing of what such a client does with mouse and keyboard, and lets it stay', async () => {
    const one = client();
    await one.enter();
    draw();
    one.socket.write(Buffer.concat([ENCODINGS, CLICK, CLICK, WHOLE_REQUEST]));
    await until(() => one.heard().includes(red), 'the picture');
    expect(one.isOver()).toBe(false);
  });

  test.each([
    ['RFB 003.008\n', [0]],
    ['RFB 003.003\n', [0, 0, 0, 0]],
  ])('without a run says so as a client of %j reads it', async (version, head) => {
    newest = undefined;
    const one = client();
    for (const byte of Buffer.from(version)) one.socket.write(Buffer.from([byte]));
    await until(() => one.isOver(), 'the end');
    const words = 'no run is at work: start one, and connect again';
    expect(one.heard().subarray(12)).toEqual(
      Buffer.from([...head, 0, 0, 0, words.length, ...Buffer.from(words)]),
    );
  });

  test('after five wrong passwords lets nobody in for a minute, not those in their greeting either', async () => {
    const waiting = client();
    waiting.socket.write(Buffer.concat([V38, VNC]));
    await until(() => waiting.heard().length >= HELLO_BYTES, 'the challenge');
    for (let times = 0; times < 5; times += 1) expect(await client().enter('wrong')).toBe(false);
    await until(() => waiting.isOver(), 'the end of those in their greeting');
    const right = client();
    right.socket.write(V38);
    await until(() => right.isOver(), 'the refusal');
    expect(right.heard().toString()).toContain('too many wrong passwords');
    expect(audited).toMatchObject([{ action: 'live.vncLocked' }]);
    await clock.advance(60_000);
    expect(await client().enter()).toBe(true);
  });

  test('makes another password each time, of what VNC takes whole', () => {
    const made = new Set(Array.from({ length: 100 }, makePassword));
    expect(made.size).toBe(100);
    for (const password of made) expect(password).toMatch(/^[2-9A-Za-z]{8}$/);
  });
});

describe('whatever a client does', () => {
  /** What it says until it watches, with the one thing that it must be told first. */
  const entering = async (one: Client): Promise<Buffer> => {
    one.socket.write(Buffer.concat([V38, VNC]));
    await until(() => one.heard().length >= HELLO_BYTES, 'the challenge');
    const challenge = one.heard().subarray(HELLO_BYTES - 16, HELLO_BYTES);
    return Buffer.concat([encrypted(challenge, PASSWORD), SHARED, ENCODINGS, WHOLE_REQUEST]);
  };

  test('what comes byte by byte is understood', async () => {
    draw();
    const one = client();
    for (const byte of await entering(one)) one.socket.write(Buffer.from([byte]));
    await until(() => session.viewers === 1 && one.heard().length > HELLO_BYTES + 4, 'entering');
    draw();
    await until(() => one.heard().includes(red), 'the picture');
  });

  test('who leaves at any byte leaves nothing behind', async () => {
    const hello = Buffer.concat([V38, VNC]);
    for (let at = 0; at <= hello.length; at += 1) {
      const one = client();
      one.socket.write(hello.subarray(0, at));
      await until(() => one.heard().length >= 12, 'the version');
      one.socket.destroy();
    }
    const { length } = await entering(client());
    for (let at = 0; at <= length; at += 3) {
      const one = client();
      one.socket.write((await entering(one)).subarray(0, at), () => one.socket.resetAndDestroy());
      await until(() => one.isOver(), 'leaving');
    }
    for (const one of clients) one.destroy();
    await nobodyIsLeft();
  });

  test.each([
    ['a browser', Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')],
    ['another version', Buffer.from('RFB 004.000\n')],
    ['no security', Buffer.concat([V38, Buffer.from([1])])],
    ['a message that does not exist', Buffer.concat([V38, Buffer.from([99])])],
  ])('%s is told why and is closed', async (_title, said) => {
    const one = client();
    one.socket.write(said);
    await until(() => one.isOver(), 'the end');
    expect(one.heard().length).toBeGreaterThan(20);
    await nobodyIsLeft();
  });

  test('too large a clipboard ends it', async () => {
    const one = client();
    await one.enter();
    one.socket.write(Buffer.from([6, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]));
    await until(() => one.isOver(), 'the end');
    await nobodyIsLeft();
  });

  test('who asks and does not read costs one frame beyond what the system keeps for them', async () => {
    const large = await noiseJpeg('1280x800');
    draw(large);
    const one = client();
    one.socket.write(await entering(one));
    await until(() => one.heard().includes(Buffer.from('Script')), 'the picture beginning');
    one.socket.pause();
    // Until nothing more fits into the buffers of the system, and long after.
    for (let frame = 0; frame < 200; frame += 1) {
      draw(large);
      one.socket.write(WHOLE_REQUEST);
      await new Promise(setImmediate);
    }
    const before = process.memoryUsage().arrayBuffers;
    for (let frame = 0; frame < 200; frame += 1) {
      draw(large);
      one.socket.write(WHOLE_REQUEST);
      await new Promise(setImmediate);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * large.length);
    one.socket.destroy();
    await nobodyIsLeft();
  });

  test('the port takes only so many, and who comes after others have left is let in', async () => {
    const many = Array.from({ length: 50 }, client);
    await until(() => many.filter((one) => one.isOver()).length === 18, 'the refusal of 18');
    for (const one of many) one.socket.destroy();
    await nobodyIsLeft();
    expect(await client().enter()).toBe(true);
  });

  test('nonsense, before and after the password, ends in silence or a close, never in a crash', async () => {
    const nonsense = fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('stranger', 'known'), nonsense, async (who, pieces) => {
        const one = client();
        if (who === 'known') await one.enter();
        for (const piece of pieces) one.socket.write(piece);
        one.socket.end();
        await until(() => one.isOver(), 'the end');
      }),
      { numRuns: 60 },
    );
    await nobodyIsLeft();
    expect(await client().enter()).toBe(true);
  });
});
