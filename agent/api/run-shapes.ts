/** A run as the API shows it. */
import { z } from 'zod';
import type { RunRow } from '../store/run-rows.ts';
import { RUN_STATES } from '../store/run-state.ts';
import type { ApiPorts } from './ports.ts';
import { ApiError } from './problem.ts';
import { isoTime, level, runId, time } from './shapes.ts';

export const params = z.object({ run_id: runId });

export const runSchema = z
  .object({
    run_id: z.string(),
    task_id: z.string().nullable().describe('Of the activity task it runs for; null for a run of its own.'),
    script_name: z.string(),
    state: z.enum(RUN_STATES),
    level: level,
    level_reason: z.string(),
    profile: z.string().nullable(),
    queued_at: time,
    started_at: time.nullable(),
    ended_at: time.nullable(),
    error: z.object({ name: z.string(), message: z.string() }).nullable(),
    paused: z.boolean().describe('Somebody makes it stand still before its next action.'),
    pause: z
      .object({
        by: z.object({ kind: z.string(), id: z.string() }),
        reason: z.string(),
        kind: z.enum(['pause', 'takeover']).describe('`takeover`: a person acts in its page.'),
        since: time,
        standing: z.boolean().describe('It stands still; otherwise its last action still goes on.'),
      })
      .nullable(),
  })
  .meta({ id: 'Run' });

/** @throws ApiError 404 */
export function requireRun({ runs }: ApiPorts, id: string): RunRow {
  const row = runs.get(id.toLowerCase());
  if (row) return row;
  throw new ApiError(404, 'BrowserAgent.NotFound', `There is no run ${id} here.`);
}

/** What is shown of a run that has ended, by its row: writing times takes longer than all the rest of a list. */
const shownRuns = new WeakMap<RunRow, ShownRun>();
type ShownRun = z.infer<typeof runSchema>;

export function shownRun(row: RunRow): ShownRun {
  const known = shownRuns.get(row);
  if (known) return known;
  const shown = showRun(row);
  if (row.ended_at !== null) shownRuns.set(row, shown);
  return shown;
}

function showRun(row: RunRow): ShownRun {
  return {
    run_id: row.run_id,
    task_id: row.task_id,
    script_name: row.script_name,
    state: row.state,
    level: row.level,
    level_reason: row.level_reason,
    profile: row.profile,
    queued_at: isoTime(row.queued_at),
    started_at: isoTime(row.started_at),
    ended_at: isoTime(row.ended_at),
    error: row.error_name === null ? null : { name: row.error_name, message: row.error_message ?? '' },
    paused: row.paused !== null,
    pause: row.paused && {
      by: row.paused.by,
      reason: row.paused.reason,
      kind: row.paused.kind,
      since: isoTime(row.paused.since),
      standing: row.paused.isStanding,
    },
  };
}
