import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { ProfileLock, ProfileRepository } from '../store/profiles.ts';
import type { Processes } from './processes.ts';

/** How often a run that waits for another process's run looks again: cheap, and not felt by a person. */
const POLL_MS = 250;

/** Before the id of a session that holds a profile, where the id of a run stands otherwise. */
export const SESSION_PREFIX = 'session:';

/** The same of a person who signs in to the profile, checks it or takes it along. */
export const SIGN_IN_PREFIX = 'sign-in:';

export interface WaitOptions {
  runId: string;
  signal?: AbortSignal;
  /** Called once, when the profile is not free: by whom it is held, as far as is known. */
  onWaiting?: (heldBy: ProfileLock | undefined) => void;
  /** Give up with ProfileBusy after this long; default: wait for as long as the signal allows. 0 never waits. */
  timeoutMs?: number;
}

interface Turn {
  /** Resolves when everybody who came before is done. */
  readonly mine: Promise<void>;
  /** Done, or given up. */
  leave(): void;
}

/**
 * One run at a time in a profile. Runs of this process queue first come, first served; its first in line
 * competes with other processes for a row in SQLite. A holder that died (no such process, or its pid is
 * another process's by now) loses the lock at once.
 */
export class ProfileLocks {
  readonly #repository: ProfileRepository;
  readonly #processes: Pick<Processes, 'self' | 'isAlive'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lines = new Map<string, { settled: boolean; done: Promise<void> }[]>();

  constructor(
    repository: ProfileRepository,
    processes: Pick<Processes, 'self' | 'isAlive'>,
    clock: Clock,
    log: Logger,
  ) {
    this.#repository = repository;
    this.#processes = processes;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Waits for the lock. Returns what gives it back.
   *
   * @throws the signal's reason; AgentError ProfileNotFound when the profile was deleted meanwhile,
   * ProfileBusy after `timeoutMs`
   */
  async acquire(profileId: string, options: WaitOptions): Promise<() => void> {
    const { signal, timeoutMs } = options;
    signal?.throwIfAborted();
    const deadline = timeoutMs === undefined ? Infinity : this.#clock.monotonic() + timeoutMs;
    let told = false;
    const tell = (heldBy: ProfileLock | undefined): void => {
      if (!told) options.onWaiting?.(heldBy);
      told = true;
    };

    const ahead = this.#lines.get(profileId)?.some((waiting) => !waiting.settled) ?? false;
    const turn = this.#enter(profileId);
    try {
      if (ahead) {
        if (timeoutMs === 0) throw busy(this.#repository.lockOf(profileId));
        tell(this.#repository.lockOf(profileId));
        await this.#orGiveUp(turn.mine, deadline, signal, profileId);
      }
      const lock = await this.#take(profileId, options.runId, { signal, deadline, tell });
      return () => {
        this.#repository.unlock(lock);
        turn.leave();
      };
    } catch (thrown) {
      turn.leave();
      throw thrown;
    }
  }

  /** Who holds the profile, if that process lives. */
  async holder(profileId: string): Promise<ProfileLock | undefined> {
    const lock = this.#repository.lockOf(profileId);
    return lock && (await this.#processes.isAlive(lock.owner)) ? lock : undefined;
  }

  /** How many of this process wait for it. */
  waiting(profileId: string): number {
    const line = this.#lines.get(profileId)?.filter((place) => !place.settled).length ?? 0;
    const isOurs = this.#repository.lockOf(profileId)?.owner.pid === this.#processes.self.pid;
    return Math.max(0, isOurs ? line - 1 : line);
  }

  async #take(
    profileId: string,
    runId: string,
    wait: { signal: AbortSignal | undefined; deadline: number; tell(heldBy: ProfileLock): void },
  ): Promise<ProfileLock> {
    for (;;) {
      wait.signal?.throwIfAborted();
      const lock: ProfileLock = {
        profileId,
        runId,
        owner: this.#processes.self,
        acquiredAt: this.#clock.now(),
      };
      const result = this.#repository.tryLock(lock);
      if ('gone' in result) {
        throw new AgentError(
          'BrowserAgent.ProfileNotFound',
          'The profile was deleted while the run waited for it.',
        );
      }
      if (result.taken) return lock;
      if (!(await this.#processes.isAlive(result.heldBy.owner))) {
        this.#log.info({ profileId, heldBy: result.heldBy }, 'breaking the lock of a process that is gone');
        this.#repository.unlock(result.heldBy);
        continue;
      }
      if (this.#clock.monotonic() >= wait.deadline) throw busy(result.heldBy);
      wait.tell(result.heldBy);
      await this.#clock.sleep(POLL_MS, wait.signal);
    }
  }

  /** A place at the end of this process's line. */
  #enter(profileId: string): Turn {
    const line = this.#lines.get(profileId) ?? [];
    this.#lines.set(profileId, line);
    const before = line.map((waiting) => waiting.done);
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const place = { settled: false, done };
    line.push(place);
    return {
      mine: Promise.all(before).then(() => undefined),
      leave: () => {
        place.settled = true;
        resolve();
        const rest = line.filter((waiting) => !waiting.settled);
        if (rest.length === 0) this.#lines.delete(profileId);
        else line.splice(0, line.length, ...rest);
      },
    };
  }

  async #orGiveUp(
    mine: Promise<void>,
    deadline: number,
    signal: AbortSignal | undefined,
    profileId: string,
  ): Promise<void> {
    const stop = new AbortController();
    const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (): void => reject(either.reason);
    either.addEventListener('abort', abort, { once: true });
    const racers: Promise<unknown>[] = [mine, aborted];
    if (deadline !== Infinity) {
      racers.push(
        this.#clock.sleep(Math.max(0, deadline - this.#clock.monotonic()), either).then(() => {
          throw busy(this.#repository.lockOf(profileId));
        }),
      );
    }
    try {
      await Promise.race(racers);
    } finally {
      either.removeEventListener('abort', abort);
      for (const racer of racers) racer.catch(() => undefined);
      stop.abort();
    }
  }
}

function busy(heldBy: ProfileLock | undefined): AgentError {
  const session = heldBy?.runId.startsWith(SESSION_PREFIX) ? heldBy.runId.slice(SESSION_PREFIX.length) : null;
  const isSignIn = heldBy?.runId.startsWith(SIGN_IN_PREFIX) === true;
  const run = isSignIn ? 'a person who signs in or looks after it' : `run ${heldBy?.runId}`;
  const holder = session === null ? run : `the open session ${session}`;
  const who = heldBy ? ` by ${holder} (process ${heldBy.owner.pid})` : '';
  return new AgentError(
    'BrowserAgent.ProfileBusy',
    `The profile is in use${who}. ${isSignIn ? 'Wait until they are done' : session === null ? 'Wait for that run to end' : 'End that session'}, or set session.clone_for_parallel to work in a copy.`,
    { data: heldBy ? { run_id: heldBy.runId, pid: heldBy.owner.pid } : {} },
  );
}
