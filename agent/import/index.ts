/**
 * Takes over what the earlier local-browser-agent (its `config.yaml`, `profiles.json` and scripts) has in
 * some folders. Reads there and never writes; here it only adds: what is here already stays, and the report
 * says so. So a second import does nothing new.
 */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { AgentError, messageOf } from '../base/errors.ts';
import { readEarlierConfig, type ConfigContext } from './config-file.ts';
import { findEarlier } from './find.ts';
import { FOR_EVERY_SCRIPT } from './meaning.ts';
import {
  configuredProfile,
  looseProfile,
  readEarlierProfiles,
  type ProfileContext,
} from './profiles-file.ts';
import {
  countsOf,
  type Finding,
  type ImportItem,
  type ImportReport,
  type Place,
  type Take,
} from './report.ts';
import { readEarlierScript, type ScriptContext } from './scripts.ts';

export { formatPlace, type ImportItem, type ImportReport, type ImportStatus, type Take } from './report.ts';

export interface ImportOptions {
  folders: readonly string[];
  /** Folders of this agent's own data: on Linux the earlier program's may be the same. */
  own: readonly string[];
  dryRun: boolean;
  /** Told before each change, e.g. for progress. */
  onTake?: (item: ImportItem) => void;
  /** Makes one change, and writes it down. */
  take: (take: Take) => Promise<unknown>;
  config: ConfigContext;
  profiles: ProfileContext;
  scripts: Omit<ScriptContext, 'knowsProfile'>;
}

/** A config.yaml or a list of profiles beyond this, in bytes, is not one. */
const MAX_FILE_BYTES = 1_048_576;

/** @throws AgentError InvalidInput when a folder is none, or has nothing of the earlier program in it */
export async function importEarlier(options: ImportOptions): Promise<ImportReport> {
  const { folders, own, dryRun, onTake, take } = options;
  const found = findEarlier(folders, own);
  const items: ImportItem[] = [];
  /** Profiles of this import, by name in lower case: in a dry run they are nowhere else. */
  const planned = new Map<string, { name: string; tags: string[] }>();
  const profiles: ProfileContext = {
    ...options.profiles,
    find: (name) => options.profiles.find(name) ?? planned.get(name.toLowerCase()),
  };

  const settle = async (findings: readonly Finding[]): Promise<void> => {
    for (const { item, take: change } of findings) items.push(await settled(item, change));
  };
  const settled = async (item: ImportItem, change: Take | undefined): Promise<ImportItem> => {
    if (change === undefined) return item;
    onTake?.(item);
    try {
      if (!dryRun) await take(change);
    } catch (thrown) {
      return { ...item, status: 'failed', as: null, message: messageOf(thrown) };
    }
    if (item.kind === 'profile' && item.as !== null) {
      planned.set(item.as.toLowerCase(), { name: item.as, tags: change.details['tags'] as string[] });
    }
    return item;
  };

  const configured: { dir: string; place: Place }[] = [];
  for (const file of found.configs) {
    const text = textOf(file, items);
    if (text === undefined) continue;
    const { findings, userDataDir } = readEarlierConfig(file, text, options.config);
    await settle(findings);
    if (userDataDir) configured.push(userDataDir);
  }
  for (const file of found.profileLists) {
    const text = textOf(file, items);
    // One by one: each sees those before it.
    if (text !== undefined)
      for (const finding of readEarlierProfiles(file, text, profiles)) await settle([finding]);
  }
  await settle(found.looseProfiles.map((dir) => ({ item: looseProfile(dir) })));
  // After the lists, which may name the same directory with its tags.
  for (const { dir, place } of configured) await settle([configuredProfile(dir, place, profiles)]);
  const knowsProfile = (name: string): boolean => profiles.find(name) !== undefined;
  const names = new Map<string, string>();
  for (const file of found.jsonFiles) {
    const text = textOf(file, items);
    if (text !== undefined)
      await settle([readEarlierScript(file, text, names, { ...options.scripts, knowsProfile })]);
  }
  if (found.cut) items.push(tooMany(folders));
  if (items.length === 0) throw nothingThere(folders);
  return {
    folders: folders.map((folder) => resolve(folder)),
    dry_run: dryRun,
    items,
    for_every_script: names.size > 0 ? [...FOR_EVERY_SCRIPT] : [],
    counts: countsOf(items),
  };
}

function textOf(file: string, items: ImportItem[]): string | undefined {
  const failed = (message: string): undefined => {
    items.push({
      kind: 'file',
      what: file,
      from: { file },
      as: null,
      status: 'failed',
      message,
      changes: [],
    });
  };
  try {
    const { size } = statSync(file);
    if (size > MAX_FILE_BYTES)
      return failed(`it has ${size} bytes, more than ${MAX_FILE_BYTES}: not looked at.`);
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    return failed(`it cannot be read: ${messageOf(thrown)}. Check its permissions and import again.`);
  }
}

function tooMany(folders: readonly string[]): ImportItem {
  const message =
    'there are more files than the earlier program has; the rest was not looked at. Name its own folders instead.';
  return {
    kind: 'file',
    what: folders.join(', '),
    from: { file: folders[0] ?? '' },
    as: null,
    status: 'failed',
    message,
    changes: [],
  };
}

function nothingThere(folders: readonly string[]): AgentError {
  return new AgentError(
    'BrowserAgent.InvalidInput',
    `${folders.join(', ')}: there is no config.yaml, no profiles.json and no script. The earlier program keeps them in "Local Browser Agent" below %APPDATA% and %LOCALAPPDATA% (Windows) or ~/Library/Application Support (macOS), in ~/.config/local-browser-agent and ~/.local/share/local-browser-agent (Linux), or in browser-profiles where it was started.`,
  );
}
