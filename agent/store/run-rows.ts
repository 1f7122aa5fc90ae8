/**
 * The row of each run: how it was asked for, its state, its end and its result. Every write is committed before
 * the call returns and survives a power failure (`synchronous=FULL`), unless a method says otherwise.
 */
import { z } from 'zod';
import { RECORDING_LEVELS, type JsonObject, type ResolvedLevel } from '../base/words.ts';
import { unhurried, type Database } from './database.ts';
import type { ProcessIdentity } from './processes.ts';
import { MATCHES, matchParams, searchText, type RunFilter } from './run-filter.ts';
import { isEnd, mayBecome, RUN_STATES, type RunState } from './run-state.ts';

/** Who paused the run, and since when. */
const pauseColumn = z.object({
  by: z.object({ kind: z.string(), id: z.string() }),
  reason: z.string(),
  kind: z.enum(['pause', 'takeover']),
  /** Milliseconds since the epoch. */
  since: z.number(),
  isStanding: z.boolean(),
});

export type RunPause = z.infer<typeof pauseColumn>;

const runRow = z.object({
  run_id: z.string(),
  task_id: z.string().nullable(),
  script_name: z.string(),
  state: z.enum(RUN_STATES),
  level: z.enum(RECORDING_LEVELS),
  level_reason: z.string(),
  profile: z.string().nullable(),
  on_failure: z.enum(['fail', 'return']),
  owner_pid: z.number(),
  owner_started: z.string(),
  queued_at: z.number(),
  started_at: z.number().nullable(),
  ended_at: z.number().nullable(),
  error_name: z.string().nullable(),
  error_message: z.string().nullable(),
  /** Null while the run is not paused, and after its end. */
  paused: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : pauseColumn.parse(JSON.parse(text)))),
});

/** One run, without its script and result (ask {@link RunRepository.result} for that). */
export type RunRow = z.infer<typeof runRow>;

export interface NewRun {
  runId: string;
  taskId: string | null;
  scriptName: string;
  /** The script as it was given, with secrets as templates. */
  script: string;
  level: ResolvedLevel;
  profile: string | null;
  /** `on_failure` of the script, for the report of a run that was interrupted. Default: `fail`. */
  onFailure?: 'fail' | 'return';
  /** The process that executes the run. If it is gone and the run has not ended, the run was interrupted. */
  owner: ProcessIdentity;
  now: number;
  /** The request without secrets. */
  request?: JsonObject;
}

const RUN_COLUMNS =
  'run_id, task_id, script_name, state, level, level_reason, profile, on_failure, owner_pid, owner_started, queued_at, started_at, ended_at, error_name, error_message, paused';

/** Sorts after every run id. */
const AFTER_ALL_IDS = '~';

/** Cached rows of ended runs: some pages of a list, which are read again and again; about 500 bytes each. */
const CACHED_ROWS = 500;

export class RunRepository {
  readonly #db: Database;
  /** Parsed rows of runs that have ended, which no longer change; the first to drop comes first. */
  readonly #ended = new Map<string, RunRow>();

  constructor(db: Database) {
    this.#db = db;
  }

  create(run: NewRun): void {
    this.#db
      .prepare(
        `INSERT INTO runs (run_id, task_id, script_name, script, state, level, level_reason, profile, on_failure, owner_pid, owner_started, queued_at, search, request)
         VALUES (?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        run.runId,
        run.taskId,
        run.scriptName,
        run.script,
        run.level.level,
        run.level.reason,
        run.profile,
        run.onFailure ?? 'fail',
        run.owner.pid,
        run.owner.started,
        run.now,
        searchText([run.scriptName, run.profile]),
        run.request === undefined ? null : JSON.stringify(run.request),
      );
  }

  /** @throws Error when the transition is not legal: a bug, not an input error */
  transition(
    runId: string,
    to: RunState,
    facts: { now: number; profile?: string; errorName?: string; errorMessage?: string; result?: JsonObject },
  ): void {
    this.#db.transaction(() => {
      const row = this.#db
        .prepare('SELECT state, script_name, profile FROM runs WHERE run_id = ?')
        .get(runId) as { state: RunState; script_name: string; profile: string | null } | undefined;
      if (!row) throw new Error(`run ${runId} does not exist`);
      if (!mayBecome(row.state, to)) {
        throw new Error(`run ${runId} cannot go from ${row.state} to ${to}`);
      }
      const ended = isEnd(to);
      this.#db
        .prepare(
          `UPDATE runs SET state = ?, profile = coalesce(?, profile),
             started_at = CASE WHEN ? = 'running' THEN ? ELSE started_at END,
             ended_at = CASE WHEN ? THEN ? ELSE ended_at END,
             error_name = ?, error_message = ?, result = coalesce(?, result), search = ?,
             paused = CASE WHEN ? THEN NULL ELSE paused END
           WHERE run_id = ?`,
        )
        .run(
          to,
          facts.profile ?? null,
          to,
          facts.now,
          ended ? 1 : 0,
          facts.now,
          facts.errorName ?? null,
          facts.errorMessage ?? null,
          facts.result === undefined ? null : JSON.stringify(facts.result),
          searchText([row.script_name, facts.profile ?? row.profile, facts.errorName ?? null]),
          ended ? 1 : 0,
          runId,
        );
    })();
  }

  /** Null: the run continues. Only for display, so a power failure may lose it. */
  setPaused(runId: string, pause: RunPause | null): void {
    const statement = this.#db.prepare('UPDATE runs SET paused = ? WHERE run_id = ?');
    unhurried(this.#db, () => statement.run(pause === null ? null : JSON.stringify(pause), runId));
  }

  /** The head of the audit log when the entry about this run was written. */
  setAuditHead(runId: string, head: string): void {
    this.#db.prepare('UPDATE runs SET audit_head = ? WHERE run_id = ?').run(head, runId);
  }

  /** Every head that the row of a run names. */
  auditHeads(): { runId: string; head: string }[] {
    return this.#db
      .prepare(
        'SELECT run_id AS runId, audit_head AS head FROM runs WHERE audit_head IS NOT NULL ORDER BY run_id',
      )
      .all() as { runId: string; head: string }[];
  }

  get(runId: string): RunRow | undefined {
    const row = this.#db.prepare(`SELECT ${RUN_COLUMNS} FROM runs WHERE run_id = ?`).get(runId);
    return row === undefined ? undefined : this.#read(row);
  }

  /** The script as it was given, with secrets as templates; or the beginning of an unreadable one. */
  script(runId: string): string | undefined {
    return this.#db.prepare('SELECT script FROM runs WHERE run_id = ?').pluck().get(runId) as
      | string
      | undefined;
  }

  /** The request as JSON, without secrets. */
  request(runId: string): string | undefined {
    const text = this.#db.prepare('SELECT request FROM runs WHERE run_id = ?').pluck().get(runId);
    return typeof text === 'string' ? text : undefined;
  }

  setRequest(runId: string, request: JsonObject): void {
    this.#db.prepare('UPDATE runs SET request = ? WHERE run_id = ?').run(JSON.stringify(request), runId);
  }

  result(runId: string): JsonObject | undefined {
    const row = this.#db.prepare('SELECT result FROM runs WHERE run_id = ?').get(runId) as
      | { result: string | null }
      | undefined;
    return row?.result ? (JSON.parse(row.result) as JsonObject) : undefined;
  }

  /** Newest first. `before` is a run id: ids sort by time, so it is also the page cursor. */
  list(
    filter: RunFilter & { before?: string | undefined; offset?: number | undefined; limit: number },
  ): RunRow[] {
    return this.#db
      .prepare(
        // The inner query reads only the index, however far the page is.
        `SELECT ${RUN_COLUMNS} FROM runs WHERE run_id IN (
           SELECT run_id FROM runs INDEXED BY runs_list WHERE run_id < @before AND ${MATCHES}
           ORDER BY run_id DESC LIMIT @limit OFFSET @offset)
         ORDER BY run_id DESC`,
      )
      .all({
        ...matchParams(filter),
        before: filter.before ?? AFTER_ALL_IDS,
        limit: filter.limit,
        offset: filter.offset ?? 0,
      })
      .map((row) => this.#read(row));
  }

  /** Number of runs that match the filter. */
  count(filter: RunFilter = {}): number {
    return this.#db
      .prepare(
        `SELECT count(*) FROM runs INDEXED BY runs_list WHERE run_id < '${AFTER_ALL_IDS}' AND ${MATCHES}`,
      )
      .pluck()
      .get(matchParams(filter)) as number;
  }

  /** While it is cached, the row of an ended run is the same object each time. */
  #read(raw: unknown): RunRow {
    const { run_id: runId, ended_at: endedAt } = raw as RunRow;
    const known = endedAt === null ? undefined : this.#ended.get(runId);
    if (known?.ended_at === endedAt && known !== undefined) return known;
    const row = Object.freeze(runRow.parse(raw));
    if (endedAt === null) return row;
    if (this.#ended.size >= CACHED_ROWS) this.#ended.delete(this.#ended.keys().next().value ?? '');
    this.#ended.set(runId, row);
    return row;
  }

  /** Runs that have not ended, of any process. */
  unfinished(): RunRow[] {
    return this.#db
      .prepare(
        `SELECT ${RUN_COLUMNS} FROM runs WHERE state IN ('queued', 'waiting', 'running') ORDER BY run_id`,
      )
      .all()
      .map((row) => runRow.parse(row));
  }

  /** Removes a run with its steps and artifact rows; the caller removes its folder. */
  remove(runId: string): void {
    this.#db.prepare('DELETE FROM runs WHERE run_id = ?').run(runId);
  }
}
