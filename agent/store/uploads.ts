/**
 * The durable upload queue. A row is `pending` until its object is in S3 (`done`) or can never be
 * (`failed`: the file is gone or is no longer what was recorded). Nothing else ends it.
 */
import { z } from 'zod';
import { unhurried, type Database } from './database.ts';

/** No row is ever put off for longer: one that seems to be was written before the clock was set back. */
const MAX_WAIT_MS = 2 * 60 * 60 * 1000;

/** Up to here a file is small: many are sent at once, each as a whole from memory. */
export const SMALL_MAX_BYTES = 1_048_576;

/** S3's smallest part; 10,000 of them are 50 GB. */
export const PART_BYTES = 5 * 1024 * 1024;

/** S3's limit on parts of one upload. */
export const MAX_PARTS = 10_000;

/** As the conditions of the indexes `uploads_small` and `uploads_large` have it: a number, no parameter. */
const IS_SMALL = 'size_bytes <= 1048576';
const IS_LARGE = 'size_bytes > 1048576';

/** The two indexes have the rows in this order: nothing else is looked at, however long the queue is. */
const DUE = `state = 'pending' AND +next_at NOT BETWEEN @now + 1 AND @now + @horizon
  AND (@runId IS NULL OR run_id = @runId)
  AND bucket NOT IN (SELECT value FROM json_each(@skip))
  AND upload_id NOT IN (SELECT value FROM json_each(@skipIds))
  ORDER BY priority DESC, next_at, upload_id`;

const uploadRow = z.object({
  upload_id: z.number(),
  run_id: z.string(),
  path: z.string(),
  bucket: z.string(),
  key: z.string(),
  content_type: z.string(),
  metadata: z
    .string()
    .transform((text) => JSON.parse(text) as unknown)
    .pipe(z.record(z.string(), z.string())),
  size_bytes: z.number(),
  sha256: z.string(),
  priority: z.number(),
  remove_after: z.number(),
  state: z.enum(['pending', 'done', 'failed']),
  attempts: z.number(),
  next_at: z.number(),
  last_error: z.string().nullable(),
  multipart_id: z.string().nullable(),
  created_at: z.number(),
  done_at: z.number().nullable(),
});

const sentPart = z.object({
  /** From 1, as S3 counts. */
  number: z.number(),
  /** Of the part's bytes, hexadecimal. */
  sha256: z.string(),
  etag: z.string().nullable(),
});

export type SentPart = z.infer<typeof sentPart>;
export type UploadRow = z.infer<typeof uploadRow>;
/** With how many bytes S3 has of it. */
export type SentUpload = UploadRow & { sent_bytes: number };
export type UploadState = UploadRow['state'];

export interface NewUpload {
  runId: string;
  /** The file on this machine. */
  path: string;
  bucket: string;
  key: string;
  contentType: string;
  metadata: Record<string, string>;
  sizeBytes: number;
  /** Of the file's bytes, hexadecimal. */
  sha256: string;
  /** Higher goes first; default 0. */
  priority?: number;
  /** Delete the file once it is in S3; default false. */
  removeAfter?: boolean;
}

export interface UploadCounts {
  pending: number;
  done: number;
  failed: number;
}

export class UploadStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Puts a file in the queue. The same bytes for the same object again change nothing; other bytes, or an
   * object that had failed for good, start anew.
   */
  enqueue(upload: NewUpload, now: number): void {
    const statement = this.#db.prepare(
      `INSERT INTO uploads (run_id, path, bucket, key, content_type, metadata, size_bytes, sha256, priority,
                              remove_after, state, next_at, created_at)
         VALUES (@runId, @path, @bucket, @key, @contentType, @metadata, @sizeBytes, @sha256, @priority,
                 @removeAfter, 'pending', @now, @now)
         ON CONFLICT (bucket, key) DO UPDATE SET
           run_id = excluded.run_id, path = excluded.path, content_type = excluded.content_type,
           metadata = excluded.metadata, size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
           priority = excluded.priority, remove_after = excluded.remove_after, state = 'pending', attempts = 0,
           next_at = excluded.next_at, last_error = NULL, created_at = excluded.created_at, done_at = NULL
         WHERE uploads.sha256 <> excluded.sha256 OR uploads.state = 'failed'`,
    );
    unhurried(this.#db, () =>
      statement.run({
        runId: upload.runId,
        path: upload.path,
        bucket: upload.bucket,
        key: upload.key,
        contentType: upload.contentType,
        metadata: JSON.stringify(upload.metadata),
        sizeBytes: upload.sizeBytes,
        sha256: upload.sha256,
        priority: upload.priority ?? 0,
        removeAfter: upload.removeAfter ? 1 : 0,
        now,
      }),
    );
  }

  /**
   * Takes the most urgent rows that are due, at most so many small and so many large ones, and holds them
   * until `leaseUntil`: another process with the same data directory leaves them alone till then.
   */
  claim(options: {
    now: number;
    leaseUntil: number;
    runId?: string;
    skipBuckets: readonly string[];
    skipIds: readonly number[];
    /** Rows up to {@link SMALL_MAX_BYTES}, rows above it, and both together. */
    small: number;
    large: number;
    most: number;
  }): UploadRow[] {
    const claim = this.#db.transaction(() => {
      const rows = this.#db
        .prepare(
          `SELECT * FROM (SELECT * FROM uploads WHERE ${IS_SMALL} AND ${DUE} LIMIT @small)
           UNION ALL
           SELECT * FROM (SELECT * FROM uploads WHERE ${IS_LARGE} AND ${DUE} LIMIT @large)
           ORDER BY priority DESC, next_at, upload_id LIMIT @most`,
        )
        .all({
          now: options.now,
          horizon: MAX_WAIT_MS,
          runId: options.runId ?? null,
          skip: JSON.stringify(options.skipBuckets),
          skipIds: JSON.stringify(options.skipIds),
          small: options.small,
          large: options.large,
          most: options.most,
        })
        .map((raw) => uploadRow.parse(raw));
      const hold = this.#db.prepare('UPDATE uploads SET next_at = ? WHERE upload_id = ?');
      for (const row of rows) hold.run(options.leaseUntil, row.upload_id);
      return rows;
    });
    return unhurried(this.#db, () => claim.immediate());
  }

  /** Holds on to claimed rows while their bytes are on the way. */
  renew(uploadIds: readonly number[], leaseUntil: number): void {
    this.#db
      .prepare(
        `UPDATE uploads SET next_at = ? WHERE state = 'pending' AND upload_id IN (SELECT value FROM json_each(?))`,
      )
      .run(leaseUntil, JSON.stringify(uploadIds));
  }

  /** Gives a claimed row back as it was. */
  release(uploadId: number, now: number): void {
    this.#db
      .prepare(`UPDATE uploads SET next_at = ? WHERE upload_id = ? AND state = 'pending'`)
      .run(now, uploadId);
  }

  /** All at once: one wait for the disk. @returns those that were not ended or replaced in the meantime */
  done(rows: readonly UploadRow[], now: number): UploadRow[] {
    const update = this.#db.prepare(
      `UPDATE uploads SET state = 'done', done_at = ?, last_error = NULL, multipart_id = NULL, attempts = attempts + 1
       WHERE upload_id = ? AND state = 'pending' AND sha256 = ?`,
    );
    const all = this.#db.transaction(() =>
      rows.filter((row) => update.run(now, row.upload_id, row.sha256).changes === 1),
    );
    return all.immediate();
  }

  retryLater(uploadId: number, nextAt: number, error: string): void {
    this.#db
      .prepare(
        `UPDATE uploads SET attempts = attempts + 1, next_at = ?, last_error = ?
         WHERE upload_id = ? AND state = 'pending'`,
      )
      .run(nextAt, error, uploadId);
  }

  /** Buckets that something waits for. */
  pendingBuckets(): string[] {
    return this.#db
      .prepare(`SELECT DISTINCT bucket FROM uploads WHERE state = 'pending'`)
      .pluck()
      .all() as string[];
  }

  /** Takes back what waits for a bucket; the files stay with their runs. @returns how many */
  forget(bucket: string): number {
    return this.#db.prepare(`DELETE FROM uploads WHERE state = 'pending' AND bucket = ?`).run(bucket).changes;
  }

  /** @returns false when the row was ended in the meantime, e.g. uploaded by another process */
  fail(uploadId: number, error: string, now: number): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE uploads SET state = 'failed', attempts = attempts + 1, last_error = ?, done_at = ?
           WHERE upload_id = ? AND state = 'pending'`,
        )
        .run(error, now, uploadId).changes === 1
    );
  }

  /**
   * Remembered before the first part is sent, so that a crash leaves no parts that nobody can find. Forgets
   * the parts of the one before.
   */
  setMultipart(uploadId: number, multipartId: string | null): void {
    const set = this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM upload_parts WHERE upload_id = ?').run(uploadId);
      this.#db.prepare('UPDATE uploads SET multipart_id = ? WHERE upload_id = ?').run(multipartId, uploadId);
    });
    set.immediate();
  }

  /** S3 has this part of the multipart upload last set. */
  addPart(row: UploadRow, part: SentPart): void {
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO upload_parts (upload_id, part_number, file_sha256, sha256, etag)
         VALUES (?, ?, ?, ?, ?)`,
      )
      .run(row.upload_id, part.number, row.sha256, part.sha256, part.etag);
  }

  /** Those of this very file: none when another has taken its place in the queue. */
  parts(row: UploadRow): SentPart[] {
    return this.#db
      .prepare(
        `SELECT part_number AS number, sha256, etag FROM upload_parts
         WHERE upload_id = ? AND file_sha256 = ? ORDER BY part_number`,
      )
      .all(row.upload_id, row.sha256)
      .map((raw) => sentPart.parse(raw));
  }

  /** Makes pending rows due at once: all, those of a bucket, or those of a run. @returns how many */
  wake(filter: { bucket?: string; runId?: string }, now: number, except: readonly number[] = []): number {
    return this.#db
      .prepare(
        `UPDATE uploads SET next_at = @now
         WHERE state = 'pending' AND next_at > @now AND (@bucket IS NULL OR bucket = @bucket)
           AND (@runId IS NULL OR run_id = @runId)
           AND upload_id NOT IN (SELECT value FROM json_each(@except))`,
      )
      .run({
        now,
        bucket: filter.bucket ?? null,
        runId: filter.runId ?? null,
        except: JSON.stringify(except),
      }).changes;
  }

  /** Puts rows that had failed for good back into the queue. @returns how many */
  reviveFailed(now: number, runId?: string): number {
    return this.#db
      .prepare(
        `UPDATE uploads SET state = 'pending', attempts = 0, next_at = ?, done_at = NULL
         WHERE state = 'failed' AND (? IS NULL OR run_id = ?)`,
      )
      .run(now, runId ?? null, runId ?? null).changes;
  }

  /** When the next row is due, `undefined` when none is pending. */
  nextDue(filter: {
    runId?: string;
    /** Only rows up to {@link SMALL_MAX_BYTES}, or only those above it. */
    only?: 'small' | 'large';
    skipBuckets: readonly string[];
    skipIds: readonly number[];
  }): number | undefined {
    const found = this.#db
      .prepare(
        `SELECT min(next_at) AS at FROM uploads WHERE state = 'pending' AND (@runId IS NULL OR run_id = @runId)
           AND (@only IS NULL OR (${IS_SMALL}) = (@only = 'small'))
           AND bucket NOT IN (SELECT value FROM json_each(@skip))
           AND upload_id NOT IN (SELECT value FROM json_each(@skipIds))`,
      )
      .get({
        only: filter.only ?? null,
        runId: filter.runId ?? null,
        skip: JSON.stringify(filter.skipBuckets),
        skipIds: JSON.stringify(filter.skipIds),
      }) as {
      at: number | null;
    };
    return found.at ?? undefined;
  }

  /** Of one run, or of everything. */
  counts(runId?: string): UploadCounts {
    const counts: UploadCounts = { pending: 0, done: 0, failed: 0 };
    const rows = this.#db
      .prepare('SELECT state, count(*) AS n FROM uploads WHERE ? IS NULL OR run_id = ? GROUP BY state')
      .all(runId ?? null, runId ?? null) as { state: UploadState; n: number }[];
    for (const { state, n } of rows) counts[state] = n;
    return counts;
  }

  /** All of a run, with how many bytes S3 has of each: whole files, and the parts of those on their way. */
  ofRun(runId: string): SentUpload[] {
    return this.#db
      .prepare(
        `SELECT uploads.*, CASE
           WHEN state = 'done' THEN size_bytes
           ELSE min(size_bytes, (SELECT count(*) FROM upload_parts
             WHERE upload_parts.upload_id = uploads.upload_id AND file_sha256 = uploads.sha256
               AND etag IS NOT NULL) * max(@partBytes, (size_bytes + @maxParts - 1) / @maxParts))
         END AS sent_bytes
         FROM uploads WHERE run_id = @runId ORDER BY upload_id`,
      )
      .all({ runId, partBytes: PART_BYTES, maxParts: MAX_PARTS })
      .map((raw) => uploadRow.extend({ sent_bytes: z.number() }).parse(raw));
  }

  /** Why something still waits after an attempt: the newest such reason; null when nothing has gone wrong. */
  lastError(): string | null {
    const found = this.#db
      .prepare(
        `SELECT last_error FROM uploads WHERE state = 'pending' AND last_error IS NOT NULL
         ORDER BY upload_id DESC LIMIT 1`,
      )
      .get() as { last_error: string } | undefined;
    return found?.last_error ?? null;
  }

  /** Newest first. */
  list(filter: {
    runId?: string | undefined;
    state?: UploadState | undefined;
    before?: number | undefined;
    limit: number;
  }): UploadRow[] {
    return this.#db
      .prepare(
        `SELECT * FROM uploads WHERE (@runId IS NULL OR run_id = @runId) AND (@state IS NULL OR state = @state)
           AND (@before IS NULL OR upload_id < @before)
         ORDER BY upload_id DESC LIMIT @limit`,
      )
      .all({
        runId: filter.runId ?? null,
        state: filter.state ?? null,
        before: filter.before ?? null,
        limit: filter.limit,
      })
      .map((row) => uploadRow.parse(row));
  }

  get(uploadId: number): UploadRow | undefined {
    const raw = this.#db.prepare('SELECT * FROM uploads WHERE upload_id = ?').get(uploadId);
    return raw === undefined ? undefined : uploadRow.parse(raw);
  }

  /** Forgets rows that ended before `before`. @returns how many */
  prune(before: number): number {
    return this.#db.prepare(`DELETE FROM uploads WHERE state <> 'pending' AND done_at < ?`).run(before)
      .changes;
  }
}
