/**
 * Where credentials are kept. The desktop replaces this by the operating system's keychain; a headless
 * agent has none, and keeps them in a file that only its user may read.
 */
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError, messageOf } from '../base/errors.ts';
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

/** `credentials.json` in the data directory. Not encrypted: whoever is this user, or root, can read it. */
export class FileVault implements Vault {
  readonly protection =
    platform() === 'win32'
      ? 'a file, not encrypted, protected by the permissions of the data directory'
      : 'a file, not encrypted, readable by this user alone (mode 0600)';
  readonly #path: string;

  constructor(home: string) {
    this.#path = join(home, 'credentials.json');
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
    try {
      return contents.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch (thrown) {
      // The parser's own message would quote what it read.
      const why =
        thrown instanceof SyntaxError || thrown instanceof z.ZodError ? 'it is damaged' : messageOf(thrown);
      throw new AgentError(
        'BrowserAgent.Internal',
        `${this.#path} cannot be read: ${why}. Remove it and run \`local-browser-agent setup --env ENV\` again.`,
      );
    }
  }

  #write(values: Record<string, string>): void {
    writeFileAtomically(this.#path, `${JSON.stringify(values, null, 2)}\n`, OWNER_ONLY);
  }
}

function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}
