/** A profile as the API shows it. */
import { z } from 'zod';
import { SESSION_PREFIX, SIGN_IN_PREFIX } from '../browser/profile-locks.ts';
import type { Profile } from '../browser/profiles.ts';
import type { SignIn } from '../browser/profile-desk.ts';
import { checkOutcome, signInCheck, type CheckOutcome } from '../browser/sign-in-check.ts';
import { ScriptLibrary } from '../runs/script-library.ts';
import { scriptFacts } from '../runs/script-facts.ts';
import type { ApiPorts } from './ports.ts';
import { isoTime, time } from './shapes.ts';

export const name = z.string().min(1).max(64);
export const tags = z.array(z.string().min(1).max(64)).max(32);
export const description = z.string().max(1_000);
export const params = z.object({ name });

export const checkedSchema = z
  .object({
    signed_in: z.boolean(),
    url: z.string().describe('Where it ended up, which is often a sign-in page.'),
    title: z.string(),
    problem: z.string().nullable().describe('Why the page could not be looked at; null: it could.'),
    checked_at: time,
  })
  .meta({ id: 'SignInChecked' });

export const checkSchema = z.strictObject({
  url: signInCheck.shape.url.describe('A page that only who is signed in gets to see.'),
  selector: signInCheck.shape.selector.describe('Something on it that nobody else sees.'),
  text: signInCheck.shape.text.describe('The same as words.'),
});

export const signInSchema = z
  .object({
    sign_in_id: z.string(),
    profile: z.string(),
    url: z.string().nullable(),
    state: z
      .enum(['waiting', 'open', 'done', 'cancelled', 'failed'])
      .describe('`waiting`: for who is in the profile; `open`: the window is there.'),
    held_by: z.string().nullable().describe('While it waits: the run, or `session:ID`.'),
    problem: z.string().nullable(),
    started_at: time,
    ended_at: time.nullable(),
  })
  .meta({ id: 'SignIn' });

export const profileSchema = z
  .object({
    name: z.string(),
    tags: z.array(z.string()),
    description: z.string(),
    created_at: time,
    last_used_at: time.nullable(),
    signed_in_at: time.nullable().describe('When a person last signed in to it.'),
    used_by_run: z.string().nullable(),
    used_by: z
      .object({ kind: z.enum(['run', 'session', 'sign_in']), id: z.string() })
      .nullable()
      .describe('Who is in it right now.'),
    waiting: z.int().describe('How many runs wait for it.'),
    used_by_scripts: z.array(z.string()).describe('Stored scripts that name it.'),
    sign_in: signInSchema.nullable().describe('The newest since the agent began.'),
    check: checkSchema.nullable().describe('How it is looked whether it is signed in.'),
    checked: checkedSchema.nullable().describe('What that said last.'),
  })
  .meta({ id: 'Profile' });

type Shown = z.infer<typeof profileSchema>;

/** @returns a function that shows profiles, with the stored scripts as they are now */
export function profilesShown(ports: ApiPorts): (profiles: readonly Profile[]) => Promise<Shown[]> {
  const library = new ScriptLibrary(ports.paths.scripts);
  return async (profiles) => {
    const scripts = library.list().map((stored) => ({
      reference: stored.name + (stored.version === null ? '' : `@${stored.version}`),
      profile: scriptFacts(library, stored)?.profile?.toLowerCase() ?? null,
    }));
    return Promise.all(
      profiles.map(async (profile) => {
        const holder = (await ports.profiles.holder(profile.profileId))?.runId ?? null;
        const signIn = ports.desk.signIn(profile);
        const own = profile.name.toLowerCase();
        return {
          name: profile.name,
          tags: profile.tags,
          description: profile.description,
          created_at: isoTime(profile.createdAt),
          last_used_at: isoTime(profile.lastUsedAt),
          signed_in_at: isoTime(profile.signedInAt),
          used_by_run: holder,
          used_by: usedBy(holder),
          waiting: ports.profiles.waiting(profile.profileId),
          used_by_scripts: scripts.filter((each) => each.profile === own).map(({ reference }) => reference),
          sign_in: signIn ? shownSignIn(signIn) : null,
          check: savedCheck(profile),
          checked: savedOutcome(profile),
        };
      }),
    );
  };
}

export function shownSignIn(signIn: SignIn): z.infer<typeof signInSchema> {
  return {
    sign_in_id: signIn.signInId,
    profile: signIn.profile,
    url: signIn.url,
    state: signIn.state,
    held_by: signIn.heldBy,
    problem: signIn.problem,
    started_at: isoTime(signIn.startedAt),
    ended_at: isoTime(signIn.endedAt),
  };
}

export function shownOutcome(outcome: CheckOutcome): z.infer<typeof checkedSchema> {
  const { signedIn, url, title, problem, at } = outcome;
  return { signed_in: signedIn, url, title, problem, checked_at: isoTime(at) };
}

export function savedCheck(profile: Profile): z.infer<typeof checkSchema> | null {
  return profile.signInCheck ? checkSchema.parse(JSON.parse(profile.signInCheck)) : null;
}

function savedOutcome(profile: Profile): z.infer<typeof checkedSchema> | null {
  return profile.signInOutcome ? shownOutcome(checkOutcome.parse(JSON.parse(profile.signInOutcome))) : null;
}

function usedBy(holder: string | null): Shown['used_by'] {
  if (holder === null) return null;
  if (holder.startsWith(SESSION_PREFIX)) return { kind: 'session', id: holder.slice(SESSION_PREFIX.length) };
  if (holder.startsWith(SIGN_IN_PREFIX)) return { kind: 'sign_in', id: holder.slice(SIGN_IN_PREFIX.length) };
  return { kind: 'run', id: holder };
}
