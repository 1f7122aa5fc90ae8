/** What a recorder leaves behind in pages that outlive the run: nothing. */
import type { EventEmitter } from 'node:events';
import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchTestBrowser } from '../fixtures/pages/fixtures.ts';
import { silentLogger } from '../../agent/base/log.ts';
import { installPolicy } from '../../agent/browser/policy.ts';
import { MASK_ATTRIBUTE } from '../../agent/recording/page/contract.ts';
import { Masks } from '../../agent/recording/masks.ts';
import { Redactor } from '../../agent/recording/redaction.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchTestBrowser();
});

afterAll(async () => {
  await browser.close();
});

const PAGE_EVENTS = ['close', 'crash', 'framenavigated'] as const;
const CONTEXT_EVENTS = ['page', 'request', 'framenavigated', 'dialog'] as const;

function listeners(context: BrowserContext, page: Page): Record<string, number> {
  const count = (of: unknown, name: string): number => (of as EventEmitter).listenerCount(name);
  return Object.fromEntries([
    ...PAGE_EVENTS.map((name) => [`page ${name}`, count(page, name)] as const),
    ...CONTEXT_EVENTS.map((name) => [`context ${name}`, count(context, name)] as const),
  ]);
}

/** A field that is shown as text after it was a password: hidden while somebody records. */
async function isHidden(page: Page): Promise<boolean> {
  await page.evaluate(() => {
    document.body.innerHTML = '<input type="password">';
    document.querySelector('input')?.setAttribute('type', 'text');
  });
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  return page.evaluate(
    (name) => document.querySelector('input')?.hasAttribute(name) === true,
    MASK_ATTRIBUTE,
  );
}

test('masks and policy let go of pages that stay open, and the next recorder begins anew', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const before = listeners(context, page);
  for (let run = 0; run < 3; run += 1) {
    const masks = new Masks({
      redactor: new Redactor({ selectors: [] }),
      log: silentLogger,
      onProblem: () => undefined,
      onNote: () => undefined,
      onChange: () => undefined,
    });
    const policy = await installPolicy(context, ['127.0.0.1']);
    await masks.attach(context);
    expect(await isHidden(page)).toBe(true);
    await masks.close(true);
    await policy.remove();
    expect(await isHidden(page)).toBe(false);
    expect(listeners(context, page)).toEqual(before);
  }
  await context.close();
});
