import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Locator as PageLocator, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  launchTestBrowser,
  startFixtureSite,
  type FixtureSite,
} from '../../../test/fixtures/pages/fixtures.ts';
import { systemClock } from '../../base/clock.ts';
import { AgentError } from '../../base/errors.ts';
import { silentLogger } from '../../base/log.ts';
import { installPolicy } from '../../browser/policy.ts';
import { PauseGate } from '../pause-gate.ts';
import { strictSchemas, type LeafStep } from '../../script/schema.ts';
import {
  DialogQueue,
  fieldsForLevel,
  performAction,
  type ActionContext,
  type ActionResult,
} from './index.ts';

let site: FixtureSite;
let browser: Browser;
let folder: string;
let context: BrowserContext;
let ctx: ActionContext;
/** The attribute of what is hidden. */
const MARK = 'data-hidden';
/** What the recorder was told, in order. */
let told: string[];

beforeAll(async () => {
  [site, browser, folder] = await Promise.all([
    startFixtureSite(),
    launchTestBrowser(),
    mkdtemp(join(tmpdir(), 'lba-actions-')),
  ]);
  await mkdir(join(folder, 'uploads'));
});
afterAll(async () => {
  await browser.close();
  await site.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  context = await browser.newContext();
  ctx = contextFor(context, await context.newPage());
});
afterEach(() => context.close());

function contextFor(context: BrowserContext, first: Page): ActionContext {
  told = [];
  const made: ActionContext = {
    page: first,
    setPage: (page) => {
      made.page = page;
    },
    context,
    meta: {
      stepNumber: 1,
      name: 'test',
      action: 'click',
      path: '$.steps[0]',
      attempt: 1,
      key: false,
      sensitive: false,
    },
    signal: new AbortController().signal,
    timeoutMs: 3_000,
    gate: new PauseGate({ clock: systemClock, maxHeldMs: 60_000 }),
    recorder: {
      beforeActing: () => Promise.resolve(),
      screenshot: async ({ page, locator, name, fullPage }) => {
        const data = await (locator ? locator.screenshot() : page.screenshot({ fullPage: fullPage ?? true }));
        told.push(`screenshot ${name ?? ''}`);
        return {
          path: '/run/x.png',
          key: 'steps/001-x.png',
          contentType: 'image/png',
          sizeBytes: data.length,
          uploaded: false,
          reason: 'the level is NONE',
        };
      },
      addFile: async ({ path, name, contentType, kind }) => {
        told.push(`${kind} ${name} ${contentType}`);
        const sizeBytes = (await readFile(path)).length;
        return {
          runId: 'r',
          kind,
          key: `downloads/${name}`,
          path,
          contentType,
          sizeBytes,
          sha256: '',
          upload: true,
          keep: true,
          masked: 0,
        };
      },
      maskValue: (value) => void told.push(`mask ${value}`),
      markSensitive: async (locator: PageLocator) => void told.push(`mark ${await locator.inputValue()}`),
      mark: MARK,
      masked: async () => void told.push(`hidden ${await ctx.page.locator(`[${MARK}]`).inputValue()}`),
    },
    policy: { allowedDomains: null },
    files: { uploads: join(folder, 'uploads'), downloads: join(folder, 'downloads'), scripts: folder },
    profile: { name: 'shop', dir: folder },
    dialogs: new DialogQueue(context, silentLogger),
    log: silentLogger,
    performNested: (step) => performAction(step, made),
  };
  return made;
}

const sel = (value: string) => ({ strategy: 'selector', value });

/** As the interpreter hands it over: parsed, with its defaults. */
function step(raw: object): LeafStep {
  return strictSchemas.leaf.parse(raw);
}
function run(raw: object): Promise<ActionResult> {
  return performAction(step(raw), ctx);
}
/** What a step fails with. */
function failure(raw: object): Promise<unknown> {
  return run(raw).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}
async function show(html: string): Promise<void> {
  await ctx.page.goto(site.page('/page', html));
}
const fails = (errorName: string, message: RegExp = /./) =>
  expect.objectContaining({
    errorName: `BrowserAgent.${errorName}`,
    message: expect.stringMatching(message),
  });

describe('navigate', () => {
  test('opens the page and tells its status', async () => {
    const url = site.page('/nav', 'hi');
    expect(await run({ action: 'navigate', url })).toEqual({ url, fields: { status: 200 } });
    expect((await run({ action: 'navigate', url: '/nowhere' })).fields).toEqual({ status: 404 });
  });

  test("a page that keeps loading is NavigationFailed at the step's timeout", async () => {
    site.page(
      '/slow',
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).write('<p>'),
    );
    ctx.timeoutMs = 300;
    await expect(run({ action: 'navigate', url: `${site.url}/slow` })).rejects.toEqual(
      fails('NavigationFailed', /0\.3 s.*wait_until/),
    );
    ctx.timeoutMs = 10_000;
    await run({ action: 'navigate', url: `${site.url}/slow`, wait_until: 'commit' });
  });

  test('works right after one that failed', async () => {
    await expect(run({ action: 'navigate', url: 'http://nothing.invalid/' })).rejects.toEqual(
      fails('NavigationFailed'),
    );
    await run({ action: 'navigate', url: site.page('/after', 'ok') });
    expect(await ctx.page.title()).toBe('/after');
  });

  test('elsewhere than allowed is PolicyDenied, by a step and by what a click sets off', async () => {
    ctx.policy = { allowedDomains: ['127.0.0.1'], guard: await installPolicy(context, ['127.0.0.1']) };
    await expect(run({ action: 'navigate', url: `${site.otherUrl}/x` })).rejects.toEqual(
      fails('PolicyDenied'),
    );
    await show(`<a href="${site.otherUrl}/x">out</a>`);
    const click = run({ action: 'click', locator: sel('a') });
    const next = click
      .then(() => run({ action: 'wait', duration: 200 }))
      .then(() => run({ action: 'wait', duration: 1 }));
    await expect(next).rejects.toEqual(fails('PolicyDenied', /localhost/));
  });

  test('what reads the page once waits until an app has loaded its data', async () => {
    site.page('/data', (_, response) => void setTimeout(() => response.end('42'), 200));
    const url = site.page(
      '/app',
      '<p id="v">…</p><script>fetch("/data").then((r) => r.text()).then((t) => v.textContent = t)</script>',
    );
    await run({ action: 'navigate', url });
    expect(
      (await run({ action: 'execute_js', script: 'return document.getElementById("v").textContent' })).value,
    ).toBe('42');
  });
});

describe('click and its like', () => {
  test.each([
    ['click', 'click'],
    ['double_click', 'dblclick'],
    ['hover', 'mouseover'],
  ])('%s makes a %s', async (action, event) => {
    await show(
      `<button>Go</button><script>document.querySelector('button').addEventListener('${event}', () => document.title = 'done')</script>`,
    );
    await run({ action, locator: { strategy: 'role', value: 'button', name: 'Go' } });
    expect(await ctx.page.title()).toBe('done');
  });

  test('check and uncheck set a box', async () => {
    await show('<label><input type="checkbox"> Agree</label>');
    const locator = { strategy: 'form_field', label: 'Agree' };
    await run({ action: 'check', locator });
    expect(await ctx.page.isChecked('input')).toBe(true);
    await run({ action: 'uncheck', locator });
    expect(await ctx.page.isChecked('input')).toBe(false);
  });

  test('button and modifiers reach the page, at an element and at a point', async () => {
    await show(
      '<button style="position:fixed;left:0;top:0;width:99px;height:99px">x</button><script>onmousedown = (e) => document.title = [e.button, e.shiftKey]</script>',
    );
    await run({ action: 'click', locator: sel('button'), button: 'middle', modifiers: ['Shift'] });
    expect(await ctx.page.title()).toBe('1,true');
    await run({ action: 'click', locator: { strategy: 'coordinates', x: 20, y: 20 } });
    expect(await ctx.page.title()).toBe('0,false');
  });

  test('of two matches, the visible one is meant', async () => {
    await show('<nav style="display:none"><a href="#1">Bills</a></nav><a href="#2">Bills</a>');
    await run({ action: 'click', locator: { strategy: 'text', value: 'Bills' } });
    expect(ctx.page.url()).toMatch(/#2$/);
  });

  test('a field that a password manager may fill gets a trusted click', async () => {
    await show('<input type="password">');
    expect((await run({ action: 'click', locator: sel('input') })).fields).toMatchObject({
      click_method: 'trusted',
    });
    expect((await run({ action: 'click', locator: sel('input'), trigger_autofill: false })).fields).toEqual(
      {},
    );
  });

  test('an element that stays covered is clicked all the same, and the result says so', async () => {
    await show('<button>Go</button><div style="position:fixed;inset:0"></div>');
    ctx.timeoutMs = 3_000;
    expect((await run({ action: 'click', locator: sel('button') })).fields).toEqual({
      click_method: 'forced',
    });
  });

  test('a link to a new tab is followed, and its closing leads back', async () => {
    site.page('/tab', '<button onclick="window.close()">Close</button>');
    await show('<a target="_blank" rel="opener" href="/tab">open</a>');
    const first = ctx.page;
    await run({ action: 'click', locator: sel('a') });
    expect(ctx.page.url()).toBe(`${site.url}/tab`);
    await run({ action: 'click', locator: sel('button') });
    await expect.poll(() => context.pages().length).toBe(1);
    await run({ action: 'wait', duration: 1 });
    expect(ctx.page).toBe(first);
  });

  test('an abort ends the wait, and no click comes after it', async () => {
    await show('<p>');
    const controller = new AbortController();
    ctx.signal = controller.signal;
    const reason = new AgentError('BrowserAgent.Cancelled', 'stop');
    const click = failure({ action: 'click', locator: sel('button') });
    controller.abort(reason);
    expect(await click).toBe(reason);
    await ctx.page.setContent('<button onclick="document.title = 1">late</button>');
    await expect(run({ action: 'click', locator: sel('button') })).rejects.toBe(reason);
    expect(await ctx.page.title()).toBe('');
  });

  test('a page that is closed meanwhile is BrowserUnavailable', async () => {
    const click = failure({ action: 'click', locator: sel('#never') });
    await context.close();
    expect(await click).toEqual(fails('BrowserUnavailable'));
    await expect(run({ action: 'click', locator: sel('#never') })).rejects.toEqual(
      fails('BrowserUnavailable'),
    );
  });
});

describe('escalation_chain', () => {
  const chain = (...methods: object[]) => ({ action: 'click', escalation_chain: methods });
  const by = (value: string) => ({ method: 'playwright_locator', locator: sel(value) });

  test('goes to the next method when one fails, and tells which one worked', async () => {
    await show('<button id="b">x</button>');
    ctx.timeoutMs = 8_000;
    const { fields } = await run(
      chain({ method: 'playwright_dom', strategy: 'check_page_title', matchers: {} }, by('#b')),
    );
    expect(fields).toEqual({
      escalation_metadata: { level: 1, method_used: 'playwright_locator', total_attempts: 2 },
    });
  });

  test('a model method fails and names the method to use instead', async () => {
    await show('<p>');
    await expect(run(chain({ method: 'vision_find_element', prompt: 'the button' }))).rejects.toEqual(
      fails(
        'ElementNotFound',
        /vision_find_element needs a model.*no model connected\. Use the method playwright_locator/,
      ),
    );
  });
});

describe('fill and type', () => {
  test('fill a field; the value is for DEBUG only', async () => {
    await show('<label>Town <input></label>');
    const { fields } = await run({
      action: 'fill',
      locator: { strategy: 'form_field', label: 'Town' },
      value: 'Ely',
    });
    expect(await ctx.page.inputValue('input')).toBe('Ely');
    expect(fieldsForLevel(fields ?? {}, true)).toEqual({ value: 'Ely' });
    expect(fieldsForLevel(fields ?? {}, false)).toEqual({});
    expect(told).toEqual([]);
    expect(await ctx.page.locator(`[${MARK}]`).count()).toBe(0);
  });

  test.each([
    ['a password field', '<input type="password">', false],
    ['autocomplete of a password', '<input autocomplete="current-password">', false],
    ['autocomplete of a card number', '<input autocomplete="section-a cc-number">', false],
    ['a sensitive step', '<input>', true],
  ])(
    '%s: value and field are hidden before it is typed, and the value is nowhere',
    async (_, html, sensitive) => {
      for (const action of ['fill', 'type']) {
        await show(html);
        ctx = contextFor(context, ctx.page);
        ctx.meta.sensitive = sensitive;
        const result = await run({ action, locator: sel('input'), value: 'hunter22' });
        expect(await ctx.page.inputValue('input')).toBe('hunter22');
        expect(told).toContain('mask hunter22');
        expect(told.at(-1)).toBe('hidden ');
        expect(JSON.stringify(result)).not.toContain('hunter22');
      }
    },
  );

  test('an error does not quote the value', async () => {
    await show('<button>x</button><input type="checkbox">');
    ctx.timeoutMs = 500;
    for (const selector of ['button', 'input', '#nope']) {
      const error: unknown = await run({ action: 'fill', locator: sel(selector), value: 'hunter22' }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(AgentError);
      const { message, stack, cause, data } = error as AgentError;
      expect(`${message}${stack}${JSON.stringify(data)}${String(cause)}`).not.toContain('hunter22');
    }
  });

  test('fill chooses in a list, and types into a combobox of divs', async () => {
    await show(
      '<select><option>A<option>B</select><div role="combobox" tabindex="0"><input id="i"></div><script>document.querySelector("div").onclick = () => i.focus()</script>',
    );
    await run({ action: 'fill', locator: sel('select'), value: 'B' });
    await run({ action: 'fill', locator: sel('div'), value: 'Ely' });
    expect(
      await ctx.page.evaluate(() => [
        document.querySelector('select')!.value,
        document.querySelector('input')!.value,
      ]),
    ).toEqual(['B', 'Ely']);
  });

  test('fill at a point replaces what is there', async () => {
    await show('<input value="old" style="position:fixed;left:0;top:0;width:200px;height:50px">');
    await run({ action: 'fill', locator: { strategy: 'coordinates', x: 30, y: 20 }, value: 'new' });
    expect(await ctx.page.inputValue('input')).toBe('new');
  });

  test('type presses each key', async () => {
    await show('<input><script>let n = 0; onkeydown = () => document.title = ++n</script>');
    await run({ action: 'type', locator: sel('input'), value: 'abc' });
    expect(await ctx.page.title()).toBe('3');
  });
});

describe('press', () => {
  test('presses keys one by one, in what has the focus or in the element named', async () => {
    await show('<input value="ab"><input id="two">');
    await run({
      action: 'press',
      locator: sel('input >> nth=0'),
      keys: ['End', 'Backspace', 'Tab'],
      key_delay: 1,
    });
    expect(
      await ctx.page.evaluate(() => [document.querySelector('input')!.value, document.activeElement?.id]),
    ).toEqual(['a', 'two']);
    expect((await run({ action: 'press', keys: ['X'] })).fields).toEqual({ keys: ['X'] });
    expect(await ctx.page.inputValue('#two')).toBe('X');
  });

  test('an unknown key is InvalidScript', async () => {
    await expect(run({ action: 'press', keys: ['Entr'] })).rejects.toEqual(
      fails('InvalidScript', /no key "Entr"/),
    );
  });
});

describe('select', () => {
  test.each([
    [{ value: 'b' }, ['b']],
    [{ label: 'Gamma' }, ['c']],
    [{ index: 0 }, ['a']],
  ])('chooses in a native list by %j', async (choice, selected) => {
    await show('<select><option value="a">Alpha<option value="b">Beta<option value="c">Gamma</select>');
    expect((await run({ action: 'select', locator: sel('select'), ...choice })).fields).toEqual({ selected });
  });

  test('a missing option is an error that says so', async () => {
    await show('<select><option>Alpha</select>');
    ctx.timeoutMs = 1_500;
    await expect(run({ action: 'select', locator: sel('select'), label: 'Zeta' })).rejects.toEqual(
      fails('StepTimeout', /no such option/),
    );
  });

  const WIDGET = `<div>Country</div><div role="combobox" tabindex="0" aria-expanded="false">Choose</div>
    <ul role="listbox" hidden><li role="option">Northern Ireland</li><li role="option">Ireland</li></ul>
    <script>const [box, list] = [document.querySelector('[role=combobox]'), document.querySelector('ul')];
    box.onclick = () => setTimeout(() => list.hidden = false, 100);
    list.onclick = (e) => { box.textContent = e.target.textContent; list.hidden = true; }</script>`;

  test('chooses in a combobox that the page builds itself', async () => {
    await show(WIDGET);
    const locator = { strategy: 'form_field', label: 'Country', field_type: 'select' };
    expect((await run({ action: 'select', locator, label: 'Ireland' })).fields).toEqual({
      selected: ['Ireland'],
    });
    expect(await ctx.page.innerText('[role=combobox]')).toBe('Ireland');
  });

  test('lists the options of such a combobox when none fits', async () => {
    await show(WIDGET);
    await expect(run({ action: 'select', locator: sel('[role=combobox]'), label: 'Wales' })).rejects.toEqual(
      fails('ElementNotFound', /no option "Wales"\. There are: Northern Ireland, Ireland/),
    );
  });
});

describe('upload', () => {
  test('puts files of the allowed folder into an input or a file chooser', async () => {
    await writeFile(join(folder, 'uploads', 'a.txt'), 'hello');
    await show('<input type="file" id="f" hidden><button onclick="f.click()">Choose</button>');
    for (const selector of ['#f', 'button']) {
      await ctx.page.evaluate(() => ((document.querySelector('#f') as HTMLInputElement).value = ''));
      const { fields } = await run({ action: 'upload', locator: sel(selector), files: ['a.txt'] });
      expect(fields).toEqual({ files: ['a.txt'] });
      expect(
        await ctx.page.evaluate(() => (document.querySelector('#f') as HTMLInputElement).files![0]!.text()),
      ).toBe('hello');
    }
  });

  test('a file outside of the folder is PolicyDenied, also through a link', async () => {
    await writeFile(join(folder, 'secret.txt'), 'x');
    await symlink(join(folder, 'secret.txt'), join(folder, 'uploads', 'link.txt'));
    await show('<input type="file">');
    for (const file of ['../secret.txt', join(folder, 'secret.txt'), 'link.txt', '/etc/passwd', '../nothing'])
      await expect(run({ action: 'upload', locator: sel('input'), files: [file] })).rejects.toEqual(
        fails('PolicyDenied'),
      );
    await expect(run({ action: 'upload', locator: sel('input'), files: ['none.txt'] })).rejects.toEqual(
      fails('InvalidInput', /no file "none.txt"/),
    );
  });
});

describe('download', () => {
  beforeAll(() => {
    site.page('/bill', (_, response) =>
      response
        .writeHead(200, {
          'content-type': 'text/csv',
          'content-disposition': 'attachment; filename="../bi:ll.csv"',
        })
        .end('a,b'),
    );
  });

  test('saves what a click starts under a safe name, never over another file, as an artifact', async () => {
    await show('<a href="/bill">bill</a>');
    const download = {
      action: 'download',
      trigger: { action: 'click', locator: sel('a') },
      save_to: 'out/bi:ll.csv',
    };
    const first = await run(download);
    expect(first.fields).toMatchObject({
      filename: 'bi_ll.csv',
      size_bytes: 3,
      key: 'downloads/bi_ll.csv',
      uploaded: true,
    });
    expect(await readFile(first.fields!['path'] as string, 'utf8')).toBe('a,b');
    expect((await run(download)).fields).toMatchObject({ filename: 'bi_ll (2).csv' });
    expect(told).toEqual(['download bi_ll.csv text/csv', 'download bi_ll (2).csv text/csv']);
  });

  test('saves what going to an address starts', async () => {
    const { fields } = await run({
      action: 'download',
      trigger: { action: 'navigate', url: `${site.url}/bill` },
      save_to: 'nav.csv',
    });
    expect(fields).toMatchObject({ filename: 'nav.csv', size_bytes: 3 });
  });

  test('a trigger that starts none is StepTimeout', async () => {
    await show('<a href="#">bill</a>');
    // Long enough for the click itself on a busy machine.
    ctx.timeoutMs = 4_000;
    await expect(
      run({ action: 'download', trigger: { action: 'click', locator: sel('a') } }),
    ).rejects.toEqual(fails('StepTimeout', /did not start a download/));
  });
});

describe('scroll', () => {
  const tall = '<div style="height:5000px"></div><p id="end">end</p>';
  const y = () => ctx.page.evaluate(() => Math.round(scrollY));
  test('to the bottom, by a distance, to an element', async () => {
    await show(tall);
    const { fields } = await run({ action: 'scroll', to: 'bottom' });
    expect(fields?.['y']).toBe(await y());
    expect(await y()).toBeGreaterThan(4_000);
    await run({ action: 'scroll', to: 'top' });
    await run({ action: 'scroll', by: { y: 120 } });
    expect(await y()).toBe(120);
    await run({ action: 'scroll', locator: sel('#end') });
    expect(await y()).toBeGreaterThan(4_000);
  });

  test('scrolls the box that fills the window when the document does not scroll', async () => {
    await show(`<main style="height:90vh;overflow:auto">${tall}</main>`);
    await run({ action: 'scroll', to: 'bottom' });
    expect(await ctx.page.evaluate(() => document.querySelector('main')!.scrollTop)).toBeGreaterThan(4_000);
  });
});

describe('waits', () => {
  test('wait takes its duration, or a random one of a range', async () => {
    expect((await run({ action: 'wait', duration: 5 })).fields).toEqual({ duration: 5 });
    const { fields } = await run({ action: 'wait', duration_range: [3, 9] });
    expect(fields?.['duration']).toBeGreaterThanOrEqual(3);
    expect(fields?.['duration']).toBeLessThanOrEqual(9);
  });

  test('wait and wait_for_selector wait for every state, and any match will do', async () => {
    await show(
      '<p class="x">1</p><p class="x">2</p><i id="gone">x</i><script>setTimeout(() => { gone.remove(); document.body.insertAdjacentHTML("beforeend", "<b>new</b>") }, 100)</script>',
    );
    await run({ action: 'wait', locator: sel('.x') });
    await run({ action: 'wait_for_selector', locator: sel('#gone'), state: 'detached' });
    await run({ action: 'wait_for_selector', locator: sel('b') });
    await run({ action: 'wait_for_selector', locator: sel('#gone'), state: 'hidden' });
    await expect(run({ action: 'wait', locator: sel('#never'), timeout: 200 })).rejects.toEqual(
      fails('ElementNotFound', /0\.2 s/),
    );
  });

  test('wait_for_load_state and wait_for_url', async () => {
    await show('<script>setTimeout(() => history.pushState(0, "", "/paid/7"), 100)</script>');
    await run({ action: 'wait_for_load_state', state: 'networkidle' });
    for (const pattern of ['**/paid/*', '/paid/7', '/paid\\/\\d$/'])
      await run({ action: 'wait_for_url', pattern });
    ctx.timeoutMs = 200;
    await expect(run({ action: 'wait_for_url', pattern: '**/never' })).rejects.toEqual(
      fails('StepTimeout', /it is on .*\/paid\/7/),
    );
  });

  test('wait_for_response also counts what came since the step before', async () => {
    site.page('/api/pay', (_, response) => response.writeHead(201).end('{}'));
    await show("<button onclick=\"fetch('/api/pay', {method: 'POST'})\">Pay</button>");
    await run({ action: 'click', locator: sel('button') });
    const wait = { action: 'wait_for_response', pattern: '**/api/*', status: 201, method: 'post' };
    expect((await run(wait)).fields).toEqual({
      status: 201,
      method: 'POST',
      response_url: `${site.url}/api/pay`,
    });
    await run({ action: 'wait', duration: 1 });
    await run({ action: 'wait', duration: 1 });
    ctx.timeoutMs = 200;
    await expect(run(wait)).rejects.toEqual(fails('StepTimeout'));
  });
});

test('screenshot asks the recorder, and tells why it was not uploaded', async () => {
  await show('<h1>Hi</h1>');
  const { fields } = await run({
    action: 'screenshot',
    save_to: 'shots/one.png',
    upload_to_s3: true,
    locator: sel('h1'),
  });
  expect(fields).toMatchObject({
    filename: 'one.png',
    key: 'steps/001-x.png',
    uploaded: false,
    reason: 'the level is NONE',
  });
  expect(told).toEqual(['screenshot one.png']);
});

describe('execute_js', () => {
  test.each([
    ['document.title', '/page'],
    ['1 + 1;', 2],
    ['return args.a + 1', 3],
    ['args.a * 2', 4],
    ['(a) => a.a', 2],
    ['async () => 5', 5],
    ['(function() { return {x: [1, undefined]} })()', { x: [1, null] }],
    ['const x = 2; x * 3', 6],
    ['var r = await Promise.resolve(7); return r', 7],
    ['await Promise.resolve(8)', 8],
    ['if (args) { return "yes" } return "no" // end', 'yes'],
    ['undefined', null],
    ['new Date(0)', '1970-01-01T00:00:00.000Z'],
    ['({"a": 1})', { a: 1 }],
    ['document.body', expect.anything()],
  ])('%s', async (script, result) => {
    await show('x');
    expect((await run({ action: 'execute_js', script, args: { a: 2 } })).value).toEqual(result);
  });

  test('works where the page forbids scripts', async () => {
    site.page('/csp', (_, response) =>
      response
        .writeHead(200, { 'content-security-policy': "default-src 'none'", 'content-type': 'text/html' })
        .end('<title>csp'),
    );
    await ctx.page.goto(`${site.url}/csp`);
    for (const script of ['return document.title', 'document.title', 'const x = 1; document.title'])
      expect((await run({ action: 'execute_js', script })).value).toBe('csp');
  });

  test('says what was wrong: a mistake in writing, one while running, no end', async () => {
    await expect(run({ action: 'execute_js', script: 'a b c' })).rejects.toEqual(
      fails('InvalidScript', /Unexpected identifier/),
    );
    await expect(run({ action: 'execute_js', script: 'nothing.here' })).rejects.toEqual(
      fails('StepFailed', /nothing is not defined/),
    );
    ctx.timeoutMs = 200;
    await expect(run({ action: 'execute_js', script: 'new Promise(() => {})' })).rejects.toEqual(
      fails('StepTimeout', /execute_js/),
    );
  });
});

describe('dialog', () => {
  test('answers the next dialog as planned; without a plan questions are declined and told', async () => {
    await show('<button onclick="document.title = prompt(\'Name?\')">ask</button>');
    await run({ action: 'dialog', accept: true, prompt_text: 'Ann' });
    const planned = await run({ action: 'click', locator: sel('button') });
    expect(await ctx.page.title()).toBe('Ann');
    expect(planned.fields).toEqual({
      dialogs: [{ type: 'prompt', message: 'Name?', accepted: true, planned: true }],
    });
    const unplanned = await run({ action: 'click', locator: sel('button') });
    expect(unplanned.fields).toEqual({
      dialogs: [{ type: 'prompt', message: 'Name?', accepted: false, planned: false }],
    });
    expect(await ctx.page.title()).toBe('null');
  });
});

describe('validate_profile', () => {
  test('a profile with its cookie, its storage and its page is valid; else LoginRequired names what is missing', async () => {
    await show('<p id="me">Ann</p><script>localStorage.setItem("token", "t")</script>');
    await context.addCookies([
      { name: 'sid', value: 'v', domain: '.shop.example', path: '/', expires: Date.now() / 1000 + 999 },
    ]);
    const check = {
      action: 'validate_profile',
      mode: 'both',
      cookie_domains: ['shop.example'],
      cookie_names: ['sid'],
      local_storage_keys: ['token'],
      ui_condition: { type: 'element_visible', locator: sel('#me'), timeout: 100 },
    };
    const { fields } = await run(check);
    expect(fields).toMatchObject({ valid: true, profile: 'shop' });
    expect(fields?.['checks']).toHaveLength(4);
    await context.clearCookies();
    await expect(run(check)).rejects.toEqual(
      fails('LoginRequired', /"shop" is not signed in: a cookie of shop\.example; the cookie sid\. Open/),
    );
    await expect(run({ action: 'validate_profile' })).rejects.toEqual(
      fails('InvalidScript', /nothing to check/),
    );
  });
});

test.each([
  { action: 'act', prompt: 'click it' },
  { action: 'extract', prompt: 'the price' },
  { action: 'extract_by_llm' },
  { action: 'select_by_llm', select_selector: 'select', target: 'A' },
])('a model step fails and names what to use instead: $action', async (raw) => {
  await expect(run(raw)).rejects.toEqual(
    fails('StepFailed', /no model connected\. Use (click|extract_dom|select)/),
  );
});
