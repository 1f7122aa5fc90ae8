import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchTestBrowser, startFixtureSite, type FixtureSite } from '../../test/fixtures/pages/fixtures.ts';
import { AgentError } from '../base/errors.ts';
import type { Locator } from '../script/schema.ts';
import { toBrowserError } from './errors.ts';
import { shownUrl } from './shown-url.ts';
import { resolveElement } from './locators.ts';

let site: FixtureSite;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const signal = new AbortController().signal;

beforeAll(async () => {
  [site, browser] = await Promise.all([startFixtureSite(), launchTestBrowser()]);
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
});
afterEach(() => context.close());
afterAll(async () => {
  await browser.close();
  await site.close();
});

/** The agent's error for a click that fails. */
async function clickError(html: string, spec: Locator, timeoutMs = 1_500): Promise<AgentError> {
  await page.goto(site.page('/shop', html));
  const target = await resolveElement(page, spec);
  const thrown = await target.locator.click({ timeout: timeoutMs }).then(
    () => new Error('the click worked'),
    (error: unknown) => error,
  );
  return toBrowserError(thrown, { page, action: 'click', target, timeoutMs, signal });
}

describe('an element that is not found', () => {
  test('is ElementNotFound, naming the locator, the page and what is there instead', async () => {
    const error = await clickError('<button>Save</button><button>Cancel</button><button>Help</button>', {
      strategy: 'role',
      value: 'button',
      name: 'Sav it',
    });
    expect(error.errorName).toBe('BrowserAgent.ElementNotFound');
    expect(error.message).toContain(`button "Sav it" on ${site.url}/shop`);
    expect(error.message).toContain('3 buttons are visible: Save, ');
    expect(error.data).toMatchObject({ locator: 'button "Sav it"', page_url: `${site.url}/shop` });
  });

  test('is told to be hidden when it is', async () => {
    const error = await clickError('<div hidden><a href="#" id="a">x</a></div>', {
      strategy: 'selector',
      value: '#nope, #a',
    });
    expect(error.message).toContain('hidden');
  });

  test('is told to be inside a frame when it is', async () => {
    site.page('/in', '<button>Pay</button>');
    const error = await clickError('<iframe name="card" src="/in"></iframe>', {
      strategy: 'text',
      value: 'Pay',
    });
    expect(error.message).toContain('"frame": ["card"]');
  });

  test('lists fields for a form field', async () => {
    const error = await clickError('<label>Town <input></label>', { strategy: 'form_field', label: 'City' });
    expect(error.message).toContain('1 field is visible: Town');
  });

  test('never shows what is in fields', async () => {
    const error = await clickError('<input name="pin" value="4711">', {
      strategy: 'form_field',
      label: 'City',
    });
    expect(error.message).not.toContain('4711');
  });
});

test('several matches are ElementNotFound, saying how many and which', async () => {
  const error = await clickError('<button>One</button><button>Two</button>', {
    strategy: 'selector',
    value: 'button',
  });
  expect(error.errorName).toBe('BrowserAgent.ElementNotFound');
  expect(error.message).toMatch(/2 elements match.*<button>One<\/button>, <button>Two<\/button>.*nth/);
});

test.each([
  ['<button disabled>Go</button>', 'it is disabled'],
  ['<button>Go</button><div id="veil" style="position:fixed;inset:0"></div>', '<div id="veil"> lies over it'],
  ['<button style="visibility:hidden">Go</button>', 'it is hidden'],
])('an element that cannot be used is StepTimeout, saying why: %s', async (html, why) => {
  const error = await clickError(html, { strategy: 'selector', value: 'button' });
  expect(error.errorName).toBe('BrowserAgent.StepTimeout');
  expect(error.message).toContain(why);
});

test.each<Locator>([
  { strategy: 'selector', value: '#a[[' },
  { strategy: 'xpath', value: '//a[' },
])('an invalid $strategy is InvalidScript', async (spec) => {
  const error = await clickError('<p>x', spec);
  expect(error.errorName).toBe('BrowserAgent.InvalidScript');
  expect(error.message).toContain('not valid');
});

test.each([
  ['http://nothing.invalid/x?token=1', 'ERR_NAME_NOT_RESOLVED'],
  ['http://127.0.0.1:1/', 'ERR_UNSAFE_PORT'],
])('a page that cannot be opened is NavigationFailed with advice: %s', async (url, code) => {
  const thrown = await page.goto(url).catch((error: unknown) => error);
  const error = await toBrowserError(thrown, { page, action: 'navigate', url, timeoutMs: 1_000, signal });
  expect(error.errorName).toBe('BrowserAgent.NavigationFailed');
  expect(error.message).toContain(code);
  expect(error.message).not.toContain('token');
});

test('a closed page is BrowserUnavailable', async () => {
  const waiting = page
    .locator('#never')
    .click()
    .catch((error: unknown) => error);
  await page.close();
  const error = await toBrowserError(await waiting, { page, action: 'click', timeoutMs: 1_000, signal });
  expect(error.errorName).toBe('BrowserAgent.BrowserUnavailable');
});

test('a crashed page is BrowserUnavailable and says so', async () => {
  const waiting = page
    .locator('#never')
    .click()
    .catch((error: unknown) => error);
  page.goto('chrome://crash').catch(() => undefined);
  const error = await toBrowserError(await waiting, { page, action: 'click', timeoutMs: 1_000, signal });
  expect(error).toMatchObject({ errorName: 'BrowserAgent.BrowserUnavailable' });
  expect(error.message).toContain('crashed');
});

test('an aborted signal gives its own reason, whatever Playwright threw', async () => {
  const controller = new AbortController();
  const reason = new AgentError('BrowserAgent.Cancelled', 'somebody pressed stop');
  const waiting = page
    .locator('#never')
    .click({ signal: controller.signal })
    .catch((error: unknown) => error);
  controller.abort(reason);
  const attempt = { page, action: 'click', timeoutMs: 1_000, signal: controller.signal };
  expect(await toBrowserError(await waiting, attempt)).toBe(reason);
});

test('a secret is in neither message nor cause', async () => {
  await page.goto(site.page('/b', '<button>x</button>'));
  const thrown = await page
    .locator('button')
    .fill('hunter22')
    .catch((error: unknown) => error);
  const error = await toBrowserError(thrown, {
    page,
    action: 'fill',
    timeoutMs: 1,
    signal,
    secrets: ['hunter22'],
  });
  expect(error.message).toContain('Only fields can be filled');
  expect(`${error.message}${error.stack}${JSON.stringify(error.data)}`).not.toContain('hunter22');
  expect(error.cause).toBeUndefined();
});

test('a shown address has no user, query or fragment', () => {
  expect(shownUrl('https://me:pw@site.example/a/b?token=1#x')).toBe('https://site.example/a/b');
  expect(shownUrl('about:blank')).toBe('about:blank');
});
