import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { browserHome } from '../../test/fixtures/browser-home.ts';
import { nearNames } from './profile-names.ts';

const notFound = { errorName: 'BrowserAgent.ProfileNotFound' };
const invalid = { errorName: 'BrowserAgent.InvalidInput' };

describe('a profile', () => {
  it('gets a directory of its own that only this user may read', async () => {
    const { profiles, paths } = await browserHome();
    const profile = profiles.create({ name: 'Bank Zürich', tags: ['bank', 'bank', 'ch'] });
    expect(profile.dir).toBe(join(paths.profiles, profile.profileId));
    expect(existsSync(profile.dir)).toBe(true);
    expect(profiles.list()).toEqual([profile]);
    expect(profile.tags).toEqual(['bank', 'ch']);
  });

  it.each([
    '',
    'a/b',
    '..',
    '.hidden',
    'con',
    'NUL.txt',
    'end.',
    'end ',
    'a\\b',
    'a"b',
    'x'.repeat(65),
    'a\nb',
  ])('may not be called %j', async (name) => {
    const { profiles } = await browserHome();
    expect(() => profiles.create({ name })).toThrow(expect.objectContaining(invalid));
  });

  it('is found by its name in any case, and two names differ by more than case', async () => {
    const { profiles } = await browserHome();
    const profile = profiles.create({ name: 'Portal' });
    expect(profiles.get('portal')).toEqual(profile);
    expect(() => profiles.create({ name: 'PORTAL' })).toThrow(/There is a profile "Portal" already/);
  });

  it('that does not exist is an error that lists near names', async () => {
    const { profiles } = await browserHome();
    expect(() => profiles.get('x')).toThrow(/no profiles yet/);
    for (const name of ['acme-billing', 'other']) profiles.create({ name });
    expect(() => profiles.get('acme-biling')).toThrow(/Did you mean "acme-billing"\?/);
    expect(() => profiles.get('zzzzzz')).toThrow(/There are: acme-billing, other/);
  });

  it('made of another program’s directory is a copy: sign-ins and last use come along, the original stays', async () => {
    const { profiles, paths } = await browserHome();
    const theirs = join(paths.home, 'theirs');
    mkdirSync(join(theirs, 'Default'), { recursive: true });
    writeFileSync(join(theirs, 'Default', 'Cookies'), 'session');
    const profile = await profiles.createFrom(
      theirs,
      { name: 'Portal', tags: ['erp'] },
      { createdAt: 1_000, lastUsedAt: 2_000 },
    );
    expect(profiles.get('portal')).toMatchObject({ tags: ['erp'], createdAt: 1_000, lastUsedAt: 2_000 });
    expect(readFileSync(join(profile.dir, 'Default', 'Cookies'), 'utf8')).toBe('session');
    await expect(profiles.createFrom(theirs, { name: 'PORTAL' })).rejects.toThrow(/already/);
    await profiles.delete('Portal');
    expect(existsSync(join(theirs, 'Default', 'Cookies'))).toBe(true);
    expect(readdirSync(paths.profiles)).toEqual([]);
  });

  it('is not copied from a directory that a browser has open', async () => {
    const { profiles, paths } = await browserHome();
    const theirs = join(paths.home, 'theirs');
    mkdirSync(theirs);
    symlinkSync(`${hostname()}-${process.pid}`, join(theirs, 'SingletonLock'));
    await expect(profiles.createFrom(theirs, { name: 'open' })).rejects.toMatchObject({
      errorName: 'BrowserAgent.ProfileBusy',
    });
    expect(profiles.list()).toEqual([]);
  });

  it('is not made of a directory of the browser that a person uses', async () => {
    const { profiles } = await browserHome();
    const dir = join(
      process.env['XDG_CONFIG_HOME'] ?? join(process.env['HOME'] ?? '', '.config'),
      'chromium',
    );
    for (const own of [dir, join(dir, 'Default')]) {
      expect(() => profiles.create({ name: 'mine', dir: own })).toThrow(
        /belongs to the browser that you use/,
      );
    }
  });

  it('is deleted with its directory, but not while a run works in it; one taken over stays on disk', async () => {
    const { profiles, paths } = await browserHome();
    const profile = profiles.create({ name: 'p' });
    const lease = await profiles.acquire(profile.profileId, { runId: 'r' });
    await expect(profiles.delete('p')).rejects.toMatchObject({ errorName: 'BrowserAgent.ProfileBusy' });
    await lease.release();
    await profiles.delete('p');
    expect(existsSync(profile.dir)).toBe(false);
    const dir = join(paths.home, 'elsewhere');
    profiles.create({ name: 'taken over', dir });
    await profiles.delete('taken over');
    expect(existsSync(dir)).toBe(true);
    expect(profiles.list()).toEqual([]);
  });
});

describe('the profile of a run', () => {
  it('is the named one, and never silently a temporary one', async () => {
    const { profiles } = await browserHome();
    const profile = profiles.create({ name: 'p' });
    expect(profiles.resolve({ profile_name: 'p' })).toMatchObject({ kind: 'named', profile, clone: false });
    expect(() => profiles.resolve({ profile_name: 'q', allow_temp_profile: true })).toThrow(
      expect.objectContaining(notFound),
    );
  });

  it('by tags has all of them; of several it is the one used last', async () => {
    const { profiles, profileRows } = await browserHome();
    const [a, b] = ['a', 'b'].map((name) => profiles.create({ name, tags: ['Bank', 'prod'] }));
    profiles.create({ name: 'c', tags: ['bank'] });
    profileRows.setLastUsed(a!.profileId, 1);
    profileRows.setLastUsed(b!.profileId, 2);
    expect(profiles.resolve({ required_tags: ['prod', 'bank'] })).toMatchObject({ profile: { name: 'b' } });
    const lease = await profiles.acquire(a!.profileId, { runId: 'r' });
    await lease.release();
    expect(profiles.resolve({ required_tags: ['prod'] })).toMatchObject({ profile: { name: 'a' } });
  });

  it('is a temporary one where none has the tags, unless that is not allowed', async () => {
    const { profiles } = await browserHome();
    profiles.create({ name: 'a', tags: ['bank'] });
    expect(profiles.resolve({ required_tags: ['x'] })).toMatchObject({ kind: 'temporary' });
    expect(profiles.resolve({})).toMatchObject({ kind: 'temporary' });
    expect(() => profiles.resolve({ required_tags: ['x'], allow_temp_profile: false })).toThrow(
      /No profile has all of the tags "x".*Tags in use: bank/,
    );
    expect(() => profiles.resolve({ allow_temp_profile: false })).toThrow(expect.objectContaining(notFound));
  });
});

describe('a copy for parallel runs', () => {
  it('is made while the original is in use, without caches and locks, and is gone after the run', async () => {
    const { profiles, paths } = await browserHome();
    const original = profiles.create({ name: 'p' });
    mkdirSync(join(original.dir, 'Default', 'Cache'), { recursive: true });
    writeFileSync(join(original.dir, 'Default', 'Cookies'), 'signed in');
    writeFileSync(join(original.dir, 'Default', 'Cache', 'data'), 'big');
    writeFileSync(join(original.dir, 'SingletonLock'), 'x');
    const held = await profiles.acquire(original.profileId, { runId: 'r1' });
    const choice = profiles.resolve({ profile_name: 'p', clone_for_parallel: true });
    const copies = await Promise.all(['r2', 'r3'].map((runId) => profiles.lease(choice, { runId })));
    expect(new Set([original.dir, ...copies.map((copy) => copy.dir)]).size).toBe(3);
    for (const copy of copies) {
      expect(copy.kind).toBe('clone');
      expect(readFileSync(join(copy.dir, 'Default', 'Cookies'), 'utf8')).toBe('signed in');
      expect(readdirSync(copy.dir)).toEqual(['Default']);
      expect(readdirSync(join(copy.dir, 'Default'))).toEqual(['Cookies']);
      await copy.release();
    }
    expect(readdirSync(paths.temporary)).toEqual([]);
    await held.release();
  });

  it('that is to stay is a profile under a new name', async () => {
    const { profiles } = await browserHome();
    const original = profiles.create({ name: 'p', tags: ['t'] });
    writeFileSync(join(original.dir, 'Local State'), '{}');
    const copy = await profiles.clone('p', 'p2', { runId: 'cloning' });
    expect(copy).toMatchObject({ name: 'p2', tags: ['t'] });
    expect(readdirSync(copy.dir)).toEqual(['Local State']);
    await expect(profiles.clone('p', 'P2', { runId: 'cloning' })).rejects.toMatchObject(invalid);
  });
});

it('names are near by spelling or by being part of one another, nearest first', () => {
  expect(nearNames('Portl', ['portal', 'port', 'zebra'])).toEqual(['portal', 'port']);
  expect(nearNames('acme', ['acme-billing-prod', 'b'])).toEqual(['acme-billing-prod']);
});
