import { z } from 'zod';
import type { Database } from './database.ts';
import type { ProcessIdentity } from './processes.ts';

/** A named, persistent browser user data directory with tags. */
export interface Profile {
  profileId: string;
  name: string;
  tags: string[];
  description: string;
  /** Absolute path of the user data directory. */
  dir: string;
  /** Milliseconds since the epoch, as the other times here. */
  createdAt: number;
  lastUsedAt: number | null;
  signedInAt: number | null;
  /** How it is looked whether it is signed in, and what came of it last: JSON, or null. */
  signInCheck: string | null;
  signInOutcome: string | null;
}

/** Who works in a profile. */
export interface ProfileLock {
  profileId: string;
  runId: string;
  owner: ProcessIdentity;
  acquiredAt: number;
}

const profileSchema = z
  .object({
    profile_id: z.string(),
    name: z.string(),
    tags: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
    description: z.string(),
    dir: z.string(),
    created_at: z.number().int(),
    last_used_at: z.number().int().nullable(),
    signed_in_at: z.number().int().nullable(),
    sign_in_check: z.string().nullable(),
    sign_in_outcome: z.string().nullable(),
  })
  .transform((row): Profile => ({
    profileId: row.profile_id,
    name: row.name,
    tags: row.tags,
    description: row.description,
    dir: row.dir,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    signedInAt: row.signed_in_at,
    signInCheck: row.sign_in_check,
    signInOutcome: row.sign_in_outcome,
  }));

const lockSchema = z
  .object({
    profile_id: z.string(),
    run_id: z.string(),
    owner_pid: z.number().int(),
    owner_started: z.string(),
    acquired_at: z.number().int(),
  })
  .transform((row): ProfileLock => ({
    profileId: row.profile_id,
    runId: row.run_id,
    owner: { pid: row.owner_pid, started: row.owner_started },
    acquiredAt: row.acquired_at,
  }));

/** Profiles and the locks on them, shared by every agent process that uses this database. */
export class ProfileRepository {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Returns false when the name is taken (names differ by more than case). */
  insert(profile: Profile): boolean {
    const result = this.#db
      .prepare(
        `INSERT INTO profiles (profile_id, name, tags, description, dir, created_at, last_used_at, signed_in_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`,
      )
      .run(
        profile.profileId,
        profile.name,
        JSON.stringify(profile.tags),
        profile.description,
        profile.dir,
        profile.createdAt,
        profile.lastUsedAt,
        profile.signedInAt,
      );
    return result.changes === 1;
  }

  /** Most recently used first, never used last, then by name. */
  list(): Profile[] {
    return z
      .array(profileSchema)
      .parse(
        this.#db.prepare('SELECT * FROM profiles ORDER BY last_used_at DESC NULLS LAST, name, rowid').all(),
      );
  }

  /** By name, in any case. */
  find(name: string): Profile | undefined {
    const row = this.#db.prepare('SELECT * FROM profiles WHERE name = ?').get(name);
    return row === undefined ? undefined : profileSchema.parse(row);
  }

  get(profileId: string): Profile | undefined {
    const row = this.#db.prepare('SELECT * FROM profiles WHERE profile_id = ?').get(profileId);
    return row === undefined ? undefined : profileSchema.parse(row);
  }

  setTags(profileId: string, tags: string[]): void {
    this.#db
      .prepare('UPDATE profiles SET tags = ? WHERE profile_id = ?')
      .run(JSON.stringify(tags), profileId);
  }

  update(profileId: string, to: Pick<Profile, 'name' | 'tags' | 'description'>): void {
    this.#db
      .prepare('UPDATE profiles SET name = ?, tags = ?, description = ? WHERE profile_id = ?')
      .run(to.name, JSON.stringify(to.tags), to.description, profileId);
  }

  setCheck(profileId: string, check: string, outcome: string): void {
    this.#db
      .prepare('UPDATE profiles SET sign_in_check = ?, sign_in_outcome = ? WHERE profile_id = ?')
      .run(check, outcome, profileId);
  }

  setLastUsed(profileId: string, at: number): void {
    this.#db.prepare('UPDATE profiles SET last_used_at = ? WHERE profile_id = ?').run(at, profileId);
  }

  setSignedIn(profileId: string, at: number | null): void {
    this.#db.prepare('UPDATE profiles SET signed_in_at = ? WHERE profile_id = ?').run(at, profileId);
  }

  delete(profileId: string): void {
    this.#db.prepare('DELETE FROM profiles WHERE profile_id = ?').run(profileId);
  }

  lockOf(profileId: string): ProfileLock | undefined {
    const row = this.#db.prepare('SELECT * FROM profile_locks WHERE profile_id = ?').get(profileId);
    return row === undefined ? undefined : lockSchema.parse(row);
  }

  locks(): ProfileLock[] {
    return z.array(lockSchema).parse(this.#db.prepare('SELECT * FROM profile_locks').all());
  }

  /**
   * Takes the lock if nobody has it: `BEGIN IMMEDIATE`, so that of two processes exactly one wins.
   * Otherwise says who holds it, or that the profile is gone.
   */
  tryLock(lock: ProfileLock): { taken: true } | { taken: false; heldBy: ProfileLock } | { gone: true } {
    return this.#db
      .transaction(() => {
        const heldBy = this.lockOf(lock.profileId);
        if (heldBy) return { taken: false as const, heldBy };
        if (!this.get(lock.profileId)) return { gone: true as const };
        this.#db
          .prepare(
            `INSERT INTO profile_locks (profile_id, run_id, owner_pid, owner_started, acquired_at)
             VALUES (?, ?, ?, ?, ?)`,
          )
          .run(lock.profileId, lock.runId, lock.owner.pid, lock.owner.started, lock.acquiredAt);
        return { taken: true as const };
      })
      .immediate();
  }

  /** Removes exactly this lock: one taken by somebody else in the meantime stays. */
  unlock(lock: ProfileLock): void {
    this.#db
      .prepare(
        `DELETE FROM profile_locks WHERE profile_id = ? AND run_id = ? AND owner_pid = ? AND owner_started = ?
           AND acquired_at = ?`,
      )
      .run(lock.profileId, lock.runId, lock.owner.pid, lock.owner.started, lock.acquiredAt);
  }
}
