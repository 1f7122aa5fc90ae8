import { describe, expect, test } from 'vitest';
import { silentLogger } from '../base/log.ts';
import { CaptureQueue } from './capture-queue.ts';
import type { PageProbe } from './page-probe.ts';

/** Stands in for a page whose answers come when the test says so. */
function heldProbe() {
  const waiting: { what: string; answer: PromiseWithResolvers<unknown> }[] = [];
  const ask = (what: string): Promise<never> => {
    const answer = Promise.withResolvers<unknown>();
    waiting.push({ what, answer });
    return answer.promise as Promise<never>;
  };
  const probe = {
    applied: () => Promise.resolve(),
    viewport: () => ask('picture'),
    html: () => ask('html'),
    maskedCount: () => ask('count'),
  };
  const asked = async (): Promise<string[]> => {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return waiting.map(({ what }) => what);
  };
  const answerAll = (values: Record<string, unknown>): void => {
    for (const { what, answer } of waiting.splice(0)) {
      const value = values[what];
      if (value instanceof Error || typeof value === 'string') answer.reject(value);
      else answer.resolve(value);
    }
  };
  return { probe: probe as unknown as PageProbe, asked, answerAll };
}

const ANSWERS = { picture: Buffer.from('jpeg'), html: { html: 'page', masked: 2 }, count: 3 };
const BOTH = { picture: true, html: true };

describe('CaptureQueue', () => {
  test('what waits together is served by one capture, what was asked during one by the next', async () => {
    const queue = new CaptureQueue({ quality: 60, log: silentLogger });
    const { probe, asked, answerAll } = heldProbe();
    const first = queue.take(probe, { picture: true, html: false });
    expect(await asked()).toEqual(['picture', 'count']);
    const second = queue.take(probe, { picture: true, html: false });
    const third = queue.take(probe, { picture: false, html: true });
    expect(await asked()).toEqual(['picture', 'count']);
    answerAll(ANSWERS);
    expect(await first).toMatchObject({ jpeg: ANSWERS.picture, html: null, masked: 3 });
    expect(await asked()).toEqual(['picture', 'html', 'count']);
    answerAll(ANSWERS);
    expect(await second).toBe(await third);
    // The page's own count comes with its HTML, that of frames of other processes beside it.
    expect(await third).toMatchObject({ jpeg: ANSWERS.picture, html: ANSWERS.html, masked: 5 });
    await queue.idle();
  });

  test('pages are served one after the other', async () => {
    const queue = new CaptureQueue({ quality: 60, log: silentLogger });
    const [one, other] = [heldProbe(), heldProbe()];
    const first = queue.take(one.probe, BOTH);
    const second = queue.take(other.probe, BOTH);
    expect(await one.asked()).toHaveLength(3);
    expect(await other.asked()).toHaveLength(0);
    one.answerAll(ANSWERS);
    await first;
    expect(await other.asked()).toHaveLength(3);
    other.answerAll(ANSWERS);
    await second;
  });

  test('it is idle when everything that was asked for is there', async () => {
    const queue = new CaptureQueue({ quality: 60, log: silentLogger });
    await queue.idle();
    const { probe, asked, answerAll } = heldProbe();
    let idle = false;
    void queue.take(probe, BOTH);
    const waiting = queue.idle().then(() => (idle = true));
    await asked();
    expect(idle).toBe(false);
    answerAll(ANSWERS);
    await waiting;
    expect(idle).toBe(true);
  });

  test('a capture that fails says why, and what did not fail is used', async () => {
    const pictures: Buffer[] = [];
    const queue = new CaptureQueue({
      quality: 60,
      log: silentLogger,
      onPicture: (jpeg) => pictures.push(jpeg),
    });
    const { probe, asked, answerAll } = heldProbe();
    const first = queue.take(probe, BOTH);
    await asked();
    answerAll({ picture: new Error('too busy'), html: ANSWERS.html, count: new Error('too') });
    expect(await first).toMatchObject({ jpeg: null, html: ANSWERS.html, masked: 2, problem: 'too busy' });
    expect(pictures).toEqual([]);
    const second = queue.take(probe, BOTH);
    await asked();
    answerAll({ ...ANSWERS, html: 'odd' });
    expect(await second).toMatchObject({ jpeg: ANSWERS.picture, html: null, problem: 'odd' });
    expect(pictures).toEqual([ANSWERS.picture]);
  });

  describe('takeOrReuse', () => {
    test('uses what was taken since the last action, and asks only for what is missing', async () => {
      const queue = new CaptureQueue({ quality: 60, log: silentLogger });
      const { probe, asked, answerAll } = heldProbe();
      const first = queue.take(probe, { picture: true, html: false });
      await asked();
      answerAll(ANSWERS);
      await first;
      expect(await queue.takeOrReuse(probe, { picture: true, html: false })).toBe(await first);
      const both = queue.takeOrReuse(probe, BOTH);
      expect(await asked()).toEqual(['html']);
      answerAll({ html: new Error('no answer') });
      expect(await both).toMatchObject({ jpeg: ANSWERS.picture, html: null, problem: 'no answer' });
    });

    test('asks for the picture when only HTML is there', async () => {
      const queue = new CaptureQueue({ quality: 60, log: silentLogger });
      const { probe, asked, answerAll } = heldProbe();
      const first = queue.take(probe, { picture: false, html: true });
      await asked();
      answerAll(ANSWERS);
      await first;
      const both = queue.takeOrReuse(probe, BOTH);
      expect(await asked()).toEqual(['picture', 'count']);
      answerAll(ANSWERS);
      expect(await both).toMatchObject({ jpeg: ANSWERS.picture, html: ANSWERS.html });
    });

    test('takes anew after an action, and of another page', async () => {
      const queue = new CaptureQueue({ quality: 60, log: silentLogger });
      const [one, other] = [heldProbe(), heldProbe()];
      const first = queue.takeOrReuse(one.probe, BOTH);
      await one.asked();
      one.answerAll(ANSWERS);
      await first;
      const elsewhere = queue.takeOrReuse(other.probe, BOTH);
      expect(await other.asked()).toHaveLength(3);
      other.answerAll(ANSWERS);
      await elsewhere;
      queue.acting();
      const anew = queue.takeOrReuse(other.probe, BOTH);
      expect(await other.asked()).toHaveLength(3);
      other.answerAll(ANSWERS);
      expect(await anew).not.toBe(await elsewhere);
    });
  });
});
