/** Profiles beside runs: signing in in a real window, checks, export and import; real browser, real site. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newRunId } from '../../agent/base/ids.ts';
import { ProcessRepository } from '../../agent/store/processes.ts';
import { openTestApi, type Answer, type TestApi } from '../fixtures/api.ts';
import { openDisplay, type Display } from '../fixtures/display.ts';

/** A browser with a window on a busy machine. */
const BROWSER_MS = 40_000;
const PASSPHRASE = 'correct horse 電池';

let api: TestApi;
let display: Display;
let server: Server;
let site: string;
/** Requests of the page that signs in, whose answer has the cookie. */
let signedIn = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    const isSignedIn = request.headers.cookie?.includes('who=demo') === true;
    response.setHeader('content-type', 'text/html');
    if (request.url === '/sign-in') response.setHeader('set-cookie', 'who=demo; Max-Age=86400; Path=/');
    // Asked for by the page that has the cookie already.
    if (request.url === '/seen' && isSignedIn) signedIn += 1;
    response.end(
      request.url === '/sign-in'
        ? '<img src="/seen">'
        : isSignedIn
          ? '<title>Account</title><p id="me">Signed in as demo</p>'
          : '<title>Who?</title>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  display = await openDisplay();
  api = await openTestApi();
});

afterAll(async () => {
  await api.close();
  await display.close();
  server.close();
});

/** Process ids of the browsers on record. */
const browsers = (): number[] => new ProcessRepository(api.agent.db).list().map(({ pid }) => pid);
const check = async (name: string, body: object = {}): Promise<Answer> =>
  api.call('POST', `/profiles/${name}/check`, { body });
const lookForMe = (): object => ({ url: `${site}/`, selector: '#me' });
const signInOf = async (name: string): Promise<unknown> =>
  (await api.call('GET', `/profiles/${name}/sign-in`)).json;
const profileOf = async (name: string): Promise<unknown> => (await api.call('GET', `/profiles/${name}`)).json;

/** Opens the window, and waits until the site has given its cookie. */
async function openWindow(name: string): Promise<void> {
  const before = signedIn;
  const answer = await api.call('POST', `/profiles/${name}/sign-in`, { body: { url: `${site}/sign-in` } });
  expect(answer.status, answer.text).toBe(202);
  expect(answer.json).toMatchObject({ state: 'open', profile: name });
  await expect.poll(() => signedIn, { timeout: BROWSER_MS }).toBeGreaterThan(before);
}

describe('signing in', () => {
  test('opens a window, holds the profile, and notes the time when the person is done', async () => {
    api.agent.profiles.create({ name: 'desk' });
    expect((await check('desk', lookForMe())).json).toMatchObject({ signed_in: false, title: 'Who?' });
    await openWindow('desk');
    expect(await profileOf('desk')).toMatchObject({
      signed_in_at: null,
      used_by: { kind: 'sign_in' },
      sign_in: { state: 'open' },
    });
    const done = await api.call('POST', '/profiles/desk/sign-in/done');
    expect(done.json).toMatchObject({ state: 'done', problem: null });
    expect(await profileOf('desk')).toMatchObject({ signed_in_at: expect.any(String), used_by: null });
    expect((await api.call('POST', '/profiles/desk/sign-in/done')).status).toBe(409);
    // The check is kept: asked again with nothing, it looks again.
    expect((await check('desk')).json).toMatchObject({ signed_in: true, url: `${site}/`, title: 'Account' });
    expect(await profileOf('desk')).toMatchObject({
      check: lookForMe(),
      checked: { signed_in: true },
    });
  });

  test('a window that is closed by hand is done, too', async () => {
    api.agent.profiles.create({ name: 'closed' });
    await openWindow('closed');
    for (const pid of browsers()) process.kill(pid, 'SIGTERM');
    await expect
      .poll(async () => signInOf('closed'), { timeout: BROWSER_MS })
      .toMatchObject({ state: 'done' });
    expect(await profileOf('closed')).toMatchObject({ signed_in_at: expect.any(String) });
  });

  test('of a profile in use waits and says for whom; cancelled, it leaves nothing and notes nothing', async () => {
    const { profileId } = api.agent.profiles.create({ name: 'busy' });
    const runId = newRunId();
    const lease = await api.agent.profiles.acquire(profileId, { runId });
    const waiting = await api.call('POST', '/profiles/busy/sign-in', { body: {} });
    expect(waiting.json).toMatchObject({ state: 'waiting', held_by: runId });
    expect(await profileOf('busy')).toMatchObject({ waiting: 1, used_by: { kind: 'run', id: runId } });
    await lease.release();
    await expect
      .poll(async () => signInOf('busy'), { timeout: BROWSER_MS })
      .toMatchObject({ state: 'open', held_by: null });
    const cancelled = await api.call('DELETE', '/profiles/busy/sign-in');
    expect(cancelled.json).toMatchObject({ state: 'cancelled' });
    expect(await profileOf('busy')).toMatchObject({ signed_in_at: null, used_by: null });
  });

  test('without a display is refused with words', async () => {
    api.agent.profiles.create({ name: 'blind' });
    const before = process.env['DISPLAY'];
    delete process.env['DISPLAY'];
    const { status, json } = await api.call('POST', '/profiles/blind/sign-in', { body: {} });
    process.env['DISPLAY'] = before;
    expect(status).toBe(503);
    expect(json).toMatchObject({ detail: expect.stringContaining('no display') });
    expect(await profileOf('blind')).toMatchObject({ used_by: null, sign_in: { state: 'failed' } });
  });
});

describe('a profile as a file', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const importAs = async (name: string, body: Buffer, passphrase = PASSPHRASE): Promise<Answer> =>
    api.call('POST', `/profiles/import?name=${name}`, {
      body,
      headers: { 'content-type': 'application/octet-stream', 'lba-passphrase': base64(passphrase) },
    });

  test('is still signed in under another name, and says nothing without the passphrase', async () => {
    api.agent.profiles.create({ name: 'source', tags: ['a'], description: 'b' });
    await openWindow('source');
    await api.call('POST', '/profiles/source/sign-in/done');
    const exported = await api.call('POST', '/profiles/source/export', { body: { passphrase: PASSPHRASE } });
    expect(exported.status, exported.text.slice(0, 300)).toBe(200);
    expect(exported.headers['content-disposition']).toContain('source.lbaprofile');
    expect(exported.body.includes('who')).toBe(false);

    const wrong = await importAs('target', exported.body, 'something else');
    expect(wrong.json).toMatchObject({ status: 400, detail: expect.stringContaining('passphrase is wrong') });
    const changed = Buffer.from(exported.body);
    changed[changed.length - 100]! ^= 1;
    const cut = exported.body.subarray(0, exported.body.length - 50);
    for (const body of [changed, cut]) {
      const answer = await importAs('target', body);
      expect(answer.json).toMatchObject({ status: 400, detail: expect.stringContaining('damaged') });
    }
    const strange = await importAs('target', Buffer.from('PK strange'));
    expect(strange.json).toMatchObject({
      status: 400,
      detail: expect.stringContaining('no exported profile'),
    });
    expect((await api.call('GET', '/profiles/target')).status).toBe(404);

    const imported = await importAs('target', exported.body);
    expect(imported.status, imported.text).toBe(201);
    expect(imported.json).toMatchObject({ name: 'target', tags: ['a'], description: 'b' });
    expect((await check('target', lookForMe())).json).toMatchObject({ signed_in: true });
    expect((await importAs('target', exported.body)).status).toBe(400);
  });

  test('is refused where the passphrase is short or the body is no file', async () => {
    const short = await api.call('POST', '/profiles/source/export', { body: { passphrase: 'short' } });
    expect(short.status).toBe(400);
    expect((await importAs('x', Buffer.from('x'), 'short')).status).toBe(400);
    expect((await api.call('POST', '/profiles/import?name=x', { body: {} })).status).toBe(415);
  });
});

test('a profile is renamed and cloned; scripts that name it are listed', async () => {
  api.agent.profiles.create({ name: 'first' });
  const changed = await api.call('PATCH', '/profiles/first', { body: { name: 'second', description: 'x' } });
  expect(changed.json).toMatchObject({ name: 'second', description: 'x' });
  expect((await api.call('GET', '/profiles/first')).status).toBe(404);
  const script = {
    name: 'Uses it',
    session: { profile_name: 'Second' },
    steps: [{ action: 'wait', duration: 1 }],
  };
  await api.call('PUT', '/scripts/uses', { body: script });
  expect(await profileOf('second')).toMatchObject({ used_by_scripts: ['uses'] });
  const copy = await api.call('POST', '/profiles/second/clone', { body: { name: 'third' } });
  expect(copy.status, copy.text).toBe(201);
  expect((await api.call('POST', '/profiles/second/clone', { body: { name: 'third' } })).status).toBe(400);
  expect((await api.call('PATCH', '/profiles/second', { body: { name: 'THIRD' } })).status).toBe(400);
});

test('no browser is left of any of it', () => {
  expect(browsers()).toEqual([]);
});
