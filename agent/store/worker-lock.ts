/**
 * One worker per data directory. Recovery takes every open task for one that a dead process left; with two
 * workers on one directory it would report the living one's tasks as interrupted. The lock is an exclusive
 * SQLite transaction on a file of its own: the operating system drops it with the process, also at kill -9,
 * and no process id can be mistaken for another.
 */
import { existsSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { AgentError } from '../base/errors.ts';
import type { Database } from './database.ts';

/** Longer than {@link isWorkerLocked} looks, which must not be taken for an agent. */
const LOCK_TIMEOUT_MS = 200;

/**
 * @returns a function that gives the lock back
 * @throws AgentError when another process holds it
 */
export function lockWorker(db: Database): () => void {
  if (db.memory) return () => undefined; // nobody else can open it
  const file = lockFile(db.name);
  const lock = new SqliteDatabase(file, { timeout: LOCK_TIMEOUT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    lock.close();
    throw new AgentError(
      'BrowserAgent.Internal',
      `Another agent already works on this data directory (${file} is locked). Stop it, or start this one with another --home.`,
      { cause: thrown },
    );
  }
  return () => lock.close();
}

/** Whether an agent works on this data directory now. @param database path of the data directory's database */
export function isWorkerLocked(database: string): boolean {
  const file = lockFile(database);
  if (!existsSync(file)) return false;
  const look = new SqliteDatabase(file, { timeout: 0, readonly: true });
  try {
    look.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (thrown) {
    if (thrown instanceof SqliteDatabase.SqliteError && thrown.code.startsWith('SQLITE_BUSY')) return true;
    throw thrown;
  } finally {
    look.close();
  }
}

function lockFile(database: string): string {
  return `${database}.worker-lock`;
}
