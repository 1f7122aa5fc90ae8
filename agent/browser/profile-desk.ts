/**
 * What a person does with a profile outside of runs: sign in to it in a real window, look whether it is still
 * signed in, take it along. Each holds the profile like a run does, so that nobody is in it at the same time.
 *
 * States of a sign-in:
 * - `waiting`: somebody else is in the profile; the window opens when they are done.
 * - `open`: the window is there.
 * - `done`: the person said so, or closed the window; the time is noted with the profile.
 * - `cancelled`: taken back, too long without an end, or the agent ended.
 * - `failed`: the window could not be opened.
 */
import { uuidv7 } from 'uuidv7';
import type { Clock } from '../base/clock.ts';
import { drop } from '../base/drop.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Profile } from '../store/profiles.ts';
import type { BrowserChoice } from './detect.ts';
import { launchBrowser, type BrowserSession } from './launch.ts';
import type { Processes } from './processes.ts';
import { SIGN_IN_PREFIX } from './profile-locks.ts';
import type { ProfileService } from './profiles.ts';
import type { TemporaryFolders } from './temporary.ts';

/** A window that was forgotten would keep every run from its profile, in milliseconds. */
const SIGN_IN_LIMIT_MS = 60 * 60_000;
/** How long a check or a copy waits for the profile, in milliseconds: a short run ends meanwhile. */
const WAIT_MS = 5_000;
/** So many sign-ins that have ended are remembered, one for each profile. */
const MAX_REMEMBERED = 200;

export type SignInState = 'waiting' | 'open' | 'done' | 'cancelled' | 'failed';

export interface SignIn {
  signInId: string;
  profile: string;
  url: string | null;
  state: SignInState;
  /** While it waits: by whom the profile is held, a run or `session:ID`. */
  heldBy: string | null;
  /** Why it failed or was ended; null otherwise. */
  problem: string | null;
  /** Milliseconds since the epoch. */
  startedAt: number;
  endedAt: number | null;
}

export interface ProfileDeskOptions {
  profiles: ProfileService;
  processes: Processes;
  temporary: TemporaryFolders;
  /** As the settings say now. */
  browser: () => BrowserChoice & { args: readonly string[] };
  clock: Clock;
  log: Logger;
}

interface Entry {
  shown: SignIn;
  cancel: AbortController;
  /** Ends the window; there only while it is open. */
  close: ((state: 'done' | 'cancelled') => void) | null;
  over: Promise<void>;
}

export class ProfileDesk {
  readonly #options: ProfileDeskOptions;
  /** By profile id: the newest. */
  readonly #signIns = new Map<string, Entry>();

  constructor(options: ProfileDeskOptions) {
    this.#options = options;
  }

  /** The newest sign-in of the profile since the agent began. */
  signIn(profile: Profile): SignIn | undefined {
    return this.#signIns.get(profile.profileId)?.shown;
  }

  /**
   * Opens a window on the profile. Resolves when it is open, or when the profile has to be waited for; one
   * that is under way already is answered as it is.
   *
   * @throws AgentError BrowserUnavailable when there is no display or no browser
   */
  async openSignIn(profile: Profile, url: string | null): Promise<SignIn> {
    const known = this.#signIns.get(profile.profileId);
    if (known && known.shown.endedAt === null) return known.shown;
    const { clock, log } = this.#options;
    const shown: SignIn = {
      signInId: uuidv7(),
      profile: profile.name,
      url,
      state: 'waiting',
      heldBy: null,
      problem: null,
      startedAt: clock.now(),
      endedAt: null,
    };
    const told = Promise.withResolvers<void>();
    const entry: Entry = { shown, cancel: new AbortController(), close: null, over: Promise.resolve() };
    const work = this.#work(profile, entry, () => told.resolve());
    // A failure is in `shown.problem`, and in the log.
    entry.over = work.catch((thrown: unknown) => log.warn({ err: thrown }, 'a sign-in failed'));
    this.#remember(profile.profileId, entry);
    work.then(
      () => told.resolve(),
      (thrown: unknown) => told.reject(thrown as Error),
    );
    await told.promise;
    return shown;
  }

  /** The person is done. Resolves when the window is gone. @returns undefined when none is open */
  async finishSignIn(profile: Profile): Promise<SignIn | undefined> {
    const entry = this.#signIns.get(profile.profileId);
    if (!entry?.close) return undefined;
    entry.close('done');
    await entry.over;
    return entry.shown;
  }

  /** @returns undefined when none is under way */
  async cancelSignIn(profile: Profile): Promise<SignIn | undefined> {
    const entry = this.#signIns.get(profile.profileId);
    if (!entry || entry.shown.endedAt !== null) return undefined;
    entry.cancel.abort(new Error('it was cancelled'));
    entry.close?.('cancelled');
    await entry.over;
    return entry.shown;
  }

  /**
   * Works in the profile with a browser that nobody sees.
   *
   * @throws AgentError ProfileBusy, BrowserUnavailable; what the work throws
   */
  async inBackground<T>(profileId: string, work: (session: BrowserSession) => Promise<T>): Promise<T> {
    return this.holding(profileId, async (dir) => this.background(dir, work));
  }

  /** Holds the profile, so that no browser is in its directory. @throws AgentError ProfileBusy */
  async holding<T>(profileId: string, work: (dir: string) => Promise<T>): Promise<T> {
    const { profiles } = this.#options;
    const lease = await profiles.acquire(profileId, {
      runId: `${SIGN_IN_PREFIX}${uuidv7()}`,
      timeoutMs: WAIT_MS,
    });
    try {
      return await work(lease.dir);
    } finally {
      await lease.release();
    }
  }

  /** Starts a browser in a directory that the caller holds. */
  async background<T>(dir: string, work: (session: BrowserSession) => Promise<T>): Promise<T> {
    const session = await this.#launch(dir, true);
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }

  /** Ends what is open; nothing is noted as signed in. */
  async close(): Promise<void> {
    const open = [...this.#signIns.values()].filter(({ shown }) => shown.endedAt === null);
    for (const entry of open) {
      entry.cancel.abort(new Error('the agent ended'));
      entry.close?.('cancelled');
    }
    await Promise.all(open.map(({ over }) => over));
  }

  async #work(profile: Profile, entry: Entry, onTold: () => void): Promise<void> {
    const { shown, cancel } = entry;
    const { profiles, clock } = this.#options;
    const end = (state: SignInState, problem: string | null = null): void => {
      Object.assign(shown, { state, problem, heldBy: null, endedAt: clock.now() });
    };
    try {
      const lease = await profiles.acquire(profile.profileId, {
        runId: `${SIGN_IN_PREFIX}${shown.signInId}`,
        signal: cancel.signal,
        onWaiting: (heldBy) => {
          shown.heldBy = heldBy?.runId ?? null;
          onTold();
        },
      });
      try {
        const state = await this.#window(lease.dir, entry, onTold);
        if (state === 'done') profiles.setSignedIn(profile.profileId, clock.now());
        const late = state === 'late';
        end(late ? 'cancelled' : state, late ? 'Nobody ended the sign-in within an hour.' : null);
      } finally {
        await lease.release();
      }
    } catch (thrown) {
      if (cancel.signal.aborted) end('cancelled');
      else {
        end('failed', messageOf(thrown));
        throw thrown;
      }
    }
  }

  async #window(dir: string, entry: Entry, onOpen: () => void): Promise<'done' | 'cancelled' | 'late'> {
    const { shown, cancel } = entry;
    const { clock, log } = this.#options;
    const session = await this.#launch(dir, false, cancel.signal);
    const timer = new AbortController();
    try {
      const ended = Promise.withResolvers<'done' | 'cancelled'>();
      entry.close = (state) => ended.resolve(state);
      // The window closed by hand is the person's way to say that they are done.
      const { context } = session;
      context.once('close', () => ended.resolve('done'));
      const watch = (page: ReturnType<typeof session.page>): void => {
        // On macOS a browser stays without a window.
        page.once('close', () => {
          if (context.pages().length === 0) ended.resolve('done');
        });
      };
      for (const page of context.pages()) watch(page);
      context.on('page', watch);
      shown.state = 'open';
      shown.heldBy = null;
      onOpen();
      if (shown.url !== null) {
        drop(session.page().goto(shown.url), log, 'opening the sign-in page');
      }
      const late = clock.sleep(SIGN_IN_LIMIT_MS, timer.signal).then(() => 'late' as const);
      late.catch(() => undefined);
      return await Promise.race([ended.promise, late]);
    } finally {
      timer.abort();
      entry.close = null;
      await session.close();
    }
  }

  #launch(dir: string, headless: boolean, signal?: AbortSignal): Promise<BrowserSession> {
    const { processes, temporary, log, browser } = this.#options;
    return launchBrowser({
      ...browser(),
      profileDir: dir,
      headless,
      // A person's window is as large as they make it.
      ...(headless ? {} : { viewport: null }),
      processes,
      temporary,
      log,
      ...(signal ? { signal } : {}),
    });
  }

  #remember(profileId: string, entry: Entry): void {
    this.#signIns.delete(profileId);
    this.#signIns.set(profileId, entry);
    for (const [id, { shown }] of this.#signIns) {
      if (this.#signIns.size <= MAX_REMEMBERED) return;
      if (shown.endedAt !== null) this.#signIns.delete(id);
    }
  }
}
