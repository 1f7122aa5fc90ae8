/** Copies what a profile consists of from one user data directory to another on this machine. */
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, open, readdir, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AgentError } from '../base/errors.ts';
import {
  carried,
  MAX_CHECKED_BYTES,
  mayHoldCarried,
  Unfit,
  type Carried,
  type Journey,
} from './profile-content.ts';

/** A plain file of a user data directory that is carried, open for reading until the next one is asked for. */
export interface CarriedFile extends Carried {
  /** Relative, with `/` between its parts. */
  path: string;
  handle: FileHandle;
  /** Its whole content, checked; undefined where the bytes are taken as they are. */
  checked?: Buffer;
}

/**
 * Copies a profile by the list of profile-content.ts, by reference where the file system can. Other users may not
 * read the copy.
 *
 * @throws AgentError ProfileBusy, BrowserUnavailable
 */
export async function copyUserDataDir(from: string, to: string): Promise<void> {
  try {
    await mkdir(to, { recursive: true, mode: 0o700 });
    for await (const { path, handle, checked } of carriedFiles(from, 'copy')) {
      const target = join(to, ...path.split('/'));
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      if (checked !== undefined) {
        await writeFile(target, checked, { flag: 'wx', mode: 0o600 });
        continue;
      }
      await copyFile(
        pathOf(handle, join(from, ...path.split('/'))),
        target,
        // Only a new file: never through a link that is there.
        constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE,
      );
      await chmod(target, 0o600);
    }
  } catch (thrown) {
    throw notCopied(from, thrown);
  }
}

/** Every file that is carried, in a stable order. Links are not followed. */
export async function* carriedFiles(dir: string, journey: Journey): AsyncGenerator<CarriedFile> {
  for await (const { path, isFile } of entriesOf(dir, (folder) => mayHoldCarried(folder, journey))) {
    const how = isFile ? carried(path, journey) : null;
    if (how === null) continue;
    const handle = await openPlain(join(dir, ...path.split('/')));
    if (handle === null) continue;
    try {
      if (how.rewrite === undefined) {
        yield { path, handle, ...how };
      } else {
        const checked = await checkedContent(handle, how.rewrite);
        if (checked !== null) yield { path, handle, ...how, checked };
      }
    } finally {
      await handle.close();
    }
  }
}

/** Everything but directories; `isFile` is false for links, sockets and the like. */
async function* entriesOf(
  dir: string,
  enters: (path: string) => boolean,
  below = '',
): AsyncGenerator<{ path: string; isFile: boolean }> {
  let entries;
  try {
    entries = await readdir(join(dir, ...below.split('/')), { withFileTypes: true });
  } catch (thrown) {
    // A browser at work removes folders.
    if (below !== '' && codeOf(thrown) === 'ENOENT') return;
    throw thrown;
  }
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (!entry.isDirectory()) yield { path, isFile: entry.isFile() };
    else if (enters(path)) yield* entriesOf(dir, enters, path);
  }
}

/**
 * Opens a plain file for reading; what became a link or a pipe since it was listed is neither followed nor waited
 * for. @returns null for those, and for what is gone
 */
async function openPlain(path: string): Promise<FileHandle | null> {
  let handle: FileHandle;
  try {
    // Windows has neither flag.
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants as Partial<typeof constants>;
    handle = await open(path, O_RDONLY! | O_NOFOLLOW | O_NONBLOCK);
  } catch (thrown) {
    if (['ENOENT', 'ELOOP', 'ENXIO'].includes(codeOf(thrown))) return null;
    throw thrown;
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  return null;
}

async function checkedContent(
  handle: FileHandle,
  rewrite: NonNullable<Carried['rewrite']>,
): Promise<Buffer | null> {
  if ((await handle.stat()).size > MAX_CHECKED_BYTES) return null;
  try {
    return rewrite(await handle.readFile()).content;
  } catch (thrown) {
    if (thrown instanceof Unfit) return null;
    throw thrown;
  }
}

/** On Linux the very file that was opened and checked, whatever its path leads to by now. */
function pathOf(handle: FileHandle, path: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path;
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
}

function notCopied(from: string, thrown: unknown): AgentError {
  const code = codeOf(thrown);
  // On Windows, Chrome opens its cookies exclusively.
  const isOpen = code === 'EBUSY' || code === 'EPERM';
  return new AgentError(
    isOpen ? 'BrowserAgent.ProfileBusy' : 'BrowserAgent.BrowserUnavailable',
    isOpen
      ? `The profile directory ${from} cannot be copied while a browser has it open. Wait for that run to end, or give parallel runs profiles of their own.`
      : `The profile directory ${from} could not be copied (${code}). Check the free disk space and the permissions.`,
    { cause: thrown },
  );
}
