import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { AgentError } from '../base/errors.ts';
import { defaultUserDataDirs, thisMachine, type Machine } from './browser-paths.ts';

/**
 * Refuses a directory that is, or lies in, the user data directory of a person's own browser: Chrome 136
 * and later does not let itself be automated there, and a run has no business in it.
 * https://developer.chrome.com/blog/remote-debugging-port
 *
 * @throws AgentError InvalidInput
 */
export function refuseDefaultUserDataDir(dir: string, machine: Machine = thisMachine()): void {
  const real = realPath(dir, machine);
  for (const defaultDir of defaultUserDataDirs(machine)) {
    const inside = relative(realPath(defaultDir, machine), real);
    // On another drive `relative` gives an absolute path back.
    if (inside.startsWith('..') || resolve(inside) === inside) continue;
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `${dir} belongs to the browser that you use yourself (${defaultDir}). Chrome does not allow automation there. Use a profile of its own: create one with "profiles create", sign in once, and the session stays in it.`,
    );
  }
}

/** The real path; of what does not exist yet, that of its nearest parent that does. */
function realPath(path: string, machine: Machine): string {
  const absolute = resolve(path);
  let real: string;
  try {
    real = realpathSync(absolute);
  } catch {
    const parent = dirname(absolute);
    real = parent === absolute ? absolute : join(realPath(parent, machine), basename(absolute));
  }
  return machine.platform === 'win32' || machine.platform === 'darwin' ? real.toLowerCase() : real;
}
