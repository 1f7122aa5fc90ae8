import { isAlive } from '../base/is-alive.ts';
import { wait } from '../base/wait.ts';
import type { ProcessIdentity } from '../store/processes.ts';
import type { ProcessInfo, ProcessTable } from './process-table.ts';

/** Every round kills all that is left of the tree; a new child can only appear between two rounds. */
const MAX_ROUNDS = 50;
/** Pause between rounds: SIGKILL takes effect within milliseconds. */
const ROUND_PAUSE_MS = 20;

/**
 * What a browser starts. Of a group whose leader is gone only these count: after a restart of the machine
 * or the container the number may belong to anybody's group.
 */
const BROWSER_CHILD = /\s--type=|crashpad/;

/**
 * Ends a process and everything it started, at once and without asking (SIGKILL, TerminateProcess), and
 * resolves when none of it is left. A process that has ended, or whose pid belongs to another process by
 * now, is not touched. On POSIX the tree includes the root's process group, which finds what was orphaned
 * when the root died first.
 *
 * @returns how many processes were ended
 * @throws when something still lives after {@link MAX_ROUNDS}, e.g. for lack of permission
 */
export async function endTree(table: ProcessTable, root: ProcessIdentity): Promise<number> {
  // Windows has no process groups to look through, and a listing takes a second there.
  if (process.platform === 'win32' && !isAlive(root.pid)) return 0;
  const ended = new Map<string, ProcessInfo>();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const all = await table.list();
    const wanted = new Map(treeOf(all, root).map((info) => [keyOf(info), info]));
    // Children of a killed parent belong to init now: they are known from the rounds before.
    for (const info of all) if (ended.has(keyOf(info))) wanted.set(keyOf(info), info);
    if (wanted.size === 0) return ended.size;
    for (const info of wanted.values()) {
      ended.set(keyOf(info), info);
      kill(info.pid);
    }
    await wait(ROUND_PAUSE_MS);
  }
  throw new Error(
    `process ${root.pid} and its children could not be ended; end them by hand (process ids: ${[...ended.values()].map((info) => info.pid).join(', ')})`,
  );
}

/** The processes of the tree in one listing: root, descendants, and members of the root's group. */
export function treeOf(all: readonly ProcessInfo[], root: ProcessIdentity): ProcessInfo[] {
  const leader = all.find((info) => info.pid === root.pid);
  const reused = leader !== undefined && leader.started !== root.started;
  if (reused) return [];
  const found = new Set<ProcessInfo>();
  const visit = (info: ProcessInfo): void => {
    if (found.has(info)) return;
    found.add(info);
    for (const child of all) {
      // A "child" older than its parent merely names a parent pid that was used again.
      if (child.parentPid === info.pid && child.startOrder >= info.startOrder) visit(child);
    }
  };
  if (leader) visit(leader);
  for (const info of all) {
    if (info.groupPid === root.pid && (leader !== undefined || BROWSER_CHILD.test(info.command))) visit(info);
  }
  return [...found];
}

function keyOf(identity: ProcessIdentity): string {
  return `${identity.pid} ${identity.started}`;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already, or not ours: the next round tells which.
  }
}
