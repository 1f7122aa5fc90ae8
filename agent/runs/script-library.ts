/**
 * Scripts stored on this machine, for task inputs and `include` steps that name one: files
 * `scripts/<name>@<version>.json`, or `scripts/<name>.json` for a script without versions.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, sep } from 'node:path';
import { AgentError, messageOf } from '../base/errors.ts';

const REFERENCE = /^(?<name>[\w][\w .-]{0,127})(?:@(?<version>[\w][\w.-]{0,63}))?$/;

export interface StoredScript {
  name: string;
  version: string | null;
  file: string;
}

export class ScriptLibrary {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws AgentError when the folder is there and cannot be read */
  list(): StoredScript[] {
    let files: string[];
    try {
      files = readdirSync(this.#folder, { recursive: true, encoding: 'utf8' });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw new AgentError(
        'BrowserAgent.Internal',
        `The folder of stored scripts cannot be read: ${messageOf(thrown)}. Check its permissions.`,
        { cause: thrown },
      );
    }
    return files
      .filter((file) => file.endsWith('.json'))
      .map((file) => {
        const match = REFERENCE.exec(file.slice(0, -'.json'.length));
        return {
          name: match?.groups?.['name'] ?? file,
          version: match?.groups?.['version'] ?? null,
          file: join(this.#folder, file),
        };
      })
      .sort((a, b) => a.file.localeCompare(b.file, 'en', { numeric: true }));
  }

  /**
   * The text of a stored script. `reference` is `name`, `name@version` or a file inside the folder; a
   * name without a version means the script without one, else its highest version.
   *
   * @throws AgentError BrowserAgent.InvalidInput when there is none, or it is outside the folder
   */
  read(reference: string): string {
    const file = this.#find(reference);
    if (file !== undefined) {
      let inside: boolean;
      try {
        inside = realpathSync(file).startsWith(realpathSync(this.#folder) + sep);
      } catch {
        inside = false;
      }
      if (inside) return readFileSync(file, 'utf8');
    }
    const known = this.list().map((script) => script.name + (script.version ? `@${script.version}` : ''));
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `there is no stored script ${JSON.stringify(reference)} in ${this.#folder}. ${
        known.length > 0
          ? `Stored are: ${known.slice(0, 20).join(', ')}.`
          : 'The folder holds no scripts yet.'
      } Put the script there as ${JSON.stringify(`${reference.replace(/\.json$/, '')}.json`)}, or name a stored one.`,
    );
  }

  /** Whether there is exactly this script: a name without a version means the one without, not the highest. */
  has(reference: string): boolean {
    return statSync(this.#fileOf(reference), { throwIfNoEntry: false })?.isFile() === true;
  }

  /**
   * Stores a script under exactly this `name` or `name@version`, whole or not at all. @returns whether it is new
   *
   * @throws AgentError BrowserAgent.InvalidInput for what is no such name
   */
  write(reference: string, text: string): boolean {
    const file = this.#fileOf(reference);
    const isNew = !this.has(reference);
    mkdirSync(this.#folder, { recursive: true });
    const draft = join(this.#folder, `.${basename(file)}.${process.pid}.new`);
    try {
      writeFileSync(draft, text);
      renameSync(draft, file);
    } catch (thrown) {
      rmSync(draft, { force: true });
      throw thrown;
    }
    return isNew;
  }

  /** @returns false when there is no such script */
  remove(reference: string): boolean {
    if (!this.has(reference)) return false;
    rmSync(this.#fileOf(reference));
    return true;
  }

  #fileOf(reference: string): string {
    if (REFERENCE.test(reference) && !/\.json$|[ .]$/i.test(reference)) {
      return join(this.#folder, `${reference}.json`);
    }
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `${JSON.stringify(reference)} is no name for a stored script. Use "name" or "name@version": letters, digits, _ . - and, in the name, spaces.`,
    );
  }

  #find(reference: string): string | undefined {
    if (reference.endsWith('.json')) return join(this.#folder, reference);
    const match = REFERENCE.exec(reference);
    if (!match) return undefined;
    const { name, version } = match.groups as { name: string; version?: string };
    const candidates = this.list().filter((script) => script.name === name);
    if (version !== undefined) return candidates.find((script) => script.version === version)?.file;
    return (candidates.find((script) => script.version === null) ?? candidates.at(-1))?.file;
  }
}
