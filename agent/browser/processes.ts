import { randomUUID } from 'node:crypto';
import { resolve, sep } from 'node:path';
import { AgentError, messageOf } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import { isAlive } from '../base/is-alive.ts';
import type { Logger } from '../base/log.ts';
import type { ProcessIdentity, ProcessRepository, ProcessRow } from '../store/processes.ts';
import { systemProcessTable, type ProcessInfo, type ProcessTable } from './process-table.ts';
import { endTree } from './process-tree.ts';

/** Where the process table is slow to ask (macOS, Windows), a process seen alive is believed for this long. */
const BELIEVE_ALIVE_MS = 5_000;

export interface ProcessesOptions {
  repository: ProcessRepository;
  /** The data directory: a browser on a directory below it that nobody alive answers for is an orphan. */
  home: string;
  log: Logger;
  table?: ProcessTable;
  clock?: Clock;
  /** Told of each browser that came up. */
  onBrowser?: (pid: number) => void;
}

/** A child that is on record: it ends with us, or at the next start. */
export interface TrackedProcess extends ProcessIdentity {
  /** Ends it with everything it started, waits until it is gone, and strikes it off the record. */
  end(): Promise<void>;
}

/** A child that is about to be started: announced on disk, so that it cannot get lost in between. */
export interface ExpectedProcess {
  started(pid: number): Promise<TrackedProcess>;
  /** It did not come up: ends whatever did, and withdraws the announcement. */
  failed(): Promise<void>;
}

export interface Child {
  kind: ProcessRow['kind'];
  runId?: string;
  userDataDir?: string;
}

/**
 * Keeps every browser and ffmpeg of this agent on record, in SQLite, so that none outlives it: not after a
 * crash, not after kill -9. {@link reapOrphans} at start is what makes that true; ending children in good
 * order is the quick way.
 */
export class Processes {
  /** This very process. */
  readonly self: ProcessIdentity;
  readonly #repository: ProcessRepository;
  readonly #home: string;
  readonly #log: Logger;
  readonly #table: ProcessTable;
  readonly #clock: Clock;
  readonly #onBrowser: (pid: number) => void;
  readonly #seenAlive = new Map<string, number>();

  private constructor(options: ProcessesOptions, table: ProcessTable, self: ProcessIdentity) {
    this.#repository = options.repository;
    this.#home = resolve(options.home);
    this.#log = options.log;
    this.#table = table;
    this.#clock = options.clock ?? systemClock;
    this.#onBrowser = options.onBrowser ?? (() => undefined);
    this.self = self;
  }

  static async open(options: ProcessesOptions): Promise<Processes> {
    const table = options.table ?? systemProcessTable();
    const self = await table.get(process.pid);
    if (!self) {
      throw new AgentError(
        'BrowserAgent.Internal',
        `This process (${process.pid}) is not in the system's process table. On Linux /proc must be readable, on macOS ps and on Windows powershell.exe must be on the PATH.`,
      );
    }
    return new Processes(options, table, { pid: self.pid, started: self.started });
  }

  /** To be called before a browser is started. */
  expect(child: Child): ExpectedProcess {
    const announced: ProcessIdentity = { pid: 0, started: `announced ${randomUUID()}` };
    const row = this.#row(announced, child);
    this.#repository.add(row);
    return {
      started: async (pid) => {
        const identity = await this.#identify(pid);
        this.#repository.replace(announced, { ...row, ...identity });
        if (child.kind === 'browser') this.#onBrowser(pid);
        return this.#tracked(identity);
      },
      failed: async () => {
        if (child.userDataDir !== undefined) await this.#endUsersOf(child.userDataDir);
        this.#repository.remove(announced);
      },
    };
  }

  /** Puts a running child on record; for ffmpeg, right after spawn. A child that is gone already is no error. */
  async track(child: Child & { pid: number }): Promise<TrackedProcess> {
    const identity = await this.#identify(child.pid);
    this.#repository.add(this.#row(identity, child));
    return this.#tracked(identity);
  }

  /** Whether this very process, not another with the same pid, is running. */
  async isAlive(identity: ProcessIdentity): Promise<boolean> {
    if (identity.pid === this.self.pid) return identity.started === this.self.started;
    const key = `${identity.pid} ${identity.started}`;
    const seenAt = this.#seenAlive.get(key);
    const recent = seenAt !== undefined && this.#clock.monotonic() - seenAt < BELIEVE_ALIVE_MS;
    if (!this.#table.cheap && recent) return isAlive(identity.pid);
    const alive = (await this.#table.get(identity.pid))?.started === identity.started;
    if (alive) this.#seenAlive.set(key, this.#clock.monotonic());
    else this.#seenAlive.delete(key);
    return alive;
  }

  /** The process with this pid, if there is one. */
  find(pid: number): Promise<ProcessInfo | undefined> {
    return this.#table.get(pid);
  }

  /** Ends every child of this process that is still on record. For the end of the agent. */
  async endAll(): Promise<void> {
    for (const row of this.#repository.list()) {
      if (row.owner.pid === this.self.pid && row.owner.started === this.self.started) await this.#end(row);
    }
  }

  /**
   * Ends what agents that are gone have left: the processes on record whose owner is dead, and browsers on
   * a directory below our home, or on an announced one, for which no living agent answers. Rows of living
   * agents are left alone. Only ever matches pid and start time, or the user data directory.
   *
   * @param only look only at what uses this user data directory
   * @returns how many processes were ended
   */
  async reapOrphans(only?: { userDataDir: string }): Promise<number> {
    // The table first: a browser in it was announced before it was started, so its row is in the later listing.
    const running = await this.#table.list();
    const rows = this.#repository
      .list()
      .filter((row) => only === undefined || row.userDataDir === only.userDataDir);
    const answeredFor = new Set<string>();
    const abandoned: ProcessRow[] = [];
    for (const row of rows) {
      if (!(await this.isAlive(row.owner))) abandoned.push(row);
      else if (row.userDataDir !== null) answeredFor.add(row.userDataDir);
    }
    let ended = 0;
    for (const row of abandoned) {
      const count = await this.#end(row);
      if (count > 0) {
        this.#log.warn(
          { pid: row.pid, kind: row.kind, runId: row.runId, count },
          'ended an orphaned process',
        );
      }
      ended += count;
    }
    const suspects = new Set(abandoned.flatMap((row) => row.userDataDir ?? []));
    for (const info of running) {
      const dir =
        only === undefined
          ? (userDataDirBelow(info.command, this.#home) ?? usedOf(info.command, suspects))
          : usedOf(info.command, [only.userDataDir]);
      if (dir === undefined || answeredFor.has(dir)) continue;
      const count = await endTree(this.#table, info);
      if (count > 0) this.#log.warn({ pid: info.pid, dir, count }, 'ended an orphan found by its directory');
      ended += count;
    }
    return ended;
  }

  async #end(row: ProcessRow): Promise<number> {
    let count = 0;
    try {
      count = row.pid === 0 ? 0 : await endTree(this.#table, row);
    } catch (thrown) {
      // The row stays: the next start tries again.
      this.#log.error({ err: thrown, pid: row.pid }, `cannot end process ${row.pid}: ${messageOf(thrown)}`);
      return 0;
    }
    this.#repository.remove(row);
    return count;
  }

  async #endUsersOf(userDataDir: string): Promise<void> {
    for (const info of await this.#table.list()) {
      if (usedOf(info.command, [userDataDir]) !== undefined) await endTree(this.#table, info);
    }
  }

  #tracked(identity: ProcessIdentity): TrackedProcess {
    return {
      ...identity,
      end: async () => {
        await endTree(this.#table, identity);
        this.#repository.remove(identity);
      },
    };
  }

  async #identify(pid: number): Promise<ProcessIdentity> {
    const info = await this.#table.get(pid);
    return { pid, started: info?.started ?? `unknown ${randomUUID()}` };
  }

  #row(identity: ProcessIdentity, child: Child): ProcessRow {
    return {
      ...identity,
      kind: child.kind,
      owner: this.self,
      runId: child.runId ?? null,
      userDataDir: child.userDataDir ?? null,
      createdAt: this.#clock.now(),
    };
  }
}

const FLAG = ' --user-data-dir=';
/** Only a browser that is (or was) driven through Playwright; not one a person opened, nor a `grep` for one. */
const DRIVEN = ' --remote-debugging-';

/** The desktop app's own window, driven by a test: no browser of ours. */
const DESKTOP = 'desktop';

/** The directory below `home` that a command line names as user data directory. Ours hold no spaces below home. */
export function userDataDirBelow(command: string, home: string): string | undefined {
  const prefix = FLAG + (home.endsWith(sep) ? home : home + sep);
  const plain = unquoted(command);
  const at = plain.indexOf(prefix);
  if (at < 0 || !plain.includes(DRIVEN)) return undefined;
  const rest = /^\S+/.exec(plain.slice(at + prefix.length));
  if (!rest || rest[0] === DESKTOP) return undefined;
  return plain.slice(at + FLAG.length, at + prefix.length + rest[0].length);
}

/** Which of `dirs` a command line names as user data directory. */
function usedOf(command: string, dirs: Iterable<string>): string | undefined {
  const plain = unquoted(command);
  for (const dir of dirs) {
    const at = plain.indexOf(FLAG + dir);
    if (at < 0 || !plain.includes(DRIVEN)) continue;
    const next = plain[at + FLAG.length + dir.length];
    if (next === undefined || next === ' ') return dir;
  }
  return undefined;
}

/** Windows shows arguments with spaces in quotes. */
function unquoted(command: string): string {
  return command.replaceAll('"', ' ');
}
