/**
 * Takes profiles from machine to machine. On Windows and macOS the browser encrypts its cookies with a key of
 * the operating system, so that its own files open for the same person on the same machine alone: the cookies
 * therefore go along as they are, too, and are put back by the browser that is there.
 */
import type { Readable } from 'node:stream';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Cookie } from 'playwright';
import { z } from 'zod';
import { AgentError, messageOf } from '../base/errors.ts';
import { MAX_ARCHIVE_BYTES, readArchive, writeArchive } from './profile-archive.ts';
import type { ProfileDesk } from './profile-desk.ts';
import type { Profile, ProfileService } from './profiles.ts';
import { removeFolder, type TemporaryFolder, type TemporaryFolders } from './temporary.ts';

const STATE_FILE = 'storage-state.json';
const FACTS_FILE = 'profile.json';

const cookie = z.object({
  name: z.string(),
  value: z.string(),
  domain: z.string(),
  path: z.string(),
  expires: z.number(),
  httpOnly: z.boolean(),
  secure: z.boolean(),
  sameSite: z.enum(['Strict', 'Lax', 'None']),
});

const stateSchema = z.object({ cookies: z.array(z.looseObject(cookie.shape)) });
const factsSchema = z.object({
  tags: z.array(z.string()),
  description: z.string(),
  signed_in_at: z.number().nullable(),
});

export interface Transfer {
  profiles: ProfileService;
  desk: ProfileDesk;
  temporary: TemporaryFolders;
}

export interface ExportedProfile {
  /** The encrypted file. */
  path: string;
  /** To be called when it has been sent. */
  remove: () => Promise<void>;
}

/** @throws AgentError ProfileBusy, BrowserUnavailable */
export async function exportProfile(
  { desk, temporary }: Transfer,
  profile: Profile,
  passphrase: string,
): Promise<ExportedProfile> {
  const folder = temporary.create();
  const path = join(folder.dir, 'profile.lbaprofile');
  try {
    await desk.holding(profile.profileId, async (dir) => {
      const cookies = await desk.background(dir, (session) => session.context.cookies());
      const facts = {
        tags: profile.tags,
        description: profile.description,
        signed_in_at: profile.signedInAt,
      } satisfies z.infer<typeof factsSchema>;
      const notes = {
        [FACTS_FILE]: JSON.stringify(facts),
        [STATE_FILE]: JSON.stringify({ cookies, origins: [] }),
      };
      await writeArchive(path, { dir, notes, passphrase });
    });
    return { path, remove: () => folder.remove() };
  } catch (thrown) {
    await folder.remove();
    throw thrown;
  }
}

/**
 * Makes a profile of an exported file.
 *
 * @throws AgentError InvalidInput for a wrong passphrase, a damaged file, a name that is taken
 */
export async function importProfile(
  transfer: Transfer,
  name: string,
  content: Readable,
  passphrase: string,
): Promise<Profile> {
  const { profiles, temporary } = transfer;
  const folder = temporary.create();
  try {
    const file = join(folder.dir, 'import');
    await receive(content, file);
    const profile = profiles.create({ name });
    try {
      return await fill(transfer, profile, { folder, file, passphrase });
    } catch (thrown) {
      await profiles.delete(profile.name);
      await removeFolder(profile.dir);
      throw thrown;
    }
  } finally {
    await folder.remove();
  }
}

async function fill(
  { profiles, desk }: Transfer,
  profile: Profile,
  from: { folder: TemporaryFolder; file: string; passphrase: string },
): Promise<Profile> {
  const scratch = join(from.folder.dir, 'plain');
  const notes = await readArchive(from.file, { dir: profile.dir, scratch, passphrase: from.passphrase });
  await rm(scratch, { force: true });
  const facts = factsSchema.parse(JSON.parse(notes[FACTS_FILE] ?? '{}'));
  const state = stateSchema.parse(JSON.parse(notes[STATE_FILE] ?? '{}'));
  await desk.inBackground(profile.profileId, async ({ context }) => {
    await context.addCookies(state.cookies.map(toAdd));
  });
  profiles.setSignedIn(profile.profileId, facts.signed_in_at);
  return profiles.update(profile.name, { tags: facts.tags, description: facts.description });
}

/** As Playwright takes it: with what it tells of a cookie, but not what it works out itself. */
function toAdd(from: z.infer<typeof stateSchema>['cookies'][number]): Cookie {
  const { name, value, domain, path, expires, httpOnly, secure, sameSite } = from;
  const partition = from['partitionKey'];
  return {
    name,
    value,
    domain,
    path,
    expires,
    httpOnly,
    secure,
    sameSite,
    ...(typeof partition === 'string' ? { partitionKey: partition } : {}),
  };
}

/** @throws AgentError InvalidInput for what is too large or ends early */
async function receive(content: Readable, file: string): Promise<void> {
  let size = 0;
  const counted = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of source) {
      size += piece.length;
      if (size > MAX_ARCHIVE_BYTES) {
        throw new AgentError(
          'BrowserAgent.InvalidInput',
          `The file is larger than ${MAX_ARCHIVE_BYTES / 1e9} GB: more than any profile.`,
        );
      }
      yield piece;
    }
  };
  try {
    await pipeline(content, counted, createWriteStream(file, { mode: 0o600 }));
  } catch (thrown) {
    if (thrown instanceof AgentError) throw thrown;
    throw new AgentError('BrowserAgent.InvalidInput', `The file did not arrive: ${messageOf(thrown)}.`, {
      cause: thrown,
    });
  }
}
