import { z } from 'zod';
import type { Database } from './database.ts';

/**
 * Which process, for certain: process ids are used again, a pid together with its start time is not.
 * `started` is opaque text, comparable only for equality (see agent/browser/process-table.ts).
 */
export interface ProcessIdentity {
  pid: number;
  started: string;
}

/** A child process that must not outlive the agent process that owns it. */
export interface ProcessRow extends ProcessIdentity {
  kind: 'browser' | 'ffmpeg';
  owner: ProcessIdentity;
  runId: string | null;
  userDataDir: string | null;
  /** Milliseconds since the epoch. */
  createdAt: number;
}

const rowSchema = z
  .object({
    pid: z.number().int(),
    started: z.string(),
    kind: z.enum(['browser', 'ffmpeg']),
    owner_pid: z.number().int(),
    owner_started: z.string(),
    run_id: z.string().nullable(),
    user_data_dir: z.string().nullable(),
    created_at: z.number().int(),
  })
  .transform((row): ProcessRow => ({
    pid: row.pid,
    started: row.started,
    kind: row.kind,
    owner: { pid: row.owner_pid, started: row.owner_started },
    runId: row.run_id,
    userDataDir: row.user_data_dir,
    createdAt: row.created_at,
  }));

/**
 * The children of all agent processes that use this database. A row with pid 0 announces a process that
 * is about to be started: its owner and user data directory are on disk before it exists.
 */
export class ProcessRepository {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  add(row: ProcessRow): void {
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO processes
           (pid, started, kind, owner_pid, owner_started, run_id, user_data_dir, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        row.pid,
        row.started,
        row.kind,
        row.owner.pid,
        row.owner.started,
        row.runId,
        row.userDataDir,
        row.createdAt,
      );
  }

  /** Puts `row` in the place of the announcement `announced`, at once. */
  replace(announced: ProcessIdentity, row: ProcessRow): void {
    this.#db
      .transaction(() => {
        this.remove(announced);
        this.add(row);
      })
      .immediate();
  }

  remove(identity: ProcessIdentity): void {
    this.#db
      .prepare('DELETE FROM processes WHERE pid = ? AND started = ?')
      .run(identity.pid, identity.started);
  }

  list(): ProcessRow[] {
    return z.array(rowSchema).parse(this.#db.prepare('SELECT * FROM processes ORDER BY created_at').all());
  }
}
