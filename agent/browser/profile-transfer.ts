/**
 * Takes profiles from machine to machine, as encrypted files. On Windows and macOS the browser encrypts its cookies
 * with a key of the operating system, so that its own file of them opens for the same person on the same machine
 * alone. The cookies therefore go along as text, and the browser of the other machine takes them in.
 */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Cookie } from 'playwright';
import { z } from 'zod';
import { AgentError, messageOf } from '../base/errors.ts';
import type { LeftOut } from './left-out.ts';
import { readArchive, writeArchive } from './profile-archive.ts';
import type { ProfileDesk } from './profile-desk.ts';
import { BYTES_PER_MB, diskError, tooMuch } from './profile-limits.ts';
import { checkTags } from './profile-names.ts';
import { NOTES } from './profile-unpack.ts';
import type { Profile, ProfileService } from './profiles.ts';
import type { TemporaryFolders } from './temporary.ts';

/** Chromium keeps 3,300 cookies. */
const MAX_COOKIES = 5_000;
/** Chromium refuses cookies whose name and value have more than 4,096 bytes, and longer attributes. */
const MAX_COOKIE_TEXT = 4_096;
const MAX_DESCRIPTION = 1_000;
/** The last moment that a `Date` can hold, in milliseconds. */
const MAX_TIME_MS = 8_640_000_000_000_000;

const cookieText = z.string().max(MAX_COOKIE_TEXT);
const cookie = z.looseObject({
  name: cookieText,
  value: cookieText,
  domain: cookieText,
  path: cookieText,
  expires: z.number(),
  httpOnly: z.boolean(),
  secure: z.boolean(),
  sameSite: z.enum(['Strict', 'Lax', 'None']),
});

const stateSchema = z.object({ cookies: z.array(cookie).max(MAX_COOKIES) });
const factsSchema = z.object({
  tags: z.array(z.string()),
  description: z.string().max(MAX_DESCRIPTION),
  signed_in_at: z.number().min(0).max(MAX_TIME_MS).nullable(),
});

export interface Transfer {
  profiles: ProfileService;
  desk: ProfileDesk;
  temporary: TemporaryFolders;
  /** Maximum size of a file and of what is in it. */
  maxMb: number;
}

export interface ExportedProfile {
  /** The encrypted file. */
  path: string;
  /** Removes the file; call it when the file has been sent. */
  remove: () => Promise<void>;
}

export interface ImportedProfile {
  profile: Profile;
  /** What the file held and the profile does not. */
  leftOut: LeftOut;
}

/** @throws AgentError ProfileBusy, BrowserUnavailable; InvalidInput for a profile that is larger than the limit */
export async function exportProfile(
  { desk, temporary, maxMb }: Transfer,
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
        [NOTES.facts]: JSON.stringify(facts),
        [NOTES.state]: JSON.stringify({ cookies, origins: [] }),
      };
      await writeArchive(path, { dir, notes, passphrase, maxBytes: maxMb * BYTES_PER_MB });
    });
    return { path, remove: () => folder.remove() };
  } catch (thrown) {
    await folder.remove();
    throw thrown;
  }
}

/**
 * Makes a profile of an exported file. There is no profile before all of it is there.
 *
 * @throws AgentError InvalidInput for a wrong passphrase, a file that is damaged or refused, a name that is taken;
 * BrowserUnavailable
 */
export async function importProfile(
  { profiles, desk, temporary, maxMb }: Transfer,
  name: string,
  content: Readable,
  passphrase: string,
): Promise<ImportedProfile> {
  const folder = temporary.create();
  const maxBytes = maxMb * BYTES_PER_MB;
  try {
    const file = join(folder.dir, 'import');
    await receive(content, file, maxBytes);
    let leftOut: LeftOut | undefined;
    const profile = await profiles.createFilled({ name }, async (dir) => {
      const scratch = join(folder.dir, 'plain');
      const unpacked = await readArchive(file, { dir, scratch, passphrase, maxBytes });
      leftOut = unpacked.leftOut;
      await rm(scratch, { force: true });
      const facts = noteOf(unpacked.notes, NOTES.facts, factsSchema);
      const { cookies } = noteOf(unpacked.notes, NOTES.state, stateSchema);
      const tags = checkTags(facts.tags);
      if (cookies.length > 0) await desk.background(dir, ({ context }) => addCookies(context, cookies));
      return { tags, description: facts.description, signedInAt: facts.signed_in_at };
    });
    return { profile, leftOut: leftOut! };
  } finally {
    await folder.remove();
  }
}

/** @throws AgentError InvalidInput when the note is missing or has another form */
function noteOf<T>(notes: Record<string, string>, name: string, schema: z.ZodType<T>): T {
  const refused = (why: string): AgentError =>
    new AgentError(
      'BrowserAgent.InvalidInput',
      `The file was refused: its entry "${name}" ${why}. Nothing was imported. Export the profile again.`,
    );
  const text = notes[name];
  if (text === undefined) throw refused('is missing');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused('is not JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw refused(`is wrong at ${issue.path.join('.') || 'its beginning'} (${issue.message})`);
}

async function addCookies(
  context: { addCookies: (cookies: Cookie[]) => Promise<void> },
  cookies: readonly z.infer<typeof cookie>[],
): Promise<void> {
  try {
    await context.addCookies(cookies.map(toAdd));
  } catch (thrown) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      'The file was refused: it holds a cookie that the browser does not take. Nothing was imported. Export the profile again.',
      { cause: thrown },
    );
  }
}

/** A cookie as Playwright takes it, without what it works out itself. */
function toAdd(from: z.infer<typeof cookie>): Cookie {
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

/** @throws AgentError InvalidInput for a file that is too large or ends early */
async function receive(content: Readable, file: string, maxBytes: number): Promise<void> {
  let size = 0;
  const counted = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of source) {
      size += piece.length;
      if (size <= maxBytes) yield piece;
    }
    // At the end: a client that is still sending would see a broken connection instead of the reason.
    if (size > maxBytes) throw tooMuch('The file was refused: it has', maxBytes);
  };
  try {
    await pipeline(content, counted, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
  } catch (thrown) {
    if (thrown instanceof AgentError) throw thrown;
    const message = `The file did not arrive: ${messageOf(thrown)}.`;
    throw diskError(thrown) ?? new AgentError('BrowserAgent.InvalidInput', message, { cause: thrown });
  }
}
