/**
 * Uploads files until they are in S3, however long that takes: the queue is in SQLite, so a killed process
 * goes on where it was.
 *
 * One loop: start what is due, wait until something is due, finished or added. A failure that concerns
 * everything for a bucket (no network, no credentials) holds the bucket: one row probes, the others wait.
 */
import { rm } from 'node:fs/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { systemClock, type Clock } from '../base/clock.ts';
import { drop } from '../base/drop.ts';
import { messageOf } from '../base/errors.ts';
import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import { wait } from '../base/wait.ts';
import { describeAwsFailure } from '../aws/errors.ts';
import type { AwsFailureKind } from '../aws/failure-kinds.ts';
import { ServiceUnavailable } from '../aws/resilience.ts';
import {
  SMALL_MAX_BYTES,
  type NewUpload,
  type UploadCounts,
  type UploadRow,
  type UploadStore,
} from '../store/uploads.ts';
import { BACKOFF, backoffMs } from './retry.ts';
import { abortMultipart, sendFile, UnusableFile, type BegunUpload } from './send-file.ts';
import { UploadWindow } from './window.ts';

/**
 * Small files (up to 1 MiB) wait mostly for answers: so many fill a line whose answers are 40 ms late. Three
 * large ones, in parts, fill any. Both bound the memory: 24 MiB, and three times three parts of 5 MiB.
 */
const MOST_AT_ONCE = { small: 24, large: 3 };

/** The part of the small ones that must have ended before others follow, while so many are on their way. */
const REFILL = 6;

/** A claimed row whose process died is free again after this; renewed while bytes are on the way. */
const LEASE_MS = 120_000;
const RENEW_MS = 30_000;

/**
 * What arrives within this is noted together: each note waits for the disk, and a run that goes on beside
 * waits with it. After a crash in between, these are uploaded once more.
 */
const NOTE_MS = 200;

/** How late a row may be noticed that another process put into the same database. */
const MAX_IDLE_MS = 30_000;

/**
 * What is tried again only after longer than this waits for a person (see retry.ts: access denied, a bucket
 * that is not there) or has failed a few times already: nobody's task is held for it.
 */
const PATIENCE_MS = 20_000;
/** Rows looked through for a reason; the files of one run fail for the same one. */
const ERRORS_SEEN = 100;

export interface UploadQueueOptions {
  store: UploadStore;
  /** Asked for when the first upload is due, not before: an idle agent holds no S3 client. */
  s3: () => Promise<S3Client>;
  events: EventBus;
  log: Logger;
  clock?: Clock;
  /** The most at once; how many of these is up to the {@link UploadWindow}. */
  mostAtOnce?: { small: number; large: number };
  /** Buckets that are not this agent's now: what is meant for them waits. */
  skipBuckets?: readonly string[];
  /** Serve this run alone, and leave the rest to the agent that has the same data directory. */
  onlyRun?: string;
  random?: () => number;
}

export interface UploadQueueStatus extends UploadCounts {
  running: boolean;
  inFlight: number;
  /** Why something waits after an attempt, also when it holds nothing else: access denied, no such bucket. */
  lastError: string | null;
  /** Buckets that wait as a whole, and why. */
  held: { bucket: string; kind: AwsFailureKind; message: string; retryAt: number }[];
}

interface Hold {
  kind: AwsFailureKind;
  message: string;
  failures: number;
  untilMs: number;
  probing: boolean;
}

export class UploadQueue {
  readonly #store: UploadStore;
  readonly #s3: () => Promise<S3Client>;
  readonly #events: EventBus;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #mostAtOnce: { small: number; large: number };
  readonly #window: UploadWindow;
  readonly #onlyRun: { runId?: string };
  readonly #skipBuckets: readonly string[];
  readonly #random: () => number;
  readonly #holds = new Map<string, Hold>();
  readonly #inFlight = new Map<number, { row: UploadRow; abort: AbortController; ended: Promise<void> }>();
  #loop: { ended: Promise<void>; stopping: AbortController } | null = null;
  /** Arrived, and not noted yet. */
  #arrived: UploadRow[] = [];
  #noting = false;
  /** Files on their way out. */
  readonly #removing = new Set<Promise<void>>();
  #changed = Promise.withResolvers<void>();
  #waking = false;
  #renewedAt = 0;

  constructor(options: UploadQueueOptions) {
    this.#store = options.store;
    this.#s3 = options.s3;
    this.#events = options.events;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#mostAtOnce = options.mostAtOnce ?? MOST_AT_ONCE;
    this.#window = new UploadWindow(Math.max(this.#mostAtOnce.small, this.#mostAtOnce.large));
    this.#onlyRun = options.onlyRun === undefined ? {} : { runId: options.onlyRun };
    this.#skipBuckets = options.skipBuckets ?? [];
    this.#random = options.random ?? Math.random;
  }

  /** On disk when this returns. May be called before `start`. */
  enqueue(upload: NewUpload): void {
    this.#store.enqueue(upload, this.#clock.now());
    this.#wake();
  }

  /** Everything pending is tried at once: whatever kept it from going may be mended by now. */
  start(): void {
    if (this.#loop) return;
    this.#store.wake(this.#onlyRun, this.#clock.now());
    const stopping = new AbortController();
    this.#loop = { stopping, ended: this.#run(stopping.signal) };
    drop(this.#loop.ended, this.#log, 'the upload queue');
  }

  /**
   * Starts nothing new, gives what is on the way until the deadline, then breaks it off: its rows stay
   * pending and go on at the next start.
   */
  async stop(options: { deadlineMs: number }): Promise<void> {
    const loop = this.#loop;
    if (!loop) return;
    loop.stopping.abort();
    const flights = [...this.#inFlight.values()];
    const timer = new AbortController();
    const late = this.#clock.sleep(options.deadlineMs, timer.signal).catch(() => undefined);
    await Promise.race([Promise.all(flights.map((flight) => flight.ended)), late]);
    timer.abort();
    for (const flight of this.#inFlight.values()) flight.abort.abort(new Error('the agent stops'));
    await Promise.all([...this.#inFlight.values()].map((flight) => flight.ended));
    await loop.ended;
    this.#note();
    await Promise.all(this.#removing);
    this.#loop = null;
    this.#wake();
  }

  /**
   * Waits until nothing of the run is pending. Returns earlier, with what is still pending, at the
   * deadline, on abort, when the queue is not running, and when no attempt is due before the deadline or
   * within {@link PATIENCE_MS} (offline, access denied): waiting would change nothing.
   */
  async settle(runId: string, options: { deadlineMs: number; signal?: AbortSignal }): Promise<UploadCounts> {
    const deadline = this.#clock.monotonic() + options.deadlineMs;
    for (;;) {
      const changed = this.#changed.promise;
      const leftMs = deadline - this.#clock.monotonic();
      // Each note waits for the disk: not one for each file that arrives.
      if (this.#loop && leftMs > 0 && !options.signal?.aborted && this.#isFlying(runId)) {
        await this.#waitFor(changed, leftMs, options.signal);
        continue;
      }
      this.#note();
      const counts = this.#store.counts(runId);
      if (counts.pending === 0 || leftMs <= 0 || options.signal?.aborted || !this.#loop) return counts;
      if (this.#nextAttemptAt(runId) > this.#clock.now() + Math.min(leftMs, PATIENCE_MS)) return counts;
      await this.#waitFor(changed, leftMs, options.signal);
    }
  }

  /** Why something of the run is still pending after an attempt; null when nothing has gone wrong. */
  lastError(runId: string): string | null {
    const rows = this.#store.list({ runId, state: 'pending', limit: ERRORS_SEEN });
    return rows.find((row) => row.last_error !== null)?.last_error ?? null;
  }

  /** Tries pending rows now, and with `failed` also those given up. @returns how many */
  retry(options: { runId?: string; failed?: boolean } = {}): number {
    this.#note();
    const now = this.#clock.now();
    let count = this.#store.wake(options.runId === undefined ? {} : { runId: options.runId }, now, [
      ...this.#inFlight.keys(),
    ]);
    if (options.failed) count += this.#store.reviveFailed(now, options.runId);
    this.#holds.clear();
    this.#wake();
    return count;
  }

  status(): UploadQueueStatus {
    return {
      ...this.#store.counts(),
      running: this.#loop !== null,
      inFlight: this.#inFlight.size,
      lastError: this.#store.lastError(),
      held: [...this.#holds].map(([bucket, { kind, message, untilMs }]) => ({
        bucket,
        kind,
        message,
        retryAt: untilMs,
      })),
    };
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const changed = this.#changed.promise;
      this.#startDue();
      await this.#waitFor(changed, this.#idleMs(), signal);
    }
  }

  #startDue(): void {
    const now = this.#clock.now();
    if (this.#inFlight.size > 0 && now - this.#renewedAt >= RENEW_MS) {
      this.#store.renew([...this.#inFlight.keys()], now + LEASE_MS);
      this.#renewedAt = now;
    }
    for (;;) {
      const { small, large } = this.#free();
      // A bucket that was held is probed by one file alone: no second is taken before that is known.
      const most = this.#holds.size > 0 ? Math.min(1, small + large) : small + large;
      if (most === 0) return;
      const rows = this.#store.claim({
        ...this.#onlyRun,
        now,
        leaseUntil: now + LEASE_MS,
        skipBuckets: this.#heldBuckets(now),
        skipIds: [...this.#inFlight.keys()],
        small,
        large,
        most,
      });
      for (const row of rows) this.#begin(row);
      if (rows.length < most) return;
    }
  }

  #begin(row: UploadRow): void {
    const hold = this.#holds.get(row.bucket);
    if (hold) hold.probing = true;
    const abort = new AbortController();
    const ended = this.#send(row, abort.signal).finally(() => {
      this.#inFlight.delete(row.upload_id);
      if (hold) hold.probing = false;
      this.#wake();
    });
    this.#inFlight.set(row.upload_id, { row, abort, ended });
    drop(ended, this.#log, `upload of ${row.key}`);
  }

  /** How many more of each may begin. */
  #free(): { small: number; large: number } {
    const mostSmall = Math.min(this.#mostAtOnce.small, this.#window.size);
    let small = mostSmall;
    let large = Math.min(this.#mostAtOnce.large, this.#window.size);
    for (const { row } of this.#inFlight.values()) {
      if (row.size_bytes <= SMALL_MAX_BYTES) small -= 1;
      else large -= 1;
    }
    // Looking into the queue costs as much as a fifth of an upload: not for each that ends.
    if (small < mostSmall && small < Math.floor(mostSmall / REFILL)) return { small: 0, large: 0 };
    return { small: Math.max(0, small), large: Math.max(0, large) };
  }

  async #send(row: UploadRow, signal: AbortSignal): Promise<void> {
    const begunAt = this.#clock.monotonic();
    try {
      const s3 = await this.#s3();
      const begun = await this.#begun(s3, row);
      await sendFile(s3, row, {
        signal,
        begun,
        onMultipart: (id) => this.#store.setMultipart(row.upload_id, id),
        onPart: (part) => this.#store.addPart(row, part),
      });
    } catch (thrown) {
      if (signal.aborted) this.#store.release(row.upload_id, this.#clock.now());
      else if (thrown instanceof UnusableFile) await this.#giveUp(row, thrown.message);
      else if (thrown instanceof ServiceUnavailable) this.#notNow(row, thrown);
      else this.#retryLater(row, thrown);
      return;
    }
    if (row.size_bytes <= SMALL_MAX_BYTES) this.#window.arrived(this.#clock.monotonic() - begunAt);
    this.#arrived.push(row);
    if (this.#holds.delete(row.bucket)) {
      this.#note();
      this.#store.wake({ bucket: row.bucket }, this.#clock.now(), [...this.#inFlight.keys()]);
    } else this.#noteSoon();
  }

  #noteSoon(): void {
    if (this.#noting) return;
    this.#noting = true;
    const noted = wait(NOTE_MS).finally(() => {
      this.#noting = false;
      this.#note();
    });
    drop(noted, this.#log, 'noting uploads');
  }

  /** Files go only when it is on disk that they need not be sent again. */
  #note(): void {
    if (this.#arrived.length === 0) return;
    const noted = this.#store.done(this.#arrived, this.#clock.now());
    this.#arrived = [];
    for (const row of noted) {
      this.#events.emit({
        type: 'upload.finished',
        runId: row.run_id,
        key: row.key,
        sizeBytes: row.size_bytes,
      });
      this.#log.debug({ runId: row.run_id, key: row.key, sizeBytes: row.size_bytes }, 'uploaded');
      if (row.remove_after) this.#remove(row.path);
    }
    this.#wake();
  }

  #remove(path: string): void {
    const removing = rm(path, { force: true })
      .catch((thrown: unknown) => {
        this.#log.warn({ path, err: thrown }, 'an uploaded file could not be removed');
      })
      .finally(() => this.#removing.delete(removing));
    this.#removing.add(removing);
  }

  async #giveUp(row: UploadRow, message: string): Promise<void> {
    const multipartId = this.#store.get(row.upload_id)?.multipart_id;
    if (multipartId) await this.#removeParts(await this.#s3(), row, multipartId).catch(() => undefined);
    if (!this.#store.fail(row.upload_id, message, this.#clock.now())) return; // uploaded by another process
    this.#report(row, message, 0);
    this.#log.error({ runId: row.run_id, key: row.key, reason: message }, 'an upload can never be done');
  }

  /** Nothing was sent, so no attempt is counted and nobody is told of one; the bucket waits as a whole. */
  #notNow(row: UploadRow, { kind, message, retryAt }: ServiceUnavailable): void {
    this.#store.release(row.upload_id, retryAt);
    const failures = this.#holds.get(row.bucket)?.failures ?? 1;
    this.#holds.set(row.bucket, { kind, message, failures, untilMs: retryAt, probing: false });
  }

  #retryLater(row: UploadRow, thrown: unknown): void {
    const now = this.#clock.now();
    const failure = describeAwsFailure(thrown, {
      call: 's3:PutObject',
      resource: `s3://${row.bucket}/${row.key}`,
    });
    const { kind, message } = failure;
    let failures = row.attempts + 1;
    if (BACKOFF[kind].holdsBucket) {
      const hold = this.#holds.get(row.bucket);
      // What was in flight when the network went counts once, not once each.
      const isNews = !hold || hold.probing;
      failures = (hold?.failures ?? 0) + (isNews ? 1 : 0);
      if (isNews) this.#window.halve();
    }
    const retryAt = now + backoffMs(kind, failures, this.#random());
    if (BACKOFF[kind].holdsBucket) {
      this.#holds.set(row.bucket, { kind, message, failures, untilMs: retryAt, probing: false });
    } else {
      // Something answered: the bucket as a whole can be reached.
      this.#holds.delete(row.bucket);
    }
    this.#store.retryLater(row.upload_id, retryAt, `${message} ${failure.fix}`);
    this.#report(row, message, retryAt);
    this.#log.warn(
      { runId: row.run_id, key: row.key, kind, retryInMs: retryAt - now, fix: failure.fix },
      message,
    );
  }

  /** `retryAt` 0: never. */
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

  /** What an earlier attempt got to. What has no part that is known is not worth to go on with. */
  async #begun(s3: S3Client, row: UploadRow): Promise<BegunUpload | null> {
    if (!row.multipart_id) return null;
    const parts = this.#store.parts(row);
    if (parts.length > 0) return { id: row.multipart_id, parts };
    await this.#removeParts(s3, row, row.multipart_id);
    return null;
  }

  async #removeParts(s3: S3Client, row: UploadRow, multipartId: string): Promise<void> {
    try {
      await abortMultipart(s3, row, multipartId);
    } catch (thrown) {
      if (thrown instanceof ServiceUnavailable) throw thrown; // asked again with the next attempt
      // Gone already, or not ours to remove: the bucket's lifecycle rule sweeps what is left.
      this.#log.debug({ key: row.key, reason: messageOf(thrown) }, 'old parts were not removed');
    }
    this.#store.setMultipart(row.upload_id, null);
  }

  #heldBuckets(now: number): string[] {
    const held = [...this.#holds]
      .filter(([, hold]) => hold.probing || hold.untilMs > now)
      .map(([bucket]) => bucket);
    return [...this.#skipBuckets, ...held];
  }

  /** When something of the run is on the way or may be; `Infinity` when nothing is pending. */
  #nextAttemptAt(runId: string): number {
    if (this.#isFlying(runId)) return 0;
    const due = this.#store.nextDue({ runId, skipBuckets: [], skipIds: [] }) ?? Infinity;
    const free =
      this.#store.nextDue({ runId, skipBuckets: [...this.#holds.keys()], skipIds: [] }) ?? Infinity;
    const holdEnds = Math.min(...[...this.#holds.values()].map((hold) => (hold.probing ? 0 : hold.untilMs)));
    return Math.min(free, Math.max(due, holdEnds));
  }

  #isFlying(runId: string): boolean {
    for (const { row } of this.#inFlight.values()) if (row.run_id === runId) return true;
    return false;
  }

  #idleMs(): number {
    const { small, large } = this.#free();
    if (small + large === 0) return RENEW_MS;
    const now = this.#clock.now();
    const held = this.#heldBuckets(now);
    const due = this.#store.nextDue({
      ...this.#onlyRun,
      ...(small === 0 ? { only: 'large' as const } : large === 0 ? { only: 'small' as const } : {}),
      skipBuckets: held,
      skipIds: [...this.#inFlight.keys()],
    });
    const holdEnds = [...this.#holds.values()].filter((hold) => !hold.probing).map((hold) => hold.untilMs);
    const next = Math.min(due ?? Infinity, ...holdEnds.filter((until) => until > now));
    return Math.min(MAX_IDLE_MS, Math.max(0, next - now));
  }

  async #waitFor(changed: Promise<void>, ms: number, signal?: AbortSignal): Promise<void> {
    const timer = new AbortController();
    const stop = signal ? AbortSignal.any([timer.signal, signal]) : timer.signal;
    await Promise.race([changed, this.#clock.sleep(ms, stop).catch(() => undefined)]);
    timer.abort();
  }

  /** What happens in one turn of the event loop is one change: many uploads end in the same. */
  #wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    setImmediate(() => {
      this.#waking = false;
      const { resolve } = this.#changed;
      this.#changed = Promise.withResolvers<void>();
      resolve();
    });
  }
}
