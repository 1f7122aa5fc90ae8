/**
 * The rows of the audit log. The table only grows: triggers refuse every other change, and a row that does
 * not go on where the last one ended. What the columns mean and how they are hashed: agent/audit.
 */
import { z } from 'zod';
import type { Database } from './database.ts';

/** All columns, in the order of the table. */
export const AUDIT_COLUMNS = [
  'seq',
  'at',
  'actor_kind',
  'actor_id',
  'origin',
  'action',
  'target',
  'result',
  'details',
  'prev_hash',
  'hash',
] as const;
export type AuditColumn = (typeof AUDIT_COLUMNS)[number];

const auditRow = z.object({
  seq: z.number(),
  at: z.number(),
  actor_kind: z.string(),
  actor_id: z.string(),
  origin: z.string(),
  action: z.string(),
  target: z.string(),
  result: z.string(),
  details: z.string(),
  prev_hash: z.string(),
  hash: z.string(),
});

export type AuditRow = z.infer<typeof auditRow>;

/** A row as it lies in the database: the bytes of each column, numbers as decimal text. */
export type RawAuditRow = Record<AuditColumn, Buffer>;

export interface AuditFilter {
  /** Only rows with a smaller `seq`: the cursor of the next page. */
  before?: number;
  action?: string;
  target?: string;
  actorId?: string;
  limit: number;
}

const COLUMNS = AUDIT_COLUMNS.join(', ');
const RAW_COLUMNS = AUDIT_COLUMNS.map((name) => `CAST(CAST(${name} AS TEXT) AS BLOB) AS ${name}`).join(', ');

export class AuditStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Adds the row that `make` makes of the last one; nobody else, in any process, can come in between. */
  append(make: (last: { seq: number; hash: string } | undefined) => AuditRow): AuditRow {
    const append = this.#db.transaction(() => {
      const row = make(this.last());
      this.#db
        .prepare(
          `INSERT INTO audit (${COLUMNS}) VALUES (${AUDIT_COLUMNS.map((name) => `@${name}`).join(', ')})`,
        )
        .run(row);
      return row;
    });
    return append.immediate();
  }

  last(): { seq: number; hash: string } | undefined {
    return this.#db.prepare('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1').get() as
      | { seq: number; hash: string }
      | undefined;
  }

  /** Every row in order, byte for byte. One at a time: the log may be long. */
  raw(): IterableIterator<RawAuditRow> {
    return (
      this.#db
        // Plain "seq" would be the text of the column list, which has 10 before 2.
        .prepare(`SELECT ${RAW_COLUMNS} FROM audit ORDER BY audit.seq`)
        .iterate() as IterableIterator<RawAuditRow>
    );
  }

  /** Newest first. */
  list(filter: AuditFilter): AuditRow[] {
    return this.#db
      .prepare(
        `SELECT ${COLUMNS} FROM audit
         WHERE (@before IS NULL OR seq < @before) AND (@action IS NULL OR action = @action)
           AND (@target IS NULL OR target = @target) AND (@actorId IS NULL OR actor_id = @actorId)
         ORDER BY seq DESC LIMIT @limit`,
      )
      .all({
        before: filter.before ?? null,
        action: filter.action ?? null,
        target: filter.target ?? null,
        actorId: filter.actorId ?? null,
        limit: filter.limit,
      })
      .map((row) => auditRow.parse(row));
  }
}
