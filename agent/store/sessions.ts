/**
 * Sessions: browsers that stay open between runs, and the messages sent to them. Neither scripts nor variables
 * are kept here: a script is in the row of the run that a message becomes, and what is queued ends with the
 * process.
 */
import { z } from 'zod';
import { RECORDING_LEVELS, type RecordingLevel } from '../base/words.ts';
import type { Database } from './database.ts';
import type { ProcessIdentity } from './processes.ts';

export const SESSION_STATES = ['open', 'ended'] as const;

/** Why a session ended. */
export const SESSION_ENDS = ['closed', 'idle', 'browser_ended', 'agent_stopped', 'key_revoked'] as const;
export type SessionEnd = (typeof SESSION_ENDS)[number];

export const MESSAGE_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];
export type MessageEnd = Exclude<MessageState, 'queued' | 'running'>;

const sessionRow = z.object({
  session_id: z.string(),
  key_id: z.string(),
  key_name: z.string(),
  profile: z.string().nullable(),
  headed: z.number(),
  level: z.enum(RECORDING_LEVELS).nullable(),
  idle_timeout_ms: z.number(),
  state: z.enum(SESSION_STATES),
  end_reason: z.enum(SESSION_ENDS).nullable(),
  end_detail: z.string().nullable(),
  owner_pid: z.number(),
  owner_started: z.string(),
  created_at: z.number(),
  last_used_at: z.number(),
  ended_at: z.number().nullable(),
});

export type SessionRow = z.infer<typeof sessionRow>;

const messageRow = z.object({
  message_id: z.string(),
  session_id: z.string(),
  script_name: z.string(),
  state: z.enum(MESSAGE_STATES),
  run_id: z.string().nullable(),
  error_name: z.string().nullable(),
  error_message: z.string().nullable(),
  created_at: z.number(),
  started_at: z.number().nullable(),
  ended_at: z.number().nullable(),
});

export type MessageRow = z.infer<typeof messageRow>;

export interface NewSession {
  sessionId: string;
  keyId: string;
  keyName: string;
  profile: string | null;
  headed: boolean;
  level: RecordingLevel | null;
  idleTimeoutMs: number;
  owner: ProcessIdentity;
  now: number;
}

export class SessionStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  create(session: NewSession): void {
    this.#db
      .prepare(
        `INSERT INTO sessions (session_id, key_id, key_name, profile, headed, level, idle_timeout_ms, state, owner_pid, owner_started, created_at, last_used_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?)`,
      )
      .run(
        session.sessionId,
        session.keyId,
        session.keyName,
        session.profile,
        session.headed ? 1 : 0,
        session.level,
        session.idleTimeoutMs,
        session.owner.pid,
        session.owner.started,
        session.now,
        session.now,
      );
  }

  get(sessionId: string): SessionRow | undefined {
    const row = this.#db.prepare('SELECT * FROM sessions WHERE session_id = ?').get(sessionId);
    return row === undefined ? undefined : sessionRow.parse(row);
  }

  /** Newest first. `keyId`: only those that this key opened. */
  list(filter: {
    state?: SessionRow['state'] | undefined;
    keyId?: string | undefined;
    before?: string | undefined;
    limit: number;
  }): SessionRow[] {
    return this.#db
      .prepare(
        `SELECT * FROM sessions
         WHERE (@state IS NULL OR state = @state) AND (@keyId IS NULL OR key_id = @keyId)
           AND (@before IS NULL OR session_id < @before)
         ORDER BY session_id DESC LIMIT @limit`,
      )
      .all({
        state: filter.state ?? null,
        keyId: filter.keyId ?? null,
        before: filter.before ?? null,
        limit: filter.limit,
      })
      .map((row) => sessionRow.parse(row));
  }

  used(sessionId: string, now: number): void {
    this.#db.prepare('UPDATE sessions SET last_used_at = ? WHERE session_id = ?').run(now, sessionId);
  }

  /** Also cancels what still waits in it. One that has ended stays as it is. */
  end(sessionId: string, end: { reason: SessionEnd; detail: string; now: number }): void {
    this.#db.transaction(() => {
      const { changes } = this.#db
        .prepare(
          `UPDATE sessions SET state = 'ended', end_reason = ?, end_detail = ?, ended_at = ?
           WHERE session_id = ? AND state = 'open'`,
        )
        .run(end.reason, end.detail, end.now, sessionId);
      if (changes === 0) return;
      this.#db
        .prepare(
          `UPDATE session_messages SET state = 'cancelled', ended_at = ?, error_name = 'BrowserAgent.Cancelled', error_message = ?
           WHERE session_id = ? AND state IN ('queued','running')`,
        )
        .run(end.now, end.detail, sessionId);
    })();
  }

  addMessage(message: { messageId: string; sessionId: string; scriptName: string; now: number }): void {
    this.#db
      .prepare(
        `INSERT INTO session_messages (message_id, session_id, script_name, state, created_at)
         VALUES (?, ?, ?, 'queued', ?)`,
      )
      .run(message.messageId, message.sessionId, message.scriptName, message.now);
  }

  messageBegins(messageId: string, runId: string, now: number): void {
    this.#db
      .prepare(
        `UPDATE session_messages SET state = 'running', run_id = ?, started_at = ? WHERE message_id = ? AND state = 'queued'`,
      )
      .run(runId, now, messageId);
  }

  messageEnds(
    messageId: string,
    end: { state: MessageEnd; error: { name: string; message: string } | null; now: number },
  ): void {
    this.#db
      .prepare(
        `UPDATE session_messages SET state = ?, error_name = ?, error_message = ?, ended_at = ?
         WHERE message_id = ? AND state IN ('queued','running')`,
      )
      .run(end.state, end.error?.name ?? null, end.error?.message ?? null, end.now, messageId);
  }

  message(sessionId: string, messageId: string): MessageRow | undefined {
    const row = this.#db
      .prepare('SELECT * FROM session_messages WHERE session_id = ? AND message_id = ?')
      .get(sessionId, messageId);
    return row === undefined ? undefined : messageRow.parse(row);
  }

  /** Newest first. */
  messages(sessionId: string, page: { before?: string | undefined; limit: number }): MessageRow[] {
    return this.#db
      .prepare(
        `SELECT * FROM session_messages
         WHERE session_id = @sessionId AND (@before IS NULL OR message_id < @before)
         ORDER BY message_id DESC LIMIT @limit`,
      )
      .all({ sessionId, before: page.before ?? null, limit: page.limit })
      .map((row) => messageRow.parse(row));
  }

  /** Sessions that ended before then, with their messages. @returns how many */
  removeEndedBefore(time: number): number {
    return this.#db.prepare("DELETE FROM sessions WHERE state = 'ended' AND ended_at < ?").run(time).changes;
  }
}
