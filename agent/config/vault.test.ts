import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { messageOf } from '../base/errors.ts';
import { clientOptions, storeCredentials } from './credentials.ts';
import { loadConfig } from './load.ts';
import { FileVault, openFileVault } from './vault.ts';

let home: string;
let vault: FileVault;
let path: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lba-vault-'));
  vault = new FileVault(home);
  path = join(home, 'credentials.json');
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

const mode = () => statSync(path).mode & 0o777;

test('the vault keeps, replaces and forgets values across processes', async () => {
  expect(await vault.get('a')).toBeUndefined();
  await vault.set('a', '1');
  await vault.set('b', '2');
  await vault.set('a', '3');
  await new FileVault(home).delete('b');
  expect([await vault.get('a'), await vault.get('b')]).toEqual(['3', undefined]);
});

test.skipIf(platform() === 'win32')('only the owner can read the file, however it came there', async () => {
  await vault.set('a', '1');
  expect(mode()).toBe(0o600);
  chmodSync(path, 0o644);
  await vault.get('a');
  expect(mode()).toBe(0o600);
});

test('a damaged file is an error that says what to do and quotes nothing of it', async () => {
  writeFileSync(path, '{"aws:prod": "wJalrXUtnFEMI');
  const message = await vault.get('aws:prod').then(String, messageOf);
  expect(message).toContain('setup');
  expect(message).not.toContain('wJalr');
});

describe('with a passphrase', () => {
  const given = { LBA_VAULT_PASSPHRASE: 'correct horse' };

  test('nothing can be read in the file, and everything with the passphrase', async () => {
    const sealed = openFileVault(home, given);
    expect(sealed.protection).toContain('encrypted with the passphrase');
    await sealed.set('aws:prod', 'wJalrXUtnFEMI');
    await sealed.set('script:pin', '1234');
    await sealed.delete('script:pin');
    const file = readFileSync(path, 'utf8');
    expect(file).not.toMatch(/wJalr|aws:prod|1234/);
    expect(await openFileVault(home, given).get('aws:prod')).toBe('wJalrXUtnFEMI');
    expect(await openFileVault(home, given).names()).toEqual(['aws:prod']);
    if (platform() !== 'win32') expect(mode()).toBe(0o600);
    await sealed.set('aws:prod', 'wJalrXUtnFEMI');
    const twice = JSON.parse(readFileSync(path, 'utf8')) as { iv: string; data: string };
    expect(twice).not.toMatchObject({ iv: (JSON.parse(file) as typeof twice).iv });
  });

  test('what was in the clear is sealed when it is opened', async () => {
    await vault.set('aws:prod', 'wJalrXUtnFEMI');
    openFileVault(home, {});
    expect(readFileSync(path, 'utf8')).toContain('wJalr');
    const sealed = openFileVault(home, given);
    expect(readFileSync(path, 'utf8')).not.toContain('wJalr');
    expect(await sealed.get('aws:prod')).toBe('wJalrXUtnFEMI');
  });

  test('without it, with another one, or after a change nothing is read or written, and the error says what to do', async () => {
    await openFileVault(home, given).set('aws:prod', 'wJalrXUtnFEMI');
    const file = readFileSync(path, 'utf8');
    await expect(openFileVault(home, {}).get('aws:prod')).rejects.toThrow(
      /is encrypted: set LBA_VAULT_PASSPHRASE, or LBA_VAULT_PASSPHRASE_FILE/,
    );
    await expect(openFileVault(home, {}).set('aws:dev', 'x')).rejects.toThrow('is encrypted');
    const other = openFileVault(home, { LBA_VAULT_PASSPHRASE: 'wrong horse' });
    await expect(other.get('aws:prod')).rejects.toThrow('the passphrase does not fit');
    await expect(other.set('aws:dev', 'x')).rejects.toThrow('the passphrase does not fit');
    expect(readFileSync(path, 'utf8')).toBe(file);
    const sealed = JSON.parse(file) as { data: string };
    const data = Buffer.from(sealed.data, 'base64');
    data[3]! ^= 1;
    writeFileSync(path, JSON.stringify({ ...sealed, data: data.toString('base64') }));
    await expect(openFileVault(home, given).get('aws:prod')).rejects.toThrow('or the file was changed');
  });

  test('it may be in a file, whose last line end does not count; an empty or missing one is an error', async () => {
    const file = join(home, 'passphrase');
    const env = { LBA_VAULT_PASSPHRASE_FILE: file };
    expect(() => openFileVault(home, env)).toThrow('the passphrase cannot be read');
    writeFileSync(file, '\n');
    expect(() => openFileVault(home, env)).toThrow('is empty');
    writeFileSync(file, 'correct horse\n');
    await openFileVault(home, env).set('a', '1');
    expect(await openFileVault(home, given).get('a')).toBe('1');
  });
});

test('the identity is the profile, else the environment, else stored keys, else the search of the SDK', async () => {
  const identity = async (env: NodeJS.ProcessEnv) =>
    (await clientOptions(loadConfig({ home, env }), vault, env)).identity;
  expect(await identity({})).toContain('own search');
  await storeCredentials(vault, 'dev', { accessKeyId: 'AKIA', secretAccessKey: 'secret' });
  expect(await identity({})).toBe('keys stored by setup for dev');
  expect(await identity({ LBA_AWS_ENV: 'prod' })).toContain('own search');
  expect(await identity({ AWS_ACCESS_KEY_ID: 'A' })).toBe('environment AWS_ACCESS_KEY_ID');
  expect(await identity({ AWS_ACCESS_KEY_ID: 'A', AWS_PROFILE: 'p' })).toBe(
    'AWS profile p (environment AWS_PROFILE)',
  );
});
