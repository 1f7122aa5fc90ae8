/** The profiles' screen, in the built page against a real agent, with real browser windows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { axeInBoth, openTestApp, type TestApp } from '../fixtures/app.ts';
import { openDisplay, type Display } from '../fixtures/display.ts';
import { startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';

/** A browser with a window on a busy machine. */
const BROWSER_MS = 40_000;

/** Browser, window and axe share a busy machine with all else. */
vi.setConfig({ testTimeout: 120_000 });

let app: TestApp;
let display: Display;
let site: FixtureSite;

beforeAll(async () => {
  display = await openDisplay();
  site = await startFixtureSite();
  site.page('/sign-in', (_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.setHeader('set-cookie', 'who=demo; Max-Age=86400; Path=/');
    response.end('<p>Welcome</p><img src="/seen">');
  });
  site.page('/account', (request, response) => {
    const isKnown = request.headers.cookie?.includes('who=demo') === true;
    response.setHeader('content-type', 'text/html');
    response.end(isKnown ? '<title>Account</title><p>Sign out</p>' : '<title>Who?</title>');
  });
  app = await openTestApp();
});

afterAll(async () => {
  await app?.close();
  await site?.close();
  await display?.close();
});

const cardOf = (page: Page, name: string): Locator => page.getByRole('article', { name, exact: true });

async function choose(page: Page, name: string, item: string): Promise<void> {
  await page.getByRole('button', { name: `More for ${name}`, exact: true }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

test('without profiles the screen says what they are for, and makes the first one', async () => {
  const page = await app.open('/profiles');
  await page.getByRole('heading', { name: 'No profiles yet' }).waitFor();
  expect(await axeInBoth(page, 'profiles-empty')).toEqual([]);
  await page.getByRole('button', { name: 'New profile' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New profile' });
  await dialog.getByRole('button', { name: 'Create the profile' }).click();
  await dialog.getByText('A profile needs a name.').waitFor();
  await dialog.getByLabel('Name').fill('portal');
  await dialog.getByLabel('Description').fill('For the reports of the week.');
  await dialog.getByLabel('Tags').fill('north');
  await page.keyboard.press('Enter');
  expect(await axeInBoth(page, 'profile-new')).toEqual([]);
  await dialog.getByRole('button', { name: 'Create the profile' }).click();
  await cardOf(page, 'portal').getByText('Not signed in yet').waitFor();
  await cardOf(page, 'portal').getByText('north').waitFor();
});

test('a person signs in in a real window, and says when it is done', async () => {
  const page = await app.open('/profiles');
  const card = cardOf(page, 'portal');
  await card.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByLabel('Page to open first').fill(`${site.url}/sign-in`);
  await page.getByRole('button', { name: 'Open the browser' }).click();
  await card.getByText('The browser is open').waitFor({ timeout: BROWSER_MS });
  await expect.poll(() => site.requests.join(), { timeout: BROWSER_MS }).toContain('/seen');
  expect(await axeInBoth(page, 'profile-signing-in')).toEqual([]);
  await card.getByRole('button', { name: 'Done' }).click();
  await card.getByText('Signed in by you').waitFor({ timeout: BROWSER_MS });
});

test('a check looks for what only who is signed in gets to see, and is remembered', async () => {
  const page = await app.open('/profiles');
  const card = cardOf(page, 'portal');
  await card.getByRole('button', { name: 'Check the sign-in' }).click();
  await page.getByRole('textbox', { name: 'Page' }).fill(`${site.url}/account`);
  await page.getByRole('textbox', { name: 'Words' }).fill('Sign out');
  expect(await axeInBoth(page, 'profile-check')).toEqual([]);
  await page.getByRole('button', { name: 'Check now' }).click();
  await card.getByText('Signed in', { exact: true }).waitFor({ timeout: BROWSER_MS });
  expect(await axeInBoth(page, 'profiles')).toEqual([]);
});

test('a profile goes into a file and comes back as another; a wrong passphrase is told', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lba-app-profiles-'));
  try {
    const page = await app.open('/profiles');
    await choose(page, 'portal', 'Save as a file…');
    await page.getByRole('textbox', { name: 'Passphrase', exact: true }).fill('correct horse 電池');
    await page.getByRole('textbox', { name: 'Passphrase once more' }).fill('correct horse');
    await page.getByRole('button', { name: 'Save the file' }).click();
    await page.getByText('The two are not the same.').waitFor();
    await page.getByRole('textbox', { name: 'Passphrase once more' }).fill('correct horse 電池');
    const download = page.waitForEvent('download', { timeout: BROWSER_MS });
    await page.getByRole('button', { name: 'Save the file' }).click();
    const file = join(folder, 'portal.lbaprofile');
    await (await download).saveAs(file);
    await page.getByRole('button', { name: 'From a file' }).click();
    const dialog = page.getByRole('dialog', { name: 'Profile from a file' });
    await dialog.locator('input[type=file]').setInputFiles(file);
    await dialog.getByRole('textbox', { name: 'Name of the new profile' }).fill('portal again');
    await dialog.getByRole('textbox', { name: 'Passphrase' }).fill('wrong horse');
    await dialog.getByRole('button', { name: 'Read it in' }).click();
    await dialog.getByText('There is no new profile').waitFor({ timeout: BROWSER_MS });
    expect(await axeInBoth(page, 'profile-from-file')).toEqual([]);
    await dialog.getByRole('textbox', { name: 'Passphrase' }).fill('correct horse 電池');
    await dialog.getByRole('button', { name: 'Read it in' }).click();
    await cardOf(page, 'portal again').waitFor({ timeout: BROWSER_MS });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a profile is copied, renamed, and deleted after a warning of what is lost', async () => {
  app.api.agent.profiles.create({ name: 'shop' });
  const naming = { name: 'Uses it', session: { profile_name: 'shop 2' }, steps: [{ action: 'screenshot' }] };
  await app.api.call('PUT', '/scripts/uses-it', { body: naming });
  const page = await app.open('/profiles');
  await choose(page, 'shop', 'Copy…');
  await page.getByRole('button', { name: 'Make the copy' }).click();
  await cardOf(page, 'shop copy').waitFor();
  await choose(page, 'shop copy', 'Change name, tags and description…');
  await page.getByRole('dialog').getByLabel('Name').fill('shop 2');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await cardOf(page, 'shop 2').getByRole('link', { name: 'uses-it' }).waitFor();
  await choose(page, 'shop 2', 'Delete…');
  await page.getByText('Scripts that name it fail from then on: uses-it.').waitFor();
  await page.getByRole('button', { name: 'Delete the profile' }).click();
  await cardOf(page, 'shop 2').waitFor({ state: 'detached' });
  expect(app.api.agent.profiles.list().map(({ name }) => name)).not.toContain('shop 2');
});

test('a profile that a run uses says so, and the sign-in waits for it', async () => {
  app.api.agent.profiles.create({ name: 'busy' });
  const script = { name: 'Holds it', steps: [{ action: 'wait', duration: 60_000 }] };
  const started = await app.api.call('POST', '/runs', { body: { script, profile: 'busy' } });
  const { run_id: runId } = started.json as { run_id: string };
  const page = await app.open('/profiles');
  const card = cardOf(page, 'busy');
  await card.getByText('A run is using it.').waitFor({ timeout: BROWSER_MS });
  await card.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Open the browser' }).click();
  await card.getByText('The profile is in use').waitFor();
  await card.getByRole('link', { name: 'Show the run that has it' }).waitFor();
  await card.getByRole('button', { name: 'Wait no longer' }).click();
  await card.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  await app.api.call('POST', `/runs/${runId}/cancel`);
  expect(app.problems.filter((problem) => !/40[04]/.test(problem))).toEqual([]);
});
