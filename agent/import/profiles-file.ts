/**
 * The earlier program's `profiles.json`. Of each profile the sign-ins and sites' data are copied; the original stays
 * as it is.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep, win32 } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../base/errors.ts';
import { LeftOut, leftOutMessage } from '../browser/left-out.ts';
import { carried } from '../browser/profile-content.ts';
import { refuseDefaultUserDataDir } from '../browser/profile-dir.ts';
import { checkProfileName, checkTags } from '../browser/profile-names.ts';
import type { NewProfile, Profile, ProfilePast } from '../browser/profiles.ts';
import { readSource } from '../script/source.ts';
import { unlisted } from './find.ts';
import type { Finding, ImportItem, ImportStatus, MeaningChange, Place } from './report.ts';

export interface ProfileContext {
  /** Those that are here, by name in any case. */
  find: (name: string) => Pick<Profile, 'name' | 'tags'> | undefined;
  create: (source: string, wanted: Omit<NewProfile, 'dir'>, past: ProfilePast) => Promise<unknown>;
}

const text = z.string().nullable().default(null);
const earlierProfile = z.looseObject({
  description: text,
  tags: z.array(z.string()).nullable().default(null),
  auto_login_sites: z.array(z.string()).nullable().default(null),
  user_data_dir: text,
  created_at: text,
  last_used: text,
  requires_human_login: z.boolean().nullable().default(null),
  login_notes: text,
  session_timeout_hours: z.number().nullable().default(null),
});
type EarlierProfile = z.infer<typeof earlierProfile>;

/** What the earlier program wrote for every profile unless told otherwise. */
const USUAL_TIMEOUT_HOURS = 24;

/** One after the other, so that each sees what became of those before it. */
export function* readEarlierProfiles(
  file: string,
  source: string,
  context: ProfileContext,
): Generator<Finding, void> {
  const read = readSource(source);
  if (!read.ok) {
    const message = `${read.finding.message}. Nothing in it was taken over; mend it and import again.`;
    yield aboutTheList({ file, ...read.position }, 'failed', message);
    return;
  }
  const place = (...path: (string | number)[]): Place => ({ file, ...read.locate(path) });
  const list = z.object({ profiles: z.record(z.string(), z.unknown()) }).safeParse(read.value);
  if (!list.success) {
    const message =
      'it has no object "profiles", so it is not the earlier program’s list of profiles. Left alone.';
    yield aboutTheList(place(), 'by_hand', message);
    return;
  }
  const dirs: string[] = [];
  for (const [name, entry] of Object.entries(list.data.profiles)) {
    const parsed = earlierProfile.safeParse(entry);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      const path = issue.path as (string | number)[];
      const message = `${path.join('.') || 'it'} is not as the earlier program writes it (${issue.message}). Correct it and import again.`;
      yield { item: profileItem(name, place('profiles', name, ...path), 'failed', message) };
      continue;
    }
    const dir = whereIs(file, name, parsed.data);
    if (dir !== undefined) dirs.push(dir);
    yield profileFinding(name, parsed.data, dir, place('profiles', name), context);
  }
  for (const dir of unlisted(file, dirs)) yield { item: looseProfile(dir, file) };
}

function aboutTheList(from: Place, status: ImportStatus, message: string): Finding {
  return { item: { ...profileItem('profiles.json', from, status, message), kind: 'file' } };
}

/** A directory of a browser that no list names. `list` is where an entry for it would go. */
export function looseProfile(dir: string, list = join(dirname(dir), 'profiles.json')): ImportItem {
  const name = basename(dir);
  const entry = JSON.stringify({ [name]: { user_data_dir: name } });
  return profileItem(
    name,
    { file: dir },
    'by_hand',
    `a browser profile that stands in no profiles.json. To take it over, add ${entry} to "profiles" in ${list} and import again.`,
  );
}

/** The profile that `user_data_dir` of config.yaml names: every run worked in it unless it named another. */
export function configuredProfile(dir: string, from: Place, context: ProfileContext): Finding {
  const absolute = isAbsolute(dir) ? dir : resolve(dirname(from.file), dir);
  const name = basename(absolute).replaceAll(/[^\p{L}\p{N} ._@+-]/gu, '-') || 'earlier';
  const known = context.find(name);
  const finding = profileFinding(
    name,
    earlierProfile.parse({ description: 'user_data_dir of the earlier program', tags: known?.tags ?? [] }),
    isFolder(absolute) ? absolute : undefined,
    from,
    context,
    dir,
  );
  finding.item.changes.push({
    was: 'runs that named no profile could work in user_data_dir',
    now: `they get a temporary profile; give their scripts "session": {"profile_name": ${JSON.stringify(name)}}`,
  });
  return { ...finding, item: { ...finding.item, what: `user_data_dir (${name})` } };
}

function profileFinding(
  name: string,
  earlier: EarlierProfile,
  dir: string | undefined,
  from: Place,
  context: ProfileContext,
  written = earlier.user_data_dir ?? name,
): Finding {
  const item = (status: ImportStatus, message: string): Finding => ({
    item: { ...profileItem(name, from, status, message), changes: changesOf(earlier) },
  });
  const { tags, refused } = tagsOf(earlier);
  const without = refused.length > 0 ? ` Left out, because no tag may look so: ${refused.join(', ')}.` : '';
  try {
    checkProfileName(name);
  } catch (thrown) {
    return item(
      'by_hand',
      `${messageOf(thrown)} Rename it in profiles.json and in the scripts, and import again.`,
    );
  }
  const here = context.find(name);
  if (here) {
    const same = JSON.stringify(here.tags.toSorted()) === JSON.stringify(tags.toSorted());
    const message = same
      ? `there is a profile "${here.name}" with these tags already.`
      : `there is a profile "${here.name}" with the tags ${listOf(here.tags)} here, and it stays so; there they were ${listOf(tags)}. To set these: profiles tag "${here.name}" ${quoted(tags)}`;
    return item(same ? 'same' : 'kept', message);
  }
  if (dir === undefined) {
    return item(
      'by_hand',
      `its directory ${written} is not there. Put it beside profiles.json and import again, or start anew: profiles create "${name}" ${quoted(tags)}; profiles sign-in "${name}"`,
    );
  }
  try {
    refuseDefaultUserDataDir(dir);
  } catch (thrown) {
    return item('by_hand', messageOf(thrown));
  }
  const description = [earlier.description, earlier.login_notes && `Sign-in: ${earlier.login_notes}`];
  const wanted = { name, tags, description: description.filter(Boolean).join(' ') };
  const found = item(
    'taken',
    [`a copy of ${dir}; the original stays as it is. Tags: ${listOf(tags)}.${without}`, leftOutOf(dir)]
      .filter(Boolean)
      .join(' '),
  );
  return {
    item: { ...found.item, as: name },
    take: {
      action: 'profile.create',
      target: `profile/${name}`,
      details: { tags, imported_from: dir },
      work: () => context.create(dir, wanted, pastOf(earlier)),
    },
  };
}

/** In words what a copy does not take along; empty when that is nothing. */
function leftOutOf(dir: string): string {
  const leftOut = new LeftOut();
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/');
    if (!entry.isFile() || carried(path, 'copy') === null) leftOut.addFile(path);
  }
  return leftOutMessage(leftOut.list());
}

/** Where the directory is now: as written, else beside the list, whatever machine the list was written on. */
function whereIs(file: string, name: string, { user_data_dir: written }: EarlierProfile): string | undefined {
  const folder = dirname(file);
  const candidates = [join(folder, name)];
  if (written !== null && written !== '') {
    // A relative path is from where the program was started: the folder that holds browser-profiles.
    if (isAbsolute(written)) candidates.unshift(written);
    else candidates.unshift(resolve(folder, '..', written), resolve(folder, written));
    candidates.push(join(folder, win32.basename(written)));
  }
  return candidates.find(isFolder);
}

function changesOf(earlier: EarlierProfile): MeaningChange[] {
  const changes: MeaningChange[] = [];
  if (earlier.requires_human_login === true) {
    changes.push({
      was: 'the profile said that a person has to sign in',
      now: 'scripts say it: "session": {"requires_human_login": true} with a post_login_verification',
    });
  }
  const hours = earlier.session_timeout_hours ?? USUAL_TIMEOUT_HOURS;
  if (hours !== USUAL_TIMEOUT_HOURS) {
    changes.push({
      was: `the profile’s session counted as good for ${hours} hours`,
      now: `scripts say it: "session": {"session_timeout_hours": ${hours}}`,
    });
  }
  if (earlier.auto_login_sites && earlier.auto_login_sites.length > 0) {
    changes.push({
      was: `auto_login_sites (${earlier.auto_login_sites.join(', ')}) were kept with the profile`,
      now: 'they are not kept; a script signs in, or a person does, once: profiles sign-in',
    });
  }
  return changes;
}

/** Every tag that may be one here; one odd tag must not cost the profile. */
function tagsOf({ tags }: EarlierProfile): { tags: string[]; refused: string[] } {
  const good: string[] = [];
  const refused: string[] = [];
  for (const tag of tags ?? []) {
    try {
      good.push(...checkTags([tag]));
    } catch {
      refused.push(JSON.stringify(tag));
    }
  }
  return { tags: [...new Set(good)], refused };
}

/** Times are the machine's own, without a zone, as Python writes them. Of profiles with the tags, the last used wins. */
function pastOf({ created_at: created, last_used: used }: EarlierProfile): ProfilePast {
  const createdAt = Date.parse(created ?? '');
  const lastUsedAt = Date.parse(used ?? '');
  return {
    ...(Number.isNaN(createdAt) ? {} : { createdAt }),
    ...(Number.isNaN(lastUsedAt) ? {} : { lastUsedAt }),
  };
}

function profileItem(what: string, from: Place, status: ImportStatus, message: string): ImportItem {
  return { kind: 'profile', what, from, as: null, status, message, changes: [] };
}

function listOf(tags: readonly string[]): string {
  return tags.length === 0 ? 'none' : tags.join(', ');
}

function quoted(tags: readonly string[]): string {
  return tags.map((tag) => `"${tag}"`).join(' ');
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
