import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pixelsOf, type Pixels } from '../../test/support/pictures.ts';
import { openBrowser, openPage, servePages, until, VIEWPORT } from '../../test/support/recording.ts';
import { silentLogger } from '../base/log.ts';
import type { MaskerConfig } from './page/contract.ts';
import type { PageProblem } from './page-problems.ts';
import { PageProbe } from './page-probe.ts';

const SECRET = 'harbour-lights-7';
const NOTHING: MaskerConfig = { selectors: [], values: [], shortValues: [] };
const WITH_SECRET: MaskerConfig = { selectors: ['.account'], values: [SECRET], shortValues: ['42'] };
const BIG = 'style="font: 40px monospace; width: 700px"';

let browser: Browser;
let context: BrowserContext;
let page: Page;
let server: Awaited<ReturnType<typeof servePages>>;
let probe: PageProbe | undefined;
const told: string[] = [];
const problems: PageProblem[] = [];
const invalid: string[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  server = await servePages({
    '/': '<h1>Home</h1>',
    '/shown': `<p ${BIG}>Your key: ${SECRET}</p>`,
    '/inner': `<p style="font: 40px monospace">${SECRET}</p>`,
    '/frames': '<iframe src="{other}/inner" width=700 height=200></iframe>',
    '/css': '<link rel=stylesheet href="{other}/s.css"><link rel=stylesheet href=/s.css><p class=used>x</p>',
    '/s.css': {
      type: 'text/css',
      body: '@import "/more.css"; .used{background:url(a.png)} .unused{color:red} @media print{.used{color:red}} @media screen{.used{margin:1px}} @font-face{font-family:f;src:url(f.woff)}',
    },
    '/more.css': { type: 'text/css', body: '.used:hover::before{padding:3px}' },
    '/broken': '<script>console.error("bad", 1); fetch("/missing"); throw new Error("thrown")</script>',
  });
});
afterAll(async () => {
  await browser.close();
  await server.close();
});
beforeEach(async () => {
  ({ context, page } = await openPage(browser));
  for (const list of [told, problems, invalid]) list.length = 0;
});
afterEach(async () => {
  await probe?.close();
  await context.close();
});

async function open(config: MaskerConfig): Promise<PageProbe> {
  probe = await PageProbe.open({
    context,
    page,
    config,
    onPassword: (value) => told.push(value),
    onInvalidSelectors: (selectors) => invalid.push(...selectors),
    onProblem: (problem) => problems.push(problem),
    log: silentLogger,
  });
  await probe.settled();
  return probe;
}

async function picture(): Promise<Pixels> {
  await probe!.settled();
  return pixelsOf(await probe!.viewport(90), VIEWPORT);
}

/** A busy machine must not change what is left out. */
const NO_HURRY_MS = 5_000;

const LINE = { x: 0, y: 0, width: 780, height: 80 };

/** How much ink a page has where its first line is; a mask has much more or, for dots, much less. */
async function ink(): Promise<number> {
  return (await picture()).dark(LINE);
}

describe('what a page shows', () => {
  test('a secret value in text is blacked out, the words around it are not', async () => {
    await open(WITH_SECRET);
    await page.setContent(`<p ${BIG}>Key <span id=s>${SECRET}</span> end</p>`);
    const box = (await page.locator('#s').boundingBox())!;
    const pixels = await picture();
    const inner = { x: box.x + 2, y: box.y + 4, width: box.width - 4, height: box.height - 8 };
    expect(pixels.dark(inner)).toBe(
      Math.ceil(inner.x + inner.width - Math.floor(inner.x)) *
        Math.ceil(inner.y + inner.height - Math.floor(inner.y)),
    );
    const before = { x: 10, y: box.y, width: box.x - 30, height: box.height };
    expect(pixels.dark(before)).toBeGreaterThan(50);
    expect(pixels.dark(before)).toBeLessThan((before.width * before.height) / 2);
  });

  test('two different secrets of the same length give the same picture', async () => {
    const pictures: Buffer[] = [];
    for (const value of ['aaaa-1111-ZZZZ', 'wwww-8888-MMMM']) {
      await probe?.close();
      await open({ selectors: ['.account'], values: [value], shortValues: [] });
      await page.setContent(
        `<body style="font-family:monospace"><p ${BIG}>${value}</p><input ${BIG} id=f value="${value}"><textarea ${BIG}>${value}</textarea><select ${BIG}><option>${value}</option></select><div class=account ${BIG}>${value.slice(0, 6)}</div><svg width=400 height=50><text y=40>${value}</text></svg><input ${BIG} placeholder="${value}"><div class=account style="display:contents">${value.slice(0, 6)}<b>${value.slice(0, 6)}</b></div><table><tr class=account><td style="color:red">${value.slice(0, 6)}</table>`,
      );
      await page.evaluate(() => document.fonts.ready);
      await probe!.settled();
      pictures.push(await probe!.viewport(90));
    }
    expect(pictures[0]!.equals(pictures[1]!)).toBe(true);
  });

  test('a value that comes later, by script, is hidden before it is drawn', async () => {
    await open(WITH_SECRET);
    await page.setContent(`<p id=p ${BIG}>empty</p>`);
    const plain = await ink();
    await page.evaluate((value) => {
      document.querySelector('#p')!.firstChild!.nodeValue = value;
    }, SECRET);
    expect(await ink()).toBeGreaterThan(plain * 4);
    expect(await probe!.maskedCount()).toBe(1);
    await page.evaluate(() => {
      document.querySelector('#p')!.firstChild!.nodeValue = 'empty';
    });
    expect(await probe!.maskedCount()).toBe(0);
    expect(await ink()).toBe(plain);
  });

  test('a new document has its masks before its first picture', async () => {
    await open(WITH_SECRET);
    await page.goto(`${server.url}/shown`);
    expect(await probe!.maskedCount()).toBe(1);
    await page.goto(`${server.other}/shown`);
    expect(await probe!.maskedCount()).toBe(1);
  });

  test('a secret learnt later is hidden in the document that is there', async () => {
    await open(NOTHING);
    await page.goto(`${server.url}/shown`);
    const shown = await ink();
    const update = probe!.update(WITH_SECRET);
    expect(probe!.settling).toBe(true);
    await update;
    expect(await probe!.maskedCount()).toBe(1);
    await probe!.settled();
    expect(probe!.settling).toBe(false);
    expect(probe!.settledAtMs).toBeGreaterThan(Date.now() - 10_000);
    expect(await ink()).toBeGreaterThan(shown * 2);
  });

  test('open shadow roots, frames and frames of other sites are masked too', async () => {
    await open(WITH_SECRET);
    await page.goto(`${server.url}/frames`);
    await until(async () => (await probe!.maskedCount()) === 1, 'masking the frame of another process');
    await page.evaluate((value) => {
      const host = document.createElement('div');
      host.attachShadow({ mode: 'open' }).innerHTML = `<p>${value}</p><input value="${value}">`;
      document.body.append(host);
      const frame = document.createElement('iframe');
      frame.srcdoc = `<p>${value}</p>`;
      document.body.append(frame);
    }, SECRET);
    await until(async () => (await probe!.maskedCount()) === 4, 'masking shadow root and frame');
  });

  test('configured selectors are blacked out with all they hold; one that is not CSS is told', async () => {
    await open(NOTHING);
    await page.setContent(
      '<div class=account style="height:80px;background:yellow"><b style="color:red">100 €</b></div>',
    );
    expect(await ink()).toBeLessThan(1000);
    await probe!.update({ ...NOTHING, selectors: ['p[', '.account'] });
    expect(await ink()).toBeGreaterThan(50_000);
    expect(invalid).toEqual(['p[']);
    await page.evaluate(() => {
      document.body.insertAdjacentHTML('beforeend', '<i>later</i>');
      document.querySelector('i')!.className = 'account';
    });
    expect(await probe!.maskedCount()).toBe(2);
  });
});

describe('fields', () => {
  test('a password stays hidden when the page offers to show it', async () => {
    await open(NOTHING);
    await page.setContent(`<input ${BIG} id=p type=password value="${SECRET}">`);
    const dots = await probe!.viewport(90);
    await page.evaluate(() => {
      document.querySelector('input')!.type = 'text';
    });
    expect((await probe!.viewport(90)).equals(dots)).toBe(true);
    expect((await probe!.html(NO_HURRY_MS)).html).not.toContain(SECRET);
  });

  test('the mask survives a page that rewrites the style of the field', async () => {
    await open(NOTHING);
    await page.setContent(`<input ${BIG} id=p type=password value="${SECRET}">`);
    await page.evaluate(() => {
      const field = document.querySelector('input')!;
      field.type = 'text';
      field.setAttribute('style', 'font: 40px monospace; width: 700px');
    });
    const hidden = await page.evaluate(() =>
      getComputedStyle(document.querySelector('input')!).getPropertyValue('-webkit-text-security'),
    );
    expect(hidden).toBe('disc');
  });

  test('what is typed into password and one-time-code fields is told to the recorder alone', async () => {
    await open(NOTHING);
    await page.goto(server.url);
    await page.setContent(
      '<form onsubmit="return false"><input id=a type=password><input id=b autocomplete=one-time-code><input id=c><button>Go</button></form>',
    );
    await page.fill('#a', 'typed-password');
    await page.fill('#b', '123456');
    await page.fill('#c', 'harmless');
    await page.click('button');
    await until(() => told.length === 2, 'telling both');
    expect(told).toEqual(['typed-password', '123456']);
    const visible = await page.evaluate(() => 'lbaPassword' in globalThis || 'lbaMasker' in globalThis);
    expect(visible).toBe(false);
  });

  test('a short secret hides the field that holds just it', async () => {
    await open(WITH_SECRET);
    await page.setContent('<input id=a value=42><input id=b value=420>');
    expect(await probe!.maskedCount()).toBe(1);
  });

  test('selectors that are not CSS are told from the start', async () => {
    await open({ ...NOTHING, selectors: ['p[', '.fine'] });
    expect(invalid).toEqual(['p[']);
  });

  test('a field that is given the secret by a script is hidden when somebody comes to it', async () => {
    await open(WITH_SECRET);
    await page.setContent('<input id=a><input id=b>');
    await page.fill('#a', SECRET);
    expect(await probe!.maskedCount()).toBe(1);
  });
});

describe('HTML snapshots', () => {
  test('show the present state, without scripts, and without anything secret', async () => {
    await open(WITH_SECRET);
    await page.goto(server.url);
    await page.setContent(`<html lang=en><head><title>T</title><meta http-equiv=refresh content=900><meta name=csrf-token content=tok1><base href="/base/">
      <style>.a{color:red}.b{color:blue}</style></head><body onload="x()"><a href="javascript:alert(1)" class=a>l</a><a href="b?x=1&y">m</a>
      <input id=plain value=old><input id=check type=checkbox><input id=pw type=password value=pw1><input type=hidden name=csrf value=tok2><input type=hidden name=page value=3>
      <input id=disc style="-webkit-text-security:disc" value=pw2><textarea>t</textarea><select><option>1<option>2</select><div class=account title=acc1>acc2</div>
      <noscript>n</noscript><template><b>t</b></template><br><iframe srcdoc="<input type=password value=pw3><p>inner</p>"></iframe><iframe src="{other}/inner"></iframe></body></html>`);
    await page.fill('#plain', 'new <value>');
    await page.check('#check');
    await page.fill('textarea', 'written');
    await page.selectOption('select', '2');
    await page.evaluate(() => {
      const host = document.createElement('div');
      const root = host.attachShadow({ mode: 'open' });
      root.innerHTML = '<p>in shadow</p>';
      const sheet = new CSSStyleSheet();
      sheet.replaceSync('p{margin:7px}');
      root.adoptedStyleSheets = [sheet];
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
      document.body.append(host, document.createComment('c'));
    });
    await page.frameLocator('iframe[srcdoc]').locator('p').waitFor();
    const { html, masked } = await probe!.html(NO_HURRY_MS);
    for (const secret of ['pw1', 'pw2', 'pw3', 'tok1', 'tok2', 'acc1', 'acc2']) {
      expect(html, secret).not.toContain(secret);
    }
    expect(masked).toBeGreaterThanOrEqual(5);
    expect(html).not.toMatch(/<script|onload|javascript:|refresh|<noscript|<!--/);
    expect(html).toContain('value="new &lt;value&gt;"');
    expect(html).toContain('>written</textarea>');
    expect(html).toMatch(/<option selected="">2/);
    expect(html).toMatch(/id="check"[^>]* checked=""/);
    expect(html).toContain('href="b?x=1&amp;y"');
    expect(html).toContain('name="page" value="3"');
    expect(html).toContain('<template shadowrootmode="open"><style>p { margin: 7px; }');
    expect(html).toContain('inner&lt;/p&gt;');
    expect(html).toContain('.a { color: red; }');
    expect(html).not.toContain('.b {');
    expect(html).toContain("default-src 'none'");
  });

  test('can be opened again and look the same', async () => {
    await open(NOTHING);
    await page.setContent('<style>body{background:#333;color:#fff}</style><p>Hello</p><input value="x">');
    await page.fill('input', 'filled in');
    const before = await picture();
    const { html } = await probe!.html(NO_HURRY_MS);
    const again = await context.newPage();
    await again.setContent(html);
    expect(await again.inputValue('input')).toBe('filled in');
    expect(before.at(400, 400)).toBeLessThan(80);
    expect(await again.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
      'rgb(51, 51, 51)',
    );
  });

  test('style sheets are inside, as far as they may be read and are used', async () => {
    await open(NOTHING);
    await page.goto(`${server.url}/css`);
    const { html } = await probe!.html(NO_HURRY_MS);
    expect(html).toContain(`<link rel="stylesheet" href="${server.other}/s.css">`);
    expect(html).toContain(`background: url("${server.url}/a.png")`);
    expect(html).toContain('padding: 3px');
    expect(html).toContain('margin: 1px');
    expect(html).toContain(`${server.url}/f.woff`);
    expect(html).not.toContain('unused');
    expect(html).not.toContain('color: red');
  });

  test('all rules are kept where leaving some out would cost time, and later ones are not missed', async () => {
    await open(NOTHING);
    await page.setContent('<style>.a{color:red}</style><p>x');
    expect((await probe!.html()).html).toContain('.a { color: red; }');
    await page.evaluate(() => document.styleSheets[0]!.insertRule('.b{color:blue}'));
    expect((await probe!.html()).html).toContain('.b { color: blue; }');
  });

  test('a page without bounds is cut', async () => {
    await open(NOTHING);
    await page.setContent('<p>x</p>');
    await page.evaluate(() => {
      document.body.append('y'.repeat(5_000_000));
    });
    const { html } = await probe!.html(NO_HURRY_MS);
    expect(html.length).toBeLessThan(4_100_000);
    expect(html).toContain('cut: the page is larger');
  });
});

describe('PageProbe', () => {
  test('tells console errors, exceptions and failed requests', async () => {
    await open(NOTHING);
    await page.goto(`${server.url}/broken`);
    await until(() => problems.length >= 3, 'three problems');
    expect(problems.map(({ kind, text }) => `${kind}: ${text.split('\n')[0]}`).sort()).toEqual([
      'console: bad 1',
      'exception: Error: thrown',
      'network: Failed to load resource: the server responded with a status of 404 (Not Found)',
    ]);
    expect(problems.find(({ kind }) => kind === 'network')?.url).toBe(`${server.url}/missing`);
    expect(problems.find(({ kind }) => kind === 'exception')).toMatchObject({ line: 1 });
  });

  test('pictures and HTML are to be had while one document takes the place of another', async () => {
    await open(NOTHING);
    for (let number = 0; number < 5; number += 1) {
      const moving = page.goto(`${number % 2 ? server.url : server.other}/?${number}`);
      const [jpeg, html] = await Promise.all([probe!.viewport(60), probe!.html()]);
      expect(jpeg.length).toBeGreaterThan(500);
      expect(html.html).toMatch(/^<!doctype html>/);
      await moving;
    }
  });

  test('the whole page is in one picture, up to a height', async () => {
    await open(NOTHING);
    await page.setContent(
      '<body style="margin:0"><div style="height:2000px;background:linear-gradient(#fff,#000)">',
    );
    const whole = await pixelsOf(await probe!.fullPage(80, 5000), { width: 800, height: 2000 });
    expect(whole.at(400, 20)).toBeGreaterThan(230);
    expect(whole.at(400, 1980)).toBeLessThan(25);
    const cut = await pixelsOf(await probe!.fullPage(80, 1000), { width: 800, height: 1000 });
    expect(cut.at(400, 990)).toBeGreaterThan(100);
    await page.setContent('<p>small');
    expect((await probe!.fullPage(80, 5000)).length).toBeGreaterThan(500);
  });

  test('a page that is closed cannot be reached, and closing is quiet', async () => {
    const it = await open(NOTHING);
    await page.close();
    await expect(it.viewport(60)).rejects.toThrow();
    await expect(it.html()).rejects.toThrow();
    expect(await it.maskedCount()).toBe(0);
    await expect(it.update(WITH_SECRET)).resolves.toBeUndefined();
    await it.close();
    await expect(open(NOTHING)).rejects.toThrow();
    probe = undefined;
  });

  test('a page that crashes keeps nobody waiting', async () => {
    const it = await open(NOTHING);
    await page.setContent('<p>x');
    const crashed = page.waitForEvent('crash');
    it.session.send('Page.crash').catch(() => {});
    await crashed;
    await expect(it.update(WITH_SECRET)).resolves.toBeUndefined();
    await expect(it.settled()).resolves.toBeUndefined();
    await it.close();
    probe = undefined;
  });

  test('errors are told as well as they are known: without a place, with objects, and only errors', async () => {
    await open(NOTHING);
    await page.goto(server.url);
    await page.evaluate(() => {
      console.log('fine');
      console.assert(false, { a: 1 }, null);
      console.warn('no error');
      setTimeout(() => {
        // oxlint-disable-next-line no-throw-literal -- pages do
        throw 'text alone';
      });
    });
    await until(() => problems.length >= 2, 'two problems');
    expect(problems.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'console: Object null',
      'exception: Uncaught',
    ]);
  });
});
