/**
 * The history of events, and how far each consumer says it has come. Ids only grow, without gaps, also after
 * old rows are gone: who knows the last id it has seen knows what it has missed. What the rows mean:
 * agent/journal.
 */
import { z } from 'zod';
import { unhurried, type Database } from './database.ts';

export interface NewEventRow {
  type: string;
  /** 0 low, 1 normal, 2 high. */
  priority: number;
  source: string;
  /** Id of the run, where there is one. */
  correlation_id: string | null;
  /** Milliseconds since the epoch. */
  time: number;
  /** JSON. */
  payload: string;
}

export interface EventRow extends NewEventRow {
  id: number;
}

const eventRow = z.object({
  id: z.number(),
  type: z.string(),
  priority: z.number(),
  source: z.string(),
  correlation_id: z.string().nullable(),
  time: z.number(),
  payload: z.string(),
});

const COLUMNS = 'id, type, priority, source, correlation_id, time, payload';

export class EventStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * In one transaction, in this order. A power failure may forget the last of them: what happened is in the
   * tables of runs, steps and uploads.
   */
  append(rows: readonly NewEventRow[]): EventRow[] {
    const insert = this.#db.prepare(
      `INSERT INTO events (type, priority, source, correlation_id, time, payload)
       VALUES (@type, @priority, @source, @correlation_id, @time, @payload)`,
    );
    const all = this.#db.transaction(() =>
      rows.map((row) => ({ ...row, id: Number(insert.run(row).lastInsertRowid) })),
    );
    return unhurried(this.#db, () => all.immediate());
  }

  /** Rows with a greater id, oldest first. */
  after(id: number, limit: number): EventRow[] {
    return this.#db
      .prepare(`SELECT ${COLUMNS} FROM events WHERE id > ? ORDER BY id LIMIT ?`)
      .all(id, limit)
      .map((row) => eventRow.parse(row));
  }

  /** Rows with a smaller id, newest first. */
  before(id: number, limit: number): EventRow[] {
    return this.#db
      .prepare(`SELECT ${COLUMNS} FROM events WHERE id < ? ORDER BY id DESC LIMIT ?`)
      .all(id, limit)
      .map((row) => eventRow.parse(row));
  }

  /** The first id that history still holds (or will hold next), and the last that was given; 0: none yet. */
  bounds(): { oldest: number; newest: number } {
    const { oldest, newest } = this.#db
      .prepare(
        `SELECT (SELECT min(id) FROM events) AS oldest,
                (SELECT seq FROM sqlite_sequence WHERE name = 'events') AS newest`,
      )
      .get() as { oldest: number | null; newest: number | null };
    return { oldest: oldest ?? (newest ?? 0) + 1, newest: newest ?? 0 };
  }

  /** Removes what is older than `before`, and the oldest beyond `keepRows`. @returns how many went */
  trim(limits: { keepRows: number; before: number }): number {
    const { newest } = this.bounds();
    const { last } = this.#db
      .prepare('SELECT max(id) AS last FROM events WHERE time < ?')
      .get(limits.before) as { last: number | null };
    const upTo = Math.max(newest - limits.keepRows, last ?? 0);
    const statement = this.#db.prepare('DELETE FROM events WHERE id <= ?');
    return unhurried(this.#db, () => statement.run(upTo).changes);
  }

  /** How far this consumer of this key has come. */
  position(keyId: string, consumer: string): number | undefined {
    const row = this.#db
      .prepare('SELECT event_id FROM event_consumers WHERE key_id = ? AND consumer = ?')
      .get(keyId, consumer) as { event_id: number } | undefined;
    return row?.event_id;
  }

  /** Only forward. @returns where it is now; undefined when the key has `most` consumers already */
  acknowledge(
    at: { keyId: string; consumer: string; eventId: number },
    { most, now }: { most: number; now: number },
  ): number | undefined {
    const { keyId, consumer, eventId } = at;
    if (this.position(keyId, consumer) === undefined) {
      const { count } = this.#db
        .prepare('SELECT count(*) AS count FROM event_consumers WHERE key_id = ?')
        .get(keyId) as { count: number };
      if (count >= most) return undefined;
    }
    const statement = this.#db.prepare(
      `INSERT INTO event_consumers (key_id, consumer, event_id, updated_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (key_id, consumer)
       DO UPDATE SET event_id = max(event_id, excluded.event_id), updated_at = excluded.updated_at`,
    );
    unhurried(this.#db, () => statement.run(keyId, consumer, eventId, now));
    return this.position(keyId, consumer);
  }

  /** Consumers that have said nothing since then. */
  forgetConsumers(before: number): void {
    const statement = this.#db.prepare('DELETE FROM event_consumers WHERE updated_at < ?');
    unhurried(this.#db, () => statement.run(before));
  }

  /** Changes when another connection, also of another process, has written anything. */
  foreignVersion(): number {
    return this.#db.pragma('data_version', { simple: true }) as number;
  }
}
