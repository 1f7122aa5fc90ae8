import { mkdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { uuidv7 } from 'uuidv7';
import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { isAlive } from '../base/is-alive.ts';
import type { Logger } from '../base/log.ts';
import type { Profile, ProfileLock, ProfileRepository } from '../store/profiles.ts';
import type { Processes } from './processes.ts';
import { copyUserDataDir } from './profile-copy.ts';
import { refuseDefaultUserDataDir } from './profile-dir.ts';
import { ProfileLocks, type WaitOptions } from './profile-locks.ts';
import { checkProfileName, checkTags, nearNames } from './profile-names.ts';
import { claimOf } from './singleton.ts';
import { removeFolder, type TemporaryFolders } from './temporary.ts';

export type { Profile } from '../store/profiles.ts';
export type { WaitOptions } from './profile-locks.ts';

/** What a script's `session` says about the profile, in the format's own words. */
export interface ProfileWish {
  profile_name?: string | undefined;
  required_tags?: readonly string[] | undefined;
  allow_temp_profile?: boolean | undefined;
  clone_for_parallel?: boolean | undefined;
}

/** Which profile a run gets. */
export type ProfileChoice =
  | { kind: 'named'; profile: Profile; clone: boolean; because: 'name' | 'tags' }
  | { kind: 'temporary'; because: 'nothing asked for' | 'no profile has the tags' };

/** The right to work in a user data directory, until released. */
export interface ProfileLease {
  kind: 'named' | 'clone' | 'temporary';
  /** Null for a temporary profile. */
  profile: Profile | null;
  /** The user data directory. */
  dir: string;
  /** Gives it back, and removes what was only for this run. The browser must have ended. Safe to call twice. */
  release(): Promise<void>;
}

export interface NewProfile {
  name: string;
  tags?: readonly string[];
  description?: string;
  /** An existing user data directory to take over, absolute; default: a new one below the data directory. */
  dir?: string;
}

/** What a profile that was used elsewhere brings along. Times in milliseconds since the epoch. */
export type ProfilePast = Partial<
  Pick<Profile, 'tags' | 'description' | 'createdAt' | 'lastUsedAt' | 'signedInAt'>
>;

export interface ProfileServiceOptions {
  repository: ProfileRepository;
  processes: Processes;
  temporary: TemporaryFolders;
  /** Folder of the profiles' user data directories (`homePaths(home).profiles`). */
  folder: string;
  log: Logger;
  clock?: Clock;
}

/** Profiles: making, finding, locking and copying them. */
export class ProfileService {
  readonly #repository: ProfileRepository;
  readonly #temporary: TemporaryFolders;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #locks: ProfileLocks;

  constructor(options: ProfileServiceOptions) {
    this.#repository = options.repository;
    this.#temporary = options.temporary;
    this.#folder = options.folder;
    this.#clock = options.clock ?? systemClock;
    this.#locks = new ProfileLocks(options.repository, options.processes, this.#clock, options.log);
  }

  /** @throws AgentError InvalidInput for a bad or taken name, bad tags, or a directory that may not be used */
  create(wanted: NewProfile): Profile {
    const profile = this.#drafted(wanted);
    this.#insert(profile);
    // Cookies are in there: for this user only.
    mkdirSync(profile.dir, { recursive: true, mode: 0o700 });
    return profile;
  }

  /**
   * Creates a profile whose directory is filled first. Until that is complete there is no profile that a run could
   * use; when it fails, nothing stays.
   *
   * @param fill gets an empty directory, and returns what else the profile brings along
   * @throws AgentError as {@link create}; what `fill` throws
   */
  async createFilled(
    wanted: Omit<NewProfile, 'dir'>,
    fill: (dir: string) => Promise<ProfilePast>,
  ): Promise<Profile> {
    const draft = this.#drafted(wanted);
    if (this.#repository.find(draft.name)) throw nameTaken(draft.name);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      // Fails where there is anything already.
      mkdirSync(draft.dir, { mode: 0o700 });
      const profile = { ...draft, ...(await fill(draft.dir)) };
      this.#insert(profile);
      return profile;
    } catch (thrown) {
      await removeFolder(draft.dir);
      throw thrown;
    }
  }

  /**
   * A new profile with what is carried of a user data directory that another program made; the original stays as it
   * is.
   *
   * @throws AgentError as {@link create}; ProfileBusy while a browser has the original open
   */
  async createFrom(
    source: string,
    wanted: Omit<NewProfile, 'dir'>,
    past: ProfilePast = {},
  ): Promise<Profile> {
    refuseDefaultUserDataDir(source);
    return this.createFilled(wanted, async (dir) => {
      if ((await claimOf(source, (pid) => Promise.resolve(isAlive(pid)))).state === 'held') {
        throw new AgentError(
          'BrowserAgent.ProfileBusy',
          `A browser has ${source} open, so a copy could be torn. Close that browser window and the program that started it, then try again.`,
        );
      }
      await copyUserDataDir(source, dir);
      return past;
    });
  }

  #drafted(wanted: NewProfile): Profile {
    const name = checkProfileName(wanted.name);
    const tags = checkTags(wanted.tags ?? []);
    const profileId = uuidv7();
    const dir = wanted.dir ?? join(this.#folder, profileId);
    if (!isAbsolute(dir)) {
      throw new AgentError(
        'BrowserAgent.InvalidInput',
        `A profile's directory must be an absolute path: ${dir}`,
      );
    }
    refuseDefaultUserDataDir(dir);
    return {
      profileId,
      name,
      tags,
      description: wanted.description ?? '',
      dir,
      createdAt: this.#clock.now(),
      lastUsedAt: null,
      signedInAt: null,
      signInCheck: null,
      signInOutcome: null,
    };
  }

  #insert(profile: Profile): void {
    if (this.#repository.insert(profile)) return;
    throw nameTaken(this.#repository.find(profile.name)?.name ?? profile.name);
  }

  /** Most recently used first. */
  list(): Profile[] {
    return this.#repository.list();
  }

  /** By name, in any case. @throws AgentError ProfileNotFound, listing names that may have been meant */
  get(name: string): Profile {
    const profile = this.#repository.find(name);
    if (profile) return profile;
    const names = this.list().map((known) => known.name);
    const near = nearNames(name, names);
    let hint = 'There are no profiles yet.';
    if (near.length > 0) hint = `Did you mean ${near.map((known) => `"${known}"`).join(' or ')}?`;
    else if (names.length > 0) hint = `There are: ${shortList(names)}.`;
    throw new AgentError(
      'BrowserAgent.ProfileNotFound',
      `There is no profile "${name}". ${hint} Create one with "profiles create", or leave out session.profile_name for a temporary one.`,
      { data: { profile_name: name, near } },
    );
  }

  setTags(name: string, tags: readonly string[]): Profile {
    const profile = this.get(name);
    this.#repository.setTags(profile.profileId, checkTags(tags));
    return this.get(name);
  }

  /** @throws AgentError InvalidInput for a bad or taken name, or bad tags; ProfileNotFound */
  update(name: string, changes: { name?: string; tags?: readonly string[]; description?: string }): Profile {
    const profile = this.get(name);
    const next = {
      name: changes.name === undefined ? profile.name : checkProfileName(changes.name),
      tags: changes.tags === undefined ? profile.tags : checkTags(changes.tags),
      description: changes.description ?? profile.description,
    };
    const other = this.#repository.find(next.name);
    if (other && other.profileId !== profile.profileId) throw nameTaken(other.name);
    this.#repository.update(profile.profileId, next);
    return this.get(next.name);
  }

  /** How many runs of this process wait for it. */
  waiting(profileId: string): number {
    return this.#locks.waiting(profileId);
  }

  /** What tells that it is signed in, and what the last look said. JSON. */
  setCheck(profileId: string, check: string, outcome: string): void {
    this.#repository.setCheck(profileId, check, outcome);
  }

  /** When a person last signed in to it; null forgets. */
  setSignedIn(profileId: string, at: number | null): void {
    this.#repository.setSignedIn(profileId, at);
  }

  /** The living run that works in it, if any. */
  holder(profileId: string): Promise<ProfileLock | undefined> {
    return this.#locks.holder(profileId);
  }

  /**
   * Deletes the profile; its directory too where it is one of ours (one that was taken over stays).
   *
   * @throws AgentError ProfileBusy while a run works in it, ProfileNotFound
   */
  async delete(name: string): Promise<void> {
    const profile = this.get(name);
    const release = await this.#locks.acquire(profile.profileId, { runId: 'deleting', timeoutMs: 0 });
    try {
      if (profile.dir === join(this.#folder, profile.profileId)) await removeFolder(profile.dir);
      this.#repository.delete(profile.profileId);
    } finally {
      release();
    }
  }

  /** A new profile with the same sign-ins. Waits for a run in the original to end. */
  async clone(name: string, newName: string, options: WaitOptions): Promise<Profile> {
    const original = this.get(name);
    checkProfileName(newName);
    const release = await this.#locks.acquire(original.profileId, options);
    try {
      const { tags, description, signedInAt } = original;
      return await this.createFilled({ name: newName, tags, description }, async (dir) => {
        await copyUserDataDir(original.dir, dir);
        return { signedInAt };
      });
    } finally {
      release();
    }
  }

  /**
   * Which profile a run gets: the named one; else the most recently used that has all tags; else a
   * temporary one, if that is allowed. A name wins over tags.
   *
   * @throws AgentError ProfileNotFound
   */
  resolve(wish: ProfileWish): ProfileChoice {
    const clone = wish.clone_for_parallel ?? false;
    if (wish.profile_name !== undefined && wish.profile_name !== '') {
      return { kind: 'named', profile: this.get(wish.profile_name), clone, because: 'name' };
    }
    const tags = wish.required_tags ?? [];
    const temporaryAllowed = wish.allow_temp_profile ?? true;
    const profiles = this.list();
    if (tags.length > 0) {
      const match = profiles.find((profile) => hasAll(profile, tags));
      if (match) return { kind: 'named', profile: match, clone, because: 'tags' };
      if (temporaryAllowed) return { kind: 'temporary', because: 'no profile has the tags' };
      const known = [...new Set(profiles.flatMap((profile) => profile.tags))].sort();
      throw new AgentError(
        'BrowserAgent.ProfileNotFound',
        `No profile has all of the tags ${tags.map((tag) => `"${tag}"`).join(', ')}, and session.allow_temp_profile is false. ${known.length > 0 ? `Tags in use: ${shortList(known)}.` : 'No profile has tags yet.'}`,
        { data: { required_tags: [...tags] } },
      );
    }
    if (temporaryAllowed) return { kind: 'temporary', because: 'nothing asked for' };
    throw new AgentError(
      'BrowserAgent.ProfileNotFound',
      'The script asks for no profile and allows no temporary one. Set session.profile_name or session.required_tags, or session.allow_temp_profile to true.',
    );
  }

  /**
   * The right to work in what {@link resolve} chose. A named profile is waited for; for a copy, the
   * original is held while it is copied if it is free, and copied as it is if not.
   *
   * @throws the signal's reason; AgentError ProfileBusy, ProfileNotFound
   */
  lease(choice: ProfileChoice, options: WaitOptions): Promise<ProfileLease> {
    if (choice.kind === 'temporary') return Promise.resolve(this.#temporaryLease());
    if (choice.clone) return this.#cloneLease(choice.profile, options);
    return this.acquire(choice.profile.profileId, options);
  }

  /** Waits for the profile and locks it. */
  async acquire(profileId: string, options: WaitOptions): Promise<ProfileLease> {
    const unlock = await this.#locks.acquire(profileId, options);
    const profile = this.#used(profileId);
    return {
      kind: 'named',
      profile,
      dir: profile.dir,
      release: once(async () => {
        this.#used(profileId);
        unlock();
      }),
    };
  }

  #temporaryLease(): ProfileLease {
    const folder = this.#temporary.create();
    return {
      kind: 'temporary',
      profile: null,
      dir: join(folder.dir, 'profile'),
      release: once(() => folder.remove()),
    };
  }

  async #cloneLease(original: Profile, options: WaitOptions): Promise<ProfileLease> {
    options.signal?.throwIfAborted();
    const folder = this.#temporary.create();
    const dir = join(folder.dir, 'profile');
    try {
      const unlock = await this.#lockIfFree(original.profileId, options.runId);
      try {
        await copyUserDataDir(original.dir, dir);
      } finally {
        unlock?.();
      }
      options.signal?.throwIfAborted();
    } catch (thrown) {
      await folder.remove();
      throw thrown;
    }
    const profile = this.#used(original.profileId);
    return { kind: 'clone', profile, dir, release: once(() => folder.remove()) };
  }

  async #lockIfFree(profileId: string, runId: string): Promise<(() => void) | undefined> {
    try {
      return await this.#locks.acquire(profileId, { runId, timeoutMs: 0 });
    } catch (thrown) {
      if (thrown instanceof AgentError && thrown.errorName === 'BrowserAgent.ProfileBusy') return undefined;
      throw thrown;
    }
  }

  #used(profileId: string): Profile {
    this.#repository.setLastUsed(profileId, this.#clock.now());
    const profile = this.#repository.get(profileId);
    if (profile) return profile;
    throw new AgentError('BrowserAgent.ProfileNotFound', 'The profile was deleted while a run used it.');
  }
}

function nameTaken(name: string): AgentError {
  return new AgentError(
    'BrowserAgent.InvalidInput',
    `There is a profile "${name}" already. Choose another name, or delete that one.`,
  );
}

function hasAll(profile: Profile, tags: readonly string[]): boolean {
  const own = new Set(profile.tags.map((tag) => tag.toLowerCase()));
  return tags.every((tag) => own.has(tag.toLowerCase()));
}

/** How many names an error lists. */
const MAX_LISTED = 10;

function shortList(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}
