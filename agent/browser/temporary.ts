import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { uuidv7 } from 'uuidv7';
import { z } from 'zod';
import { messageOf } from '../base/errors.ts';
import { readJsonFile } from '../base/json.ts';
import type { Logger } from '../base/log.ts';
import type { Processes } from './processes.ts';

/** A folder that is gone when its user is. */
export interface TemporaryFolder {
  dir: string;
  remove(): Promise<void>;
}

const OWNER_FILE = 'lba-owner.json';
const ownerSchema = z.object({ pid: z.number().int(), started: z.string() });

/** A folder is made a moment before its owner is written into it: younger ones without owner are left alone. */
const UNOWNED_AGE_MS = 60_000;

/** On Windows a file stays locked for a moment after its process has ended. */
const REMOVE_RETRIES = 10;
const REMOVE_RETRY_DELAY_MS = 100;

/** Throw-away folders below one folder of the data directory, each marked with the process it belongs to. */
export class TemporaryFolders {
  readonly #folder: string;
  readonly #processes: Pick<Processes, 'self' | 'isAlive'>;
  readonly #log: Logger;

  constructor(folder: string, processes: Pick<Processes, 'self' | 'isAlive'>, log: Logger) {
    this.#folder = resolve(folder);
    this.#processes = processes;
    this.#log = log;
  }

  create(): TemporaryFolder {
    const dir = join(this.#folder, uuidv7());
    // Readable by this user only: pages and cookies are in there.
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, OWNER_FILE), JSON.stringify(this.#processes.self));
    return { dir, remove: () => this.#remove(dir) };
  }

  /** Removes the folders of processes that are gone; at start, after their browsers have been ended. */
  async removeAbandoned(): Promise<number> {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.#log.warn({ dir: this.#folder }, `cannot look for temporary folders: ${messageOf(thrown)}`);
      }
      return 0;
    }
    let removed = 0;
    for (const name of names) {
      const dir = join(this.#folder, name);
      if (!(await this.#abandoned(dir))) continue;
      await this.#remove(dir);
      removed += 1;
    }
    return removed;
  }

  async #abandoned(dir: string): Promise<boolean> {
    try {
      const owner = readJsonFile(join(dir, OWNER_FILE), ownerSchema);
      return !(await this.#processes.isAlive(owner));
    } catch {
      return Date.now() - (statSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? 0) > UNOWNED_AGE_MS;
    }
  }

  /** Never throws: what cannot be removed now is removed at the next start. */
  async #remove(dir: string): Promise<void> {
    try {
      await removeFolder(dir);
    } catch (thrown) {
      this.#log.warn({ dir }, `cannot remove a temporary folder: ${messageOf(thrown)}`);
    }
  }
}

export function removeFolder(dir: string): Promise<void> {
  return rm(dir, {
    recursive: true,
    force: true,
    maxRetries: REMOVE_RETRIES,
    retryDelay: REMOVE_RETRY_DELAY_MS,
  });
}
