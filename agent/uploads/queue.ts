/**
 * Uploads files until they are in S3, however long that takes. The queue is in SQLite, so a process that was killed
 * continues where it was.
 *
 * One loop: start what is due, then wait until something is due, has ended or was added. What is on its way is in
 * flights.ts, buckets that wait as a whole in bucket-holds.ts, what has arrived in arrivals.ts.
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { systemClock, type Clock } from '../base/clock.ts';
import { drop } from '../base/drop.ts';
import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import { describeAwsFailure } from '../aws/errors.ts';
import { ServiceUnavailable } from '../aws/resilience.ts';
import {
  SMALL_MAX_BYTES,
  type NewUpload,
  type UploadCounts,
  type UploadRow,
  type UploadStore,
} from '../store/uploads.ts';
import { Arrivals } from './arrivals.ts';
import { abandonUpload, attemptUpload } from './attempt.ts';
import { BucketHolds, type HeldBucket } from './bucket-holds.ts';
import { ChangeSignal } from './change-signal.ts';
import { Flights, type AtOnce } from './flights.ts';
import { BACKOFF, backoffMs } from './retry.ts';
import { UnusableFile } from './send-file.ts';

/** A claimed row whose process died is free again after this; renewed while bytes are on the way. */
const LEASE_MS = 120_000;
const RENEW_MS = 30_000;

/** How late the queue may notice a row that another process put into the same database. */
const MAX_IDLE_MS = 30_000;

/**
 * An upload that is tried again only after longer than this waits for a person (retry.ts: access denied, no such
 * bucket), or has failed a few times already: no task waits for it.
 */
const PATIENCE_MS = 20_000;

/** Rows in which a reason is looked for; the files of one run fail for the same one. */
const ERRORS_SEEN = 100;

export interface UploadQueueOptions {
  store: UploadStore;
  /** Called when the first upload is due, not before: an idle agent holds no S3 client. */
  s3: () => Promise<S3Client>;
  events: EventBus;
  log: Logger;
  clock?: Clock;
  /** The most uploads at once; how many of these are used depends on the line. */
  mostAtOnce?: AtOnce;
  /** Buckets that this agent must not upload to now: their uploads wait. */
  skipBuckets?: readonly string[];
  /** Upload only for this run, and leave the rest to the agent that has the same data directory. */
  onlyRun?: string;
  random?: () => number;
}

export interface UploadQueueStatus extends UploadCounts {
  running: boolean;
  inFlight: number;
  /** Why an upload waits after an attempt, also when it holds no other: access denied, no such bucket. */
  lastError: string | null;
  /** Buckets that wait as a whole, and why. */
  held: HeldBucket[];
}

export class UploadQueue {
  readonly #store: UploadStore;
  readonly #events: EventBus;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #s3: () => Promise<S3Client>;
  readonly #onlyRun: { runId?: string };
  readonly #skipBuckets: readonly string[];
  readonly #random: () => number;
  readonly #holds = new BucketHolds();
  readonly #flights: Flights;
  readonly #arrivals: Arrivals;
  readonly #changes: ChangeSignal;
  #loop: { ended: Promise<void>; stopping: AbortController } | null = null;
  #renewedAt = 0;

  constructor(options: UploadQueueOptions) {
    const { store, events, log, clock = systemClock } = options;
    this.#store = store;
    this.#events = events;
    this.#log = log;
    this.#clock = clock;
    this.#s3 = options.s3;
    this.#onlyRun = options.onlyRun === undefined ? {} : { runId: options.onlyRun };
    this.#skipBuckets = options.skipBuckets ?? [];
    this.#random = options.random ?? Math.random;
    this.#flights = new Flights(options.mostAtOnce);
    this.#changes = new ChangeSignal(clock);
    this.#arrivals = new Arrivals({ store, events, log, clock, onNoted: () => this.#changes.changed() });
  }

  /** On disk when this returns. May be called before `start`. */
  enqueue(upload: NewUpload): void {
    this.#store.enqueue(upload, this.#clock.now());
    this.#changes.changed();
  }

  /** Everything pending is tried at once: whatever prevented it may be fixed by now. */
  start(): void {
    if (this.#loop) return;
    this.#store.wake(this.#onlyRun, this.#clock.now());
    const stopping = new AbortController();
    this.#loop = { stopping, ended: this.#run(stopping.signal) };
    drop(this.#loop.ended, this.#log, 'the upload queue');
  }

  /**
   * Starts nothing new, gives uploads on their way until the deadline, then aborts them: their rows stay pending,
   * and the next start continues with them.
   */
  async stop(options: { deadlineMs: number }): Promise<void> {
    const loop = this.#loop;
    if (!loop) return;
    loop.stopping.abort();
    const timer = new AbortController();
    const late = this.#clock.sleep(options.deadlineMs, timer.signal).catch(() => undefined);
    await Promise.race([this.#flights.landed(), late]);
    timer.abort();
    this.#flights.abortAll(new Error('the agent stops'));
    await this.#flights.landed();
    await loop.ended;
    await this.#arrivals.flush();
    this.#loop = null;
    this.#changes.changed();
  }

  /**
   * Waits until nothing of the run is pending. Returns earlier, with what is still pending: at the deadline, on
   * abort, when the queue is not running, and when no attempt is due before the deadline or within
   * {@link PATIENCE_MS} (offline, access denied), because waiting would change nothing.
   */
  async settle(runId: string, options: { deadlineMs: number; signal?: AbortSignal }): Promise<UploadCounts> {
    const deadline = this.#clock.monotonic() + options.deadlineMs;
    for (;;) {
      const change = this.#changes.next;
      const leftMs = deadline - this.#clock.monotonic();
      // Each note waits for the disk: not one for each file that arrives.
      if (this.#loop && leftMs > 0 && !options.signal?.aborted && this.#flights.hasRun(runId)) {
        await this.#changes.wait(change, leftMs, options.signal);
        continue;
      }
      this.#arrivals.note();
      const counts = this.#store.counts(runId);
      if (counts.pending === 0 || leftMs <= 0 || options.signal?.aborted || !this.#loop) return counts;
      if (this.#nextAttemptAt(runId) > this.#clock.now() + Math.min(leftMs, PATIENCE_MS)) return counts;
      await this.#changes.wait(change, leftMs, options.signal);
    }
  }

  /** Why an upload of the run is still pending after an attempt; null when nothing has gone wrong. */
  lastError(runId: string): string | null {
    const rows = this.#store.list({ runId, state: 'pending', limit: ERRORS_SEEN });
    return rows.find((row) => row.last_error !== null)?.last_error ?? null;
  }

  /** Tries pending rows now, and with `failed` also those given up. @returns how many */
  retry(options: { runId?: string; failed?: boolean } = {}): number {
    this.#arrivals.note();
    const now = this.#clock.now();
    const filter = options.runId === undefined ? {} : { runId: options.runId };
    let count = this.#store.wake(filter, now, this.#flights.ids);
    if (options.failed) count += this.#store.reviveFailed(now, options.runId);
    this.#holds.clear();
    this.#changes.changed();
    return count;
  }

  status(): UploadQueueStatus {
    return {
      ...this.#store.counts(),
      running: this.#loop !== null,
      inFlight: this.#flights.size,
      lastError: this.#store.lastError(),
      held: this.#holds.list(),
    };
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const change = this.#changes.next;
      this.#startDue();
      await this.#changes.wait(change, this.#idleMs(), signal);
    }
  }

  #startDue(): void {
    const now = this.#clock.now();
    if (this.#flights.size > 0 && now - this.#renewedAt >= RENEW_MS) {
      this.#store.renew(this.#flights.ids, now + LEASE_MS);
      this.#renewedAt = now;
    }
    for (;;) {
      const { small, large } = this.#flights.free();
      // One file alone probes a held bucket: no second one starts before the outcome is known.
      const most = this.#holds.isEmpty ? small + large : Math.min(1, small + large);
      if (most === 0) return;
      const rows = this.#store.claim({
        ...this.#onlyRun,
        now,
        leaseUntil: now + LEASE_MS,
        skipBuckets: this.#closedBuckets(now),
        skipIds: this.#flights.ids,
        small,
        large,
        most,
      });
      for (const row of rows) this.#begin(row);
      if (rows.length < most) return;
    }
  }

  #begin(row: UploadRow): void {
    const endProbe = this.#holds.probe(row.bucket);
    const ended = this.#flights.begin(row, (signal) =>
      this.#send(row, signal).finally(() => {
        endProbe();
        this.#changes.changed();
      }),
    );
    drop(ended, this.#log, `upload of ${row.key}`);
  }

  async #send(row: UploadRow, signal: AbortSignal): Promise<void> {
    const begunAt = this.#clock.monotonic();
    try {
      await attemptUpload(row, signal, { store: this.#store, s3: this.#s3, log: this.#log });
    } catch (thrown) {
      if (signal.aborted) this.#store.release(row.upload_id, this.#clock.now());
      else if (thrown instanceof UnusableFile) await this.#giveUp(row, thrown.message);
      else if (thrown instanceof ServiceUnavailable) this.#notNow(row, thrown);
      else this.#retryLater(row, thrown);
      return;
    }
    if (row.size_bytes <= SMALL_MAX_BYTES) this.#flights.window.arrived(this.#clock.monotonic() - begunAt);
    this.#arrivals.add(row);
    if (this.#holds.release(row.bucket)) {
      this.#arrivals.note();
      this.#store.wake({ bucket: row.bucket }, this.#clock.now(), this.#flights.ids);
    } else this.#arrivals.noteSoon();
  }

  async #giveUp(row: UploadRow, message: string): Promise<void> {
    await abandonUpload(row, { store: this.#store, s3: this.#s3, log: this.#log });
    if (!this.#store.fail(row.upload_id, message, this.#clock.now())) return; // uploaded by another process
    this.#report(row, message, 0);
    this.#log.error({ runId: row.run_id, key: row.key, reason: message }, 'an upload can never be done');
  }

  /** Nothing was sent, so no attempt is counted or reported; the bucket waits as a whole. */
  #notNow(row: UploadRow, { kind, message, retryAt }: ServiceUnavailable): void {
    this.#store.release(row.upload_id, retryAt);
    this.#holds.refuse(row.bucket, { kind, message, retryAt });
  }

  #retryLater(row: UploadRow, thrown: unknown): void {
    const now = this.#clock.now();
    const { kind, message, fix } = describeAwsFailure(thrown, {
      call: 's3:PutObject',
      resource: `s3://${row.bucket}/${row.key}`,
    });
    const retryAfter = (failures: number): number => now + backoffMs(kind, failures, this.#random());
    let retryAt: number;
    if (BACKOFF[kind].holdsBucket) {
      const held = this.#holds.fail(row.bucket, { kind, message }, retryAfter);
      retryAt = held.retryAt;
      if (held.isNews) this.#flights.window.halve();
    } else {
      // Something answered: the bucket as a whole can be reached.
      this.#holds.release(row.bucket);
      retryAt = retryAfter(row.attempts + 1);
    }
    this.#store.retryLater(row.upload_id, retryAt, `${message} ${fix}`);
    this.#report(row, message, retryAt);
    this.#log.warn({ runId: row.run_id, key: row.key, kind, retryInMs: retryAt - now, fix }, message);
  }

  /** @param retryAt 0: never */
  #report(row: UploadRow, message: string, retryAt: number): void {
    this.#events.emit({
      type: 'upload.failed',
      runId: row.run_id,
      key: row.key,
      message,
      attempt: row.attempts + 1,
      retryAt,
    });
  }

  #closedBuckets(now: number): string[] {
    return [...this.#skipBuckets, ...this.#holds.closed(now)];
  }

  /** When an upload of the run is on its way (0) or may start; `Infinity` when nothing is pending. */
  #nextAttemptAt(runId: string): number {
    if (this.#flights.hasRun(runId)) return 0;
    const dueOutside = (skipBuckets: string[]): number =>
      this.#store.nextDue({ runId, skipBuckets, skipIds: [] }) ?? Infinity;
    const inHeld = Math.max(dueOutside([]), this.#holds.firstTry());
    return Math.min(dueOutside(this.#holds.buckets()), inHeld);
  }

  #idleMs(): number {
    const { small, large } = this.#flights.free();
    if (small + large === 0) return RENEW_MS;
    const now = this.#clock.now();
    const due = this.#store.nextDue({
      ...this.#onlyRun,
      ...(small === 0 ? { only: 'large' as const } : large === 0 ? { only: 'small' as const } : {}),
      skipBuckets: this.#closedBuckets(now),
      skipIds: this.#flights.ids,
    });
    const next = Math.min(due ?? Infinity, this.#holds.nextEnd(now));
    return Math.min(MAX_IDLE_MS, Math.max(0, next - now));
  }
}
