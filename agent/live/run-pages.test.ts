import { EventEmitter } from 'node:events';
import type { BrowserContext, Page } from 'playwright';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../base/log.ts';
import { Screencast } from '../recording/screencast.ts';
import { RunPages } from './run-pages.ts';

let acting: Page;
let other: Page;
let context: EventEmitter;
let opened: Screencast[];
let changes: number;
let closed: Page[];
let pages: RunPages;

function page(url: string): Page {
  return Object.assign(new EventEmitter(), { url: () => url }) as unknown as Page;
}

beforeEach(() => {
  [acting, other] = [page('https://shop.example/a?token=1'), page('about:blank')];
  context = Object.assign(new EventEmitter(), { pages: () => [acting, other] });
  [opened, changes, closed] = [[], 0, []];
  pages = new RunPages({
    run: {
      context: context as unknown as BrowserContext,
      page: () => acting,
      watch: async () => new Screencast({ log: silentLogger }),
      watchPage: async () => {
        opened.push(new Screencast({ log: silentLogger }));
        return opened.at(-1)!;
      },
    },
    onChange: () => (changes += 1),
    onClosed: (gone) => closed.push(gone),
    log: silentLogger,
  });
});

afterEach(() => {
  pages.end();
});

test('a page keeps its id, and no viewer chooses the page that the run acts in', () => {
  const [first, second] = pages.list(null);
  expect([first, second]).toMatchObject([
    { address: 'shop.example/a', isActing: true, isViewed: true },
    { address: 'about:blank', isActing: false, isViewed: false },
  ]);
  expect(pages.find(second!.id)).toBe(other);
  expect(pages.find(first!.id)).toBeNull();
  expect(pages.list(other).map(({ isViewed }) => isViewed)).toEqual([false, true]);
});

test('a page has one capture for all its viewers, which ends with the last one', async () => {
  const hub = await pages.hubOf(other);
  expect(await pages.hubOf(other)).toBe(hub);
  expect(opened).toHaveLength(1);
  const close = vi.spyOn(opened[0]!, 'close');
  pages.closeOthers(new Set([null, other]));
  expect(close).not.toHaveBeenCalled();
  pages.closeOthers(new Set([null]));
  expect(close).toHaveBeenCalledOnce();
});

test('a capture that opens after the run has ended is closed at once', async () => {
  const hub = pages.hubOf(other);
  const ended = vi.spyOn(Screencast.prototype, 'close');
  pages.end();
  expect(await hub).toBeNull();
  expect(ended).toHaveBeenCalledOnce();
  ended.mockRestore();
});

test('new pages, new addresses and closed pages are told until the end', () => {
  const before = changes;
  const third = page('https://shop.example/b');
  context.emit('page', third);
  (third as unknown as EventEmitter).emit('framenavigated');
  expect(changes).toBe(before + 2);
  (third as unknown as EventEmitter).emit('close');
  expect(closed).toEqual([third]);
  pages.end();
  context.emit('page', page('x:'));
  expect(changes).toBe(before + 2);
});
