import { closeSync, openSync, readlinkSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Chrome's own claim on a user data directory. */
export type Claim =
  /** Nobody's, or one that is void: its process is dead or was on another host. */
  | { state: 'free'; stale: boolean }
  /** A process of this machine may hold it; pid is null on Windows, which only shows that somebody does. */
  | { state: 'held'; pid: number | null };

/** Chrome's process singleton on POSIX: a link `SingletonLock` to `<host>-<pid>`, a socket and a cookie. */
const SINGLETON_FILES = ['SingletonLock', 'SingletonSocket', 'SingletonCookie'];
/** On Windows: a file that is open, and not shared, for as long as Chrome runs. */
const WINDOWS_LOCK_FILE = 'lockfile';

/** Who holds a user data directory. `isRunning` says whether there is a process with this pid. */
export async function claimOf(
  dir: string,
  isRunning: (pid: number) => Promise<boolean>,
  platform: NodeJS.Platform = process.platform,
): Promise<Claim> {
  if (platform === 'win32') return windowsClaim(dir);
  let target: string;
  try {
    target = readlinkSync(join(dir, 'SingletonLock'));
  } catch {
    return { state: 'free', stale: false };
  }
  const dash = target.lastIndexOf('-');
  const pid = Number(target.slice(dash + 1));
  const host = target.slice(0, dash);
  // Another host's: a data directory that moved with a container or a volume. Ours is one machine's.
  if (dash < 0 || host !== hostname() || !Number.isInteger(pid)) return { state: 'free', stale: true };
  return (await isRunning(pid)) ? { state: 'held', pid } : { state: 'free', stale: true };
}

/** Removes a void claim: Chrome itself refuses to start over one that names another host. */
export function clearClaim(dir: string): void {
  for (const name of SINGLETON_FILES) rmSync(join(dir, name), { force: true });
}

function windowsClaim(dir: string): Claim {
  try {
    closeSync(openSync(join(dir, WINDOWS_LOCK_FILE), 'r+'));
    return { state: 'free', stale: true };
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    return code === 'ENOENT' ? { state: 'free', stale: false } : { state: 'held', pid: null };
  }
}
