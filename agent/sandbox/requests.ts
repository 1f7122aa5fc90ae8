/** What clients asked of the sandbox: tests assert on it ("NONE makes zero S3 requests"). */

import type { IamPrefix } from '../base/services.ts';

/** The sandbox calls services as IAM does. */
export type ServiceName = IamPrefix;

export interface LoggedRequest {
  service: ServiceName;
  /** The operation's name in the service's API, e.g. `PutObject`. */
  operation: string;
  /** Bucket and object key, activity ARN, parameter name, …; absent where a request is about nothing. */
  key?: string;
  /** When it arrived, milliseconds since the epoch. */
  time: number;
  /** Absent while the request is still open, and when its connection ended without an answer. */
  status?: number;
  durationMs?: number;
  /** The error code answered, e.g. `AccessDenied`. */
  error?: string;
  accessKeyId?: string;
  /** Bytes of the request's body as its `content-length` says. */
  sizeBytes: number;
}

/** Entries kept; the oldest go first. Counters are never cut. Enough for an hour of polls and a TRACE run. */
const MAX_ENTRIES = 10_000;

type Listener = (request: LoggedRequest) => void;

export class RequestLog {
  #entries: LoggedRequest[] = [];
  readonly #counts = new Map<string, number>();
  readonly #listeners = new Set<Listener>();

  /** Every request kept, oldest first; `filter` narrows to a service or one operation of it. */
  all(filter: { service?: ServiceName; operation?: string } = {}): LoggedRequest[] {
    return this.#entries.filter(
      (entry) =>
        (filter.service === undefined || entry.service === filter.service) &&
        (filter.operation === undefined || entry.operation === filter.operation),
    );
  }

  /** Requests since the start or the last {@link clear}, as `{'s3:PutObject': 3}`. */
  counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => a.localeCompare(b)));
  }

  /** How many requests a service got, or one operation of it. */
  count(service: ServiceName, operation?: string): number {
    let total = 0;
    for (const [name, count] of this.#counts) {
      if (operation === undefined ? name.startsWith(`${service}:`) : name === `${service}:${operation}`) {
        total += count;
      }
    }
    return total;
  }

  clear(): void {
    this.#entries = [];
    this.#counts.clear();
  }

  /**
   * The first request, seen already or to come, that `matches`. With `answered` (the default) it waits
   * for its answer too.
   */
  async waitFor(
    matches: (request: LoggedRequest) => boolean,
    options: { signal?: AbortSignal; answered?: boolean } = {},
  ): Promise<LoggedRequest> {
    const answered = options.answered ?? true;
    const fits = (entry: LoggedRequest): boolean =>
      (!answered || entry.status !== undefined) && matches(entry);
    const seen = this.#entries.find(fits);
    if (seen) return seen;
    const { promise, resolve, reject } = Promise.withResolvers<LoggedRequest>();
    const listener: Listener = (entry) => {
      if (fits(entry)) resolve(entry);
    };
    const onAbort = (): void => reject(options.signal?.reason as Error);
    this.#listeners.add(listener);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted) onAbort();
    try {
      return await promise;
    } finally {
      this.#listeners.delete(listener);
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** A request has arrived. */
  add(entry: LoggedRequest): void {
    this.#entries.push(entry);
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
    const name = `${entry.service}:${entry.operation}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.#notify(entry);
  }

  /** A request has been answered, or its connection has ended. */
  finish(entry: LoggedRequest, status: number | undefined): void {
    if (status !== undefined) entry.status = status;
    entry.durationMs = Date.now() - entry.time;
    this.#notify(entry);
  }

  #notify(entry: LoggedRequest): void {
    for (const listener of this.#listeners) listener(entry);
  }
}
