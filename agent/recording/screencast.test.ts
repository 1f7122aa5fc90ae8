import { EventEmitter } from 'node:events';
import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pixelsOf } from '../../test/support/pictures.ts';
import { openBrowser, openPage, until, VIEWPORT } from '../../test/support/recording.ts';
import { silentLogger } from '../base/log.ts';
import { PageProbe } from './page-probe.ts';
import { Screencast, type Frame, type Subscriber } from './screencast.ts';

let browser: Browser;
let context: BrowserContext;
let page: Page;
let cast: Screencast;
const probes: PageProbe[] = [];

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  ({ context, page } = await openPage(browser));
  cast = new Screencast({ log: silentLogger });
});
afterEach(async () => {
  cast.close();
  for (const probe of probes.splice(0)) await probe.close();
  await context.close();
});

async function probeOf(of: Page): Promise<PageProbe> {
  const probe = await PageProbe.open({
    context,
    page: of,
    config: { selectors: [], values: [], shortValues: [] },
    onPassword: () => {},
    onInvalidSelectors: () => {},
    onProblem: () => {},
    log: silentLogger,
  });
  probes.push(probe);
  return probe;
}

function collector(fps: number) {
  const frames: Frame[] = [];
  return {
    fps,
    frames,
    onFrame: (frame: Frame, taken: () => void) => {
      frames.push(frame);
      taken();
    },
  };
}

/** Another colour with each frame; black at the end. */
const flicker = (ms = 1_000): Promise<void> =>
  page.evaluate(
    (ms) =>
      new Promise<void>((done) => {
        const end = performance.now() + ms;
        const tick = (): void => {
          const over = performance.now() > end;
          document.documentElement.style.background = over
            ? 'black'
            : `rgb(200,${Math.round(performance.now()) % 200},0)`;
          if (over) done();
          else requestAnimationFrame(tick);
        };
        tick();
      }),
    ms,
  );

/** Grey of the middle of the last frame. */
async function shade(frame: Frame | undefined): Promise<number> {
  return frame ? (await pixelsOf(frame.jpeg, VIEWPORT)).at(400, 300) : -1;
}

const paint = (color: string): Promise<void> =>
  page.evaluate((color) => {
    document.documentElement.style.background = color;
  }, color);

describe('Screencast', () => {
  test('a page at rest gives one frame, and a new one when it changes', async () => {
    const one = collector(20);
    cast.subscribe(one);
    cast.follow(await probeOf(page));
    await until(() => one.frames.length === 1, 'the first frame');
    await paint('black');
    await until(async () => (await shade(one.frames.at(-1))) < 10, 'the black frame');
    expect(one.frames.length).toBeLessThanOrEqual(3);
    expect(cast.last).toBe(one.frames.at(-1));
    expect(cast.stats).toEqual({ frames: one.frames.length, dropped: 0 });
  });

  test('after a burst the last state is shown, at the lowest rate too', async () => {
    const slow = collector(2);
    cast.subscribe(slow);
    cast.follow(await probeOf(page));
    await page.evaluate(
      () =>
        new Promise<void>((done) => {
          let left = 20;
          const tick = (): void => {
            left -= 1;
            document.documentElement.style.background = left === 0 ? 'black' : left % 2 ? 'white' : 'gray';
            if (left === 0) done();
            else requestAnimationFrame(tick);
          };
          tick();
        }),
    );
    await until(async () => (await shade(slow.frames.at(-1))) < 10, 'the last state');
  });

  test('times are those of the clocks, and go forward', async () => {
    const before = { wall: Date.now(), monotonic: performance.now() };
    const one = collector(20);
    cast.subscribe(one);
    cast.follow(await probeOf(page));
    await until(() => one.frames.length > 0, 'a frame');
    await paint('gray');
    await until(() => one.frames.length > 1, 'another frame');
    const [first, second] = one.frames;
    expect(first!.wallTimeMs).toBeGreaterThan(before.wall - 100);
    expect(second!.wallTimeMs).toBeGreaterThan(first!.wallTimeMs);
    expect(
      Math.abs(second!.monotonicMs - before.monotonic - (second!.wallTimeMs - before.wall)),
    ).toBeLessThan(200);
  });

  test('who comes late gets the last frame at once; who leaves gets none; the last to leave stops it', async () => {
    const one = collector(20);
    const off = cast.subscribe(one);
    cast.follow(await probeOf(page));
    await until(() => one.frames.length > 0, 'a frame');
    const late = collector(5);
    const offLate = cast.subscribe(late);
    expect(late.frames).toEqual([cast.last]);
    off();
    const seen = one.frames.length;
    await paint('black');
    await until(() => late.frames.length > 1, 'a frame for the one who stayed');
    expect(one.frames.length).toBe(seen);
    offLate();
    off();
    const again = collector(20);
    cast.subscribe(again);
    await paint('white');
    await until(async () => (await shade(again.frames.at(-1))) > 240, 'a frame after starting again');
  });

  test('a slow subscriber is spared frames meant for a fast one, but not the last state', async () => {
    const fast = collector(25);
    const slow = collector(1);
    cast.subscribe(fast);
    cast.subscribe(slow);
    cast.follow(await probeOf(page));
    await flicker(700);
    await until(async () => (await shade(slow.frames.at(-1))) < 10, 'the last state for the slow one');
    expect(slow.frames.length).toBeLessThan(fast.frames.length);
  });

  test('it follows the run to another page, and to none', async () => {
    const one = collector(20);
    cast.subscribe(one);
    const first = await probeOf(page);
    cast.follow(first);
    cast.follow(first);
    await until(() => one.frames.length > 0, 'a frame');
    const other = await context.newPage();
    await other.setContent('<body style="background:black">');
    cast.follow(await probeOf(other));
    await until(async () => (await shade(one.frames.at(-1))) < 10, 'a frame of the other page');
    cast.follow(null);
    expect(cast.last).toBeUndefined();
    cast.forget();
  });

  test('frames drawn before the masks are in place are dropped', async () => {
    const one = collector(20);
    cast.subscribe(one);
    const probe = await probeOf(page);
    cast.follow(probe);
    await until(() => one.frames.length > 0, 'a frame');
    const updating = probe.update({ selectors: [], values: ['harbour-lights'], shortValues: [] });
    cast.forget();
    expect(cast.last).toBeUndefined();
    const seen = one.frames.length;
    await paint('gray');
    await until(() => cast.stats.dropped > 0, 'dropping a frame');
    expect(one.frames.length).toBe(seen);
    await updating;
    await until(() => one.frames.length > seen, 'a frame with masks');
    expect(one.frames.at(-1)!.wallTimeMs).toBeGreaterThan(Date.now() - 5000);
  });

  test('a picture taken by other means serves the subscribers too', async () => {
    const one = collector(5);
    cast.subscribe(one);
    const frame = { jpeg: Buffer.from('x'), wallTimeMs: 1, monotonicMs: 1 };
    cast.offer(frame);
    expect(one.frames).toEqual([frame]);
    cast.follow(await probeOf(page));
    cast.offer(frame);
    await until(() => one.frames.length > 2, 'a frame of its own');
  });

  test('a subscriber that fails does not hold up the others', () => {
    const one = collector(5);
    cast.subscribe({
      fps: 5,
      onFrame: () => {
        throw new Error('full');
      },
    });
    cast.subscribe(one);
    cast.offer({ jpeg: Buffer.from('x'), wallTimeMs: 1000, monotonicMs: 1 });
    expect(one.frames).toHaveLength(1);
  });

  test('who watches live gets frames as the page draws them, and the others still theirs', async () => {
    const slow = collector(2);
    const live = { ...collector(60), live: true as const };
    cast.subscribe(slow);
    const off = cast.subscribe(live);
    cast.follow(await probeOf(page));
    await flicker();
    await until(async () => (await shade(live.frames.at(-1))) < 10, 'the last state for who watches');
    await until(async () => (await shade(slow.frames.at(-1))) < 10, 'the last state for the slow one');
    expect(live.frames.length).toBeGreaterThan(12);
    expect(slow.frames.length).toBeLessThan(8);
    off();
    await paint('white');
    await until(async () => (await shade(slow.frames.at(-1))) > 240, 'single frames again');
  });

  test('the first who watches live is shown the page as it is, not the last picture for another', async () => {
    const slow = collector(1);
    cast.subscribe(slow);
    cast.follow(await probeOf(page));
    await until(() => slow.frames.length > 0, 'a frame');
    await paint('black');
    const live = { ...collector(60), live: true as const };
    cast.subscribe(live);
    await until(() => live.frames.length > 0, 'a live frame');
    expect(await shade(live.frames[0])).toBeLessThan(10);
    const second = { ...collector(60), live: true as const };
    cast.subscribe(second);
    expect(second.frames).toEqual([cast.last]);
  });

  test('frames that nobody takes are few, and the last state comes all the same', async () => {
    const busy: Subscriber & { frames: Frame[] } = {
      ...collector(60),
      live: true,
      onFrame: (frame) => busy.frames.push(frame),
    };
    cast.subscribe(busy);
    cast.follow(await probeOf(page));
    await flicker();
    await until(async () => (await shade(busy.frames.at(-1))) < 10, 'the last state');
    // Two or three at a time, each for 100 ms: of a page that draws 60 times a second.
    expect(busy.frames.length).toBeLessThan(48);
  });

  test('who watches live again, a moment later, is shown a page that has not changed', async () => {
    cast.subscribe(collector(5));
    cast.follow(await probeOf(page));
    const first = { ...collector(60), live: true as const };
    const off = cast.subscribe(first);
    await until(() => first.frames.length > 0, 'a live frame');
    off();
    const again = { ...collector(60), live: true as const };
    cast.subscribe(again);
    await until(() => again.frames.length > 0, 'a live frame for who came back');
    expect(await shade(again.frames[0])).toBeCloseTo(await shade(first.frames.at(-1)), -1);
  });

  test('who watches live sees masks that came on a page at rest', async () => {
    const live = { ...collector(60), live: true as const };
    cast.subscribe(live);
    const probe = await probeOf(page);
    await page.setContent('<body style="margin:0"><p style="font:40px monospace">harbour-lights');
    cast.follow(probe);
    await until(() => live.frames.length > 0, 'a frame');
    const masked = probe.update({ selectors: [], values: ['harbour-lights'], shortValues: [] });
    cast.forget();
    const changedAtMs = Date.now();
    await masked;
    await until(() => live.frames.at(-1)!.wallTimeMs > changedAtMs, 'a frame with masks');
  });

  test('a page that is closed ends the capture quietly', async () => {
    const one = collector(20);
    cast.subscribe(one);
    cast.follow(await probeOf(page));
    await until(() => one.frames.length > 0, 'a frame');
    await page.close();
    cast.follow(null);
    const other = await context.newPage();
    cast.follow(await probeOf(other));
    const seen = one.frames.length;
    await until(() => one.frames.length > seen, 'a frame of the next page');
  });

  describe('when the browser does not play along', () => {
    /** Stands in for a session whose answers the test gives. */
    function heldSession() {
      const emitter = new EventEmitter();
      const sent: string[] = [];
      let refusals = 0;
      const session = Object.assign(emitter, {
        send: (method: string) => {
          sent.push(method);
          if (refusals === 0) return Promise.resolve();
          refusals -= 1;
          return Promise.reject(new Error('Not attached to an active page'));
        },
      });
      const probe = { session, settling: false, settledAtMs: 0 } as unknown as PageProbe;
      return { sent, probe, session, refuse: (times: number) => (refusals = times) };
    }
    const starts = (sent: string[]): number =>
      sent.filter((method) => method.endsWith('startScreencast')).length;

    test('a refused start is tried again', async () => {
      const { sent, probe, refuse } = heldSession();
      refuse(1);
      cast.subscribe(collector(5));
      cast.follow(probe);
      await until(() => starts(sent) === 2, 'starting again');
    });

    test('a frame that does not come is asked for again', async () => {
      const { sent, probe, session } = heldSession();
      const one = collector(5);
      cast.subscribe(one);
      cast.follow(probe);
      await until(() => starts(sent) === 2, 'asking again');
      expect(sent).toEqual(['Page.startScreencast', 'Page.stopScreencast', 'Page.startScreencast']);
      // Browsers leave the time out now and then.
      session.emit('Page.screencastFrame', { data: 'AAAA', metadata: {} });
      expect(one.frames[0]!.wallTimeMs).toBeGreaterThan(Date.now() - 1000);
    });

    test('frames for who watches live are acknowledged at once, and one older than what is shown is not shown', async () => {
      const { sent, probe, session } = heldSession();
      const live = { ...collector(60), live: true as const };
      cast.subscribe(live);
      cast.follow(probe);
      const now = Date.now();
      session.emit('Page.screencastFrame', {
        data: 'AAAA',
        metadata: { timestamp: now / 1000 },
        sessionId: 7,
      });
      expect(sent).toEqual(['Page.startScreencast', 'Page.screencastFrameAck']);
      cast.offer({ jpeg: Buffer.from('x'), wallTimeMs: now + 50, monotonicMs: 1 });
      session.emit('Page.screencastFrame', {
        data: 'BBBB',
        metadata: { timestamp: (now + 40) / 1000 },
        sessionId: 8,
      });
      expect(live.frames.map(({ wallTimeMs }) => wallTimeMs)).toEqual([now, now + 50]);
    });

    test('a refusal that comes after the end starts nothing', async () => {
      const { sent, probe, refuse } = heldSession();
      refuse(9);
      cast.subscribe(collector(5));
      cast.follow(probe);
      cast.follow(null);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      expect(starts(sent)).toBe(1);
    });

    test('a frame that comes while masks are being put in place is dropped', async () => {
      const { probe, session } = heldSession();
      const one = collector(5);
      cast.subscribe(one);
      cast.follow(probe);
      (probe as { settling: boolean }).settling = true;
      session.emit('Page.screencastFrame', { data: 'AAAA', metadata: { timestamp: Date.now() / 1000 } });
      expect(one.frames).toEqual([]);
      expect(cast.stats.dropped).toBe(1);
    });

    test('so is one that was drawn just after they were', async () => {
      const { probe, session } = heldSession();
      cast.subscribe(collector(5));
      cast.follow(probe);
      const now = Date.now();
      (probe as { settledAtMs: number }).settledAtMs = now;
      session.emit('Page.screencastFrame', { data: 'AAAA', metadata: { timestamp: (now + 50) / 1000 } });
      expect(cast.stats).toEqual({ frames: 0, dropped: 1 });
      session.emit('Page.screencastFrame', { data: 'AAAA', metadata: { timestamp: (now + 250) / 1000 } });
      expect(cast.stats).toEqual({ frames: 1, dropped: 1 });
    });
  });
});
