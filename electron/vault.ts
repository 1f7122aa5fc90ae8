/**
 * Credentials, encrypted by the operating system (Keychain, DPAPI, Secret Service or KWallet) through
 * Electron's safeStorage, in `vault.json` of the data directory. Where the system protects nothing, the agent
 * keeps them itself in a file, as it does without a desktop, and this says so.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SafeStorage } from 'electron';
import { z } from 'zod';
import { messageOf } from '../agent/base/errors.ts';
import { readJsonFile } from '../agent/base/json.ts';
import { replaceFile } from '../agent/base/replace-file.ts';
import type { ToShell } from '../agent/base/shell-messages.ts';
import type { VaultProtection } from '../renderer/src/bridge.ts';

type Ask = Extract<ToShell, { type: 'vault.ask' }>;

/** As Electron has it, from 25 on: the asynchronous functions came later. */
export type Storage = Pick<SafeStorage, 'isEncryptionAvailable' | 'encryptString' | 'decryptString'> &
  Partial<
    Pick<
      SafeStorage,
      'encryptStringAsync' | 'decryptStringAsync' | 'isAsyncEncryptionAvailable' | 'getSelectedStorageBackend'
    >
  >;

const KEYCHAINS: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'the Keychain of macOS',
  win32: 'the data protection of Windows, for this user account',
  linux: 'the keyring of this desktop',
};

export class KeptVault implements VaultProtection {
  readonly protection: string;
  readonly isProtected: boolean;
  readonly #storage: Storage;
  readonly #path: string;
  /** One change after the other: each writes the whole file. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(storage: Storage, path: string, isProtected: boolean) {
    this.#storage = storage;
    this.#path = path;
    this.isProtected = isProtected;
    this.protection = isProtected
      ? `encrypted by ${KEYCHAINS[process.platform] ?? 'the operating system'}`
      : unprotected(existsSync(path));
  }

  /** Asks the operating system what it protects; on macOS it may ask the person. */
  static async open(storage: Storage, path: string): Promise<KeptVault> {
    const isAvailable = storage.isAsyncEncryptionAvailable
      ? await storage.isAsyncEncryptionAvailable()
      : storage.isEncryptionAvailable();
    const isReal = process.platform !== 'linux' || storage.getSelectedStorageBackend?.() !== 'basic_text';
    return new KeptVault(storage, path, isAvailable && isReal);
  }

  /** @returns with `get` the value; null: there is none */
  answer({ verb, name, value }: Ask): Promise<string | null> {
    const answered = this.#queue.then(() => {
      if (verb === 'get') return this.#get(name);
      return this.#put(name, verb === 'set' ? value : null);
    });
    this.#queue = answered.catch(() => undefined);
    return answered;
  }

  async #get(name: string): Promise<string | null> {
    const kept = this.#read()[name];
    if (kept === undefined) return null;
    const bytes = Buffer.from(kept, 'base64');
    if (!this.#storage.decryptStringAsync) return this.#storage.decryptString(bytes);
    return (await this.#storage.decryptStringAsync(bytes)).result;
  }

  async #put(name: string, value: string | null): Promise<null> {
    const { [name]: _before, ...rest } = this.#read();
    this.#write(value === null ? rest : { ...rest, [name]: await this.#encrypted(value) });
    return null;
  }

  async #encrypted(value: string): Promise<string> {
    const bytes = this.#storage.encryptStringAsync
      ? await this.#storage.encryptStringAsync(value)
      : this.#storage.encryptString(value);
    return bytes.toString('base64');
  }

  #read(): Record<string, string> {
    if (!existsSync(this.#path)) return {};
    try {
      return readJsonFile(this.#path, z.record(z.string(), z.string()));
    } catch (thrown) {
      throw new Error(`${messageOf(thrown)}. Remove the file, and set the app up again.`, { cause: thrown });
    }
  }

  #write(values: Record<string, string>): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    const draft = `${this.#path}.${process.pid}.new`;
    writeFileSync(draft, `${JSON.stringify(values, null, 2)}\n`, { mode: 0o600 });
    replaceFile(draft, this.#path);
  }
}

function unprotected(isInUse: boolean): string {
  const words =
    'not protected: this system offers the app no keychain (GNOME Keyring or KWallet), so credentials are kept in a file that is not encrypted and that only this user may read';
  return isInUse
    ? `${words}. What the keychain held before cannot be read now: unlock it and start the app again`
    : words;
}
