/**
 * Unpacks the plain content of a profile file, which may come from anybody. The directory of the ZIP archive is
 * checked first; then only what is on the list of profile-content.ts is decompressed, one entry at a time, straight
 * to disk. What is not on the list is counted and never touched. What no honest file holds refuses the whole file.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { AgentError, messageOf } from '../base/errors.ts';
import { LeftOut } from './left-out.ts';
import { carried, MAX_CHECKED_BYTES, Unfit, type Carried } from './profile-content.ts';
import {
  diskError,
  MAX_ENTRIES,
  MAX_FILES,
  MAX_NAME_BYTES,
  MAX_RATIO,
  RATIO_FROM_BYTES,
  tooMuch,
} from './profile-limits.ts';
import { FILES, type ArchiveNotes } from './profile-pack.ts';

export interface Unpacked {
  notes: ArchiveNotes;
  leftOut: LeftOut;
}

/** An entry that is going to be read. */
interface Wanted {
  entry: Entry;
  name: string;
  /** Of the user data directory; null for a note. */
  file: ({ path: string } & Carried) | null;
}

/** Beside the files. */
export const NOTES = { facts: 'profile.json', state: 'storage-state.json' } as const;
const NOTE_NAMES: ReadonlySet<string> = new Set(Object.values(NOTES));

const STORED = 0;
const DEFLATED = 8;
/** Fixed part of the header before each entry's data. */
const LOCAL_HEADER_BYTES = 30;

/**
 * @param dir an empty folder that only this import uses
 * @throws AgentError InvalidInput, naming the entry; BrowserUnavailable for a full disk
 */
export async function unpack(zip: string, dir: string, maxBytes: number): Promise<Unpacked> {
  const archive = await reading(
    openPromise(zip, { lazyEntries: true, autoClose: false, decodeStrings: false }),
  );
  try {
    const leftOut = new LeftOut();
    const wanted = await choose(archive, leftOut);
    checkSizes(wanted, maxBytes);
    checkPlaces(wanted);
    const notes: ArchiveNotes = {};
    for (const each of wanted) {
      const { entry, name, file } = each;
      if (file !== null) leftOut.add('preferences', await extractFile(archive, each, file, dir));
      else notes[name] = (await whole(archive, entry, name)).toString('utf8');
    }
    return { notes, leftOut };
  } finally {
    archive.close();
  }
}

/** What the library says of an archive that it cannot read, as an error that a person can act on. */
async function reading<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    throw diskError(thrown) ?? broken(thrown);
  }
}

/** The entries to read, in the order of the archive. */
async function choose(archive: ZipFile, leftOut: LeftOut): Promise<Wanted[]> {
  if (archive.entryCount > MAX_ENTRIES) throw tooMany(MAX_ENTRIES, 'entries');
  const wanted: Wanted[] = [];
  const names = new Set<string>();
  const entries = archive.eachEntry();
  for (let next = await reading(entries.next()); next.done !== true; next = await reading(entries.next())) {
    const entry = next.value;
    const name = nameOf(entry);
    // Folders are made as they are needed.
    if (name.endsWith('/')) continue;
    const file = fileOf(name);
    if (file === null && !NOTE_NAMES.has(name)) {
      leftOut.addFile(name.startsWith(FILES) ? name.slice(FILES.length) : name);
      continue;
    }
    checkEntry({ entry, name, file });
    // No file system here may take two names for one.
    const folded = name.normalize('NFC').toLowerCase();
    if (names.has(folded)) throw refused(name, 'appears twice');
    names.add(folded);
    wanted.push({ entry, name, file });
    if (wanted.length > MAX_FILES) throw tooMany(MAX_FILES, 'files');
  }
  return wanted;
}

function fileOf(name: string): Wanted['file'] {
  if (!name.startsWith(FILES)) return null;
  const path = name.slice(FILES.length);
  const how = carried(path, 'file');
  return how && { path, ...how };
}

/** Relative and downwards on every platform, also where the entry is going to be left out. */
function nameOf(entry: Entry): string {
  const raw = entry.fileNameRaw;
  const name = raw.toString('utf8');
  if (raw.length > MAX_NAME_BYTES) throw refused(name, `has a name longer than ${MAX_NAME_BYTES} bytes`);
  // oxlint-disable-next-line no-control-regex -- those are the letters that are looked for
  if (!Buffer.from(name).equals(raw) || /[\u0000-\u001f\u007f\\:]/.test(name))
    throw refused(name, 'has letters that a name may not hold');
  const parts = name.replace(/\/$/, '').split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..'))
    throw refused(name, 'leads out of the profile');
  return name;
}

function checkEntry({ entry, name, file }: Wanted): void {
  if (entry.isEncrypted()) throw refused(name, 'is encrypted once more');
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
    throw refused(name, `is compressed in a way that no exported profile is (${entry.compressionMethod})`);
  if (isSpecial(entry)) throw refused(name, 'is a link or a device');
  const isReadWhole = file === null || file.rewrite !== undefined;
  if (isReadWhole && entry.uncompressedSize > MAX_CHECKED_BYTES)
    throw refused(name, `is larger than ${MAX_CHECKED_BYTES.toLocaleString('en')} bytes`);
}

/** A UNIX file type other than a plain file. Archives made elsewhere have none. */
function isSpecial({ versionMadeBy, externalFileAttributes }: Entry): boolean {
  const UNIX = 3;
  const TYPE_MASK = 0o170000;
  const PLAIN_FILE = 0o100000;
  if (versionMadeBy >> 8 !== UNIX) return false;
  const type = (externalFileAttributes >>> 16) & TYPE_MASK;
  return type !== 0 && type !== PLAIN_FILE;
}

function checkSizes(wanted: readonly Wanted[], maxBytes: number): void {
  const bytes = wanted.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
  const compressed = wanted.reduce((sum, { entry }) => sum + entry.compressedSize, 0);
  if (bytes > RATIO_FROM_BYTES && bytes > compressed * MAX_RATIO) {
    const largest = wanted.toSorted((a, b) => b.entry.uncompressedSize - a.entry.uncompressedSize)[0]!;
    throw refused(
      largest.name,
      `is the largest of a content that is more than ${MAX_RATIO} times as large as its compressed data`,
    );
  }
  if (bytes > maxBytes) throw tooMuch('The file was refused: it holds', maxBytes);
}

/** Entries with common data make a small archive large. */
function checkPlaces(wanted: readonly Wanted[]): void {
  let end = 0;
  for (const { entry, name } of wanted.toSorted(
    (a, b) => a.entry.relativeOffsetOfLocalHeader - b.entry.relativeOffsetOfLocalHeader,
  )) {
    const start = entry.relativeOffsetOfLocalHeader;
    if (start < end) throw refused(name, 'shares its data with another entry');
    end = start + LOCAL_HEADER_BYTES + entry.fileNameLength + entry.compressedSize;
  }
}

/** @returns how much of a checked file was left out */
async function extractFile(
  archive: ZipFile,
  { entry, name }: Wanted,
  { path, rewrite }: NonNullable<Wanted['file']>,
  dir: string,
): Promise<number> {
  const target = join(dir, ...path.split('/'));
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  // Only new files: never through a link that is there.
  if (rewrite === undefined) {
    const stream = await reading(archive.openReadStreamPromise(entry));
    try {
      await pipeline(stream, createWriteStream(target, { flags: 'wx', mode: 0o600 }));
    } catch (thrown) {
      throw diskError(thrown) ?? wrongData(name, thrown);
    }
    return 0;
  }
  const content = await whole(archive, entry, name);
  try {
    const kept = rewrite(content);
    await writeFile(target, kept.content, { flag: 'wx', mode: 0o600 });
    return kept.leftOut;
  } catch (thrown) {
    if (thrown instanceof Unfit) throw refused(name, `cannot be used: ${thrown.message}`);
    throw diskError(thrown) ?? thrown;
  }
}

/** The library ends a stream with an error at the first byte beyond the declared size. */
async function whole(archive: ZipFile, entry: Entry, name: string): Promise<Buffer> {
  const stream = await reading(archive.openReadStreamPromise(entry));
  try {
    return Buffer.concat(await stream.toArray());
  } catch (thrown) {
    throw diskError(thrown) ?? wrongData(name, thrown);
  }
}

function wrongData(name: string, thrown: unknown): AgentError {
  return refused(name, `has not the size or the form that it declares (${messageOf(thrown)})`, thrown);
}

/** Letters of a name that a message shows. */
const SHOWN_NAME_LENGTH = 120;

function refused(name: string, why: string, cause?: unknown): AgentError {
  // As JSON, so that no letter of it can write to a terminal.
  const shown = JSON.stringify(name.slice(0, SHOWN_NAME_LENGTH));
  return new AgentError(
    'BrowserAgent.InvalidInput',
    `The file was refused: the entry ${shown} ${why}. No exported profile has such an entry. Nothing was imported. Export the profile again with this program, or ask where the file comes from.`,
    cause === undefined ? {} : { cause },
  );
}

function tooMany(limit: number, what: string): AgentError {
  return new AgentError(
    'BrowserAgent.InvalidInput',
    `The file was refused: it holds more than ${limit.toLocaleString('en')} ${what}, more than any profile. Nothing was imported.`,
  );
}

function broken(thrown: unknown): AgentError {
  return new AgentError(
    'BrowserAgent.InvalidInput',
    `The file was refused: it is no archive of a profile (${messageOf(thrown)}). Nothing was imported. Export the profile again, or copy the file again.`,
    { cause: thrown },
  );
}
