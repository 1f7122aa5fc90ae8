import type { Machine } from './browser-paths.ts';

/**
 * For closed networks: nothing but the pages themselves is asked for. Playwright passes some of these on
 * its own today; a promise does not hang on that.
 */
const CLOSED_NETWORK = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--no-default-browser-check',
];

/** After a crash or kill -9: no "restore pages?" bubble over the page. */
const AFTER_CRASH = ['--hide-crash-restore-bubble'];

export function browserFlags(extra: readonly string[] = []): string[] {
  return [...new Set([...CLOSED_NETWORK, ...AFTER_CRASH, ...extra])];
}

/** Chromium refuses to start its sandbox as root on Linux; everywhere else the sandbox stays on. */
export function sandboxed(machine: Machine, uid: number | undefined = process.getuid?.()): boolean {
  return !(machine.platform === 'linux' && uid === 0);
}

/**
 * The environment for the browser: this process's own without what a web page's process has no business
 * with: cloud credentials, our settings, and options meant for Node.
 */
export function browserEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !/^(AWS_|LBA_|NODE_|npm_|RECORDING_LEVEL)/i.test(name)) kept[name] = value;
  }
  return kept;
}
