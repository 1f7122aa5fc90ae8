import fc from 'fast-check';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../test/support/recording.ts';
import type { Picture } from './changes.ts';
import { Comparer } from './comparer.ts';
import { FrameHub, type FrameSource } from './frame-hub.ts';
import { liveFrame, type LiveFrame } from './live-frame.ts';
import type { Rectangle } from './rfb/messages.ts';

const WIDTH = 320;
const HEIGHT = 200;
const ROOM_BYTES = 8_000;

/** A frame whose pixels the test knows; counts how often it is decoded. */
function frameOf(number: number, picture: Picture, decoded: number[] = []): LiveFrame {
  const frame = {
    number,
    jpeg: Buffer.alloc(ROOM_BYTES),
    width: picture.width,
    height: picture.height,
    wallTimeMs: number,
  };
  return {
    ...frame,
    picture: () => {
      decoded.push(number);
      return Promise.resolve(picture);
    },
    pixels: () => Promise.reject(new Error('not asked for')),
    part: () => Promise.reject(new Error('not asked for')),
  };
}

function plain(value: number, width = WIDTH, height = HEIGHT): Picture {
  return { rgb: Buffer.alloc(width * height * 3, value), width, height };
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
    push: (frame: LiveFrame) => {
      nowMs += stepMs;
      comparer.push(frame);
    },
  };
}

describe('which frames are compared', () => {
  test('after three large changes in a row none is, but one a second', async () => {
    const it = setUp(40);
    const decoded: number[] = [];
    for (let number = 1; number <= 4; number += 1) {
      it.push(frameOf(number, plain(number), decoded));
      await until(() => it.handed.length === number, 'the frame');
    }
    expect(it.comparer.state).toBe('moving');
    decoded.length = 0;
    for (let number = 5; number <= 54; number += 1) {
      it.push(frameOf(number, plain(number), decoded));
      expect(it.handed.at(-1)).toEqual({ number, changed: null });
      await Promise.resolve();
    }
    // 50 frames in 2 s: two looks at two frames.
    expect(decoded.length).toBeLessThanOrEqual(4);
    expect(decoded.length).toBeGreaterThan(0);
  });

  test('a moving page that came to rest is compared again', async () => {
    const it = setUp(100);
    for (let number = 1; number <= 4; number += 1) {
      it.push(frameOf(number, plain(number)));
      await until(() => it.handed.length === number, 'the frame');
    }
    expect(it.comparer.state).toBe('moving');
    const caret = plain(4);
    caret.rgb.fill(0, 0, 6);
    it.push(frameOf(5, caret));
    await until(() => it.comparer.state === 'still', 'the comparison');
    it.push(frameOf(6, plain(4)));
    await until(() => it.handed.length === 6, 'the frame');
    expect(it.handed[5]!.changed).toEqual([{ x: 0, y: 0, width: 16, height: 16 }]);
  });

  test('a frame with the same pixels is not told, nor one after the end', async () => {
    const it = setUp(100);
    const decoded: number[] = [];
    it.push(frameOf(1, plain(1)));
    it.push(frameOf(2, plain(1), decoded));
    await until(() => decoded.length > 0, 'the comparison');
    it.push(frameOf(3, plain(9)));
    await until(() => it.handed.length === 2, 'the frame after it');
    expect(it.handed.map(({ number }) => number)).toEqual([1, 3]);
    it.push(frameOf(4, plain(1), decoded));
    it.comparer.close();
    await until(() => decoded.includes(4), 'the comparison');
    expect(it.handed).toHaveLength(2);
  });

  test('what cannot be decoded is taken as a whole', async () => {
    const it = setUp(100);
    it.push(frameOf(1, plain(1)));
    it.push({ ...frameOf(2, plain(1)), picture: () => Promise.reject(new Error('no JPEG')) });
    await until(() => it.handed.length === 2, 'the frame');
    expect(it.handed[1]!.changed).toBeNull();
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

/** No client sees more than this beside the frame: what one more JPEG of a part costs. */
const TOLERANCE = 24;

test('whatever is drawn, skipped, resized and joined, the client has the picture that the server has', async () => {
  let partsSent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 8 }), async (deeds) => {
      let give: Parameters<FrameSource['subscribe']>[0]['onFrame'] = () => {};
      const hub = new FrameHub({
        subscribe: (subscriber) => {
          give = (frame) => subscriber.onFrame(frame);
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
        const truth = await frame.picture();
        if (!client || !changed) client = { ...truth, rgb: Buffer.from(truth.rgb) };
        partsSent += changed?.length ?? 0;
        for (const area of changed ?? []) await paint(client, await frame.part(area), area);
        expect(farthest(client, truth)).toBeLessThanOrEqual(TOLERANCE);
      };
      const show = async (): Promise<void> => {
        const jpeg = await sharp(page.rgb, { raw: { width: page.width, height: page.height, channels: 3 } })
          .jpeg({ quality: 80 })
          .toBuffer();
        give({ jpeg, wallTimeMs: 0, monotonicMs: 0 });
        const given = await liveFrame({ jpeg, wallTimeMs: 0, monotonicMs: 0 }, 0)!.picture();
        // One with the same pixels is not told.
        await until(async () => (await hub.latest?.picture())?.rgb.equals(given.rgb) === true, 'the frame');
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

/** Noise packs badly: a frame that is worth comparing. */
function noisy(width: number): Picture {
  const rgb = Buffer.alloc(width * HEIGHT * 3);
  let state = 1;
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
  const { data, info } = await sharp(jpeg).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  // Another size would stop noVNC's drawing for good.
  expect([info.width, info.height]).toEqual([area.width, area.height]);
  for (let row = 0; row < area.height; row += 1) {
    const to = ((area.y + row) * onto.width + area.x) * 3;
    data.copy(onto.rgb, to, row * area.width * 3, (row + 1) * area.width * 3);
  }
}

function farthest(a: Picture, b: Picture): number {
  let most = 0;
  for (let at = 0; at < a.rgb.length; at += 1) most = Math.max(most, Math.abs(a.rgb[at]! - b.rgb[at]!));
  return most;
}
