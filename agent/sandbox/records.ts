/**
 * Where the sandbox keeps what it was told: in memory, or written through to one SQLite file when it has a
 * data directory. Each record is small JSON; the services' own shapes are their business.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

type SqliteDatabase = InstanceType<typeof Database>;

/** Records of one kind, by id, in the order they were first put. */
export class Collection<T> {
  readonly #items = new Map<string, T>();
  readonly #kind: string;
  readonly #database: SqliteDatabase | null;

  constructor(kind: string, database: SqliteDatabase | null) {
    this.#kind = kind;
    this.#database = database;
    if (!database) return;
    const rows = database
      .prepare<[string], { id: string; json: string }>(
        'SELECT id, json FROM records WHERE kind = ? ORDER BY rowid',
      )
      .all(kind);
    for (const row of rows) this.#items.set(row.id, JSON.parse(row.json) as T);
  }

  get(id: string): T | undefined {
    return this.#items.get(id);
  }

  has(id: string): boolean {
    return this.#items.has(id);
  }

  all(): T[] {
    return [...this.#items.values()];
  }

  put(id: string, item: T): void {
    this.#items.set(id, item);
    this.#database
      ?.prepare(
        `INSERT INTO records (kind, id, json) VALUES (?, ?, ?)
         ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json`,
      )
      .run(this.#kind, id, JSON.stringify(item));
  }

  delete(id: string): boolean {
    this.#database?.prepare('DELETE FROM records WHERE kind = ? AND id = ?').run(this.#kind, id);
    return this.#items.delete(id);
  }
}

export class Records {
  readonly #database: SqliteDatabase | null;

  /** Without `dataDir` everything is forgotten at {@link close}. */
  constructor(dataDir?: string) {
    if (dataDir === undefined) {
      this.#database = null;
      return;
    }
    mkdirSync(dataDir, { recursive: true });
    this.#database = new Database(join(dataDir, 'sandbox.db'));
    this.#database.pragma('journal_mode = WAL');
    this.#database.exec(
      'CREATE TABLE IF NOT EXISTS records (kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, UNIQUE (kind, id))',
    );
  }

  collection<T>(kind: string): Collection<T> {
    return new Collection<T>(kind, this.#database);
  }

  close(): void {
    this.#database?.close();
  }
}
