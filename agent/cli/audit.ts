/** How verbs write into the audit log. */
import { userInfo } from 'node:os';
import type { Actor } from '../base/actor.ts';
import { homePaths } from '../base/paths.ts';
import { AuditLog } from '../audit/index.ts';
import { openDatabase } from '../store/database.ts';

/** The person at the command line, as the operating system knows them. */
export function cliActor(): Actor {
  let id: string;
  try {
    id = userInfo().username;
  } catch {
    // A user id without a name, as in containers.
    id = `uid ${process.getuid?.() ?? 'unknown'}`;
  }
  return { kind: 'cli', id, from: `pid ${process.pid}` };
}

/** For verbs that need nothing else of the database. */
export async function withAuditLog<T>(home: string, work: (audit: AuditLog) => T | Promise<T>): Promise<T> {
  const db = openDatabase(homePaths(home).database);
  try {
    return await work(new AuditLog({ db }));
  } finally {
    db.close();
  }
}
