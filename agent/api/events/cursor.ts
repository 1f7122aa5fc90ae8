/** Where one reader stands in the stream of events, and what of it it wants to see. */
import { payloads, PRIORITIES, type Priority, type WireEvent } from '../../journal/index.ts';
import type { EventFeed, Lost } from './feed.ts';

export interface EventFilter {
  /** Types or globs such as `run.*`; absent: all. */
  types?: readonly string[] | undefined;
  runId?: string | undefined;
  minPriority?: Priority | undefined;
}

export interface Batch {
  /** What is missing before these events. */
  lost: Lost | null;
  events: WireEvent[];
  /** Whether there is more to read at once. */
  isMore: boolean;
}

/** So much of a reader's events is put together at a time: what a socket takes at once, in bytes (about). */
const BATCH_BYTES = 65_536;

const KNOWN_TYPES = Object.keys(payloads);

/** The first pattern that no type of event can ever match. */
export function unknownType(patterns: readonly string[]): string | undefined {
  return patterns.find((pattern) => !KNOWN_TYPES.some((type) => matchesType(pattern, type)));
}

export function matcher(filter: EventFilter): (event: WireEvent) => boolean {
  const { types, runId } = filter;
  const least = filter.minPriority === undefined ? 0 : PRIORITIES.indexOf(filter.minPriority);
  return (event) =>
    event.priority >= least &&
    (runId === undefined || event.runId === runId) &&
    (types === undefined || types.some((pattern) => matchesType(pattern, event.type)));
}

function matchesType(pattern: string, type: string): boolean {
  if (!pattern.endsWith('*')) return pattern === type;
  return type.startsWith(pattern.slice(0, -1));
}

export class EventCursor {
  readonly #feed: EventFeed;
  readonly #matches: (event: WireEvent) => boolean;
  #position: number;

  /** @param after the last id that the reader has; 0: it wants all that there is; undefined: only what comes */
  constructor(feed: EventFeed, filter: EventFilter, after: number | undefined) {
    this.#feed = feed;
    this.#matches = matcher(filter);
    const { oldest, newest } = feed.bounds();
    if (after === undefined) this.#position = newest;
    else this.#position = after === 0 ? oldest - 1 : after;
  }

  /** Everything up to this id was given out or is of no interest. */
  get position(): number {
    return this.#position;
  }

  next(): Batch {
    const { lost, events } = this.#feed.read(this.#position);
    if (lost) this.#position = lost.from_id - 1;
    const wanted: WireEvent[] = [];
    let bytes = 0;
    for (const event of events) {
      if (bytes >= BATCH_BYTES) break;
      this.#position = event.id;
      if (!this.#matches(event)) continue;
      wanted.push(event);
      bytes += event.json.length;
    }
    return { lost, events: wanted, isMore: events.length > 0 && this.#feed.hasAfter(this.#position) };
  }
}
