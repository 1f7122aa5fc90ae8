/**
 * One worker per data directory. Recovery takes every open task for one that a dead process left; with two
 * workers on one directory it would report the living one's tasks as interrupted. The lock is an exclusive
 * SQLite transaction on a file of its own: the operating system drops it with the process, also at kill -9,
 * and no process id can be mistaken for another.
 */
import SqliteDatabase from 'better-sqlite3';
import { AgentError } from '../base/errors.ts';
import type { Database } from './database.ts';

/**
 * @returns a function that gives the lock back
 * @throws AgentError when another process holds it
 */
export function lockWorker(db: Database): () => void {
  if (db.memory) return () => undefined; // nobody else can open it
  const file = `${db.name}.worker-lock`;
  const lock = new SqliteDatabase(file, { timeout: 0 });
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
