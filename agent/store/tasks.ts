/**
 * Tasks handed over by Step Functions. Every write is committed and synced to disk before the call returns:
 * a task is here before anything acts upon it, so a crash at any moment leaves a row that recovery can read.
 *
 * A task's way: `received` (on disk, nothing done) -> `running` (handed to the run engine) -> `reporting`
 * (its report is in the outbox) -> `reported` (the service took it), or `lost` from any open state (the
 * service no longer accepts the token). The token is erased when a task is closed: nobody needs it again.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Database } from './database.ts';

export const TASK_STATES = ['received', 'running', 'reporting', 'reported', 'lost'] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** Legal transitions; a closed state has none. `received -> reporting` is a refused or unreadable task. */
const TRANSITIONS: Record<TaskState, readonly TaskState[]> = {
  received: ['running', 'reporting', 'lost'],
  running: ['reporting', 'lost'],
  reporting: ['reported', 'lost'],
  reported: [],
  lost: [],
};

/** Characters of a task id: 128 bits of the token's SHA-256, more than enough to be unique on one machine. */
const TASK_ID_LENGTH = 32;

const taskRow = z.object({
  task_id: z.string(),
  token: z.string(),
  activity_arn: z.string(),
  input: z.string(),
  run_id: z.string(),
  state: z.enum(TASK_STATES),
  received_at: z.number(),
  last_heartbeat_at: z.number().nullable(),
  ended_at: z.number().nullable(),
  lost_reason: z.string().nullable(),
  fence_ms: z.number().nullable(),
});

export type TaskRow = z.infer<typeof taskRow>;

const COLUMNS =
  'task_id, token, activity_arn, input, run_id, state, received_at, last_heartbeat_at, ended_at, lost_reason, fence_ms';

/** The id of the task behind a token: the same token is the same task, and the id may be shown and logged. */
export function taskIdOf(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, TASK_ID_LENGTH);
}

export class TaskStore {
  readonly #db: Database;

  /** @throws Error when the database does not sync every commit: the promise above would be empty */
  constructor(db: Database) {
    if (db.pragma('synchronous', { simple: true }) !== 2) {
      throw new Error('tasks need a database with synchronous=FULL; open it with openDatabase()');
    }
    this.#db = db;
  }

  /** The run of the task whose input has this `tool_use_id`. */
  runOfToolUse(id: string): string | undefined {
    return this.#db
      .prepare(
        `SELECT run_id FROM tasks WHERE json_valid(input) AND json_extract(input, '$.tool_use_id') = ?`,
      )
      .pluck()
      .get(id) as string | undefined;
  }

  /** Puts a task on disk. A token that is known already gives its row back, with `isNew` false. */
  receive(task: { token: string; activityArn: string; input: string; runId: string; now: number }): {
    row: TaskRow;
    isNew: boolean;
  } {
    const taskId = taskIdOf(task.token);
    const { changes } = this.#db
      .prepare(
        `INSERT INTO tasks (task_id, token, activity_arn, input, input_sha256, run_id, state, received_at)
         VALUES (?, ?, ?, ?, ?, ?, 'received', ?) ON CONFLICT (task_id) DO NOTHING`,
      )
      .run(
        taskId,
        task.token,
        task.activityArn,
        task.input,
        createHash('sha256').update(task.input).digest('hex'),
        task.runId,
        task.now,
      );
    const row = this.get(taskId);
    if (!row) throw new Error(`task ${taskId} is not there after it was written`);
    return { row, isNew: changes === 1 };
  }

  get(taskId: string): TaskRow | undefined {
    const row = this.#db.prepare(`SELECT ${COLUMNS} FROM tasks WHERE task_id = ?`).get(taskId);
    return row === undefined ? undefined : taskRow.parse(row);
  }

  /** Tasks that are not closed, oldest first: what a process that is gone left behind. */
  open(): TaskRow[] {
    return this.#db
      .prepare(
        `SELECT ${COLUMNS} FROM tasks WHERE state IN ('received', 'running', 'reporting')
         ORDER BY received_at, task_id`,
      )
      .all()
      .map((row) => taskRow.parse(row));
  }

  running(taskId: string): void {
    this.#to(taskId, 'running');
  }

  reporting(taskId: string): void {
    this.#to(taskId, 'reporting');
  }

  /** The service took the report. */
  reported(taskId: string, now: number): void {
    this.#to(taskId, 'reported', { now });
  }

  /**
   * The service no longer accepts the token.
   * @param facts.fenceMs from the moment the loss was known until the run had ended, in milliseconds
   */
  lost(taskId: string, facts: { reason: string; now: number; fenceMs?: number }): void {
    this.#to(taskId, 'lost', facts);
  }

  heartbeatAccepted(taskId: string, now: number): void {
    this.#db.prepare('UPDATE tasks SET last_heartbeat_at = ? WHERE task_id = ?').run(now, taskId);
  }

  #to(taskId: string, to: TaskState, facts: { now?: number; reason?: string; fenceMs?: number } = {}): void {
    this.#db.transaction(() => {
      const row = this.get(taskId);
      if (!row) throw new Error(`task ${taskId} does not exist`);
      if (!TRANSITIONS[row.state].includes(to)) {
        throw new Error(`task ${taskId} cannot go from ${row.state} to ${to}`);
      }
      const closed = TRANSITIONS[to].length === 0;
      this.#db
        .prepare(
          `UPDATE tasks SET state = ?, token = CASE WHEN ? THEN '' ELSE token END,
             ended_at = ?, lost_reason = ?, fence_ms = ? WHERE task_id = ?`,
        )
        .run(
          to,
          closed ? 1 : 0,
          facts.now ?? null,
          facts.reason ?? null,
          facts.fenceMs === undefined ? null : Math.round(facts.fenceMs),
          taskId,
        );
    })();
  }
}
