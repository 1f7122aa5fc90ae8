/** A browser that stays open from run to run, and what one run leaves to the next in it. */
import type { Page } from 'playwright';
import { AgentError } from '../base/errors.ts';
import { checkNavigation } from '../browser/policy.ts';
import type { Script } from '../script/schema.ts';
import type { OpenedBrowser } from './browser-source.ts';

export interface KeptBrowser {
  readonly opened: OpenedBrowser;
  /** Where the last run left off; null before the first. */
  page: Page | null;
  /** What earlier runs hid: it may still be in the pages, and must stay hidden. */
  readonly secrets: Set<string>;
}

/** The page to go on in: the one at hand, else the youngest, else a new one. */
export async function pageOf(kept: KeptBrowser): Promise<Page> {
  const { context } = kept.opened.session;
  if (kept.page && !kept.page.isClosed()) return kept.page;
  return context.pages().at(-1) ?? context.newPage();
}

/**
 * A script that names another profile than the one that is open would act in the wrong account. What else it
 * says of its browser comes too late and does not matter: size, language, headless or not.
 *
 * @throws AgentError BrowserAgent.InvalidInput
 */
export function refuseOtherProfile(script: Script, profile: string | null): void {
  const { profile_name: wanted, required_tags: tags } = script.session ?? {};
  const asks = wanted !== undefined && wanted !== '' ? `the profile "${wanted}"` : null;
  const isOther = asks !== null && wanted?.toLowerCase() !== profile?.toLowerCase();
  const isUnknown = asks === null && tags !== undefined && tags.length > 0 && profile === null;
  if (!isOther && !isUnknown) return;
  throw new AgentError(
    'BrowserAgent.InvalidInput',
    `The script asks for ${asks ?? `a profile with the tags ${tags?.join(', ')}`}; this session is open in ${profile === null ? 'a temporary one' : `"${profile}"`}. Open a session with "profile" set to it.`,
  );
}

/**
 * The page at hand was opened by a script of before, with a policy of its own: one that is narrower may not act in it.
 *
 * @throws AgentError BrowserAgent.PolicyDenied
 */
export function refuseOtherDomain(script: Script, page: Page, allowedDomains: string[] | null): void {
  const goesElsewhere = script.starting_page !== undefined || script.steps[0]?.action === 'navigate';
  if (!goesElsewhere && /^https?:/.test(page.url())) checkNavigation(page.url(), allowedDomains);
}
