/**
 * Runs, their step journal and their artifacts. Every write is committed before the call returns, so that
 * what was journalled before a crash is there after it; what was journalled before a power failure, too
 * (`synchronous=FULL`), unless a method says otherwise.
 */
import { z } from 'zod';
import { RECORDING_LEVELS, type JsonObject, type RecordingLevel, type ResolvedLevel } from '../base/words.ts';
import { unhurried, type Database } from './database.ts';
import type { ProcessIdentity } from './processes.ts';

export const RUN_STATES = [
  'queued',
  'waiting',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'lost',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** Legal transitions; a terminal state has none. */
const TRANSITIONS: Record<RunState, readonly RunState[]> = {
  queued: ['waiting', 'running', 'failed', 'cancelled', 'lost'],
  waiting: ['running', 'failed', 'cancelled', 'lost'],
  running: ['succeeded', 'failed', 'cancelled', 'lost'],
  succeeded: [],
  failed: [],
  cancelled: [],
  lost: [],
};

/** Who makes a run stand still, and since when. */
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
  /** While it is open: null when nobody holds it up. */
  paused: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : pauseColumn.parse(JSON.parse(text)))),
});

/** One run, without its script and result (ask {@link RunStore.result} for that). */
export type RunRow = z.infer<typeof runRow>;

const stepRow = z.object({
  step_number: z.number(),
  name: z.string(),
  action: z.string(),
  path: z.string(),
  state: z.enum(['intent', 'done']),
  success: z.number().nullable(),
  started_at: z.number(),
  ended_at: z.number().nullable(),
});

export type StepRow = z.infer<typeof stepRow>;

const artifactRow = z.object({
  artifact_id: z.number(),
  kind: z.string(),
  key: z.string(),
  path: z.string(),
  content_type: z.string(),
  size_bytes: z.number(),
  sha256: z.string(),
  upload: z.number(),
  keep: z.number(),
  masked: z.number(),
  step_number: z.number().nullable(),
});

export type ArtifactRow = z.infer<typeof artifactRow>;

export interface NewRun {
  runId: string;
  taskId: string | null;
  scriptName: string;
  /** The script as it was handed over, secrets still as templates. */
  script: string;
  level: ResolvedLevel;
  profile: string | null;
  /** What the script says that a task is told of a failure: recovery reports by it. Default: `fail`. */
  onFailure?: 'fail' | 'return';
  /** The process that executes the run: when it is gone and the run is open, the run was interrupted. */
  owner: ProcessIdentity;
  now: number;
  /** How it was asked for, without secrets. */
  request?: JsonObject;
}

/** What the list of runs can be narrowed to; all that is given must hold. */
export interface RunFilter {
  /** One of these. */
  state?: RunState | readonly RunState[] | undefined;
  level?: readonly RecordingLevel[] | undefined;
  scriptName?: string | undefined;
  profile?: string | undefined;
  /** In the name of script, profile or error, in any case; or how the id begins. */
  q?: string | undefined;
  /** Queued at this time or later; and before that one. Milliseconds since the epoch. */
  from?: number | undefined;
  to?: number | undefined;
  hasError?: boolean | undefined;
}

const RUN_COLUMNS =
  'run_id, task_id, script_name, state, level, level_reason, profile, on_failure, owner_pid, owner_started, queued_at, started_at, ended_at, error_name, error_message, paused';

/** Sorts behind every run id. */
const AFTER_ALL_IDS = '~';

/** Every column here is in the index `runs_list`. */
const MATCHES = `(@states IS NULL OR state IN (SELECT value FROM json_each(@states)))
  AND (@levels IS NULL OR level IN (SELECT value FROM json_each(@levels)))
  AND (@scriptName IS NULL OR script_name = @scriptName) AND (@profile IS NULL OR profile = @profile)
  AND (@q IS NULL OR instr(search, @q) > 0 OR substr(run_id, 1, length(@q)) = @q)
  AND (@from IS NULL OR queued_at >= @from) AND (@to IS NULL OR queued_at < @to)
  AND (@hasError IS NULL OR (error_name IS NOT NULL) = @hasError)`;

function matchParams(filter: RunFilter): Record<string, string | number | null> {
  const { state, level, hasError, q } = filter;
  return {
    states: state === undefined ? null : JSON.stringify([state].flat()),
    levels: level === undefined ? null : JSON.stringify(level),
    scriptName: filter.scriptName ?? null,
    profile: filter.profile ?? null,
    q: q === undefined ? null : searchText([q]),
    from: filter.from ?? null,
    to: filter.to ?? null,
    hasError: hasError === undefined ? null : Number(hasError),
  };
}

/** SQLite folds the letters of ASCII alone. */
function searchText(parts: readonly (string | null)[]): string {
  return parts
    .filter((part) => part !== null)
    .join('\n')
    .normalize('NFC')
    .toLowerCase();
}

/** Some pages of a list, which are asked for again and again; some 500 bytes each. */
const KEPT_ROWS = 500;

export class RunStore {
  readonly #db: Database;
  /** Runs that have ended do not change any more: what they were parsed to, oldest look first. */
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
      if (!TRANSITIONS[row.state].includes(to)) {
        throw new Error(`run ${runId} cannot go from ${row.state} to ${to}`);
      }
      const ended = TRANSITIONS[to].length === 0;
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

  /** Null: it goes on. For showing only, so a power failure may forget it. */
  setPaused(runId: string, pause: RunPause | null): void {
    const statement = this.#db.prepare('UPDATE runs SET paused = ? WHERE run_id = ?');
    unhurried(this.#db, () => statement.run(pause === null ? null : JSON.stringify(pause), runId));
  }

  /** The head of the audit log that this run is known to lie before or at. */
  setAuditHead(runId: string, head: string): void {
    this.#db.prepare('UPDATE runs SET audit_head = ? WHERE run_id = ?').run(head, runId);
  }

  /** Every head that a run's record names. */
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

  /** As it was handed over, secrets still as templates; or the beginning of what could not be read. */
  script(runId: string): string | undefined {
    return this.#db.prepare('SELECT script FROM runs WHERE run_id = ?').pluck().get(runId) as
      | string
      | undefined;
  }

  /** How it was asked for: JSON, without secrets. */
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
        // The inner query needs the index alone, however far it has to look.
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

  /** How many runs the list has with this filter. */
  count(filter: RunFilter = {}): number {
    return this.#db
      .prepare(
        `SELECT count(*) FROM runs INDEXED BY runs_list WHERE run_id < '${AFTER_ALL_IDS}' AND ${MATCHES}`,
      )
      .pluck()
      .get(matchParams(filter)) as number;
  }

  /** The row of a run that has ended is the same object each time, as long as it is kept. */
  #read(raw: unknown): RunRow {
    const { run_id: runId, ended_at: endedAt } = raw as RunRow;
    const known = endedAt === null ? undefined : this.#ended.get(runId);
    if (known?.ended_at === endedAt && known !== undefined) return known;
    const row = Object.freeze(runRow.parse(raw));
    if (endedAt === null) return row;
    if (this.#ended.size >= KEPT_ROWS) this.#ended.delete(this.#ended.keys().next().value ?? '');
    this.#ended.set(runId, row);
    return row;
  }

  /** Runs that a process which is gone left open. */
  unfinished(): RunRow[] {
    return this.#db
      .prepare(
        `SELECT ${RUN_COLUMNS} FROM runs WHERE state IN ('queued', 'waiting', 'running') ORDER BY run_id`,
      )
      .all()
      .map((row) => runRow.parse(row));
  }

  /** The intent of a step, on disk before the step acts. */
  stepIntent(
    runId: string,
    step: { number: number; name: string; action: string; path: string; now: number },
  ): void {
    this.#db
      .prepare(
        `INSERT INTO steps (run_id, step_number, name, action, path, state, started_at)
         VALUES (?, ?, ?, ?, ?, 'intent', ?)`,
      )
      .run(runId, step.number, step.name, step.action, step.path, step.now);
  }

  /** On disk at the latest with the next step's intent; until then the step is in doubt. */
  stepDone(runId: string, step: { number: number; success: boolean; now: number; result: JsonObject }): void {
    const statement = this.#db.prepare(
      `UPDATE steps SET state = 'done', success = ?, ended_at = ?, result = ?
         WHERE run_id = ? AND step_number = ?`,
    );
    unhurried(this.#db, () =>
      statement.run(step.success ? 1 : 0, step.now, JSON.stringify(step.result), runId, step.number),
    );
  }

  steps(runId: string): StepRow[] {
    return this.#db
      .prepare(
        `SELECT step_number, name, action, path, state, success, started_at, ended_at
         FROM steps WHERE run_id = ? ORDER BY step_number`,
      )
      .all(runId)
      .map((row) => stepRow.parse(row));
  }

  /** Of each step that has ended: what came of it, by its number. */
  stepResults(runId: string): Map<number, JsonObject> {
    const rows = this.#db
      .prepare('SELECT step_number AS number, result FROM steps WHERE run_id = ? AND result IS NOT NULL')
      .all(runId) as { number: number; result: string }[];
    return new Map(rows.map(({ number, result }) => [number, JSON.parse(result) as JsonObject]));
  }

  /** The step that was begun last. */
  lastStep(runId: string): StepRow | undefined {
    const row = this.#db
      .prepare(
        `SELECT step_number, name, action, path, state, success, started_at, ended_at
         FROM steps WHERE run_id = ? ORDER BY step_number DESC LIMIT 1`,
      )
      .get(runId);
    return row === undefined ? undefined : stepRow.parse(row);
  }

  /** What a crash left: the last step that was finished, and the one that may or may not have acted. */
  lastSteps(runId: string): { finished: StepRow | null; inDoubt: StepRow | null } {
    const steps = this.steps(runId);
    return {
      finished: steps.findLast((step) => step.state === 'done') ?? null,
      inDoubt: steps.findLast((step) => step.state === 'intent') ?? null,
    };
  }

  addArtifact(
    runId: string,
    artifact: {
      kind: string;
      key: string;
      path: string;
      contentType: string;
      sizeBytes: number;
      sha256: string;
      upload: boolean;
      keep: boolean;
      masked: number;
      stepNumber?: number;
      now: number;
    },
  ): void {
    const statement = this.#db.prepare(
      `INSERT INTO artifacts (run_id, kind, key, path, content_type, size_bytes, sha256, upload, keep, masked, step_number, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    unhurried(this.#db, () =>
      statement.run(
        runId,
        artifact.kind,
        artifact.key,
        artifact.path,
        artifact.contentType,
        artifact.sizeBytes,
        artifact.sha256,
        artifact.upload ? 1 : 0,
        artifact.keep ? 1 : 0,
        artifact.masked,
        artifact.stepNumber ?? null,
        artifact.now,
      ),
    );
  }

  artifacts(runId: string): ArtifactRow[] {
    return this.#db
      .prepare(
        `SELECT artifact_id, kind, key, path, content_type, size_bytes, sha256, upload, keep, masked, step_number
         FROM artifacts WHERE run_id = ? ORDER BY artifact_id`,
      )
      .all(runId)
      .map((row) => artifactRow.parse(row));
  }

  artifact(runId: string, artifactId: number): ArtifactRow | undefined {
    const row = this.#db
      .prepare(
        `SELECT artifact_id, kind, key, path, content_type, size_bytes, sha256, upload, keep, masked, step_number
         FROM artifacts WHERE run_id = ? AND artifact_id = ?`,
      )
      .get(runId, artifactId);
    return row === undefined ? undefined : artifactRow.parse(row);
  }

  /** Removes a run with its journal and artifact rows; the caller removes its folder. */
  remove(runId: string): void {
    this.#db.prepare('DELETE FROM runs WHERE run_id = ?').run(runId);
  }
}
