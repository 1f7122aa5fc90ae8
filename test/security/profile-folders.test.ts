/** Attacks by a folder: a profile that is copied, and a list of the earlier program that somebody else wrote. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ImportItem } from '../../agent/import/report.ts';
import { readEarlierProfiles } from '../../agent/import/profiles-file.ts';
import { browserHome, type BrowserHome } from '../fixtures/browser-home.ts';

function write(dir: string, files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
}

function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => !statSync(join(dir, name)).isDirectory())
    .sort();
}

/** As an import by an earlier version may have left it, with what a browser runs and obeys. */
const HOSTILE = {
  'WidevineCdm/latest-component-updated-widevine-cdm': '{"Path":"/tmp/evil"}',
  'NativeMessagingHosts/com.evil.json': '{}',
  'Default/Extensions/abc/1.0/manifest.json': '{}',
  'Default/Service Worker/ScriptCache/index': 'x',
  'Default/Secure Preferences': '{"extensions":{}}',
  'Default/Local Storage/leveldb/LOG': '/home/somebody/secret path',
  'Default/Preferences': JSON.stringify({
    proxy: { mode: 'fixed_servers', server: 'evil.example:8080' },
    session: { restore_on_startup: 1 },
  }),
  'Local State': JSON.stringify({
    os_crypt: { encrypted_key: 'RFBBUEk=' },
    browser: { enabled_labs_experiments: ['evil@1'] },
    profile: { last_used: 'Profile 1' },
  }),
};

const SITE = {
  'Default/Cookies': 'cookies',
  'Default/Network/Cookies': 'cookies',
  'Default/LocalStorage': 'x',
  'Default/LocalStorage-wal': 'x',
  'Default/Local Storage/leveldb/CURRENT': 'MANIFEST-000001\n',
  'Default/Local Storage/leveldb/000003.log': 'x',
};

const CARRIED = [...Object.keys(SITE), 'Default/Preferences', 'Local State'].sort();

function expectClean(dir: string): void {
  expect(filesIn(dir)).toEqual(CARRIED);
  const read = (name: string): unknown => JSON.parse(readFileSync(join(dir, name), 'utf8'));
  expect(read('Default/Preferences')).toEqual({ session: { restore_on_startup: 1 } });
  // What decrypts the cookies on Windows, and nothing else.
  expect(read('Local State')).toEqual({ os_crypt: { encrypted_key: 'RFBBUEk=' } });
}

describe('a copy of a profile', () => {
  test('holds site data and named preferences alone, as a profile and for a parallel run', async () => {
    const { profiles } = await browserHome();
    const { dir } = profiles.create({ name: 'original' });
    write(dir, { ...HOSTILE, ...SITE });
    const copy = await profiles.clone('original', 'copy', { runId: 'cloning' });
    expectClean(copy.dir);
    const choice = profiles.resolve({ profile_name: 'original', clone_for_parallel: true });
    const lease = await profiles.lease(choice, { runId: 'r' });
    expectClean(lease.dir);
    await lease.release();
  });

  test('follows no link and waits for no pipe', async () => {
    const { profiles, paths } = await browserHome();
    write(paths.home, { 'private/leveldb/000003.log': 'a key', 'private/Cookies': 'theirs' });
    const { dir } = profiles.create({ name: 'links' });
    write(dir, { 'Default/LocalStorage': 'x' });
    symlinkSync(join(paths.home, 'private'), join(dir, 'Default', 'Local Storage'));
    symlinkSync(join(paths.home, 'private', 'Cookies'), join(dir, 'Default', 'Cookies'));
    execFileSync('mkfifo', [join(dir, 'Default', 'Preferences')]);
    const copy = await profiles.clone('links', 'copy', { runId: 'cloning' });
    expect(filesIn(copy.dir)).toEqual(['Default/LocalStorage']);
  });

  test('has no database whose files lead elsewhere', async () => {
    const { profiles } = await browserHome();
    const { dir } = profiles.create({ name: 'pointers' });
    // SQLite reads, and then deletes, the file that a rollback journal names at its end.
    const named = Buffer.concat([Buffer.alloc(512), Buffer.from('/home/somebody/file')]);
    const journal = Buffer.concat([named, Buffer.from('d9d505f920a163d7', 'hex')]);
    write(dir, {
      'Default/Cookies': 'x',
      'Default/Cookies-journal': journal,
      'Default/Local Storage/leveldb/CURRENT': '../../../../secret\n',
    });
    const copy = await profiles.clone('pointers', 'copy', { runId: 'cloning' });
    expect(filesIn(copy.dir)).toEqual(['Default/Cookies']);
  });

  test('is there only when it is complete, and leaves nothing when it fails', async () => {
    const { profiles, paths } = await browserHome();
    const { dir } = profiles.create({ name: 'original' });
    write(dir, SITE);
    const cloning = profiles.clone('original', 'copy', { runId: 'cloning' });
    const isOver = cloning.then(() => true);
    const turn = (): Promise<false> => new Promise((resolve) => setImmediate(() => resolve(false)));
    const seen: string[][] = [];
    while (!(await Promise.race([isOver, turn()]))) {
      const copy = profiles.list().find(({ name }) => name === 'copy');
      if (copy !== undefined) seen.push(filesIn(copy.dir));
    }
    for (const files of seen) expect(files).toEqual(Object.keys(SITE).sort());
    expect(readdirSync(paths.profiles)).toHaveLength(2);
    rmSync(dir, { recursive: true });
    await expect(profiles.clone('original', 'another', { runId: 'cloning' })).rejects.toThrow(/ENOENT/);
    expect(readdirSync(paths.profiles)).toHaveLength(1);
    expect(profiles.list().map(({ name }) => name)).not.toContain('another');
  });
});

describe('a list of profiles that somebody else wrote', () => {
  async function importList(home: BrowserHome, profiles: object): Promise<ImportItem[]> {
    const file = join(home.paths.home, 'old', 'browser-profiles', 'profiles.json');
    write(dirname(file), { 'profiles.json': JSON.stringify({ profiles }) });
    const items: ImportItem[] = [];
    const context = {
      find: (name: string) => home.profiles.list().find((own) => own.name === name),
      create: async (...given: Parameters<typeof home.profiles.createFrom>) =>
        home.profiles.createFrom(...given),
    };
    for (const { item, take } of readEarlierProfiles(file, readFileSync(file, 'utf8'), context)) {
      await take?.work();
      items.push(item);
    }
    return items;
  }

  test('brings no file of another folder into a profile, so that none leaves in an export', async () => {
    const home = await browserHome();
    const keys = join(home.paths.home, '.ssh');
    write(keys, { id_ed25519: 'a private key', 'Default/id_ed25519': 'a private key' });
    await importList(home, { portal: { user_data_dir: keys } });
    expect(filesIn(home.profiles.get('portal').dir)).toEqual([]);
  });

  test('gets nothing of the person’s own browser through a link', async () => {
    const home = await browserHome();
    const own = join(home.paths.home, 'own-browser');
    write(own, SITE);
    const theirs = join(home.paths.home, 'old', 'browser-profiles', 'portal');
    mkdirSync(theirs, { recursive: true });
    symlinkSync(join(own, 'Default'), join(theirs, 'Default'));
    await importList(home, { portal: {} });
    const { dir } = home.profiles.get('portal');
    expect(existsSync(join(dir, 'Default'))).toBe(false);
  });

  test('brings what the list allows, and the report counts the rest', async () => {
    const home = await browserHome();
    const theirs = join(home.paths.home, 'old', 'browser-profiles', 'portal');
    write(theirs, { ...HOSTILE, ...SITE });
    const [item] = await importList(home, { portal: {} });
    expectClean(home.profiles.get('portal').dir);
    expect(item!.message).toMatch(/Left out: .*2 files of browser components.*1 file of extensions/);
  });
});
