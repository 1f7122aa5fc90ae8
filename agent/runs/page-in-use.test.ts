import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import type { KeptBrowser } from './kept-browser.ts';
import { PageInUse } from './page-in-use.ts';

function page(isClosed = false): Page {
  return { isClosed: () => isClosed } as Page;
}

test('a browser that stays open remembers the page from the start and each page after it', () => {
  const kept: KeptBrowser = { opened: {} as KeptBrowser['opened'], page: null, secrets: new Set() };
  const [first, second] = [page(), page()];
  const inUse = new PageInUse(first, kept);
  expect(kept.page).toBe(first);
  inUse.turnTo(second);
  expect([kept.page, inUse.last, inUse.open]).toEqual([second, second, second]);
});

test('a closed page is still the last one, but it is not open', () => {
  const closed = page(true);
  const inUse = new PageInUse(closed);
  expect(inUse.last).toBe(closed);
  expect(inUse.open).toBeNull();
});
