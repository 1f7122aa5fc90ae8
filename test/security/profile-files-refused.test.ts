/** Profile files that no export makes: each is refused as a whole, and the answer says why. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestApi, type TestApi } from '../fixtures/api.ts';
import {
  bomb,
  BOMB_PART_BYTES,
  cookie,
  honest,
  importFile,
  notes,
  profileFile,
  sealed,
  zipOf,
  type RawEntry,
} from '../fixtures/profile-file.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi({ variables: { LBA_BROWSER_MAX_PROFILE_MB: '300' } });
});

afterAll(async () => api.close());

/** A refused file leaves neither a profile nor a directory. */
async function expectFileRefused(file: Buffer, detail: RegExp): Promise<void> {
  const answer = await importFile(api, 'refused', file);
  expect(answer.json).toMatchObject({
    status: 400,
    error: 'BrowserAgent.InvalidInput',
    detail: expect.stringMatching(detail) as string,
  });
  expect(api.agent.profiles.list()).toEqual([]);
  const { profiles, temporary } = api.agent.paths;
  for (const folder of [profiles, temporary])
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
}

const expectRefused = async (entries: readonly RawEntry[], detail: RegExp): Promise<void> =>
  expectFileRefused(profileFile(entries), detail);

describe('a profile file is refused as a whole', () => {
  test.each([
    ['a path upwards', '../../../evil', /leads out of the profile/],
    ['a path that hides it', 'Default/../../evil', /leads out of the profile/],
    ['an absolute path', '/etc/cron.d/evil', /leads out of the profile/],
    ['a drive', 'C:/Windows/evil', /may not hold/],
    ['backslashes', 'Default\\..\\..\\evil', /may not hold/],
    ['a zero byte', 'Default/Pre\u0000ferences', /may not hold/],
    ['an escape sequence', 'Default/\u001b[2JPreferences', /may not hold/],
    ['5,000 letters', `Default/${'a'.repeat(5_000)}`, /longer than/],
  ])('for a name with %s', async (_what, name, detail) => {
    await expectRefused([...honest, { name: `files/${name}`, data: 'x' }], detail);
  });

  test('and the message cannot write to a terminal', async () => {
    const answer = await importFile(
      api,
      'refused',
      profileFile([{ name: 'files/\u001b]0;evil\u0007', data: 'x' }]),
    );
    expect(answer.status).toBe(400);
    const { detail } = answer.json as { detail: string };
    expect(detail).toContain('\\u001b]0;evil');
    expect(Buffer.from(detail).every((byte) => byte >= 0x20)).toBe(true);
  });

  test('for a link under a name that is on the list', async () => {
    const link = { name: 'files/Default/LocalStorage', data: '/etc/passwd', mode: 0o120777 };
    await expectRefused([link], /"files\/Default\/LocalStorage".*link/);
  });

  test('for two entries of one name', async () => {
    const twice = { name: 'files/Default/LocalStorage', data: 'x' };
    await expectRefused([twice, twice], /twice/);
    await expectRefused([...notes(), twice], /"profile.json".*twice/);
  });

  test('for an encrypted entry, and for a compression that it does not know', async () => {
    const name = 'files/Default/LocalStorage';
    await expectRefused([{ name, data: 'x', claims: { flags: 1 } }], /encrypted/);
    await expectRefused([{ name, data: 'x', claims: { method: 12 } }], /compressed in a way/);
  });

  test('for entries that share their data', async () => {
    const name = 'files/Default/IndexedDB/https_a.example_0.indexeddb.blob/1/00';
    await expectRefused(
      [
        { name: `${name}/1`, data: Buffer.alloc(1_000) },
        { name: `${name}/2`, data: Buffer.alloc(1_000), sharesData: true },
      ],
      /share/,
    );
  });

  test('for an entry that is larger or smaller than it says', async () => {
    const name = 'files/Default/LocalStorage';
    for (const size of [10, 100_000])
      await expectRefused([{ name, data: Buffer.alloc(1_000, 'abc'), claims: { size } }], /not the size/);
    await expectRefused([{ name, deflated: bomb(8), claims: { size: 1_000 } }], /not the size/);
  });

  test('for a bomb: one entry, many entries, a checked file and notes', async () => {
    const parts = 3;
    const deflated = bomb(parts);
    const claims = { size: parts * BOMB_PART_BYTES };
    await expectRefused([{ name: 'files/Default/LocalStorage', deflated, claims }], /times as large/);
    const small = { deflated: bomb(1), claims: { size: BOMB_PART_BYTES } };
    const folder = 'files/Default/IndexedDB/https_a.example_0.indexeddb.blob/1/00';
    const many = Array.from({ length: 4 }, (_, n) => ({ name: `${folder}/${n}`, ...small }));
    await expectRefused(many, /times as large/);
    await expectRefused([{ name: 'files/Default/Preferences', deflated, claims }], /larger than/);
    await expectFileRefused(sealed(zipOf([{ name: 'profile.json', deflated, claims }])), /larger than/);
  });

  test('for more content than the setting allows, with the setting named', async () => {
    // Compresses to a tenth: no bomb, and a file that is small enough itself.
    const data = Buffer.concat([randomBytes(100_000), Buffer.alloc(900_000)]);
    const folder = 'files/Default/IndexedDB/https_a.example_0.indexeddb.blob/1/00';
    const many = Array.from({ length: 301 }, (_, n) => ({ name: `${folder}/${n.toString(16)}`, data }));
    await expectRefused(many, /holds more than 300 MB.*browser\.max_profile_mb/);
    await expectFileRefused(randomBytes(301_000_000), /has more than 300 MB.*browser\.max_profile_mb/);
  });

  test('for more entries than any profile has', async () => {
    const deflated = deflateRawSync('');
    const many = Array.from({ length: 50_001 }, (_, n) => ({
      name: `files/Default/IndexedDB/https_a.example_0.indexeddb.blob/1/00/${n.toString(16)}`,
      deflated,
    }));
    await expectRefused(many, /50,000 files/);
  });

  test('for a database whose CURRENT leads elsewhere', async () => {
    for (const data of ['../../../../../../etc/passwd\n', 'MANIFEST-000001', 'MANIFEST-000001\n'.repeat(9)])
      await expectRefused([{ name: honest[0]!.name, data }], /CURRENT.*manifest/i);
  });

  const facts = { tags: [] as unknown, description: '', signed_in_at: null };
  test.each([
    ['no notes', [], /"profile.json" is missing/],
    ['facts of a wrong kind', notes({ facts: { ...facts, tags: 'a' } }), /wrong at tags/],
    ['a tag that no profile may have', notes({ facts: { ...facts, tags: ['a\nb'] } }), /is no tag/],
    [
      'a description without end',
      notes({ facts: { ...facts, description: 'a'.repeat(9_999) } }),
      /wrong at description/,
    ],
    ['cookies of a wrong kind', notes({ cookies: [{ name: 'a' }] }), /wrong at cookies\.0/],
    [
      'more cookies than a browser keeps',
      notes({ cookies: Array.from({ length: 20_000 }, () => cookie()) }),
      /wrong at cookies/,
    ],
    [
      'a cookie that no browser takes',
      notes({ cookies: [cookie({ name: 'a;b', value: '\n' })] }),
      /cookie that the browser does not take/,
    ],
  ])('for %s', async (_what, entries, detail) => {
    await expectFileRefused(sealed(zipOf(entries)), detail);
  });
});
