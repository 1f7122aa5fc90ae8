/** Modules that need a document, each alone in a real page. */
import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadModule } from '../../../test/support/page-modules.ts';
import { openBrowser, openPage } from '../../../test/support/recording.ts';
import type * as hide from './hide.ts';
import type * as masker from './masker.ts';
import type * as passages from './passages.ts';
import type * as scanner from './scanner.ts';
import type { SecretValues } from './secret-values.ts';
import type * as styleTexts from './style-texts.ts';

let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  ({ context, page } = await openPage(browser));
});
afterEach(() => context.close());

/** What {@link loadModule} puts into the page. */
declare const lbaPage: typeof hide & typeof masker & typeof passages & typeof scanner & typeof styleTexts;

describe('hide', () => {
  test('a text field shows dots, anything else is black, and a second call changes nothing', async () => {
    await page.setContent('<input id=a value=x><div id=b>x</div><svg><text id=c>x</text></svg>');
    await loadModule(page, 'hide.ts');
    const styles = await page.evaluate(() => {
      const values = { isIn: () => false } as unknown as SecretValues;
      return ['a', 'b', 'c'].map((id) => {
        const element = document.getElementById(id)!;
        lbaPage.hide(element, values);
        const first = element.getAttribute('style');
        lbaPage.hide(element, values);
        return [element.hasAttribute('data-lba-masked'), first, element.getAttribute('style') === first];
      });
    });
    expect(styles.map(([isMarked, , isSame]) => [isMarked, isSame])).toEqual(
      Array.from({ length: 3 }, () => [true, true]),
    );
    expect(styles[0]![1]).toContain('-webkit-text-security: disc !important');
    expect(styles[1]![1]).toContain('brightness(0) !important');
    expect(styles[2]![1]).toContain('opacity: 0 !important');
  });

  test('what has no box of its own is hidden by its children', async () => {
    await page.setContent('<div id=a style="display:contents">x<b>y</b></div>');
    await loadModule(page, 'hide.ts');
    const isMarked = await page.evaluate(() => {
      lbaPage.hide(document.getElementById('a')!, { isIn: () => false } as unknown as SecretValues);
      return document.querySelector('b')!.hasAttribute('data-lba-masked');
    });
    expect(isMarked).toBe(true);
  });
});

test('Passages count what a text shows now, and drop what left the document', async () => {
  await page.setContent('<p id=p>abc and abc</p>');
  await loadModule(page, 'passages.ts');
  const counts = await page.evaluate(() => {
    const values = {
      isEmpty: false,
      isIn: (text: string) => text.includes('abc'),
      placesIn: (text: string) => [...text.matchAll(/abc/g)].map(({ index }) => [index, index + 3] as const),
    } as unknown as SecretValues;
    const passages = new lbaPage.Passages(values);
    const node = document.getElementById('p')!.firstChild as Text;
    const seen: number[] = [];
    const look = (): void => {
      passages.check(node);
      seen.push(passages.count);
    };
    look();
    node.data = 'only abc';
    look();
    node.remove();
    passages.dropStale();
    return [...seen, passages.count];
  });
  expect(counts).toEqual([2, 1, 0]);
});

test('Scanner reports selectors that are not CSS, and finds shadow roots', async () => {
  await page.setContent('<div id=host></div><p class=secret>x</p>');
  await loadModule(page, 'scanner.ts');
  const found = await page.evaluate(() => {
    document.getElementById('host')!.attachShadow({ mode: 'open' });
    let roots = 0;
    const scanner = new lbaPage.Scanner({
      values: { isEmpty: true, isIn: () => false, isField: () => false } as unknown as SecretValues,
      passages: { check: () => {} } as never,
      onShadowRoot: () => {
        roots += 1;
      },
    });
    const invalid = scanner.select(['p[', '.secret']);
    scanner.scan(document);
    return { invalid, roots, masked: document.querySelectorAll('[data-lba-masked]').length };
  });
  expect(found).toEqual({ invalid: ['p['], roots: 1, masked: 1 });
});

test('StyleTexts leave out unused rules while there is time, and keep all rules without', async () => {
  await page.setContent('<style>.used{margin:1px}.unused{margin:2px}</style><p class=used>x');
  await loadModule(page, 'style-texts.ts');
  const [used, all] = await page.evaluate(() => {
    const styles = new lbaPage.StyleTexts();
    const text = (deadlineMs: number, keepsAll: boolean): string =>
      styles.textOf(document.styleSheets[0]!, document, { deadlineMs, keepsAll }) ?? '';
    return [text(Number.POSITIVE_INFINITY, false), text(0, true)];
  });
  expect(used).toContain('.used');
  expect(used).not.toContain('.unused');
  expect(all).toContain('.unused');
});

test('the masker removes itself, and what it hid stays hidden', async () => {
  await page.setContent('<input type=password><p>abc</p>');
  await loadModule(page, 'masker.ts');
  const counts = await page.evaluate(() => {
    const masker = lbaPage.createMasker();
    const { masked } = masker.update({ selectors: [], values: ['abc'], shortValues: [] });
    masker.close();
    document.body.append(document.createElement('p'));
    return [masked, document.querySelectorAll('[data-lba-masked]').length];
  });
  expect(counts).toEqual([2, 1]);
});
