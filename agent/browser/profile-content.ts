/**
 * The list of what the agent carries from one user data directory to another: the data of sites, cookies, and a
 * few named preferences. It holds for exported files, imported files, copies of profiles and the profiles of the
 * earlier program. Everything else stays behind, because a user data directory also holds what a browser runs or
 * obeys: libraries, extensions, native messaging hosts, service workers, proxies, policies. The reasons for each
 * entry are in docs/profile-files.md. Paths are relative and have `/` between their parts.
 */
import { keptLocalState, keptPreferences, type Kept } from './profile-preferences.ts';

/** `file`: into or out of an exported file. `copy`: between two directories of this machine. */
export type Journey = 'file' | 'copy';

export interface Carried {
  /**
   * Checks a file and makes what is written of it. Absent: its bytes are written as they are.
   *
   * @throws Unfit
   */
  rewrite?: (content: Buffer) => Kept;
}

/** Why a file that has a name of the list is not carried. */
export class Unfit extends Error {}

/**
 * Maximum size of a file that is read into memory to be checked. Preferences of a browser with many extensions
 * have 1 MB.
 */
export const MAX_CHECKED_BYTES = 16_000_000;

type Segment = string | RegExp;

interface Rule extends Carried {
  path: readonly Segment[];
  /** Absent: both. */
  only?: Journey;
}

/** The agent starts browsers on this profile of a user data directory. */
const PROFILE = 'Default';

/** LevelDB opens whatever this file names, so that the name must be one of its own. */
const CURRENT = /^MANIFEST-\d{6,12}\n$/;
/** Tables, write-ahead logs and manifests. LOG and LOCK are not data: LevelDB writes them, and LOG has paths. */
const LEVELDB_FILE = /^(?:MANIFEST-\d{6,12}|\d{6,12}\.(?:ldb|sst|log))$/;

/** Folders of web sites by origin: the browser's own pages, extensions and `file:` have no sign-ins to keep. */
const SITE_LEVELDB = /^https?_[a-z0-9._-]{1,200}_\d{1,5}\.indexeddb\.leveldb$/;
const SITE_BLOBS = /^https?_[a-z0-9._-]{1,200}_\d{1,5}\.indexeddb\.blob$/;
const SITE_SQLITE = /^https?_[a-z0-9._-]{1,200}_\d{1,5}$/;
/** IndexedDB names a SQLite database by a hash of its name, and one without a name `0`. */
const DATABASE = /^(?:0|[A-Z2-7]{52})$/;
const DATABASE_WAL = /^(?:0|[A-Z2-7]{52})-wal$/;
/** Blobs that were moved from LevelDB. */
const DATABASE_BLOBS = /^(?:0|[A-Z2-7]{52})_$/;
const HEX = /^[0-9a-f]{1,16}$/;

function levelDb(...folder: Segment[]): Rule[] {
  return [
    { path: [PROFILE, ...folder, 'CURRENT'], rewrite: checkedCurrent },
    { path: [PROFILE, ...folder, LEVELDB_FILE] },
  ];
}

/** A SQLite database, with what belongs to it while a browser has it open. */
function sqlite(database: Segment, wal: Segment, ...folder: Segment[]): Rule[] {
  return [{ path: [PROFILE, ...folder, database] }, { path: [PROFILE, ...folder, wal], only: 'copy' }];
}

/** Cookies go into a file as text: on Windows and macOS this database opens on the machine that made it alone. */
function cookies(...folder: Segment[]): Rule[] {
  return [
    { path: [PROFILE, ...folder, 'Cookies'], only: 'copy' },
    { path: [PROFILE, ...folder, 'Cookies-journal'], only: 'copy', rewrite: checkedJournal },
  ];
}

/** Chromium has a LevelDB and a SQLite form of local storage and of IndexedDB, and moves from one to the other. */
const RULES: readonly Rule[] = [
  ...cookies(),
  // On Windows.
  ...cookies('Network'),
  ...levelDb('Local Storage', 'leveldb'),
  ...sqlite('LocalStorage', 'LocalStorage-wal'),
  ...levelDb('IndexedDB', SITE_LEVELDB),
  { path: [PROFILE, 'IndexedDB', SITE_BLOBS, HEX, /^[0-9a-f]{2}$/, HEX] },
  ...sqlite(DATABASE, DATABASE_WAL, 'IndexedDB', SITE_SQLITE),
  { path: [PROFILE, 'IndexedDB', SITE_SQLITE, DATABASE_BLOBS, HEX] },
  { path: [PROFILE, 'Preferences'], rewrite: keptPreferences },
  { path: ['Local State'], only: 'copy', rewrite: keptLocalState },
];

/** @returns how a file is carried; null: it stays behind */
export function carried(path: string, journey: Journey): Carried | null {
  const parts = path.split('/');
  const rule = RULES.find(
    (rule) => (rule.only ?? journey) === journey && rule.path.length === parts.length && matches(rule, parts),
  );
  if (rule === undefined) return null;
  return rule.rewrite === undefined ? {} : { rewrite: rule.rewrite };
}

/** Whether a directory can hold something that is carried. */
export function mayHoldCarried(path: string, journey: Journey): boolean {
  const parts = path === '' ? [] : path.split('/');
  return RULES.some(
    (rule) => (rule.only ?? journey) === journey && rule.path.length > parts.length && matches(rule, parts),
  );
}

function matches(rule: Rule, parts: readonly string[]): boolean {
  return parts.every((part, at) => {
    const segment = rule.path[at]!;
    return typeof segment === 'string' ? segment === part : segment.test(part);
  });
}

function checkedCurrent(content: Buffer): Kept {
  if (CURRENT.test(content.toString('latin1'))) return { content, leftOut: 0 };
  throw new Unfit('CURRENT must name a manifest in its own folder');
}

/** Ends the record of a rollback journal that names another file, which SQLite would read and delete. */
const JOURNAL_MAGIC = Buffer.from('d9d505f920a163d7', 'hex');

/** Chromium never writes one transaction to several databases, so that its journals have no such record. */
function checkedJournal(content: Buffer): Kept {
  if (content.length <= JOURNAL_MAGIC.length || !content.subarray(-8).equals(JOURNAL_MAGIC)) {
    return { content, leftOut: 0 };
  }
  throw new Unfit('it names another file');
}
