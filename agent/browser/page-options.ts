import { AgentError } from '../base/errors.ts';

/** What a script's `session` may say about the pages of a run. */
export interface PageOptions {
  /** CSS pixels; null follows the window (headed only). Default {@link DEFAULT_VIEWPORT}. */
  viewport?: { width: number; height: number } | null;
  /** BCP 47, e.g. `de-CH`. Default: the machine's. */
  locale?: string;
  /** IANA name, e.g. `Europe/Zurich`. Default: the machine's. */
  timezone?: string;
  ignoreHttpsErrors?: boolean;
}

/** Wide enough for the desktop layout of most portals; screenshots of it stay small. */
export const DEFAULT_VIEWPORT = { width: 1280, height: 800 };

/**
 * The same as Playwright's context options.
 *
 * @throws AgentError InvalidScript for a locale or time zone that does not exist: Chromium would say so
 * only at the first page, and not which
 */
export function contextOptions(options: PageOptions): {
  viewport: { width: number; height: number } | null;
  locale?: string;
  timezoneId?: string;
  ignoreHTTPSErrors: boolean;
  acceptDownloads: true;
} {
  const { locale, timezone, viewport } = options;
  if (locale !== undefined && !isValid(() => new Intl.Locale(locale))) {
    throw new AgentError(
      'BrowserAgent.InvalidScript',
      `session.locale "${locale}" is no language tag. Write it like "en-US" or "de-CH".`,
    );
  }
  if (timezone !== undefined && !isValid(() => new Intl.DateTimeFormat('en', { timeZone: timezone }))) {
    throw new AgentError(
      'BrowserAgent.InvalidScript',
      `session.timezone "${timezone}" is no known time zone. Write it like "Europe/Zurich".`,
    );
  }
  return {
    viewport: viewport === undefined ? DEFAULT_VIEWPORT : viewport,
    ...(locale === undefined ? {} : { locale }),
    ...(timezone === undefined ? {} : { timezoneId: timezone }),
    ignoreHTTPSErrors: options.ignoreHttpsErrors ?? false,
    acceptDownloads: true,
  };
}

function isValid(make: () => unknown): boolean {
  try {
    make();
    return true;
  } catch {
    return false;
  }
}
