import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { messageOf } from '../base/errors.ts';
import { clientOptions, storeCredentials } from './credentials.ts';
import { loadConfig } from './load.ts';
import { FileVault } from './vault.ts';

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
