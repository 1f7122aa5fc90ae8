import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { browserHome, type BrowserHome } from '../../test/fixtures/browser-home.ts';
import { silentLogger } from '../base/log.ts';
import { launchBrowser } from '../browser/launch.ts';
import type { BrowserSession } from '../browser/session.ts';
import { configuredProfile, readEarlierProfiles, type ProfileContext } from './profiles-file.ts';
import type { ImportItem } from './report.ts';

function contextOf({ profiles }: BrowserHome): ProfileContext {
  return {
    find: (name) => profiles.list().find((own) => own.name === name),
    create: (...given) => profiles.createFrom(...given),
  };
}

async function importList(home: BrowserHome, content: unknown): Promise<ImportItem[]> {
  const folder = join(home.paths.home, 'old', 'browser-profiles');
  mkdirSync(folder, { recursive: true });
  const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
  const items: ImportItem[] = [];
  for (const { item, take } of readEarlierProfiles(join(folder, 'profiles.json'), text, contextOf(home))) {
    await take?.work();
    items.push(item);
  }
  return items;
}

describe('profiles of the earlier program', () => {
  test('keep what a person signed in to: a browser on the copy sends the session that one on the original got', async () => {
    const home = await browserHome();
    const server = createServer((request, response) => {
      response.setHeader('set-cookie', 'session=signed-in; Max-Age=3600; HttpOnly');
      response.end(request.headers.cookie ?? 'nobody');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const open = (profileDir: string): Promise<BrowserSession> =>
      launchBrowser({
        profileDir,
        headless: true,
        temporary: home.temporary,
        processes: home.processes,
        log: silentLogger,
      });

    const theirs = await open(join(home.paths.home, 'old', 'browser-profiles', 'portal'));
    await theirs.page().goto(url);
    await theirs.close();

    const items = await importList(home, { profiles: { portal: { name: 'portal', tags: ['erp'] } } });
    expect(items).toMatchObject([{ what: 'portal', status: 'taken', as: 'portal' }]);
    const ours = await open(home.profiles.get('portal').dir);
    await ours.page().goto(url);
    expect(await ours.page().textContent('body')).toContain('session=signed-in');
    await ours.close();
  });

  test('are found as their path says, beside the list when that was written elsewhere, and else not made up', async () => {
    const home = await browserHome();
    const old = join(home.paths.home, 'old');
    for (const dir of ['elsewhere', 'browser-profiles/moved', 'browser-profiles/windows'])
      mkdirSync(join(old, dir), { recursive: true });
    const items = await importList(home, {
      profiles: {
        absolute: { user_data_dir: join(old, 'elsewhere') },
        started_there: { user_data_dir: 'browser-profiles/moved' },
        other: { user_data_dir: 'C:\\Users\\op\\browser-profiles\\windows' },
        gone: { user_data_dir: '/nowhere/gone', tags: ['two words'] },
      },
    });
    expect(items.map(({ what, status }) => [what, status])).toEqual([
      ['absolute', 'taken'],
      ['started_there', 'taken'],
      ['other', 'taken'],
      ['gone', 'by_hand'],
    ]);
    expect(items[3]!.message).toMatch(/\/nowhere\/gone is not there.*profiles create "gone" "two words"/);
    expect(home.profiles.list()).toHaveLength(3);
  });

  test('of which one is there already stay as they are', async () => {
    const home = await browserHome();
    home.profiles.create({ name: 'same', tags: ['a', 'b'] });
    home.profiles.create({ name: 'other', tags: ['mine'] });
    const before = home.profiles.list();
    const items = await importList(home, {
      profiles: { same: { tags: ['b', 'a'] }, other: { tags: ['theirs'] } },
    });
    expect(items.map(({ status }) => status)).toEqual(['same', 'kept']);
    expect(items[1]!.message).toMatch(/tags mine here.*profiles tag "other" "theirs"/);
    expect(home.profiles.list()).toEqual(before);
  });

  test('that are the person’s own browser are not taken, and what to do instead is said', async () => {
    const home = await browserHome();
    vi.stubEnv('XDG_CONFIG_HOME', home.paths.home);
    onTestFinished(() => void vi.unstubAllEnvs());
    const own = join(home.paths.home, 'google-chrome', 'Default');
    mkdirSync(own, { recursive: true });
    const { item, take } = configuredProfile(own, { file: 'config.yaml' }, contextOf(home));
    expect({ status: item.status, take }).toEqual({ status: 'by_hand', take: undefined });
    expect(item.message).toMatch(/belongs to the browser that you use yourself.*profiles create/);
  });

  test('a user_data_dir of config.yaml becomes a profile, and its scripts have to name it', async () => {
    const home = await browserHome();
    mkdirSync(join(home.paths.home, 'old data'));
    const from = { file: join(home.paths.home, 'config.yaml'), line: 5, column: 1 };
    const { item, take } = configuredProfile('old data', from, contextOf(home));
    await take?.work();
    expect(item).toMatchObject({
      status: 'taken',
      from,
      changes: [{ now: expect.stringContaining('{"profile_name": "old data"}') as string }],
    });
    expect(home.profiles.get('old data').description).toContain('user_data_dir');
  });

  test('what is wrong in the list is said with line and column, and costs only that profile', async () => {
    const home = await browserHome();
    mkdirSync(join(home.paths.home, 'old', 'browser-profiles', 'good'), { recursive: true });
    const text = '{\n  "profiles": {\n    "bad": { "tags": "a" },\n    "good": {}\n  }\n}\n';
    expect(await importList(home, text)).toMatchObject([
      { what: 'bad', status: 'failed', from: { line: 3, column: 22 } },
      { what: 'good', status: 'taken' },
    ]);
    expect(await importList(home, '{\n  "profiles": {,}\n}')).toMatchObject([
      { kind: 'file', status: 'failed', from: { line: 2 } },
    ]);
    expect(await importList(home, { people: [] })).toMatchObject([{ kind: 'file', status: 'by_hand' }]);
  });

  test('a browser’s directory that the list does not name is pointed out', async () => {
    const home = await browserHome();
    const dir = join(home.paths.home, 'old', 'browser-profiles', 'forgotten');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'Local State'), '{}');
    expect(await importList(home, { profiles: {} })).toMatchObject([
      { what: 'forgotten', status: 'by_hand', from: { file: dir } },
    ]);
  });
});
