/**
 * Where credentials are kept. The desktop replaces this by the operating system's keychain; a headless
 * agent has none, and keeps them in a file that only its user may read, encrypted where it is given a passphrase.
 */
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError, messageOf } from '../base/errors.ts';
import { parseJson, readJsonFile, type JsonError } from '../base/json.ts';
import { Sealer, sealedSchema, WrongPassphrase } from './sealed.ts';
import { writeFileAtomically } from './settings-file.ts';

export interface Vault {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  delete(name: string): Promise<void>;
  /** How what is kept is protected, for people. */
  readonly protection: string;
}

/** Read and written by the owner alone. */
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

const contents = z.record(z.string(), z.string());

const PASSPHRASE = 'LBA_VAULT_PASSPHRASE';
const PASSPHRASE_FILE = 'LBA_VAULT_PASSPHRASE_FILE';

/**
 * The vault of an agent without a desktop: `credentials.json`, sealed where `LBA_VAULT_PASSPHRASE` or the file that
 * `LBA_VAULT_PASSPHRASE_FILE` names has a passphrase. What an earlier start left there in the clear is sealed at once.
 *
 * @throws AgentError BrowserAgent.InvalidInput when the file with the passphrase cannot be read, or is empty
 */
export function openFileVault(home: string, env: NodeJS.ProcessEnv): FileVault {
  const passphrase = passphraseOf(env);
  const vault = new FileVault(home, passphrase === undefined ? {} : { passphrase });
  vault.sealWhatIsOpen();
  return vault;
}

function passphraseOf(env: NodeJS.ProcessEnv): string | undefined {
  const given = env[PASSPHRASE];
  if (given) return given;
  const path = env[PASSPHRASE_FILE];
  if (!path) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (thrown) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `the passphrase cannot be read: ${messageOf(thrown)}. ${PASSPHRASE_FILE} must name a file with nothing but the passphrase.`,
    );
  }
  if (text !== '') return text;
  throw new AgentError(
    'BrowserAgent.InvalidInput',
    `${path}, which ${PASSPHRASE_FILE} names, is empty: write the passphrase into it.`,
  );
}

/** `credentials.json` in the data directory. Without a passphrase whoever is this user, or root, can read it. */
export class FileVault implements Vault {
  readonly protection: string;
  readonly #path: string;
  readonly #sealer: Sealer | undefined;

  constructor(home: string, { passphrase }: { passphrase?: string } = {}) {
    this.#path = join(home, 'credentials.json');
    this.#sealer = passphrase === undefined ? undefined : new Sealer(passphrase);
    this.protection = this.#sealer
      ? 'a file, encrypted with the passphrase'
      : platform() === 'win32'
        ? 'a file, not encrypted, protected by the permissions of the data directory'
        : 'a file, not encrypted, readable by this user alone (mode 0600)';
  }

  /** With a passphrase: what is there in the clear. */
  sealWhatIsOpen(): void {
    if (!this.#sealer || !existsSync(this.#path)) return;
    const there = this.#parse();
    if (!isSealed(there)) this.#write(this.#contents(there));
  }

  get(name: string): Promise<string | undefined> {
    return attempt(() => this.#read()[name]);
  }

  set(name: string, value: string): Promise<void> {
    return attempt(() => this.#write({ ...this.#read(), [name]: value }));
  }

  delete(name: string): Promise<void> {
    return attempt(() => {
      const { [name]: removed, ...rest } = this.#read();
      if (removed !== undefined) this.#write(rest);
    });
  }

  names(): Promise<string[]> {
    return attempt(() => Object.keys(this.#read()));
  }

  #read(): Record<string, string> {
    if (!existsSync(this.#path)) return {};
    // A file copied or restored with wider permissions is narrowed before it is used.
    if (platform() !== 'win32' && (statSync(this.#path).mode & OTHERS) !== 0) {
      chmodSync(this.#path, OWNER_ONLY);
    }
    return this.#contents(this.#parse());
  }

  #parse(): unknown {
    try {
      return readJsonFile(this.#path, z.unknown());
    } catch (thrown) {
      const { fault, cause } = thrown as JsonError;
      throw this.#unreadable(fault === 'syntax' ? DAMAGED : messageOf(cause));
    }
  }

  #contents(there: unknown): Record<string, string> {
    if (!isSealed(there)) {
      const read = contents.safeParse(there);
      if (read.success) return read.data;
      throw this.#unreadable(DAMAGED);
    }
    const sealed = sealedSchema.safeParse(there);
    if (!sealed.success) throw this.#unreadable(DAMAGED);
    if (!this.#sealer) {
      throw new AgentError(
        'BrowserAgent.InvalidInput',
        `${this.#path} is encrypted: set ${PASSPHRASE}, or ${PASSPHRASE_FILE} to a file with the passphrase.`,
      );
    }
    try {
      return parseJson(this.#sealer.open(sealed.data), contents, this.#path);
    } catch (thrown) {
      if (!(thrown instanceof WrongPassphrase)) throw this.#unreadable(DAMAGED);
      throw new AgentError(
        'BrowserAgent.InvalidInput',
        `${this.#path} cannot be opened: ${thrown.message}. Give the passphrase that it was written with; if that is lost, remove the file and run \`local-browser-agent setup\` again.`,
      );
    }
  }

  #write(values: Record<string, string>): void {
    const there = this.#sealer && existsSync(this.#path) ? sealedSchema.safeParse(this.#parse()) : undefined;
    const written = this.#sealer ? this.#sealer.seal(JSON.stringify(values), there?.data) : values;
    writeFileAtomically(this.#path, `${JSON.stringify(written, null, 2)}\n`, OWNER_ONLY);
  }

  #unreadable(why: string): AgentError {
    return new AgentError(
      'BrowserAgent.Internal',
      `${this.#path} cannot be read: ${why}. Remove it and run \`local-browser-agent setup --env ENV\` again.`,
    );
  }
}

const DAMAGED = 'it is damaged';

/** Names in a vault have a colon in them, so none is called this. */
function isSealed(there: unknown): boolean {
  return typeof there === 'object' && there !== null && Object.hasOwn(there, 'format');
}

function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}
