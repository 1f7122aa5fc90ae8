import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  launchTestBrowser,
  startFixtureSite,
  type FixtureSite,
} from '../../../test/fixtures/pages/fixtures.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import { PauseGate } from '../pause-gate.ts';
import { strictSchemas } from '../../script/schema.ts';
import { DialogQueue, performAction, type ActionContext } from './index.ts';
import { parseNumber } from './extract-dom.ts';

let site: FixtureSite;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let dialogs: DialogQueue;
let masked: string[];

beforeAll(async () => {
  [site, browser] = await Promise.all([startFixtureSite(), launchTestBrowser()]);
  context = await browser.newContext();
  page = await context.newPage();
  dialogs = new DialogQueue(context, silentLogger);
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

const PAGE = `
  <h1>Bill <span class="no">No. 4711</span></h1>
  <p id="sum">Total: £1,234.50 due 2025-03-01</p>
  <a class="pdf" href="/a.pdf" data-id="7">PDF</a><a class="pdf" href="/b.pdf">PDF</a>
  <input id="town" value="Ely"><input type="checkbox" id="paid" checked><input type="password" value="geheim">
  <select id="plan"><option>Basic<option selected>Gold</select>
  <i hidden id="h">hidden text</i>
  <table id="t">
    <thead><tr><th>Product</th><th>Speed</th><th>Price</th></tr></thead>
    <tbody>
      <tr><td rowspan="2">FTTP</td><td>100</td><td>£20</td></tr>
      <tr><td>900</td><td>£45</td></tr>
      <tr><td>ADSL</td><td colspan="2">none</td></tr>
    </tbody>
  </table>
  <table id="kv"><tr><th scope="row">Status</th><td>Active</td></tr><tr><th scope="row">Owner</th><td>Ann</td></tr></table>
  <div role="table" id="aria"><div role="row"><span role="columnheader">Day</span><span role="columnheader">Use</span></div>
    <div role="row"><span role="cell">Mon</span><span role="cell">3 GB</span></div></div>
  <table id="plain"><tr><td>A</td><td>B</td></tr><tr><td>1</td><td>2</td></tr></table>
  <div id="shadow"><template shadowrootmode="open"><b class="deep">deep one</b></template></div>
  <pre id="json">{"a": [1]}</pre>`;

beforeEach(async () => {
  masked = [];
  const url = site.page('/bill', PAGE);
  if (page.url() !== url) await page.goto(url);
});

function run(raw: object, sensitive = false) {
  const ctx: ActionContext = {
    page,
    setPage: () => undefined,
    context,
    meta: { stepNumber: 1, name: 'x', action: 'extract_dom', path: '$', attempt: 1, key: false, sensitive },
    signal: new AbortController().signal,
    timeoutMs: 3_000,
    gate: new PauseGate({ clock: systemClock, maxHeldMs: 60_000 }),
    recorder: {
      beforeActing: () => Promise.resolve(),
      screenshot: () => Promise.reject(new Error('not here')),
      addFile: () => Promise.resolve(null),
      maskValue: (value) => void masked.push(value),
      markSensitive: () => Promise.resolve(),
      mark: null,
      masked: () => Promise.resolve(),
    },
    policy: { allowedDomains: null },
    files: { uploads: '', downloads: '', scripts: '' },
    profile: { name: null, dir: '' },
    dialogs,
    log: silentLogger,
    performNested: () => Promise.reject(new Error('not here')),
  };
  return performAction(strictSchemas.leaf.parse(raw), ctx);
}

async function extract(extraction: object): Promise<unknown> {
  const { data } = await run({
    action: 'extract_dom',
    require: 'none',
    extractions: [{ name: 'x', ...extraction }],
  });
  return data?.['x'];
}

describe('extract_dom', () => {
  test.each<[object, unknown]>([
    [{ strategy: 'css', selector: '.no' }, 'No. 4711'],
    [{ strategy: 'css', selector: '.pdf', all: true }, ['PDF', 'PDF']],
    [{ strategy: 'css', selector: '#town' }, 'Ely'],
    [{ strategy: 'css', selector: '#plan' }, 'Gold'],
    [{ strategy: 'css', selector: '#paid', type: 'boolean' }, true],
    [{ strategy: 'css', selector: '#h' }, 'hidden text'],
    [{ strategy: 'css', selector: '.deep' }, 'deep one'],
    [{ strategy: 'css', selector: 'input[type=password]' }, null],
    [{ strategy: 'css', selector: '#sum', type: 'number' }, 1234.5],
    [{ strategy: 'css', selector: '.no', type: 'integer' }, 4711],
    [{ strategy: 'css', selector: 'h1', type: 'boolean' }, null],
    [{ strategy: 'css', selector: '#json', type: 'json' }, { a: [1] }],
    [{ strategy: 'xpath', xpath: '//table[@id="kv"]//th' }, 'Status'],
    [{ strategy: 'xpath', selector: '//a/@href', all: true }, ['/a.pdf', '/b.pdf']],
    [{ strategy: 'xpath', xpath: 'count(//a)', type: 'integer' }, 2],
    [{ strategy: 'xpath', xpath: '//b[@class="deep"]' }, 'deep one'],
    [{ strategy: 'regex', pattern: 'due (\\d{4}-\\d\\d-\\d\\d)' }, '2025-03-01'],
    [{ strategy: 'regex', pattern: '£[\\d.,]+', selector: '#t', all: true, type: 'number' }, [20, 45]],
    [{ strategy: 'attribute', selector: '.pdf', attribute: 'href', all: true }, ['/a.pdf', '/b.pdf']],
    [{ strategy: 'attribute', selector: '.pdf', attribute: 'data-id', all: true, type: 'integer' }, [7]],
    [{ strategy: 'table_cell', table_selector: '#t', row_contains: 'adsl', column_header: 'Speed' }, 'none'],
    [
      {
        strategy: 'table_cell',
        table_selector: '#t',
        row_contains: '900',
        column_header: 'price',
        type: 'number',
      },
      45,
    ],
    [{ strategy: 'table_cell', table_selector: '#t', row_contains: '900', column_header: 'Product' }, 'FTTP'],
    [{ strategy: 'table_cell', row_contains: 'FTTP', column_header: 'Price', all: true }, ['£20', '£45']],
    [{ strategy: 'table_cell', table_selector: '#kv', row_contains: 'Owner' }, 'Ann'],
    [{ strategy: 'table_cell', row_contains: 'Mon', column_header: 'Use' }, '3 GB'],
    [{ strategy: 'js', expression: 'return document.links.length', type: 'integer' }, 2],
    [{ strategy: 'js', expression: '[1, 2]', all: true, type: 'number' }, [1, 2]],
    [
      {
        strategy: 'css',
        selector: '.none',
        fallback_js: "document.querySelector('h1').textContent.slice(0, 4)",
      },
      'Bill',
    ],
    [{ strategy: 'css', selector: '.none' }, null],
  ])('%j gives %j', async (extraction, value) => {
    expect(await extract(extraction)).toEqual(value);
  });

  const two = (require: string, more: object = {}) => ({
    action: 'extract_dom',
    require,
    timeout: 200,
    extractions: [
      { name: 'there', strategy: 'css', selector: 'h1' },
      { name: 'missing', strategy: 'css', selector: '.none', ...more },
    ],
  });

  test('require "any" is content with one, and tells what is missing', async () => {
    const { data, fields } = await run(two('any'));
    expect(data).toEqual({ there: 'Bill No. 4711', missing: null });
    expect(fields).toEqual({ missing: [{ name: 'missing', reason: 'nothing found' }] });
  });

  test.each([two('all'), two('any', { required: true }), two('none', { required: true })])(
    'require "$require" fails and names what is missing',
    async (step) => {
      await expect(run(step)).rejects.toMatchObject({
        errorName: 'BrowserAgent.ElementNotFound',
        message: expect.stringContaining('"missing" (nothing found)'),
      });
    },
  );

  test('data that comes later is waited for', async () => {
    await page.evaluate(() =>
      setTimeout(() => document.body.insertAdjacentHTML('beforeend', '<u>late</u>'), 150),
    );
    const step = { action: 'extract_dom', extractions: [{ name: 'x', strategy: 'css', selector: 'u' }] };
    expect((await run(step)).data).toEqual({ x: 'late' });
    await page.reload();
  });

  test.each([
    { strategy: 'css', selector: '##' },
    { strategy: 'regex', pattern: '(' },
    { strategy: 'css' },
    { strategy: 'js', expression: 'a b' },
  ])('a mistake in the script is InvalidScript: %j', async (extraction) => {
    const step = { action: 'extract_dom', extractions: [{ name: 'x', ...extraction }] };
    await expect(run(step)).rejects.toMatchObject({ errorName: 'BrowserAgent.InvalidScript' });
  });

  test('what a sensitive step extracts is hidden from the recording', async () => {
    await run(
      { action: 'extract_dom', extractions: [{ name: 'x', strategy: 'css', selector: '#town' }] },
      true,
    );
    expect(masked).toEqual(['Ely']);
  });
});

describe('extract_table', () => {
  const table = (id: string, more: object = {}) =>
    run({ action: 'extract_table', locator: { strategy: 'selector', value: id }, ...more });

  test('gives rows by header, with cells that span', async () => {
    const { value, data, fields } = await table('#t');
    expect(value).toEqual([
      { Product: 'FTTP', Speed: '100', Price: '£20' },
      { Product: 'FTTP', Speed: '900', Price: '£45' },
      { Product: 'ADSL', Speed: 'none', Price: 'none' },
    ]);
    expect(data).toEqual({ rows: value });
    expect(fields).toEqual({ row_count: 3, columns: ['Product', 'Speed', 'Price'] });
  });

  test('gives only the columns asked for, and names those that are when one is not', async () => {
    expect((await table('#t', { columns: ['price'] })).value).toEqual([
      { price: '£20' },
      { price: '£45' },
      { price: 'none' },
    ]);
    await expect(table('#t', { columns: ['Colour'] })).rejects.toMatchObject({
      errorName: 'BrowserAgent.ElementNotFound',
      message: expect.stringContaining('its columns are Product, Speed, Price'),
    });
  });

  test('reads ARIA tables, tables without a header, tables of names and values', async () => {
    expect((await table('#aria')).value).toEqual([{ Day: 'Mon', Use: '3 GB' }]);
    expect((await table('#plain')).value).toEqual([{ A: '1', B: '2' }]);
    expect((await table('#kv')).value).toEqual([
      { column_1: 'Status', column_2: 'Active' },
      { column_1: 'Owner', column_2: 'Ann' },
    ]);
  });
});

test.each([
  ['£1,234.50', 1234.5],
  ['1.234,50 €', 1234.5],
  ['-3', -3],
  ['12 %', 12],
  ['1,234', 1234],
  ['1.234', 1.234],
  ['1.234.567', 1234567],
  ['12,5', 12.5],
  ['1 234,5', 1234.5],
  ['up to 80 Mbit/s', 80],
  ['none', undefined],
])('the number in "%s" is %s', (text, number) => {
  expect(parseNumber(text)).toBe(number);
});
