/** Looks through folders for what the earlier program keeps in them. Reads no file, follows no link. */
import { readdirSync, statSync, type Dirent } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { AgentError } from '../base/errors.ts';

export interface Found {
  /** `config.yaml` and `config.yml`. */
  configs: string[];
  /** `profiles.json`; the folders beside it are browser profiles, and not looked into. */
  profileLists: string[];
  /** Other JSON files: scripts, perhaps. Those nearer to the top first. */
  jsonFiles: string[];
  /** Browser profiles that stand in no `profiles.json`. */
  looseProfiles: string[];
  /** Whether {@link MAX_FILES} was reached. */
  cut: boolean;
}

/** The program's own tree is four deep, and a person may have put that into a folder or two. */
const MAX_DEPTH = 6;
/** More than any collection of scripts; a wrong folder, such as a home directory, ends here. */
const MAX_FILES = 2_000;

/** Folders of the earlier program that hold nothing of the person's. */
const PASSED_OVER = new Set([
  '.git',
  '.venv',
  'venv',
  'node_modules',
  'python-envs',
  'uv-cache',
  '__pycache__',
  'logs',
  'recordings',
]);
/** The same in its sources, which are told by the first of them; elsewhere a person may have named theirs so. */
const OF_SOURCES = new Set(['src-tauri', 'deployment-package', 'ui', 'target', 'dist', 'schemas']);
/** JSON that says what it is by its name. */
const NO_SCRIPT = /^(package|package-lock|tsconfig.*|tauri\.conf|manifest|api|credentials)\.json$/i;

/**
 * @param own folders of this agent's own data, which may lie in the same folder
 * @throws AgentError InvalidInput when a folder is none
 */
export function findEarlier(folders: readonly string[], own: readonly string[]): Found {
  const found: Found = { configs: [], profileLists: [], jsonFiles: [], looseProfiles: [], cut: false };
  const passed = new Set(own.map((folder) => resolve(folder)));
  const seen = new Set<string>();
  for (const folder of folders) {
    const top = resolve(folder);
    if (statSync(top, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new AgentError(
        'BrowserAgent.InvalidInput',
        `${folder} is no folder. Name the folder that has the earlier program's config.yaml or its browser-profiles.`,
      );
    }
    look(top, { found, passed, seen });
  }
  return found;
}

function look(top: string, state: { found: Found; passed: Set<string>; seen: Set<string> }): void {
  const { found, passed, seen } = state;
  let files = 0;
  // Breadth first: of two scripts with one name the nearer one has it.
  const waiting = [{ dir: top, depth: 0 }];
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { dir, depth } = next;
    if (seen.has(dir) || passed.has(dir)) continue;
    seen.add(dir);
    const entries = listed(dir);
    const names = new Set(entries.map(({ name }) => name));
    if (isBrowserProfile(names) && dir !== top) {
      found.looseProfiles.push(dir);
      continue;
    }
    for (const entry of entries) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) {
        if (names.has('profiles.json')) continue;
        if (PASSED_OVER.has(entry.name)) continue;
        if (names.has('src-tauri') && OF_SOURCES.has(entry.name)) continue;
        if (depth < MAX_DEPTH) waiting.push({ dir: path, depth: depth + 1 });
      } else if (entry.isFile()) {
        if (!/\.(json|ya?ml)$/i.test(entry.name)) continue;
        if (files >= MAX_FILES) {
          found.cut = true;
          return;
        }
        files += 1;
        sort(path, found);
      }
    }
  }
}

function sort(path: string, found: Found): void {
  const name = basename(path).toLowerCase();
  if (name === 'config.yaml' || name === 'config.yml') found.configs.push(path);
  else if (name === 'profiles.json') found.profileLists.push(path);
  else if (name.endsWith('.json') && !NO_SCRIPT.test(name)) found.jsonFiles.push(path);
}

/** A Chromium user data directory, or a profile inside one. */
function isBrowserProfile(names: ReadonlySet<string>): boolean {
  return names.has('Local State') || (names.has('Preferences') && names.has('History'));
}

/** Folders of browser profiles beside a list that the list does not name. */
export function unlisted(profileList: string, listedDirs: readonly string[]): string[] {
  const folder = dirname(profileList);
  const known = new Set(listedDirs.map((dir) => resolve(dir)));
  return listed(folder)
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name))
    .filter((dir) => !known.has(dir) && isBrowserProfile(new Set(listed(dir).map(({ name }) => name))));
}

/** In the order of their names, so that an import does the same every time. */
function listed(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}
