import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { migrations } from './migrations.ts';

export type Database = SqliteDatabase.Database;

/** How long a statement waits for another process's write lock before it fails. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens the agent's database, creating and migrating it as needed.
 *
 * Write-ahead log with `synchronous=FULL`: a committed row survives power loss, which the promise "a task
 * is on disk before it is acted upon" depends on. (WAL alone ends up at NORMAL:
 * https://www.sqlite.org/pragma.html#pragma_synchronous)
 *
 * @param file path of the database file, or `:memory:`
 * @throws when the file is newer than this program, unreadable or no database
 */
export function openDatabase(file: string): Database {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  const db = new SqliteDatabase(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    if (db.pragma('synchronous', { simple: true }) !== 2)
      throw new Error(`${file}: synchronous=FULL was refused`);
    migrate(db, file);
    return keepStatements(db);
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/**
 * Writes that may be lost together with the machine's power, but not with the process: they are on disk with
 * the next write that waits for it, at the end of the step or run. For what can be made again or told from
 * elsewhere, such as rows of files that are themselves not forced to disk; it saves the wait for the disk,
 * some 2 ms a write.
 */
export function unhurried<T>(db: Database, write: () => T): T {
  if (db.inTransaction) return write();
  db.pragma('synchronous = NORMAL');
  try {
    return write();
  } finally {
    db.pragma('synchronous = FULL');
  }
}

/** Preparing a statement costs as much as running it; a program has only so many of them. */
function keepStatements(db: Database): Database {
  const kept = new Map<string, SqliteDatabase.Statement>();
  const prepare = db.prepare.bind(db);
  db.prepare = ((sql: string) => {
    const known = kept.get(sql);
    if (known) return known;
    const statement = prepare(sql);
    kept.set(sql, statement);
    return statement;
  }) as Database['prepare'];
  return db;
}

function migrate(db: Database, file: string): void {
  const apply = db.transaction(() => {
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version > migrations.length) {
      throw new Error(
        `${file} was written by a newer version of this program (schema ${version}, known ${migrations.length}). Update the program, or point --home at another folder.`,
      );
    }
    for (const sql of migrations.slice(version)) db.exec(sql);
    db.pragma(`user_version = ${migrations.length}`);
  });
  apply.immediate();
}
