import { openAgent, type Agent } from '../../agent.ts';
import { newRunId } from '../../base/ids.ts';
import { createLogger } from '../../base/log.ts';
import type { JsonObject } from '../../base/words.ts';
import { browserChoice } from '../../config/browser-choice.ts';
import { launchBrowser } from '../../browser/launch.ts';
import { cliActor } from '../audit.ts';
import { WrongUse, type VerbOptions } from '../main-types.ts';
import { formatTime, note, printRows } from '../output.ts';

interface ProfilesOptions extends VerbOptions {
  url?: string;
}

/** How long a profile that a run uses is waited for. */
const WAIT_MS = 60_000;

/** Profiles: `list`, `create NAME [TAG…]`, `tag NAME [TAG…]`, `clone NAME NEW`, `delete NAME`, `sign-in NAME`. */
export async function profiles(options: ProfilesOptions, args: string[]): Promise<void> {
  const [verb = 'list', name, ...more] = args;
  const agent = await openAgent({
    home: options.home,
    env: process.env,
    log: createLogger({ level: 'warn' }),
    uploads: 'none',
    keepWarm: false,
  });
  try {
    if (verb === 'list') await list(agent, options.json === true);
    else await change(agent, verb, required(name, verb), more, options);
  } finally {
    await agent.close();
  }
}

async function list(agent: Agent, json: boolean): Promise<void> {
  const all = agent.profiles.list();
  if (all.length === 0 && !json) {
    note('No profiles yet. Create one with: local-browser-agent profiles create NAME');
    return;
  }
  const rows = await Promise.all(
    all.map(async (profile) => ({
      ...profile,
      usedBy: (await agent.profiles.holder(profile.profileId))?.runId ?? null,
    })),
  );
  printRows(
    rows,
    [
      { title: 'profile', value: (row) => row.name },
      { title: 'tags', value: (row) => row.tags.join(', ') },
      { title: 'signed in', value: (row) => formatTime(row.signedInAt) },
      { title: 'last used', value: (row) => formatTime(row.lastUsedAt) },
      { title: 'used by run', value: (row) => row.usedBy },
    ],
    json,
  );
}

async function change(
  agent: Agent,
  verb: string,
  name: string,
  more: string[],
  options: ProfilesOptions,
): Promise<void> {
  const audited = (action: string, details: JsonObject, work: () => unknown): Promise<unknown> =>
    agent.audit.around({ by: cliActor(), action, target: `profile/${name}`, details }, work);
  switch (verb) {
    case 'create':
      await audited('profile.create', { tags: more }, () => agent.profiles.create({ name, tags: more }));
      note(
        `Profile "${name}" is there. Sign in once with: local-browser-agent profiles sign-in "${name}" --url https://…`,
      );
      return;
    case 'tag':
      await audited('profile.tag', { tags: more }, () => agent.profiles.setTags(name, more));
      note(`Profile "${name}" has the tags: ${more.join(', ') || '(none)'}.`);
      return;
    case 'clone': {
      const copy = required(more[0], 'clone NAME');
      await audited('profile.clone', { copy }, () =>
        agent.profiles.clone(name, copy, { runId: newRunId(), timeoutMs: WAIT_MS }),
      );
      note(`Profile "${copy}" is a copy of "${name}".`);
      return;
    }
    case 'delete':
      await audited('profile.delete', {}, () => agent.profiles.delete(name));
      note(`Profile "${name}" is deleted.`);
      return;
    case 'sign-in':
      await audited('profile.sign-in', { url: options.url ?? null }, () => signIn(agent, name, options));
      return;
    default:
      throw new WrongUse(`profiles ${verb}: use list, create, tag, clone, delete or sign-in`);
  }
}

/** Opens the real browser on the profile, and waits until its window is closed. */
async function signIn(agent: Agent, name: string, options: ProfilesOptions): Promise<void> {
  const { browser } = agent.config.settings;
  const profile = agent.profiles.get(name);
  const lease = await agent.profiles.acquire(profile.profileId, { runId: newRunId(), timeoutMs: WAIT_MS });
  try {
    const session = await launchBrowser({
      profileDir: lease.dir,
      headless: false,
      viewport: null,
      ...browserChoice(browser),
      args: browser.args,
      temporary: agent.temporary,
      processes: agent.processes,
      log: agent.log,
    });
    const closed = new Promise<void>((resolve) => session.context.once('close', () => resolve()));
    if (options.url !== undefined) await session.page().goto(options.url);
    note('Sign in, then close the browser window.');
    await closed;
    await session.close();
    agent.profiles.setSignedIn(profile.profileId, Date.now());
    note(`Profile "${name}" keeps what you signed in to.`);
  } finally {
    await lease.release();
  }
}

function required(value: string | undefined, usage: string): string {
  if (value === undefined) throw new WrongUse(`usage: local-browser-agent profiles ${usage} NAME`);
  return value;
}
