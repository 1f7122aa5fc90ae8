import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, openPage, until } from '../../test/support/recording.ts';
import { silentLogger } from '../base/log.ts';
import { Masks } from './masks.ts';
import { Redactor } from './redaction.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

function masksOf(redactor: Redactor) {
  const notes: string[] = [];
  let changes = 0;
  const masks = new Masks({
    redactor,
    log: silentLogger,
    onProblem: () => {},
    onNote: (note) => notes.push(note),
    onChange: () => {
      changes += 1;
    },
  });
  return { masks, notes, changes: () => changes };
}

describe('Masks', () => {
  test('every page of the context is masked, also one that is opened later', async () => {
    const { context, page } = await openPage(browser);
    const redactor = new Redactor({ values: ['harbour-lights'] });
    const { masks, changes } = masksOf(redactor);
    await masks.attach(context);
    const popup = await context.newPage();
    for (const one of [page, popup]) await one.setContent('<p>harbour-lights and night-ferry</p>');
    const [first, second] = [await masks.probe(page), await masks.probe(popup)];
    expect(await masks.probe(page)).toBe(first);
    expect(await first!.maskedCount()).toBe(1);
    expect(await second!.maskedCount()).toBe(1);
    redactor.add('night-ferry');
    expect(changes()).toBe(1);
    await masks.applied();
    expect(await first!.maskedCount()).toBe(2);
    expect(await second!.maskedCount()).toBe(2);
    await popup.close();
    await masks.close();
    redactor.add('after-the-end');
    expect(changes()).toBe(1);
    await context.close();
  });

  test('a page that is closed has no probe, and nobody is told', async () => {
    const { context, page } = await openPage(browser);
    const { masks, notes } = masksOf(new Redactor());
    await page.close();
    expect(await masks.probe(page)).toBeNull();
    expect(notes).toEqual([]);
    await masks.close();
    await context.close();
  });

  test('a page that cannot be reached has no probe, and the run is told', async () => {
    const { context, page } = await openPage(browser);
    const { masks, notes } = masksOf(new Redactor());
    const session = await context.newCDPSession(page);
    const crashed = page.waitForEvent('crash');
    session.send('Page.crash').catch(() => {});
    await crashed;
    expect(await masks.probe(page)).toBeNull();
    expect(notes[0]).toMatch(/^a page could not be recorded: /);
    await masks.close();
    await context.close();
  });

  test('text that somebody wrote is no value to look for', async () => {
    const { context, page } = await openPage(browser);
    const redactor = new Redactor({ values: ['x'.repeat(600), 'short-enough'] });
    const { masks } = masksOf(redactor);
    await masks.attach(context);
    await page.setContent(`<p>${'x'.repeat(600)}</p><p>short-enough</p>`);
    const probe = (await masks.probe(page))!;
    await until(async () => (await probe.maskedCount()) === 1, 'masking the short one alone');
    await masks.close();
    await context.close();
  });
});
