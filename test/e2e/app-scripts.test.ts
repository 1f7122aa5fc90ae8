/** The scripts' screens, in the built page against a real agent. */
import type { Locator, Page } from 'playwright';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { axeInBoth, goTo, openTestApp, type TestApp } from '../fixtures/app.ts';
import { startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';

/** A run of a few steps on a busy machine. */
const RUN_MS = 40_000;

/** Browser, window and axe share a busy machine with all else. */
vi.setConfig({ testTimeout: 120_000 });

let app: TestApp;
let site: FixtureSite;

beforeAll(async () => {
  site = await startFixtureSite();
  site.page('/', '<h1>Hello</h1>');
  app = await openTestApp();
});

afterAll(async () => {
  await app?.close();
  await site?.close();
});

const script = (): object => ({
  name: 'Greeting',
  description: 'Reads the heading.',
  variables: {
    page: { type: 'string', required: true, pattern: '^https?://' },
    password: { secret: true },
  },
  steps: [
    { action: 'navigate', name: 'Open', url: '{{page}}' },
    {
      action: 'extract_dom',
      name: 'Read',
      extractions: [{ name: 'heading', strategy: 'css', selector: 'h1' }],
    },
  ],
});

const store = async (reference: string, body = script()): Promise<void> => {
  const { status, text } = await app.api.call('PUT', `/scripts/${reference}`, { body });
  expect(status, text).toBeLessThan(300);
};

const editorOf = (page: Page): Locator => page.getByRole('textbox', { name: 'Text of the script' });

/** Replaces the text as if it were pasted: typing it would close brackets and ask for completions. */
async function write(page: Page, text: string): Promise<void> {
  await editorOf(page).click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(text);
}

test('an empty library teaches, a sample becomes a script of its own that can be found', async () => {
  const page = await app.open('/scripts');
  await page.getByRole('heading', { name: 'No scripts yet' }).waitFor();
  expect(await axeInBoth(page, 'scripts-empty')).toEqual([]);
  await page.getByRole('button', { name: 'New script' }).first().click();
  await page.getByRole('button', { name: /^Sign in/ }).waitFor();
  expect(await axeInBoth(page, 'scripts-new')).toEqual([]);
  await page.getByRole('button', { name: /^Sign in/ }).click();
  await page.getByText('No problems: it can run.').waitFor();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Save the script as' });
  await expect.poll(async () => dialog.getByLabel('Name').inputValue()).toBe('sign-in');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('All changes are saved.').waitFor();
  expect((await app.api.call('GET', '/scripts/sign-in')).json).toMatchObject({ name: 'Sign in' });
  await page.getByRole('link', { name: 'Scripts' }).first().click();
  await page.getByLabel('Search scripts').fill('sign person');
  await page.getByRole('link', { name: 'sign-in', exact: true }).waitFor();
  await page.getByLabel('Search scripts').fill('nothing like this');
  await page.getByRole('heading', { name: 'No script matches' }).waitFor();
});

test('what is wrong is told while one writes, and leads to its place', async () => {
  await store('wrong');
  const page = await app.open('/scripts/edit/wrong');
  await page.getByText('No problems: it can run.').waitFor();
  await write(page, '{\n  "name": "x",\n  "steps": [\n    { "action": "navigat", "url": "a" }\n  ]\n}');
  const problems = page.getByRole('region', { name: 'Problems' });
  const problem = problems.getByRole('button').first();
  await expect.poll(async () => problem.textContent()).toContain('Line 4');
  await problem.click();
  expect(await editorOf(page).evaluate((element) => element === document.activeElement)).toBe(true);
  expect(await page.locator('.cm-lintRange-error').count()).toBeGreaterThan(0);
  expect(await page.getByRole('button', { name: 'Run', exact: true }).isDisabled()).toBe(true);
  expect(await axeInBoth(page, 'script-problems')).toEqual([]);
});

test('the editor offers what the format has', async () => {
  await store('offers');
  const page = await app.open('/scripts/edit/offers');
  await write(page, '{ "steps": [{ "action": ');
  await page.keyboard.press('Control+Space');
  await page.getByRole('option', { name: /^navigate/ }).waitFor();
  await page.keyboard.type('"wait_for_u');
  await page.getByRole('option', { name: /^wait_for_url/ }).click();
  await expect.poll(async () => editorOf(page).textContent()).toContain('"wait_for_url"');
});

test('changes that are not saved outlive the page, and can be taken back', async () => {
  await store('kept');
  const page = await app.open('/scripts/edit/kept');
  await page.getByText('All changes are saved.').waitFor();
  await write(page, JSON.stringify({ ...script(), description: 'Changed here.' }));
  await page.getByText('Not saved yet.').waitFor();
  await goTo(page, '/scripts');
  await page.getByText('Changes not saved').waitFor();
  await page.reload();
  await goTo(page, '/scripts/edit/kept');
  await page.getByText('These are your changes, not saved yet').waitFor();
  await expect.poll(async () => editorOf(page).textContent()).toContain('Changed here.');
  await page.getByRole('button', { name: 'Go back to the stored text' }).click();
  await page.getByText('All changes are saved.').waitFor();
});

test('nobody’s changes are replaced unasked, and each saved text can be gone back to', async () => {
  await store('shared');
  const page = await app.open('/scripts/edit/shared');
  await page.getByText('All changes are saved.').waitFor();
  await store('shared', { ...script(), description: 'By somebody else.' });
  await write(page, JSON.stringify({ ...script(), description: 'By me.' }, null, 2));
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Save mine' }).click();
  await page.getByText('All changes are saved.').waitFor();
  await page.getByRole('tab', { name: 'Earlier texts' }).click();
  const texts = page.getByRole('list', { name: 'Texts of the script' }).getByRole('listitem');
  await expect.poll(async () => texts.count()).toBe(3);
  expect(await axeInBoth(page, 'script-earlier-texts')).toEqual([]);
  await texts
    .nth(1)
    .getByRole('button', { name: /^Compare/ })
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('By somebody else.').waitFor();
  expect(await axeInBoth(page, 'script-compare')).toEqual([]);
  await dialog.getByRole('button', { name: 'Put this text into the editor' }).click();
  await expect.poll(async () => editorOf(page).textContent()).toContain('By somebody else.');
  await page.getByText('Not saved yet.').waitFor();
});

test('a script runs step by step beside its text, with its variables, and keeps no secret', async () => {
  await store('greeting');
  const page = await app.open('/scripts/edit/greeting');
  await page.getByRole('button', { name: 'Step through' }).click();
  await page.getByText('The script needs a value here.').waitFor();
  await page.getByLabel('page').fill(`${site.url}/`);
  await page.getByLabel('password', { exact: true }).fill('not-to-be-kept');
  await page.getByRole('combobox', { name: 'Recording level' }).click();
  await page.getByRole('option', { name: 'DEBUG' }).click();
  await page.getByRole('button', { name: 'Step through' }).click();
  const run = page.getByRole('region', { name: 'This run' });
  await run.getByText('It stands still before its first step.').waitFor({ timeout: RUN_MS });
  await run.getByTitle('Live view of the run').waitFor({ timeout: RUN_MS });
  await run.getByRole('button', { name: 'One step' }).click();
  await run.getByText('It stands still after step 1, Open.').waitFor({ timeout: RUN_MS });
  expect(await page.locator('.cm-step-now').count()).toBeGreaterThan(0);
  expect(await axeInBoth(page, 'script-stepping')).toEqual([]);
  await run.getByRole('button', { name: 'Go on to the end' }).click();
  await run.getByText('2 of 2 steps worked.').waitFor({ timeout: RUN_MS });
  const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]));
  expect(kept).toContain(site.url);
  expect(kept).not.toContain('not-to-be-kept');
  const { items } = (await app.api.call('GET', '/runs')).json as { items: { level: string }[] };
  expect(items[0]).toMatchObject({ level: 'DEBUG', state: 'succeeded', script_name: 'Greeting' });
});

test('deleting asks first, and says what fails from then on', async () => {
  await store('old');
  const page = await app.open('/scripts/edit/old');
  await page.getByRole('button', { name: 'More for this script' }).click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  await page.getByText('Tasks and scripts that name it fail from then on.').waitFor();
  await page.getByRole('button', { name: 'Delete the script' }).click();
  await page.getByRole('heading', { name: 'Scripts', level: 1 }).waitFor();
  expect((await app.api.call('GET', '/scripts/old')).status).toBe(404);
  // What is not there was asked for above, and a live view that is cut off by the end of its run says so.
  expect(app.problems.filter((problem) => !/404|4410/.test(problem))).toEqual([]);
});
