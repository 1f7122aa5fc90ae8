import fc from 'fast-check';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import type { Rectangle } from './rfb/messages.ts';
import { Comparer } from './comparer.ts';
import { FrameHub, type FrameSource } from './frame-hub.ts';
import { liveFrame, type LiveFrame } from './live-frame.ts';

const WIDTH = 320;
const HEIGHT = 200;

interface Picture {
  /** Three bytes a pixel, rows from above. */
  rgb: Buffer;
  width: number;
  height: number;
}

const jpegOf = ({ rgb, width, height }: Picture): Promise<Buffer> =>
  sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80 })
    .toBuffer();

async function decoded(jpeg: Buffer): Promise<Picture> {
  const { data, info } = await sharp(jpeg).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { rgb: data, width: info.width, height: info.height };
}

/** `onRead`: called each time that it is looked into. */
async function frameOf(number: number, picture: Picture, onRead: () => void = () => {}): Promise<LiveFrame> {
  const frame = liveFrame({ jpeg: await jpegOf(picture), wallTimeMs: 0, monotonicMs: 0 }, number)!;
  return {
    ...frame,
    coded: () => {
      onRead();
      return frame.coded();
    },
  };
}

const open: Comparer[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** A comparer whose clock goes on by `stepMs` with each frame. */
function setUp(stepMs: number) {
  const handed: { number: number; changed: readonly Rectangle[] | null }[] = [];
  let nowMs = 0;
  const comparer = new Comparer({
    onFrame: ({ number }, changed) => void handed.push({ number, changed }),
    now: () => nowMs,
  });
  open.push(comparer);
  return {
    comparer,
    handed,
    spend: (ms: number) => {
      nowMs += ms;
    },
    push: (frame: LiveFrame) => {
      nowMs += stepMs;
      comparer.push(frame);
    },
  };
}

describe('which frames are compared', () => {
  test('after three large changes in a row none is, but one a second', async () => {
    const it = setUp(40);
    const pages = await Promise.all([0, 1, 2, 3].map((number) => frameOf(number, noisy(WIDTH, number + 1))));
    for (const page of pages) it.push(page);
    expect(it.handed.map(({ changed }) => changed)).toEqual([null, null, null, null]);
    expect(it.comparer.state).toBe('moving');
    let read = 0;
    const two = await Promise.all([5, 6].map((seed) => frameOf(seed, noisy(WIDTH, seed), () => (read += 1))));
    for (let number = 4; number < 54; number += 1) it.push(two[number % 2]!);
    expect(it.handed).toHaveLength(54);
    // 50 frames in 2 s: two looks at two frames.
    expect(read).toBeLessThanOrEqual(4);
    expect(read).toBeGreaterThan(0);
  });

  test('a moving page that came to rest is compared again', async () => {
    const it = setUp(100);
    for (const seed of [1, 2, 3, 4]) it.push(await frameOf(seed, noisy(WIDTH, seed)));
    expect(it.comparer.state).toBe('moving');
    const caret = noisy(WIDTH, 4);
    caret.rgb.fill(0, 0, 6);
    it.push(await frameOf(5, caret));
    expect(it.comparer.state).toBe('still');
    it.push(await frameOf(6, noisy(WIDTH, 4)));
    expect(it.handed[5]!.changed).toEqual([{ x: 0, y: 0, width: 16, height: 16 }]);
  });

  test('a frame that shows the same is not told, nor one after the end', async () => {
    const it = setUp(100);
    for (const seed of [1, 1, 9]) it.push(await frameOf(it.handed.length + seed, noisy(WIDTH, seed)));
    expect(it.handed.map(({ number }) => number)).toEqual([1, 10]);
  });

  test('while a comparison is rested from, the newest waits; after the end it waits for nothing', async () => {
    const it = setUp(0);
    const slow = (seed: number) => frameOf(seed, noisy(WIDTH, seed), () => it.spend(5));
    const frames = await Promise.all([1, 2, 3, 4].map(slow));
    for (const frame of frames) it.push(frame);
    expect(it.handed.map(({ number }) => number)).toEqual([1, 2]);
    await expect.poll(() => it.handed.map(({ number }) => number)).toEqual([1, 2, 4]);
    it.push(frames[0]!);
    it.comparer.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(it.handed).toHaveLength(3);
  });

  test('what cannot be read is taken as a whole', async () => {
    const it = setUp(100);
    it.push(await frameOf(1, noisy(WIDTH, 1)));
    it.push({ ...(await frameOf(2, noisy(WIDTH, 1))), coded: () => null });
    expect(it.handed.map(({ changed }) => changed)).toEqual([null, null]);
  });
});

/** What a page draws, and how far the client got: `look` is the client asking. */
const deed = fc.oneof(
  fc.record({
    what: fc.constant('draw' as const),
    x: fc.integer({ min: 0, max: WIDTH - 30 }),
    y: fc.integer({ min: 0, max: HEIGHT - 30 }),
    side: fc.integer({ min: 1, max: 30 }),
    value: fc.integer({ min: 0, max: 255 }),
  }),
  fc.record({ what: fc.constant('resize' as const), width: fc.constantFrom(WIDTH, 288) }),
  fc.constant({ what: 'look' as const }),
  fc.constant({ what: 'join' as const }),
);

test('whatever is drawn, skipped, resized and joined, the client has the picture that the server has', async () => {
  let partsSent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 8 }), async (deeds) => {
      let give: Parameters<FrameSource['subscribe']>[0]['onFrame'] = () => {};
      const hub = new FrameHub({
        subscribe: (subscriber) => {
          give = (frame, taken) => subscriber.onFrame(frame, taken);
          return () => {};
        },
      });
      const leave = hub.join(() => {});
      let page = noisy(WIDTH);
      let client: Picture | null = null;
      let seen = 0;
      const catchUp = async (): Promise<void> => {
        const frame = hub.latest!;
        const isResized = client?.width !== frame.width;
        const changed = seen === 0 || isResized ? null : hub.changesSince(seen);
        seen = frame.number;
        const truth = await decoded(frame.jpeg);
        if (!client || !changed) client = { ...truth, rgb: Buffer.from(truth.rgb) };
        partsSent += changed?.length ?? 0;
        for (const area of changed ?? []) await paint(client, frame.part(area), area);
        expect(client.rgb.equals(truth.rgb)).toBe(true);
      };
      const show = async (): Promise<void> => {
        const jpeg = await jpegOf(page);
        give({ jpeg, wallTimeMs: 0, monotonicMs: 0 }, () => {});
        const { rgb } = await decoded(jpeg);
        // One with the same pixels is not told.
        await expect.poll(async () => (await decoded(hub.latest!.jpeg)).rgb.equals(rgb)).toBe(true);
      };
      await show();
      await catchUp();
      for (const one of deeds) {
        if (one.what === 'look') await catchUp();
        else if (one.what === 'join') seen = 0;
        else if (one.what === 'resize') page = noisy(one.width);
        else square(page, one);
        if (one.what === 'draw' || one.what === 'resize') await show();
      }
      await catchUp();
      leave();
    }),
    { numRuns: 15 },
  );
  expect(partsSent).toBeGreaterThan(0);
});

/** Noise packs badly: a frame that is worth comparing. Grey: units of it do not mix their colours. */
function noisy(width: number, seed = 1): Picture {
  const rgb = Buffer.alloc(width * HEIGHT * 3);
  let state = seed;
  for (let at = 0; at < width * HEIGHT; at += 1) {
    state = (state * 48_271) % 0x7f_ff_ff_ff;
    rgb.fill(96 + (state % 64), at * 3, at * 3 + 3);
  }
  return { rgb, width, height: HEIGHT };
}

function square(page: Picture, { x, y, side, value }: { x: number; y: number; side: number; value: number }) {
  const end = Math.min(page.width, x + side);
  for (let row = y; row < y + side; row += 1) {
    if (x < end) page.rgb.fill(value, (row * page.width + x) * 3, (row * page.width + end) * 3);
  }
}

async function paint(onto: Picture, jpeg: Buffer, area: Rectangle): Promise<void> {
  const { rgb, width, height } = await decoded(jpeg);
  // Another size would stop noVNC's drawing for good.
  expect([width, height]).toEqual([area.width, area.height]);
  for (let row = 0; row < area.height; row += 1) {
    const to = ((area.y + row) * onto.width + area.x) * 3;
    rgb.copy(onto.rgb, to, row * area.width * 3, (row + 1) * area.width * 3);
  }
}
