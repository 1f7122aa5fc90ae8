/** Attacks by a profile file, over the API as an attacker has it. The files are made byte by byte. */
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { silentLogger } from '../../agent/base/log.ts';
import { launchBrowser, type BrowserSession } from '../../agent/browser/launch.ts';
import { openTestApi, type Answer, type TestApi } from '../fixtures/api.ts';
import {
  cookie,
  filesIn,
  honest,
  importFile,
  notes,
  openProfileFile,
  PASSPHRASE,
  profileFile,
  sealed,
  zipOf,
} from '../fixtures/profile-file.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
});

afterAll(async () => api.close());

let count = 0;

/** Imports a file under a new name. */
async function send(file: Buffer, key?: string): Promise<Answer & { name: string }> {
  count += 1;
  const name = `imported-${count}`;
  return { ...(await importFile(api, name, file, key)), name };
}

const dirOf = (name: string): string => api.agent.profiles.get(name).dir;

describe('what a file may put into a profile', () => {
  test('is site data alone: no library, extension, native host, worker, cookie database, log or lock', async () => {
    const hostile = [
      'WidevineCdm/latest-component-updated-widevine-cdm',
      'WidevineCdm/4.10/_platform_specific/linux_x64/libwidevinecdm.so',
      'PepperFlash/libpepflashplayer.so',
      'NativeMessagingHosts/com.evil.host.json',
      'External Extensions/evil.json',
      'Local State',
      'First Run',
      'Default/Extensions/abc/1.0/manifest.json',
      'Default/Extensions/abc/1.0/background.js',
      'Default/Local Extension Settings/abc/000003.log',
      'Default/Secure Preferences',
      'Default/Service Worker/Database/000003.log',
      'Default/Service Worker/ScriptCache/index',
      'Default/Code Cache/js/0a_0',
      'Default/Cache/Cache_Data/0a_0',
      'Default/Cookies',
      'Default/Cookies-journal',
      'Default/Network/Cookies',
      'Default/LocalStorage-journal',
      'Default/LocalStorage-wal',
      'Default/Login Data',
      'Default/Web Data',
      'Default/History',
      'Default/Sessions/Session_1',
      'Default/Session Storage/000003.log',
      'Default/File System/Origins/000003.log',
      'Default/WebStorage/QuotaManager',
      'Default/databases/Databases.db',
      'Default/Local Storage/leveldb/LOG',
      'Default/Local Storage/leveldb/LOG.old',
      'Default/Local Storage/leveldb/LOCK',
      'Default/Local Storage/leveldb/libevil.so',
      'Default/Local Storage/leveldb/lost/000003.log',
      'Default/Local Storage/leveldb/MANIFEST-1',
      'Default/local storage/leveldb/000005.ldb',
      'default/Local Storage/leveldb/000005.ldb',
      'DEFAULT/Preferences',
      'Default/IndexedDB/chrome-extension_abc_0.indexeddb.leveldb/000003.log',
      'Default/IndexedDB/chrome_settings_0.indexeddb.leveldb/000003.log',
      'Default/IndexedDB/file__0.indexeddb.leveldb/000003.log',
      'Default/IndexedDB/https_portal.example_0.indexeddb.leveldb/corruption_info.json',
      'Default/IndexedDB/https_portal.example_0.indexeddb.blob/1/00/run.sh',
      'Default/IndexedDB/https_portal.example_0/evil.so',
      'Default/IndexedDB/CON',
      'Default/IndexedDB/NUL.log',
      'Profile 1/Preferences',
      'CON',
      'lockfile',
      'SingletonLock',
    ];
    const site = [
      'Default/IndexedDB/https_portal.example_0.indexeddb.blob/1/00/2',
      'Default/IndexedDB/https_portal.example_0.indexeddb.leveldb/000003.log',
      'Default/IndexedDB/https_portal.example_0/252AGOW5QBPAPYMMORGI7GOASCBVUWFVTOLUO4IXTMW4CGBZ6NCA',
      'Default/LocalStorage',
    ];
    const answer = await send(
      profileFile([
        ...honest,
        ...site.map((name) => ({ name: `files/${name}`, data: 'data' })),
        ...hostile.map((name) => ({ name: `files/${name}`, data: 'hostile' })),
        { name: 'run-me.sh', data: 'hostile' },
      ]),
    );
    expect(answer.status, answer.text).toBe(201);
    expect(filesIn(dirOf(answer.name))).toEqual(
      [...honest.map(({ name }) => name.slice('files/'.length)), ...site].sort(),
    );
    const leftOut = (answer.json as { left_out: { kind: string; count: number }[] }).left_out;
    expect(leftOut.reduce((sum, { count }) => sum + count, 0)).toBe(hostile.length + 1);
    expect(leftOut).toEqual(
      expect.arrayContaining([
        { kind: 'components', count: 4 },
        { kind: 'extensions', count: 4 },
        { kind: 'service_workers', count: 2 },
      ]),
    );
  });

  test('is of the preferences the named keys alone, each with its own type', async () => {
    const answer = await send(
      profileFile([
        {
          name: 'files/Default/Preferences',
          data: JSON.stringify({
            intl: { accept_languages: 'de-DE,de', selected_languages: 'de; rm -rf /' },
            plugins: { always_open_pdf_externally: true },
            session: { restore_on_startup: 4, startup_urls: ['https://evil.example/'] },
            homepage: 'https://evil.example/',
            proxy: { mode: 'fixed_servers', server: 'evil.example:8080' },
            download: { default_directory: '/etc', prompt_for_download: false },
            extensions: { settings: { abc: { path: '/tmp/evil', location: 4 } } },
            protocol_handler: { excluded_schemes: { ssh: false } },
            profile: {
              cookie_controls_mode: 0,
              block_third_party_cookies: 'no',
              content_settings: {
                exceptions: {
                  cookies: { '[*.]sso.example,*': { setting: 1, last_modified: '1' } },
                  ssl_cert_decisions: { 'https://bank.example:443,*': { setting: {} } },
                  auto_select_certificate: { '*,*': { setting: {} } },
                },
              },
            },
            __proto__: { polluted: true },
          }),
        },
      ]),
    );
    expect(answer.status, answer.text).toBe(201);
    expect(filesIn(dirOf(answer.name))).toEqual(['Default/Preferences']);
    expect(JSON.parse(readFileSync(join(dirOf(answer.name), 'Default', 'Preferences'), 'utf8'))).toEqual({
      intl: { accept_languages: 'de-DE,de' },
      plugins: { always_open_pdf_externally: true },
      profile: {
        cookie_controls_mode: 0,
        content_settings: { exceptions: { cookies: { '[*.]sso.example,*': { setting: 1 } } } },
      },
    });
    expect(answer.json).toMatchObject({
      left_out: [{ kind: 'preferences', count: expect.any(Number) as number }],
    });
  });

  test('is nothing at all of preferences that are no JSON object', async () => {
    for (const data of ['{"proxy":', '[]', 'null', `${'['.repeat(100_000)}${']'.repeat(100_000)}`]) {
      const answer = await send(profileFile([{ name: 'files/Default/Preferences', data }]));
      expect(answer.status, answer.text).toBe(201);
      expect(readFileSync(join(dirOf(answer.name), 'Default', 'Preferences'), 'utf8')).toBe('{}');
    }
  });

  test('is written for this user alone, whatever rights the file asks for', async () => {
    const answer = await send(profileFile(honest.map((entry) => ({ ...entry, mode: 0o104777 }))));
    const dir = dirOf(answer.name);
    for (const name of filesIn(dir)) expect(statSync(join(dir, name)).mode & 0o7777).toBe(0o600);
    expect(statSync(join(dir, 'Default')).mode & 0o777).toBe(0o700);
  });
});

describe('a real browser on an imported profile', () => {
  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const open = (profileDir: string): Promise<BrowserSession> =>
    launchBrowser({
      profileDir,
      headless: true,
      temporary: api.agent.temporary,
      processes: api.agent.processes,
      log: silentLogger,
    });

  test('does not go through a proxy that the file names', async () => {
    const proxied: string[] = [];
    const proxy = await serve((request, response) => {
      proxied.push(request.url ?? '');
      response.end('the proxy');
    });
    const site = await serve((_request, response) => void response.end('the site'));
    const { name } = await send(
      profileFile([
        {
          name: 'files/Default/Preferences',
          data: JSON.stringify({
            proxy: {
              mode: 'fixed_servers',
              server: `http=${new URL(proxy).host}`,
              bypass_list: '<-loopback>',
            },
          }),
        },
      ]),
    );
    const session = await open(dirOf(name));
    await session.page().goto(site);
    expect(await session.page().textContent('body')).toBe('the site');
    await session.close();
    expect(proxied).toEqual([]);
  });

  test('runs no service worker of a file of the version before, and keeps what the site stored', async () => {
    let hasWorker = true;
    const site = await serve((request, response) => {
      if (request.url !== '/worker.js' || !hasWorker) {
        response.setHeader('content-type', 'text/html');
        return void response.end('<p>the site</p>');
      }
      response.setHeader('content-type', 'text/javascript');
      response.end(
        'addEventListener("fetch", (e) => e.respondWith(new Response("<p>the worker</p>", {headers: {"content-type": "text/html"}})))',
      );
    });
    const dir = mkdtempSync(join(api.home, 'theirs-'));
    const theirs = await open(dir);
    await theirs.page().goto(site);
    await theirs.page().evaluate(async () => {
      localStorage.setItem('token', 'kept');
      await navigator.serviceWorker.register('/worker.js');
      await navigator.serviceWorker.ready;
    });
    await theirs.close();
    hasWorker = false;
    const whole = filesIn(dir).map((name) => ({
      name: `files/${name}`,
      data: readFileSync(join(dir, name)),
    }));
    expect(whole.map(({ name }) => name).join('\n')).toContain('Service Worker/ScriptCache');

    const { name, json } = await send(profileFile(whole));
    expect(json).toMatchObject({
      left_out: expect.arrayContaining([
        { kind: 'service_workers', count: expect.any(Number) as number },
      ]) as unknown[],
    });
    const session = await open(dirOf(name));
    await session.page().goto(`${site}/account`);
    expect(await session.page().textContent('body')).toBe('the site');
    expect(await session.page().evaluate(() => localStorage.getItem('token'))).toBe('kept');
    await session.close();
  });

  test('gives away no path of this machine in an exported file', async () => {
    const site = await serve((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<p>the site</p>');
    });
    api.agent.profiles.create({ name: 'leaky' });
    const dir = dirOf('leaky');
    const session = await open(dir);
    await session.page().goto(site);
    await session.page().evaluate(async () => {
      localStorage.setItem('a', 'b');
      await new Promise((resolve) => (indexedDB.open('db').onsuccess = resolve));
    });
    await session.close();
    const onDisk = filesIn(dir).filter((name) => readFileSync(join(dir, name)).includes(api.home));
    expect(onDisk.length, 'the browser does write paths').toBeGreaterThan(0);

    const exported = await api.call('POST', '/profiles/leaky/export', { body: { passphrase: PASSPHRASE } });
    const content = openProfileFile(exported.body);
    expect(Object.keys(content)).toContain('files/Default/Local Storage/leveldb/CURRENT');
    for (const [name, data] of Object.entries(content)) expect(data.includes(api.home), name).toBe(false);
  });
});

describe('who may import', () => {
  test('the owner and keys with the scope admin; a key with operate is refused, and the audit log says so', async () => {
    const file = profileFile(honest);
    const { key: operate } = await api.key({ name: 'operates', scopes: ['read', 'run', 'operate'] });
    const denied = await send(file, operate);
    expect(denied.json).toMatchObject({ status: 403, detail: expect.stringContaining('"admin"') as string });
    expect(api.agent.profiles.list().map(({ name }) => name)).not.toContain(denied.name);
    expect(api.agent.audit.list({ limit: 1 })).toMatchObject([
      { action: 'api.importProfile', result: 'denied' },
    ]);
    const { key: admin } = await api.key({ name: 'administers', scopes: ['admin'] });
    expect((await send(file, admin)).status).toBe(201);
    expect((await send(file)).status).toBe(201);
  });

  test('a profile is there only when it is complete', async () => {
    const seen = new Set<string>();
    const watch = setInterval(() => {
      for (const { name } of api.agent.profiles.list()) seen.add(name);
    }, 1);
    const answer = await send(
      sealed(zipOf([...notes({ cookies: [cookie({ name: 'a;b', value: '\n' })] }), ...honest])),
    );
    clearInterval(watch);
    expect(answer.status).toBe(400);
    expect(seen).not.toContain(answer.name);
  });
});
