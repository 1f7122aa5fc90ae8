/** Sign-ins survive export, import and copies: real browser, real site, both forms of site storage. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestApi, type Answer, type TestApi } from '../fixtures/api.ts';
import { PASSPHRASE } from '../fixtures/profile-file.ts';

/** A run with a browser of its own on a busy machine. */
const RUN_MS = 40_000;

/** Says on the page which of its four tokens it still has. */
const PAGE = `<script type="module">
  const database = await new Promise((resolve, reject) => {
    const opening = indexedDB.open('auth', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('tokens');
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  const tokens = (mode, work) => new Promise((resolve, reject) => {
    const transaction = database.transaction('tokens', mode);
    const request = work(transaction.objectStore('tokens'));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error);
  });
  if (location.pathname === '/sign-in') {
    document.cookie = 'lasting=yes; max-age=86400';
    localStorage.setItem('token', 'yes');
    await tokens('readwrite', (store) => store.put('yes', 'token'));
    await tokens('readwrite', (store) => store.put(new Blob(['yes'.padEnd(200000)]), 'blob'));
  }
  const blob = await tokens('readonly', (store) => store.get('blob'));
  document.body.textContent = [
    'cookie ' + /lasting=(\\w+)/.exec(document.cookie)?.[1],
    'local ' + localStorage.getItem('token'),
    'indexed ' + await tokens('readonly', (store) => store.get('token')),
    'blob ' + (blob ? (await blob.text()).trim() : blob),
    'session ' + /short=(\\w+)/.exec(document.cookie)?.[1],
    'ready',
  ].join(', ');
  if (location.pathname === '/sign-in') document.cookie = 'short=yes';
</script><body>`;
const SIGNED_IN = 'cookie yes, local yes, indexed yes, blob yes, session';

let server: Server;
let site: string;

beforeAll(async () => {
  server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Chromium moves its storage from LevelDB to SQLite, by and by. */
const SQLITE = [
  'IdbSqliteBackingStore',
  'IdbSqliteOnDiskRollout',
  'DomStorageSqlite',
  'DomStorageSqliteNewDatabases',
];

describe.each([
  { form: 'LevelDB', args: [], has: 'Local Storage' },
  { form: 'SQLite', args: [`--enable-features=${SQLITE.join(',')}`], has: 'LocalStorage' },
])('with storage in $form', ({ args, has }) => {
  let api: TestApi;

  beforeAll(async () => {
    api = await openTestApi({ variables: { LBA_BROWSER_ARGS: JSON.stringify(args) } });
  });

  afterAll(async () => api.close());

  /** A run that succeeds when the page has this text. */
  async function run(path: string, text: string, session: object): Promise<void> {
    const script = {
      name: 'Sign-in',
      session: { allow_temp_profile: false, ...session },
      starting_page: `${site}${path}`,
      steps: [
        { action: 'wait_for_selector', selector: 'text=ready' },
        { action: 'assert', condition: { text_visible: text } },
      ],
    };
    const started = await api.call('POST', '/runs', { body: { script } });
    expect(started.status, started.text).toBe(201);
    const { run_id: runId } = started.json as { run_id: string };
    let last: Answer | undefined;
    await expect
      .poll(
        async () => {
          last = await api.call('GET', `/runs/${runId}`);
          return (last.json as { ended_at: string | null }).ended_at;
        },
        { timeout: RUN_MS },
      )
      .not.toBeNull();
    expect(last!.json, last!.text).toMatchObject({ state: 'succeeded' });
  }

  async function transfer(from: string, to: string): Promise<Answer> {
    const exported = await api.call('POST', `/profiles/${from}/export`, { body: { passphrase: PASSPHRASE } });
    expect(exported.status, exported.text.slice(0, 300)).toBe(200);
    return api.call('POST', `/profiles/import?name=${to}`, {
      body: exported.body,
      headers: {
        'content-type': 'application/octet-stream',
        'lba-passphrase': Buffer.from(PASSPHRASE).toString('base64'),
      },
    });
  }

  test('a sign-in in cookies, local storage and IndexedDB survives export, import and both kinds of copies', async () => {
    const { dir } = api.agent.profiles.create({ name: 'source' });
    await run('/sign-in', SIGNED_IN, { profile_name: 'source' });
    expect(existsSync(join(dir, 'Default', has)), readdirSync(join(dir, 'Default')).join()).toBe(true);

    const imported = await transfer('source', 'target');
    expect(imported.status, imported.text).toBe(201);
    expect(imported.json).toMatchObject({ name: 'target', left_out: [] });
    await run('/', SIGNED_IN, { profile_name: 'target' });
    await run('/', SIGNED_IN, { profile_name: 'target', clone_for_parallel: true });
    await api.call('POST', '/profiles/target/clone', { body: { name: 'copy' } });
    await run('/', SIGNED_IN, { profile_name: 'copy' });
  });

  test('a cookie without an expiry survives where the profile says that the browser keeps those', async () => {
    const { dir } = api.agent.profiles.create({ name: 'keeps' });
    mkdirSync(join(dir, 'Default'), { recursive: true });
    writeFileSync(join(dir, 'Default', 'Preferences'), '{"session":{"restore_on_startup":1}}');
    await run('/sign-in', SIGNED_IN, { profile_name: 'keeps' });
    await run('/', `${SIGNED_IN} yes`, { profile_name: 'keeps' });
    await run('/', `${SIGNED_IN} yes`, { profile_name: 'keeps', clone_for_parallel: true });
    expect((await transfer('keeps', 'still')).status).toBe(201);
    await run('/', `${SIGNED_IN} yes`, { profile_name: 'still' });
  });
});
