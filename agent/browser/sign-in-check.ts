/** Whether a profile is signed in: a page that is opened, and something that only who is signed in sees there. */
import { z } from 'zod';
import { AgentError, messageOf } from '../base/errors.ts';
import type { BrowserSession } from './launch.ts';

/** A slow portal takes that long to show its first page, in milliseconds. */
const OPEN_MS = 30_000;
/** What is not there by then is not shown to this person, in milliseconds. */
const LOOK_MS = 8_000;
/** Of a title. */
const MAX_TITLE = 300;

export const signInCheck = z.object({
  url: z.string().min(1).max(2_000),
  /** CSS, or any selector of Playwright. */
  selector: z.string().min(1).max(1_000).optional(),
  text: z.string().min(1).max(500).optional(),
});

export type SignInCheck = z.infer<typeof signInCheck>;

export const checkOutcome = z.object({
  signedIn: z.boolean(),
  /** Where it ended up, which is often a sign-in page. */
  url: z.string(),
  title: z.string(),
  /** Why the page could not be looked at; null: it could. */
  problem: z.string().nullable(),
  /** Milliseconds since the epoch. */
  at: z.number(),
});

export type CheckOutcome = z.infer<typeof checkOutcome>;

/** @throws AgentError BrowserAgent.InvalidInput for a check that says nothing to look for, or no web address */
export function refuseBadCheck({ url, selector, text }: SignInCheck): void {
  if (selector === undefined && text === undefined) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      'A check needs a "selector" or a "text" that only a person who is signed in sees.',
    );
  }
  refuseNoWebAddress(url);
}

/** @throws AgentError BrowserAgent.InvalidInput */
export function refuseNoWebAddress(url: string): void {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return;
  throw new AgentError(
    'BrowserAgent.InvalidInput',
    `"${url}" is no web address. Give one that begins with https:// (or http://).`,
  );
}

export async function lookWhetherSignedIn(
  session: BrowserSession,
  check: SignInCheck,
  now: () => number,
): Promise<CheckOutcome> {
  const page = session.page();
  let problem: string | null = null;
  let signedIn = false;
  try {
    await page.goto(check.url, { timeout: OPEN_MS, waitUntil: 'domcontentloaded' });
    const wanted =
      check.selector === undefined
        ? page.getByText(check.text ?? '').first()
        : page
            .locator(check.selector)
            .filter({ hasText: check.text ?? '' })
            .first();
    signedIn = await wanted.waitFor({ state: 'visible', timeout: LOOK_MS }).then(
      () => true,
      (thrown: unknown) => {
        const message = messageOf(thrown);
        // Not there in time is an answer; a selector that cannot be read is none.
        if (!/Timeout/i.test(message)) problem = message.split('\n')[0] ?? message;
        return false;
      },
    );
  } catch (thrown) {
    problem = messageOf(thrown).split('\n')[0] ?? '';
  }
  const title = await page.title().catch(() => '');
  return { signedIn, url: page.url(), title: title.slice(0, MAX_TITLE), problem, at: now() };
}
