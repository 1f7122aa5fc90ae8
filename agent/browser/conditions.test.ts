import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchTestBrowser, startFixtureSite, type FixtureSite } from '../../test/fixtures/pages/fixtures.ts';
import { AgentError } from '../base/errors.ts';
import type { Condition, Locator } from '../script/schema.ts';
import { evaluateCondition } from './conditions.ts';

let site: FixtureSite;
let browser: Browser;
let page: Page;
const signal = new AbortController().signal;
const css = (value: string): Locator => ({ strategy: 'selector', value });
const evaluate = (condition: Condition) => evaluateCondition(page, condition, { signal });

beforeAll(async () => {
  [site, browser] = await Promise.all([startFixtureSite(), launchTestBrowser()]);
  page = await browser.newPage();
});
beforeEach(async () => {
  site.page('/in', '<b>deep</b>');
  await page.goto(
    site.page(
      '/c',
      '<h1>Your bill</h1><p hidden id="h">secret</p><li>a</li><li>b</li><iframe name="f" src="/in"></iframe>',
    ) + '?id=7',
  );
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

test.each<[boolean, Condition]>([
  [true, { type: 'element_exists', locator: css('#h'), timeout: 0 }],
  [false, { type: 'element_exists', locator: css('#no'), timeout: 0 }],
  [true, { type: 'element_exists', locator: css('li'), timeout: 100 }],
  [true, { type: 'element_visible', locator: css('h1'), timeout: 100 }],
  [false, { type: 'element_visible', locator: css('#h'), timeout: 50 }],
  [
    true,
    { type: 'element_visible', locator: { strategy: 'text', value: 'deep', frame: ['f'] }, timeout: 1_000 },
  ],
  [true, { type: 'element_hidden', locator: css('#h'), timeout: 0 }],
  [true, { type: 'element_hidden', locator: css('#no'), timeout: 0 }],
  [false, { type: 'element_hidden', locator: css('h1'), timeout: 50 }],
  [true, { type: 'element_text', locator: css('h1'), contains: 'bill', timeout: 0 }],
  [true, { type: 'element_text', locator: css('h1'), equals: ' Your bill ', timeout: 0 }],
  [false, { type: 'element_text', locator: css('h1'), equals: 'bill', timeout: 0 }],
  [true, { type: 'element_text', locator: css('h1'), matches: '^Your \\w+$', timeout: 0 }],
  [true, { type: 'element_text', locator: css('li'), equals: 'b', timeout: 0 }],
  [true, { type: 'element_count', locator: css('li'), exact: 2, timeout: 0 }],
  [false, { type: 'element_count', locator: css('li'), min: 3, timeout: 0 }],
  [true, { type: 'element_count', locator: css('li'), min: 1, max: 2, timeout: 0 }],
  [true, { type: 'element_count', locator: css('.none'), max: 0, timeout: 0 }],
  [true, { type: 'text_visible', text: 'your bill', timeout: 0 }],
  [true, { type: 'text_visible', text: 'deep', timeout: 1_000 }],
  [false, { type: 'text_visible', text: 'secret', timeout: 0 }],
  [true, { type: 'url_contains', pattern: '/c?id' }],
  [true, { type: 'url_matches', pattern: 'id=\\d$' }],
  [false, { type: 'url_equals', url: 'http://other/' }],
  [true, { type: 'js_eval', expression: "document.querySelectorAll('li').length", expected: 2 }],
  [true, { type: 'js_eval', expression: 'document.title.length > 0', expected: true }],
  [false, { type: 'js_eval', expression: '1', expected: true }],
  [true, { type: 'js_eval', expression: 'return {b: 1, a: [2]}', expected: { a: [2], b: 1 } }],
  [
    true,
    {
      type: 'and',
      conditions: [
        { type: 'url_contains', pattern: '/c' },
        { type: 'not', condition: { type: 'url_contains', pattern: 'zz' } },
      ],
    },
  ],
  [
    true,
    {
      type: 'or',
      conditions: [
        { type: 'url_contains', pattern: 'zz' },
        { type: 'url_contains', pattern: '/c' },
      ],
    },
  ],
])('%s: %j', async (met, condition) => {
  expect(await evaluate(condition)).toEqual({ met });
});

describe('waiting', () => {
  test('a condition with a timeout becomes true when the page does', async () => {
    await page.evaluate(() =>
      setTimeout(
        () =>
          document.body.append(
            Object.assign(document.createElement('i'), { id: 'late', textContent: 'done' }),
          ),
        150,
      ),
    );
    expect(
      await evaluate({ type: 'element_text', locator: css('#late'), contains: 'done', timeout: 3_000 }),
    ).toEqual({ met: true });
  });

  test('an aborted signal ends it with its reason', async () => {
    const controller = new AbortController();
    const waiting = evaluateCondition(
      page,
      { type: 'element_visible', locator: css('#no'), timeout: 60_000 },
      { signal: controller.signal },
    );
    const reason = new AgentError('BrowserAgent.Cancelled', 'stop');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});

describe('an error counts as false and is told', () => {
  test.each<Condition>([
    { type: 'url_matches', pattern: '(' },
    { type: 'js_eval', expression: 'nothing.here', expected: true },
    { type: 'js_eval', expression: 'a b', expected: true },
    { type: 'element_exists', locator: css('##'), timeout: 0 },
    { type: 'not', condition: { type: 'url_matches', pattern: '(' } },
    { type: 'variable', name: 'x', exists: true },
  ])('%j', async (condition) => {
    const result = await evaluate(condition);
    expect(result.met).toBe(false);
    expect(result.error).toMatch(/\w/);
  });
});
