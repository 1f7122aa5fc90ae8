import { join } from 'node:path';
import { AgentError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { BrowserChoice } from './detect.ts';
import type { PageOptions } from './page-options.ts';
import type { Processes } from './processes.ts';
import { refuseDefaultUserDataDir } from './profile-dir.ts';
import { createSession, type BrowserSession } from './session.ts';
import { claimOf, clearClaim } from './singleton.ts';
import { startBrowser } from './start.ts';
import type { TemporaryFolders } from './temporary.ts';

export type { BrowserSession } from './session.ts';

export interface LaunchOptions extends PageOptions, BrowserChoice {
  /** The user data directory of a profile, which the caller holds a lease on; without it a throw-away one is made. */
  profileDir?: string;
  headless: boolean;
  downloadsDir?: string;
  args?: readonly string[];
  runId?: string;
  temporary: TemporaryFolders;
  processes: Processes;
  log: Logger;
  signal?: AbortSignal;
}

/**
 * Starts a browser for one run: on a profile, or on a throw-away directory. (Headless runs without a
 * profile are quicker in the kept browser: {@link import('./warm.ts').WarmBrowser}.)
 *
 * @throws AgentError BrowserUnavailable; ProfileBusy when a browser that is not ours has the profile open;
 * InvalidInput for a directory of the person's own browser; the signal's reason
 */
export async function launchBrowser(options: LaunchOptions): Promise<BrowserSession> {
  const { profileDir, signal, temporary } = options;
  signal?.throwIfAborted();
  if (profileDir !== undefined) {
    refuseDefaultUserDataDir(profileDir);
    await freeUserDataDir(profileDir, options.processes, options.log);
  }
  const folder = temporary.create();
  try {
    const started = await startBrowser({
      ...options,
      userDataDir: profileDir ?? join(folder.dir, 'profile'),
      artifactsDir: join(folder.dir, 'artifacts'),
    });
    const end = async (): Promise<void> => {
      await started.end();
      await folder.remove();
    };
    try {
      signal?.throwIfAborted();
      const session = createSession({
        kind: profileDir === undefined ? 'temporary' : 'profile',
        context: started.context,
        page: started.context.pages()[0] ?? (await started.context.newPage()),
        browser: started.facts,
        headless: options.headless,
        end,
      });
      return session;
    } catch (thrown) {
      await end();
      throw thrown;
    }
  } catch (thrown) {
    await folder.remove();
    throw thrown;
  }
}

/**
 * Makes sure that no browser has the directory open: clears the claim of one that crashed, ends one that an
 * agent of ours left behind, and gives up on any other.
 */
async function freeUserDataDir(dir: string, processes: Processes, log: Logger): Promise<void> {
  const isBrowser = async (pid: number): Promise<boolean> => {
    const info = await processes.find(pid);
    // A hidden command line counts as a browser's: better to ask a person than to share a profile.
    return info !== undefined && (info.command === '' || /chrom|edge|brave/i.test(info.command));
  };
  let claim = await claimOf(dir, isBrowser);
  if (claim.state === 'held' && (await processes.reapOrphans({ userDataDir: dir })) > 0) {
    claim = await claimOf(dir, isBrowser);
  }
  if (claim.state === 'held') {
    const who = claim.pid === null ? 'another browser' : `another browser (process ${claim.pid})`;
    throw new AgentError(
      'BrowserAgent.ProfileBusy',
      `The profile directory ${dir} is open in ${who}. Close that browser's windows, then run again.`,
      { data: { pid: claim.pid, dir } },
    );
  }
  if (claim.stale) {
    log.info({ dir }, 'clearing the lock of a browser that is gone');
    clearClaim(dir);
  }
}
