/**
 * Reports that Step Functions has not taken yet. A report is written here, in one transaction with the
 * task's state, before it is sent for the first time; it leaves when the service takes it or says that the
 * token is dead.
 */
import { z } from 'zod';
import type { Database } from './database.ts';
import { TaskStore } from './tasks.ts';

/** What SendTaskSuccess or SendTaskFailure gets, apart from the token. */
export type Report =
  | { kind: 'success'; /** JSON text */ output: string }
  | { kind: 'failure'; error: string; /** JSON text */ cause: string };

const payload = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('success'), output: z.string() }),
  z.object({ kind: z.literal('failure'), error: z.string(), cause: z.string() }),
]);

const outboxEntry = z.object({
  task_id: z.string(),
  run_id: z.string(),
  created_at: z.number(),
  attempts: z.number(),
  next_at: z.number(),
  last_error: z.string().nullable(),
});
const outboxRow = outboxEntry.extend({ token: z.string(), payload: z.string() });

/** The columns of {@link outboxEntry}. */
const ENTRY_COLUMNS = 'outbox.task_id, run_id, created_at, attempts, next_at, last_error';
const FROM = 'FROM outbox JOIN tasks USING (task_id)';

/** A report that waits, without its content. */
export interface OutboxEntry {
  taskId: string;
  runId: string;
  createdAt: number;
  /** How many times it was sent and not accepted. */
  attempts: number;
  /** When to send it next, milliseconds since the epoch. */
  nextAt: number;
  lastError: string | null;
}

export interface OutboxRow extends OutboxEntry {
  token: string;
  report: Report;
}

export class OutboxStore {
  readonly #db: Database;
  readonly #tasks: TaskStore;

  constructor(db: Database) {
    this.#db = db;
    this.#tasks = new TaskStore(db);
  }

  /** Writes a report and moves its task to `reporting`, both or neither. */
  put(taskId: string, report: Report, now: number): OutboxRow {
    return this.#db.transaction(() => {
      this.#db
        .prepare('INSERT INTO outbox (task_id, kind, payload, created_at, next_at) VALUES (?, ?, ?, ?, ?)')
        .run(taskId, report.kind, JSON.stringify(report), now, now);
      this.#tasks.reporting(taskId);
      const raw = this.#db
        .prepare(`SELECT ${ENTRY_COLUMNS}, token, payload ${FROM} WHERE outbox.task_id = ?`)
        .get(taskId);
      return readRow(raw);
    })();
  }

  /** Another report instead of one that the service refuses as it is. */
  replace(taskId: string, report: Report, facts: { now: number; error: string }): void {
    this.#db
      .prepare('UPDATE outbox SET kind = ?, payload = ?, next_at = ?, last_error = ? WHERE task_id = ?')
      .run(report.kind, JSON.stringify(report), facts.now, facts.error, taskId);
  }

  notTaken(taskId: string, facts: { nextAt: number; error: string }): void {
    this.#db
      .prepare('UPDATE outbox SET attempts = attempts + 1, next_at = ?, last_error = ? WHERE task_id = ?')
      .run(facts.nextAt, facts.error, taskId);
  }

  /** The service took it. */
  taken(taskId: string, now: number): void {
    this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM outbox WHERE task_id = ?').run(taskId);
      this.#tasks.reported(taskId, now);
    })();
  }

  /** The service will never take it. */
  dead(taskId: string, facts: { reason: string; now: number }): void {
    this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM outbox WHERE task_id = ?').run(taskId);
      this.#tasks.lost(taskId, facts);
    })();
  }

  /** Every report that waits, the one that is due first at the front. */
  all(): OutboxRow[] {
    return this.#db
      .prepare(`SELECT ${ENTRY_COLUMNS}, token, payload ${FROM} ORDER BY next_at, created_at`)
      .all()
      .map(readRow);
  }

  /** The same without the reports, each of which may have 256 KB: the state of the agent is read often. */
  entries(): OutboxEntry[] {
    return this.#db
      .prepare(`SELECT ${ENTRY_COLUMNS} ${FROM} ORDER BY next_at, created_at`)
      .all()
      .map((raw) => readEntry(outboxEntry.parse(raw)));
  }
}

function readRow(raw: unknown): OutboxRow {
  const row = outboxRow.parse(raw);
  return { ...readEntry(row), token: row.token, report: payload.parse(JSON.parse(row.payload)) };
}

function readEntry(row: z.infer<typeof outboxEntry>): OutboxEntry {
  return {
    taskId: row.task_id,
    runId: row.run_id,
    createdAt: row.created_at,
    attempts: row.attempts,
    nextAt: row.next_at,
    lastError: row.last_error,
  };
}
