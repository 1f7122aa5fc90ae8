import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ToShell } from '../base/shell-messages.ts';
import { FileVault } from '../config/vault.ts';
import { moveSecrets, ShellVault } from './shell-vault.ts';

const home = mkdtempSync(join(tmpdir(), 'lba-shell-vault-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The main process's side: answers at once, from a map. */
function vaultOn(kept: Map<string, string>, problem: string | null = null): ShellVault {
  const vault: ShellVault = new ShellVault({
    protection: 'encrypted by a test',
    send: (message) => {
      const { id, verb, name, value } = message as Extract<ToShell, { type: 'vault.ask' }>;
      if (verb === 'set' && value !== null) kept.set(name, value);
      if (verb === 'delete') kept.delete(name);
      const answer = verb === 'get' ? (kept.get(name) ?? null) : null;
      queueMicrotask(() => vault.answer({ type: 'vault.answer', id, value: answer, problem }));
    },
  });
  return vault;
}

describe('the vault of the main process', () => {
  test('keeps, gives back and forgets', async () => {
    const vault = vaultOn(new Map());
    expect(await vault.get('a')).toBeUndefined();
    await vault.set('a', '1');
    expect(await vault.get('a')).toBe('1');
    await vault.delete('a');
    expect(await vault.get('a')).toBeUndefined();
  });

  test('says what the keychain said, and what to do', async () => {
    await expect(vaultOn(new Map(), 'it is locked').get('a')).rejects.toThrow(/it is locked\. Unlock it/);
  });

  test('takes over what a file held before, once; what it has itself is newer', async () => {
    const file = new FileVault(home);
    await file.set('aws:dev', 'of the file');
    await file.set('aws:prod', 'old');
    const kept = new Map([['aws:prod', 'new']]);
    const vault = vaultOn(kept);
    expect((await moveSecrets(file, vault)).sort()).toEqual(['aws:dev', 'aws:prod']);
    expect(Object.fromEntries(kept)).toEqual({ 'aws:dev': 'of the file', 'aws:prod': 'new' });
    expect(await file.names()).toEqual([]);
    expect(await moveSecrets(file, vault)).toEqual([]);
    const path = join(home, 'credentials.json');
    expect(existsSync(path) && readFileSync(path, 'utf8').includes('of the file')).toBe(false);
  });

  test('a vault that does not keep what it was given costs the file nothing', async () => {
    const file = new FileVault(home);
    await file.set('aws:dev', 'precious');
    const forgetful = vaultOn(
      new (class extends Map<string, string> {
        override set(): this {
          return this;
        }
      })(),
    );
    expect(await moveSecrets(file, forgetful)).toEqual([]);
    expect(await file.get('aws:dev')).toBe('precious');
  });
});
