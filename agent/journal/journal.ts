/**
 * Keeps the agent's events: what happens goes into the history in SQLite, in order, and only then is anybody
 * told that there is more to read. Events that come together are written together; those of runs themselves
 * at once, so that a crash right after a run leaves no run without an end.
 */
import type { Clock } from '../base/clock.ts';
import type { AgentEvent, EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import type { EventRow, EventStore, NewEventRow } from '../store/events.ts';
import { PRIORITIES, publish } from './published.ts';
import { wireEvent, type WireEvent } from './wire.ts';

/** Between two writes, in milliseconds: a burst of uploads is one write, and nobody sees a delay of this. */
const WRITE_MS = 5;
/** So many rows are written between two looks at what is too old. */
const TRIM_ROWS = 500;
/** What cannot be written (disk full) is kept for a next try up to this many, then the oldest are given up. */
const MAX_PENDING = 2_000;
const DAY_MS = 86_400_000;

export interface JournalOptions {
  events: EventBus;
  store: EventStore;
  clock: Clock;
  log: Logger;
  /** How much history is kept, as it is set now. */
  keep: () => { rows: number; days: number };
}

/** Told of what was written by this process. */
type Reader = (events: readonly WireEvent[]) => void;

export class EventJournal {
  readonly store: EventStore;
  readonly #options: JournalOptions;
  readonly #unsubscribe: () => void;
  readonly #readers = new Set<Reader>();
  #pending: NewEventRow[] = [];
  #timer: NodeJS.Timeout | null = null;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #untilTrim = 0;
  #failed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.store = options.store;
    this.#unsubscribe = options.events.on('journal', (event) => this.#note(event));
  }

  /** @returns a function that ends it */
  onWritten(reader: Reader): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  /** Writes what is not written yet. Never throws: events are for showing. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#pending.length === 0) return;
    const { clock, log } = this.#options;
    this.#writtenAt = clock.monotonic();
    let rows: EventRow[];
    try {
      rows = this.store.append(this.#pending);
      this.#pending = [];
      this.#failed = false;
      this.#trim(rows.length);
    } catch (thrown) {
      if (!this.#failed) log.warn({ err: thrown }, 'events could not be written; tried again with the next');
      this.#failed = true;
      this.#pending = this.#pending.slice(-MAX_PENDING);
      return;
    }
    if (this.#readers.size === 0) return;
    const written = rows.map(wireEvent);
    for (const reader of this.#readers) {
      try {
        reader(written);
      } catch (thrown) {
        log.error({ err: thrown }, 'a follower of the events failed');
      }
    }
  }

  /** Writes the rest, and follows the events no longer. */
  close(): void {
    this.#unsubscribe();
    this.flush();
  }

  #note(event: AgentEvent): void {
    const published = publish(event);
    if (!published) return;
    this.#pending.push({
      type: published.type,
      priority: PRIORITIES.indexOf(published.priority),
      source: published.source,
      correlation_id: published.runId,
      time: this.#options.clock.now(),
      payload: JSON.stringify(published.payload),
    });
    if (event.type.startsWith('run.')) {
      this.flush();
      return;
    }
    if (this.#timer) return;
    const sinceMs = this.#options.clock.monotonic() - this.#writtenAt;
    this.#timer = setTimeout(() => this.flush(), Math.max(0, WRITE_MS - sinceMs));
    this.#timer.unref();
  }

  #trim(written: number): void {
    this.#untilTrim -= written;
    if (this.#untilTrim > 0) return;
    this.#untilTrim = TRIM_ROWS;
    const { clock, keep } = this.#options;
    const { rows, days } = keep();
    const before = clock.now() - days * DAY_MS;
    this.store.trim({ keepRows: rows, before });
    this.store.forgetConsumers(before);
  }
}
