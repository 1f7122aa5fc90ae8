/** Limits of profile files, for what is written and for what is read, and the errors that name them. */
import { AgentError } from '../base/errors.ts';

/** Entries of a file that are looked at, carried or not: as many as the ZIP format of earlier versions can count. */
export const MAX_ENTRIES = 65_535;
/** Files that are carried, with room below {@link MAX_ENTRIES}. A profile of many portals has some 2,000. */
export const MAX_FILES = 50_000;
/** Bytes of an entry's name. The longest on the list has an origin of 200 letters. */
export const MAX_NAME_BYTES = 1_024;
/**
 * How many times its compressed size the content may have, from {@link RATIO_FROM_BYTES} on. DEFLATE reaches 1,032
 * for zeros; databases of real sites stay below 20.
 */
export const MAX_RATIO = 200;
/** Small files may compress well: an empty SQLite database is nearly all zeros, and a site may store 10 MB of them. */
export const RATIO_FROM_BYTES = 64_000_000;

export const BYTES_PER_MB = 1_000_000;

/** More than the limit, in a file that is read or a profile that is written. */
export function tooMuch(what: string, maxBytes: number): AgentError {
  return new AgentError(
    'BrowserAgent.InvalidInput',
    `${what} more than ${(maxBytes / BYTES_PER_MB).toLocaleString('en')} MB. If it is meant to be this large, raise the setting browser.max_profile_mb and try again.`,
  );
}

const DISK_PROBLEMS = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'EMFILE', 'ENFILE']);

/** An error of the disk as one that a person can act on; null for any other. */
export function diskError(thrown: unknown): AgentError | null {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (!DISK_PROBLEMS.has(code)) return null;
  return new AgentError(
    'BrowserAgent.BrowserUnavailable',
    `A profile file could not be read or written (${code}). Check the free space and the permissions of the data directory.`,
    { cause: thrown },
  );
}
