/**
 * Which browser a run gets: one on its profile, held by the profile's lease; a fresh context of the kept
 * browser; or a throw-away one.
 */
import { launchBrowser, type BrowserSession } from '../browser/launch.ts';
import type { PageOptions } from '../browser/page-options.ts';
import type { Processes } from '../browser/processes.ts';
import type { ProfileService } from '../browser/profiles.ts';
import type { TemporaryFolders } from '../browser/temporary.ts';
import type { WarmBrowser } from '../browser/warm.ts';
import type { Logger } from '../base/log.ts';
import type { Session } from '../script/schema.ts';
import type { RunSettings } from './settings.ts';

export interface BrowserWish {
  session: Session | undefined;
  runId: string;
  browser: RunSettings['browser'];
  /** Where downloads go until a step saves them; default: a folder that ends with the browser. */
  downloadsDir?: string;
  signal: AbortSignal;
  /** The profile is in use, by this run or session (`session:ID`); the run waits in its queue. */
  onWaiting: (profile: string, heldBy: string | null) => void;
  /** Waits no longer than this for the profile, in milliseconds; default: as long as the signal allows. */
  waitMs?: number;
}

export interface OpenedBrowser {
  session: BrowserSession;
  /** Name of the profile; null for a temporary one. */
  profile: string | null;
  /** Its user data directory; null for a context of the kept browser. */
  profileDir: string | null;
  /** Ends the browser, then gives the profile back. */
  close(): Promise<void>;
}

export interface BrowserSourceOptions {
  profiles: ProfileService;
  processes: Processes;
  temporary: TemporaryFolders;
  /** Null: every run starts a browser of its own. */
  warm: WarmBrowser | null;
  log: Logger;
}

export class BrowserSource {
  readonly #options: BrowserSourceOptions;

  constructor(options: BrowserSourceOptions) {
    this.#options = options;
  }

  /** @throws AgentError ProfileNotFound, ProfileBusy, BrowserUnavailable; the signal's reason */
  async open(wish: BrowserWish): Promise<OpenedBrowser> {
    const { profiles, processes, temporary, warm, log } = this.#options;
    const { session, signal, browser } = wish;
    const pages = pageOptions(session);
    // A person who is to sign in has to see the browser.
    const headless = session?.requires_human_login === true ? false : (session?.headless ?? browser.headless);
    const choice = profiles.resolve(session ?? {});

    if (choice.kind === 'temporary' && headless && warm) {
      const opened = await warm.session({ ...pages, signal });
      return { session: opened, profile: null, profileDir: null, close: () => opened.close() };
    }
    const lease = await profiles.lease(choice, {
      runId: wish.runId,
      signal,
      onWaiting: (heldBy) =>
        wish.onWaiting(choice.kind === 'named' ? choice.profile.name : '', heldBy?.runId ?? null),
      ...(wish.waitMs === undefined ? {} : { timeoutMs: wish.waitMs }),
    });
    try {
      const opened = await launchBrowser({
        ...pages,
        profileDir: lease.dir,
        headless,
        ...(wish.downloadsDir === undefined ? {} : { downloadsDir: wish.downloadsDir }),
        ...(browser.channel === null ? {} : { channel: browser.channel }),
        ...(browser.executablePath === null ? {} : { executablePath: browser.executablePath }),
        args: browser.args,
        runId: wish.runId,
        temporary,
        processes,
        log,
        signal,
      });
      return {
        session: opened,
        profile: lease.profile?.name ?? null,
        profileDir: lease.dir,
        close: async () => {
          try {
            await opened.close();
          } finally {
            await lease.release();
          }
        },
      };
    } catch (thrown) {
      await lease.release();
      throw thrown;
    }
  }
}

function pageOptions(session: Session | undefined): PageOptions {
  return {
    ...(session?.viewport === undefined ? {} : { viewport: session.viewport }),
    ...(session?.locale === undefined ? {} : { locale: session.locale }),
    ...(session?.timezone === undefined ? {} : { timezone: session.timezone }),
    ...(session?.ignore_https_errors === true ? { ignoreHttpsErrors: true } : {}),
  };
}
