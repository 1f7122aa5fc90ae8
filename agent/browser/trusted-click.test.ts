import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchTestBrowser, startFixtureSite, type FixtureSite } from '../../test/fixtures/pages/fixtures.ts';
import { path, trustedClick } from './trusted-click.ts';

let site: FixtureSite;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  [site, browser] = await Promise.all([startFixtureSite(), launchTestBrowser()]);
  page = await browser.newPage();
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

const signal = new AbortController().signal;
const RECORDER = `<script>
  window.seen = [];
  for (const type of ['mouseover', 'mousemove', 'mousedown', 'focusin', 'mouseup', 'click'])
    document.addEventListener(type, (e) => e.target.id === 'p' && seen.push([type, e.isTrusted, Math.round(e.timeStamp)]), true);
</script>`;

test('the field sees a trusted hover, a rest, a press that is held, and the focus', async () => {
  await page.goto(
    site.page('/login', `${RECORDER}<p style="height:900px"></p><input id="p" type="password">`),
  );
  await trustedClick(page, page.locator('#p'), { timeoutMs: 5_000, signal });
  const seen = await page.evaluate(() => (window as unknown as { seen: [string, boolean, number][] }).seen);
  const types = seen.map(([type]) => type);
  expect(seen.every(([, trusted]) => trusted)).toBe(true);
  expect(types[0]).toBe('mouseover');
  expect(types.slice(-4)).toEqual(['mousedown', 'focusin', 'mouseup', 'click']);
  const at = (type: string) => seen.findLast(([seenType]) => seenType === type)![2];
  expect(at('mousedown') - at('mousemove')).toBeGreaterThanOrEqual(450);
  expect(at('mouseup') - at('mousedown')).toBeGreaterThanOrEqual(70);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('p');
});

test('it works inside a frame', async () => {
  site.page('/in', '<button onclick="document.title = \'clicked\'">Go</button>');
  await page.goto(site.page('/out', '<iframe style="margin:200px" src="/in"></iframe>'));
  await trustedClick(page, page.frameLocator('iframe').locator('button'), { timeoutMs: 5_000, signal });
  expect(await page.frames()[1]!.title()).toBe('clicked');
});

test('an abort stops it before the button goes down', async () => {
  await page.goto(site.page('/abort', `${RECORDER}<input id="p">`));
  const controller = new AbortController();
  const click = trustedClick(page, page.locator('#p'), { timeoutMs: 5_000, signal: controller.signal });
  await page.waitForFunction(() => (window as unknown as { seen: unknown[] }).seen.length > 0);
  controller.abort(new Error('stop'));
  await expect(click).rejects.toThrow('aborted');
  const types = await page.evaluate(() =>
    (window as unknown as { seen: [string][] }).seen.map(([type]) => type),
  );
  expect(types).not.toContain('mousedown');
});

test('the path is curved, slow at its ends, and ends on the target', () => {
  const points = path({ x: 0, y: 0 }, { x: 300, y: 400 }, () => 0.9);
  expect(points.at(-1)).toEqual({ x: 300, y: 400 });
  expect(points.length).toBe(20);
  const step = (index: number) =>
    Math.hypot(points[index]!.x - points[index - 1]!.x, points[index]!.y - points[index - 1]!.y);
  expect(step(1)).toBeLessThan(step(10));
  expect(step(19)).toBeLessThan(step(10));
  const middle = points[9]!;
  expect(Math.abs(middle.x * 400 - middle.y * 300)).toBeGreaterThan(1_000);
});
