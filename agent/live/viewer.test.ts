import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { plainJpeg } from '../../test/support/pictures.ts';
import { until } from '../../test/support/recording.ts';
import { silentLogger } from '../base/log.ts';
import type { Subscriber } from '../recording/screencast.ts';
import { FrameHub } from './frame-hub.ts';
import type { CloseReason, Pipe } from './pipe.ts';
import { encrypted } from './rfb/vnc-auth.ts';
import { Viewer, type InputMessage } from './viewer.ts';

const V38 = Buffer.from('RFB 003.008\n');
const NONE = Buffer.from([1]);
const SHARED = Buffer.from([1]);
const REQUEST = Buffer.from([3, 1, 0, 0, 0, 0, 0, 64, 0, 48]);
const WHOLE_REQUEST = Buffer.from([3, 0, 0, 0, 0, 0, 0, 64, 0, 48]);

function encodings(...list: number[]): Buffer {
  const body = Buffer.alloc(4 + list.length * 4);
  body.writeUInt8(2, 0);
  body.writeUInt16BE(list.length, 2);
  list.forEach((encoding, index) => body.writeInt32BE(encoding, 4 + index * 4));
  return body;
}

/** A source whose frames the test gives. */
function heldSource() {
  const subscribers = new Set<Subscriber>();
  let wallTimeMs = 0;
  return {
    subscribers,
    source: {
      subscribe: (subscriber: Subscriber) => {
        subscribers.add(subscriber);
        return () => void subscribers.delete(subscriber);
      },
    },
    give: (jpeg: Buffer) => {
      wallTimeMs += 1;
      for (const one of subscribers) one.onFrame({ jpeg, wallTimeMs, monotonicMs: wallTimeMs }, () => {});
    },
  };
}

/** A pipe that the test empties: `take` is the client reading. */
function heldPipe() {
  const sent: Buffer[] = [];
  const waiting: (() => void)[] = [];
  let closed: CloseReason | null = null;
  let isSlow = false;
  const pipe: Pipe = {
    send: (parts, onSent = () => {}) => {
      sent.push(Buffer.concat(parts));
      if (isSlow) waiting.push(onSent);
      else onSent();
    },
    say: () => {},
    close: (reason) => {
      closed = reason;
    },
  };
  return {
    pipe,
    sent,
    waiting,
    closed: () => closed,
    slow: () => {
      isSlow = true;
    },
    take: () => Buffer.concat(sent.splice(0)),
  };
}

function setUp(options: { password?: string; hub?: FrameHub } = {}) {
  const frames = heldSource();
  const hub = options.hub ?? new FrameHub(frames.source);
  const net = heldPipe();
  const inputs: InputMessage[] = [];
  const viewer = new Viewer({
    pipe: net.pipe,
    hub,
    name: 'run',
    password: options.password ?? null,
    onInput: (message) => void inputs.push(message),
    onClosed: () => {},
    log: silentLogger,
  });
  return { ...frames, ...net, hub, viewer, inputs };
}

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

const red = await plainJpeg('red');
const blue = await plainJpeg('blue');
const large = await plainJpeg('green', '128x96');

/** Worth comparing, with a white spot of 8 pixels or without. */
async function noisyJpeg(spot: { left: number; top: number } | null): Promise<Buffer> {
  const noise = Buffer.alloc(320 * 200 * 3);
  for (let at = 0, state = 1; at < noise.length; at += 1) {
    state = (state * 48_271) % 0x7f_ff_ff_ff;
    noise[at] = state % 128;
  }
  const picture = sharp(noise, { raw: { width: 320, height: 200, channels: 3 } });
  const white = { create: { width: 8, height: 8, channels: 3 as const, background: 'white' } };
  if (spot) picture.composite([{ input: white, ...spot }]);
  return await picture.jpeg({ quality: 80 }).toBuffer();
}

async function watching(...list: number[]) {
  const it = setUp();
  it.viewer.receive(Buffer.concat([V38, NONE, SHARED, encodings(...list)]));
  it.give(red);
  await turn();
  it.take();
  return it;
}

describe('the greeting', () => {
  test('is what RFB 3.8 says, and the size is that of the first frame', () => {
    const it = setUp();
    expect(it.take().toString()).toBe('RFB 003.008\n');
    it.viewer.receive(V38);
    expect(it.take()).toEqual(Buffer.from([1, 1]));
    it.viewer.receive(NONE);
    expect(it.take()).toEqual(Buffer.from([0, 0, 0, 0]));
    it.viewer.receive(SHARED);
    expect(it.take()).toHaveLength(0);
    it.give(red);
    expect(it.take().subarray(0, 4)).toEqual(Buffer.from([0, 64, 0, 48]));
    expect(it.viewer.state).toBe('watching');
  });

  test.each([
    ['003.003', [0, 0, 0, 1]],
    ['003.007', [1, 1]],
  ])('a client of %s is greeted as it expects', (version, types) => {
    const it = setUp();
    it.take();
    it.viewer.receive(Buffer.from(`RFB ${version}\n`));
    expect(it.take()).toEqual(Buffer.from(types));
    if (version === '003.007') it.viewer.receive(NONE);
    expect(it.take()).toHaveLength(0);
    it.viewer.receive(SHARED);
    it.give(red);
    expect(it.viewer.state).toBe('watching');
  });

  test('with a password the right answer to the challenge lets in', () => {
    const it = setUp({ password: 'sesame' });
    it.viewer.receive(Buffer.concat([V38, Buffer.from([2])]));
    const challenge = it.take().subarray(-16);
    it.viewer.receive(Buffer.concat([encrypted(challenge, 'sesame'), SHARED]));
    expect(it.take()).toEqual(Buffer.from([0, 0, 0, 0]));
    it.give(red);
    expect(it.viewer.state).toBe('watching');
  });

  test('a wrong password is refused in words', () => {
    const it = setUp({ password: 'sesame' });
    it.viewer.receive(Buffer.concat([V38, Buffer.from([2]), Buffer.alloc(16), SHARED]));
    expect(it.take().toString()).toContain('the password is wrong');
    expect(it.closed()?.code).toBe(4401);
    expect(it.subscribers.size).toBe(0);
  });

  test('what is wrong is told in the words that RFB has for it at that point', () => {
    const before = setUp();
    before.take();
    before.viewer.receive(Buffer.from('GET / HTTP/1.1\r\n'));
    expect(before.take().subarray(0, 1)).toEqual(Buffer.from([0]));
    expect(before.closed()?.words).toContain('no RFB client');
    const after = setUp();
    after.viewer.receive(Buffer.concat([V38]));
    after.take();
    after.viewer.receive(Buffer.from([2]));
    expect(after.take().subarray(0, 4)).toEqual(Buffer.from([0, 0, 0, 1]));
    expect(after.closed()?.words).toContain('was not offered');
  });

  test('a connection that ends at any byte of it leaves nothing behind', () => {
    const all = Buffer.concat([V38, NONE, SHARED, encodings(21), REQUEST]);
    for (let at = 0; at <= all.length; at += 1) {
      const it = setUp();
      it.viewer.receive(all.subarray(0, at));
      it.viewer.close({ code: 1000, words: 'gone' });
      it.viewer.receive(all.subarray(at));
      expect(it.subscribers.size).toBe(0);
      expect(it.viewer.state).toBe('closed');
    }
  });
});

describe('pictures', () => {
  test('a request is answered with the newest frame, and those before it are not sent', async () => {
    const it = await watching(21);
    it.give(blue);
    it.give(red);
    it.viewer.receive(REQUEST);
    await turn();
    const answer = it.take();
    expect(answer.subarray(0, 16).toString('hex')).toBe('00000001000000000040003000000015');
    expect(answer.subarray(16)).toEqual(red);
  });

  test('nobody gets a frame that they have, nor one that they did not ask for', async () => {
    const it = await watching(21);
    it.viewer.receive(REQUEST);
    await turn();
    expect(it.take()).not.toHaveLength(0);
    it.give(blue);
    await turn();
    expect(it.take()).toHaveLength(0);
    it.viewer.receive(REQUEST);
    await turn();
    expect(it.take()).not.toHaveLength(0);
    it.viewer.receive(REQUEST);
    await turn();
    expect(it.take()).toHaveLength(0);
    it.viewer.receive(WHOLE_REQUEST);
    await turn();
    expect(it.take().subarray(16)).toEqual(blue);
  });

  test('while the last answer is on its way nothing is sent, however often it is asked', async () => {
    const it = await watching(21);
    it.slow();
    for (let times = 0; times < 1_000; times += 1) {
      it.give(times % 2 ? red : blue);
      it.viewer.receive(WHOLE_REQUEST);
    }
    await turn();
    expect(it.sent).toHaveLength(1);
    it.waiting.shift()!();
    await turn();
    expect(it.sent).toHaveLength(2);
    expect(it.sent[1]!.subarray(16)).toEqual(red);
  });

  test('the client chooses by its order between JPEG and Tight, which needs a quality', async () => {
    for (const [list, encoding] of [
      [[7, 21, -26], 7],
      [[21, 7, -26], 21],
      [[7, 21], 21],
      [[7], 0],
      [[5, 0], 0],
    ] as const) {
      const it = await watching(...list);
      it.viewer.receive(REQUEST);
      await until(() => it.sent.length > 0, 'an answer');
      const answer = it.take();
      expect(answer.readInt32BE(12)).toBe(encoding);
      // Almost pure red, as BGRX.
      if (encoding === 0) {
        expect(answer).toHaveLength(16 + 64 * 48 * 4);
        expect(answer[16 + 2]).toBeGreaterThan(240);
      }
    }
  });

  test.each([
    ['JPEG', [21], 21],
    ['Tight', [7, -26], 7],
    ['Raw', [0], 0],
  ] as const)(
    'a client of %s gets the changed part, and all of it after a whole request',
    async (_, list, code) => {
      const before = await noisyJpeg(null);
      const it = setUp();
      it.viewer.receive(Buffer.concat([V38, NONE, SHARED, encodings(...list)]));
      it.give(before);
      it.take();
      it.viewer.receive(REQUEST);
      await until(() => it.sent.length > 0, 'a whole picture');
      it.take();
      it.viewer.receive(REQUEST);
      it.give(await noisyJpeg({ left: 96, top: 64 }));
      await until(() => it.sent.length > 0, 'a part');
      const part = it.take();
      expect(part.readUInt16BE(2)).toBe(1);
      const [x, y, width, height] = [4, 6, 8, 10].map((at) => part.readUInt16BE(at)) as [
        number,
        number,
        number,
        number,
      ];
      expect(part.readInt32BE(12)).toBe(code);
      expect([x <= 96, y <= 64, x + width >= 104, y + height >= 72]).toEqual([true, true, true, true]);
      expect(width * height).toBeLessThanOrEqual(48 * 48);
      it.viewer.receive(WHOLE_REQUEST);
      await until(() => it.sent.length > 0, 'all of it');
      expect([8, 10].map((at) => it.sent[0]!.readUInt16BE(at))).toEqual([320, 200]);
    },
  );

  test('another size comes first, in an update of its own, and then the whole picture', async () => {
    for (const [size, said] of [
      [-223, '000000010000000000800060ffffff21'],
      [-308, '000000010000000000800060fffffecc'],
    ] as const) {
      const it = await watching(21, size);
      it.give(large);
      it.viewer.receive(REQUEST);
      await turn();
      expect(it.take().toString('hex').slice(0, 32)).toBe(said);
      it.viewer.receive(REQUEST);
      await turn();
      expect(it.take().subarray(16)).toEqual(large);
    }
  });

  test('a client that cannot change its size sees the part that fits', async () => {
    const it = await watching(21);
    it.give(large);
    it.viewer.receive(REQUEST);
    await until(() => it.sent.length > 0, 'an answer');
    const answer = it.take();
    expect(answer.readUInt16BE(8)).toBe(64);
    expect(answer.readInt32BE(12)).toBe(0);
    expect(answer).toHaveLength(16 + 64 * 48 * 4);
  });

  test('cursor and extended keys are announced once to whom knows them', async () => {
    const it = await watching(21, -239, -258);
    it.viewer.receive(REQUEST);
    await turn();
    expect(it.take().readUInt16BE(2)).toBe(3);
    it.give(blue);
    it.viewer.receive(REQUEST);
    await turn();
    expect(it.take().readUInt16BE(2)).toBe(1);
  });

  test('the hub takes frames only while somebody watches, and late ones get the last at once', async () => {
    const first = await watching(21);
    const second = setUp({ hub: first.hub });
    second.viewer.receive(Buffer.concat([V38, NONE, SHARED]));
    expect(second.viewer.state).toBe('watching');
    expect(first.subscribers.size).toBe(1);
    first.viewer.close({ code: 1000, words: '' });
    expect(first.subscribers.size).toBe(1);
    second.viewer.close({ code: 1000, words: '' });
    expect(first.subscribers.size).toBe(0);
  });
});

test('input and clipboard are handed on, and text of the page is offered', async () => {
  const it = await watching(21);
  it.viewer.receive(Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x61, 5, 1, 0, 2, 0, 3]));
  expect(it.inputs).toEqual([
    { type: 'key', down: true, keysym: 0x61, scancode: null },
    { type: 'pointer', buttons: 1, x: 2, y: 3 },
  ]);
  it.viewer.offerClipboard('ab');
  expect(it.take().toString('hex')).toBe('03000000000000026162');
});
