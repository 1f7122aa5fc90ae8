import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchTestBrowser, startFixtureSite, type FixtureSite } from '../../test/fixtures/pages/fixtures.ts';
import type { Locator } from '../script/schema.ts';
import { resolveElement, resolveLocator } from './locators.ts';

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

async function show(html: string): Promise<void> {
  await page.goto(site.page('/page', html));
}

/** The ids of everything that a locator finds. */
async function found(spec: Locator): Promise<string[]> {
  const { locator } = await resolveElement(page, spec);
  return locator.evaluateAll((all) => all.map((el) => el.id));
}

const SHADOW = (id: string, inner: string) =>
  `<div id="${id}"><template shadowrootmode="open">${inner}</template></div>`;

describe('strategies', () => {
  beforeAll(() =>
    show(`
      <button id="save">Save</button> <button id="save-as">Save as</button>
      <label>Town <input id="town" placeholder="Which town" data-testid="t"></label>
      <a id="go" href="#">Go on</a><button id="named" name="Pay">x</button>
      ${SHADOW('host', '<section><button id="deep">Deep</button><p id="p1">a</p><p id="p2">b</p></section>')}`),
  );

  test.each<[string, Locator, string[]]>([
    ['selector', { strategy: 'selector', value: '#save' }, ['save']],
    ['selector in shadow DOM', { strategy: 'selector', value: '#deep' }, ['deep']],
    ['text', { strategy: 'text', value: 'save' }, ['save', 'save-as']],
    ['exact text', { strategy: 'text', value: 'Save', exact: true }, ['save']],
    ['xpath', { strategy: 'xpath', value: '//button[1]' }, ['save']],
    ['xpath in shadow DOM', { strategy: 'xpath', value: '//p[2]' }, ['p2']],
    ['role', { strategy: 'role', value: 'button', name: 'Save', exact: true }, ['save']],
    ['role with a pattern as name', { strategy: 'role', value: 'button', name: '/^save$/i' }, ['save']],
    ['role in shadow DOM', { strategy: 'role', value: 'button', name: 'Deep' }, ['deep']],
    [
      'role that was CSS',
      { strategy: 'role', value: 'button', name: 'Pay', css: "button[name='Pay']" },
      ['named'],
    ],
    ['label', { strategy: 'label', value: 'Town' }, ['town']],
    ['placeholder', { strategy: 'placeholder', value: 'Which town' }, ['town']],
    ['test_id', { strategy: 'test_id', value: 't' }, ['town']],
    ['nth', { strategy: 'text', value: 'save', nth: 1 }, ['save-as']],
    ['nth from the end', { strategy: 'role', value: 'button', nth: -2 }, ['named']],
  ])('%s finds the element', async (_, spec, ids) => {
    expect(await found(spec)).toEqual(ids);
  });

  test('coordinates are a point', async () => {
    expect(await resolveLocator(page, { strategy: 'coordinates', x: 3, y: 4 })).toMatchObject({
      kind: 'point',
      x: 3,
      y: 4,
    });
    await expect(resolveElement(page, { strategy: 'coordinates', x: 3, y: 4 })).rejects.toMatchObject({
      errorName: 'BrowserAgent.InvalidScript',
    });
  });
});

describe('frames', () => {
  beforeAll(async () => {
    site.page('/inner', '<button id="inner">Pay</button>');
    site.page('/middle', '<iframe name="card" src="/inner"></iframe>');
    await show(
      `<iframe id="shop" src="/middle"></iframe><iframe name="other" src="${site.otherUrl}/inner"></iframe>` +
        SHADOW('host', '<iframe name="shady" src="/inner"></iframe>'),
    );
    await page.waitForLoadState('networkidle');
  });

  test.each<[string, string[]]>([
    ['id, then name', ['shop', 'card']],
    ['CSS, then part of the URL', ['iframe#shop', '/inner']],
    ['part of the URL', ['/middle', 'card']],
    ['a frame of another origin', ['other']],
    ['a frame inside shadow DOM', ['shady']],
    ['a Playwright selector', ['#shop >> nth=0', 'card']],
  ])('are entered by %s', async (_, frame) => {
    expect(await found({ strategy: 'role', value: 'button', name: 'Pay', frame })).toEqual(['inner']);
    expect(await found({ strategy: 'xpath', value: '//button', frame })).toEqual(['inner']);
  });
});

describe('form_field', () => {
  const cases: [string, string, string?][] = [
    ['label for', '<label for="x">Name</label><input id="x">'],
    ['label for, with a star and a colon', '<label for="x">Name: *</label><input id="x">'],
    ['wrapping label', '<label><span>Name</span><input id="x"></label>'],
    ['aria-label', '<input aria-label="Name" id="x">'],
    ['aria-labelledby', '<b id="l">Name</b><p></p><div><input aria-labelledby="l" id="x"></div>'],
    ['placeholder', '<input placeholder="Name" id="x">'],
    ['title', '<input title="Name" id="x">'],
    ['text before', 'Name: <input id="x"> Age: <input id="y">'],
    [
      'table cell before',
      '<table><tr><td>Age</td><td><input></td></tr><tr><td>Name</td><td><input id="x"></td></tr></table>',
    ],
    ['dt and dd', '<dl><dt>Age</dt><dd><input></dd><dt>Name</dt><dd><input id="x"></dd></dl>'],
    [
      'div before, in wrappers',
      '<div class="row"><div>Name</div><div><div><input id="x"></div></div></div><div class="row"><div>Age</div><div><input></div></div>',
    ],
    [
      'floating label after the input',
      '<div><input id="x" placeholder=" "><label>Name</label></div><div><input id="y" placeholder=" "><label>Age</label></div>',
    ],
    ['material label span', '<div class="field"><input id="x"><span class="mdc-label">Name</span></div>'],
    [
      'column header',
      '<table><thead><tr><th>Id</th><th>Name</th></tr></thead><tbody><tr><td>1</td><td><input id="x"></td></tr></tbody></table>',
    ],
    [
      'label without for beside the input',
      '<p><label>Name</label><input id="x"></p><p><label>Age</label><input id="y"></p>',
    ],
    ['label of another spelling of case', '<label for="x">NAME</label><input id="x">'],
    [
      'exact label before one that contains it',
      '<label>Surname<input></label><label>Full name<input></label><label>Name<input id="x"></label>',
    ],
    ['whole words only', '<label>Surname<input></label><label>Your name<input id="x"></label>'],
    ['visible twin', '<label style="display:none">Name<input></label><label>Name<input id="x"></label>'],
    ['checkbox with text after', '<input type="checkbox" id="x"> Name <input type="checkbox" id="y"> Age'],
    ['textarea', '<label for="x">Name</label><textarea id="x"></textarea>'],
    ['contenteditable', '<div>Name</div><div id="x" contenteditable="true"></div>'],
    [
      'select, whose options say nothing',
      '<label>Name <select id="x"><option>Long list</option></select></label>',
    ],
    ['combobox of divs', '<div><div>Name</div><div id="x" role="combobox" tabindex="0">Choose</div></div>'],
    ['shadow DOM', SHADOW('h', '<label for="x">Name</label><input id="x">')],
    [
      'host of a web component',
      '<my-input label="Name"><template shadowrootmode="open"><input id="x"></template></my-input>',
    ],
    ['name attribute, when nothing is visible', '<input name="name" id="x">'],
  ];
  test.each(cases)('finds the field by %s', async (_, html) => {
    await show(html);
    expect(await found({ strategy: 'form_field', label: 'Name' })).toEqual(['x']);
  });

  test('takes the field type into account', async () => {
    await show(
      '<label>Note<textarea id="a"></textarea></label><label>Note<input id="i"></label><label>Note<select id="s"></select></label>',
    );
    expect(await found({ strategy: 'form_field', label: 'Note', field_type: 'textarea' })).toEqual(['a']);
    expect(await found({ strategy: 'form_field', label: 'Note', field_type: 'input' })).toEqual(['i']);
    expect(await found({ strategy: 'form_field', label: 'Note', field_type: 'select' })).toEqual(['s']);
  });

  test('with exact, finds only the label as written', async () => {
    await show('<label>name<input id="a"></label><label>Name<input id="b"></label>');
    expect(await found({ strategy: 'form_field', label: 'Name', exact: true })).toEqual(['b']);
  });

  test('finds fields in frames, and waits for a field that comes later', async () => {
    site.page(
      '/form',
      '<script>setTimeout(() => document.body.innerHTML = "Name <input id=x>", 150)</script>',
    );
    await show('<iframe name="f" src="/form"></iframe>');
    const { locator } = await resolveElement(page, { strategy: 'form_field', label: 'Name', frame: ['f'] });
    await locator.fill('Ann');
    expect(await locator.inputValue()).toBe('Ann');
  });

  test('finds nothing where nothing has that label', async () => {
    await show(
      '<label>Surname<input></label> some words <p>Name is asked on the next page</p><hr><button>Go</button>',
    );
    expect(await found({ strategy: 'form_field', label: 'Name' })).toEqual([]);
  });
});
