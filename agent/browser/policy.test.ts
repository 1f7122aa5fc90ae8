import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchTestBrowser, startFixtureSite, type FixtureSite } from '../../test/fixtures/pages/fixtures.ts';
import type { AgentError } from '../base/errors.ts';
import { checkNavigation, installPolicy, type PolicyGuard } from './policy.ts';

let site: FixtureSite;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let guard: PolicyGuard;

beforeAll(async () => {
  [site, browser] = await Promise.all([startFixtureSite(), launchTestBrowser()]);
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  guard = await installPolicy(context, ['127.0.0.1']);
  site.requests.length = 0;
});
afterEach(() => context.close());
afterAll(async () => {
  await browser.close();
  await site.close();
});

const denied = { errorName: 'BrowserAgent.PolicyDenied' };
const untilDenied = () => new Promise((resolve) => guard.onDenied(resolve));

test.each([
  ['https://shop.example/x', ['shop.example'], true],
  ['https://SHOP.example./x', ['shop.example'], true],
  ['https://a.shop.example/', ['shop.example'], false],
  ['https://a.b.shop.example/', ['*.shop.example'], true],
  ['https://shop.example/', ['*.shop.example'], false],
  ['https://evilshop.example/', ['*.shop.example', 'shop.example'], false],
  ['https://shop.example@evil.example/', ['shop.example'], false],
  ['about:blank', [], true],
  ['https://anything.example/', null, true],
  ['file:///etc/passwd', null, false],
  ['chrome://settings', null, false],
  ['data:text/html,x', null, false],
  ['javascript:alert(1)', null, false],
  ['about:config', null, false],
])('opening %s with allowed domains %j: %s', (url, domains, allowed) => {
  let errorName = 'none';
  try {
    checkNavigation(url, domains);
  } catch (thrown) {
    errorName = (thrown as AgentError).errorName;
  }
  expect(errorName).toBe(allowed ? 'none' : denied.errorName);
});

test('an address that is none is InvalidScript', () => {
  expect(() => checkNavigation('shop.example', null)).toThrow(
    expect.objectContaining({ errorName: 'BrowserAgent.InvalidScript' }),
  );
});

test('pages of an allowed domain load with all they need, also frames of other domains', async () => {
  site.page('/frame', 'inner');
  await page.goto(site.page('/ok', `<iframe src="${site.otherUrl}/frame"></iframe>`));
  await page.waitForLoadState('networkidle');
  guard.throwIfDenied();
  expect(site.requests).toContain('localhost/frame');
});

test('a step, a redirect, a click and a script cannot leave, and the request is never made', async () => {
  site.page('/redirect', (_, response) =>
    response.writeHead(302, { location: `${site.otherUrl}/elsewhere` }).end(),
  );
  const start = site.page(
    '/start',
    `<a id="a" href="${site.otherUrl}/elsewhere">out</a><a id="r" href="/redirect">redirect</a>`,
  );
  for (const leave of [
    () => page.goto(`${site.otherUrl}/elsewhere`),
    () => page.goto(`${site.url}/redirect`),
    () => page.click('#a'),
    () => page.click('#r'),
    () => page.evaluate((url) => location.assign(url), `${site.otherUrl}/elsewhere`),
  ]) {
    const fresh = await browser.newContext();
    page = await fresh.newPage();
    guard = await installPolicy(fresh, ['127.0.0.1']);
    await page.goto(start);
    const stopped = untilDenied();
    await leave().catch(() => undefined);
    expect(await stopped).toMatchObject(denied);
    expect(() => guard.throwIfDenied()).toThrow(
      /localhost is not allowed: the allowed domains are 127\.0\.0\.1/,
    );
    expect(page.url()).toBe(start);
    await fresh.close();
  }
  expect(site.requests).not.toContain('localhost/elsewhere');
});

test('a pop-up that goes elsewhere is closed and counts', async () => {
  await page.goto(site.page('/pop', `<a target="_blank" href="${site.otherUrl}/elsewhere">out</a>`));
  const stopped = untilDenied();
  const popup = context.waitForEvent('page');
  await page.click('a');
  expect(await stopped).toMatchObject(denied);
  const opened = await popup;
  await expect.poll(() => opened.isClosed()).toBe(true);
});

test('a later page of the context is held as soon as the guard is ready', async () => {
  const second = await context.newPage();
  await second.goto(site.page('/second', 'ok'));
  await guard.ready();
  const stopped = untilDenied();
  await second.goto(`${site.otherUrl}/elsewhere`).catch(() => undefined);
  await stopped;
  expect(site.requests).not.toContain('localhost/elsewhere');
});
