/**
 * The one place that all streams of events hang on. It tells them that there is more to read; each reads at
 * its own pace, from the last events in memory or from the history in SQLite, and nothing is queued for any
 * of them. It works only while somebody follows.
 */
import { drop } from '../../base/drop.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { wait } from '../../base/wait.ts';
import { wireEvent, type EventJournal, type WireEvent } from '../../journal/index.ts';
import type { ApiTier } from '../../store/api-keys.ts';
import type { Caller, KeyRing } from '../keys.ts';
import { ApiError } from '../problem.ts';

/** Kept in memory, shared by all who are up to date: a few hundred kB. */
const TAIL_EVENTS = 1_000;
/** Read from history at a time: a millisecond's work. */
const PAGE_EVENTS = 200;
/** Served in one turn of the event loop, some 2 ms: runs and requests come in between. */
const FOLLOWERS_PER_TURN = 50;
/** Between two looks at what other processes have written: events of their runs, keys revoked; in milliseconds. */
const LOOK_MS = 250;
/** Below what proxies and browsers take for a dead connection (30 s and more); in milliseconds. */
const BEAT_MS = 15_000;
/** Streams that the owner's key may have open: a leak in a window must not take everything. */
const OWNER_STREAMS = 1_000;
/** What is left for clients to take the last events when the agent ends, in milliseconds. */
const CLOSE_MS = 250;

/** What a reader has missed for good. */
export interface Lost {
  /** The last id that it had. */
  after: number;
  /** It goes on with this one. */
  from_id: number;
}

/** Why a stream is ended from here. */
export type EndReason = 'revoked' | 'closing';

/** One stream of one client. */
export interface Follower {
  /** Gives out what the client takes at once. True: there is more, and it would take it. */
  pump(): boolean;
  /** A sign of life, about every {@link BEAT_MS}. */
  beat(): void;
  /** No more than what was given out already. */
  end(reason: EndReason): void;
  /** At once, without a word. */
  cut(): void;
}

export interface FeedOptions {
  journal: EventJournal;
  keys: KeyRing;
  clock: Clock;
  log: Logger;
  /** Streams that a key of each tier may have open. */
  streams: (tier: ApiTier) => number;
}

export class EventFeed {
  readonly #options: FeedOptions;
  readonly #followers = new Map<Follower, Caller>();
  readonly #ready = new Set<Follower>();
  #tail: WireEvent[] = [];
  #newest = 0;
  /** The page of history that was read last: those who wake together stand at the same place. */
  #page: { after: number; newest: number; events: WireEvent[] } | null = null;
  #isServing = false;
  #over: AbortController | null = null;
  #unsubscribe: (() => void)[] = [];
  #isClosed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** @throws ApiError 429 when this key has as many streams open as it may */
  admit(caller: Caller): void {
    const most = caller.row === null ? OWNER_STREAMS : this.#options.streams(caller.row.tier);
    let open = 0;
    for (const { keyId } of this.#followers.values()) if (keyId === caller.keyId) open += 1;
    if (open < most) return;
    throw new ApiError(429, 'BrowserAgent.TooManyRequests', `This key has ${open} streams open.`, {
      hint: 'Close one first, or follow more with one: a filter names several types. The limits of each tier are settings of the agent (api.…_streams).',
    });
  }

  /** @returns a function that ends it */
  follow(follower: Follower, caller: Caller): () => void {
    if (this.#isClosed) {
      follower.end('closing');
      return () => undefined;
    }
    if (this.#followers.size === 0) this.#begin();
    this.#followers.set(follower, caller);
    this.wake(follower);
    return () => {
      this.#ready.delete(follower);
      if (this.#followers.delete(follower) && this.#followers.size === 0) this.#rest();
    };
  }

  /** This follower would take more: it is served in one of the next turns. */
  wake(follower: Follower): void {
    if (!this.#followers.has(follower)) return;
    this.#ready.add(follower);
    if (this.#isServing) return;
    this.#isServing = true;
    setImmediate(() => this.#serve());
  }

  bounds(): { oldest: number; newest: number } {
    return this.#options.journal.store.bounds();
  }

  hasAfter(id: number): boolean {
    return id < this.#newest;
  }

  /** The events after this id, some of them; and what between is gone. */
  read(after: number): { lost: Lost | null; events: readonly WireEvent[] } {
    if (after === this.#newest) return NOTHING;
    const first = this.#tail[0];
    if (first && after >= first.id - 1 && after < this.#newest) {
      const from = after + 1 - first.id;
      return { lost: null, events: this.#tail.slice(from, from + PAGE_EVENTS) };
    }
    if (after < this.#newest) {
      const events = this.#history(after);
      const fromId = events[0]?.id ?? this.bounds().oldest;
      return { lost: fromId === after + 1 ? null : { after, from_id: fromId }, events };
    }
    // It has seen more than there ever was: the database is another one.
    const { oldest, newest } = this.bounds();
    this.#newest = Math.max(this.#newest, newest);
    if (after <= newest) return this.read(after);
    return { lost: { after, from_id: oldest }, events: this.#history(oldest - 1) };
  }

  /** Gives everybody what there is, ends all streams, and cuts off who does not take it. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#options.journal.flush();
    this.#isClosed = true;
    for (const follower of this.#followers.keys()) {
      follower.pump();
      follower.end('closing');
    }
    const until = performance.now() + CLOSE_MS;
    while (this.#followers.size > 0 && performance.now() < until) {
      await wait(10);
    }
    for (const follower of this.#followers.keys()) follower.cut();
    this.#followers.clear();
    this.#rest();
  }

  #history(after: number): WireEvent[] {
    const page = this.#page;
    if (page?.after === after && page.newest === this.#newest) return page.events;
    const events = this.#options.journal.store.after(after, PAGE_EVENTS).map(wireEvent);
    this.#page = { after, newest: this.#newest, events };
    return events;
  }

  #begin(): void {
    const { journal, keys, log } = this.#options;
    this.#newest = this.bounds().newest;
    this.#over = new AbortController();
    this.#unsubscribe = [
      journal.onWritten((events) => this.#written(events)),
      keys.onRevoked((keyId) => this.#endOf(keyId)),
    ];
    drop(this.#watch(this.#over.signal), log, 'following events');
  }

  #rest(): void {
    this.#over?.abort();
    this.#over = null;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe = [];
    this.#ready.clear();
    this.#tail = [];
    this.#page = null;
  }

  #written(events: readonly WireEvent[]): void {
    const last = this.#tail.at(-1);
    // Another process wrote in between: what it wrote is read from history.
    if (last && events[0]?.id !== last.id + 1) this.#tail = [];
    this.#tail.push(...events);
    if (this.#tail.length > TAIL_EVENTS) this.#tail = this.#tail.slice(-TAIL_EVENTS / 2);
    this.#newest = Math.max(this.#newest, events.at(-1)?.id ?? 0);
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const follower of this.#followers.keys()) this.wake(follower);
  }

  #serve(): void {
    let served = 0;
    const again: Follower[] = [];
    for (const follower of this.#ready) {
      if (served === FOLLOWERS_PER_TURN) break;
      served += 1;
      this.#ready.delete(follower);
      try {
        if (follower.pump()) again.push(follower);
      } catch (thrown) {
        this.#options.log.warn({ err: thrown }, 'a stream of events broke');
        follower.cut();
      }
    }
    for (const follower of again) if (this.#followers.has(follower)) this.#ready.add(follower);
    this.#isServing = this.#ready.size > 0;
    if (this.#isServing) setImmediate(() => this.#serve());
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, journal, keys } = this.#options;
    let version = journal.store.foreignVersion();
    let beatAt = clock.monotonic() + BEAT_MS;
    for (;;) {
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      const now = journal.store.foreignVersion();
      if (now !== version) {
        version = now;
        this.#lookForForeign();
      }
      for (const caller of new Set(this.#followers.values())) {
        if (keys.isExpired(caller)) this.#endOf(caller.keyId);
      }
      if (clock.monotonic() < beatAt) continue;
      beatAt = clock.monotonic() + BEAT_MS;
      for (const follower of this.#followers.keys()) follower.beat();
    }
  }

  /** Something was written by another process: events, or a key was revoked on the command line. */
  #lookForForeign(): void {
    const { newest } = this.bounds();
    if (newest > this.#newest) {
      this.#newest = newest;
      this.#tail = [];
      this.#wakeAll();
    }
    for (const keyId of new Set([...this.#followers.values()].map((caller) => caller.keyId))) {
      if (this.#options.keys.isRevoked(keyId)) this.#endOf(keyId);
    }
  }

  #endOf(keyId: string): void {
    for (const [follower, caller] of this.#followers) if (caller.keyId === keyId) follower.end('revoked');
  }
}

const NOTHING = { lost: null, events: [] } as const;
