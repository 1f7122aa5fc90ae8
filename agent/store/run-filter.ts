/** The filter of the list of runs, and its SQL. */
import type { RecordingLevel } from '../base/words.ts';
import type { RunState } from './run-state.ts';

/** A run must meet every condition that is given. */
export interface RunFilter {
  /** One of these. */
  state?: RunState | readonly RunState[] | undefined;
  level?: readonly RecordingLevel[] | undefined;
  scriptName?: string | undefined;
  profile?: string | undefined;
  /** Part of the name of script, profile or error, in any case; or the beginning of the run id. */
  q?: string | undefined;
  /** Queued at this time or later; and before that one. Milliseconds since the epoch. */
  from?: number | undefined;
  to?: number | undefined;
  hasError?: boolean | undefined;
}

/** Condition with the parameters of {@link matchParams}. Every column in it is in the index `runs_list`. */
export const MATCHES = `(@states IS NULL OR state IN (SELECT value FROM json_each(@states)))
  AND (@levels IS NULL OR level IN (SELECT value FROM json_each(@levels)))
  AND (@scriptName IS NULL OR script_name = @scriptName) AND (@profile IS NULL OR profile = @profile)
  AND (@q IS NULL OR instr(search, @q) > 0 OR substr(run_id, 1, length(@q)) = @q)
  AND (@from IS NULL OR queued_at >= @from) AND (@to IS NULL OR queued_at < @to)
  AND (@hasError IS NULL OR (error_name IS NOT NULL) = @hasError)`;

export function matchParams(filter: RunFilter): Record<string, string | number | null> {
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

/** What `q` is searched in, and `q` itself. SQLite would ignore the case of ASCII letters only. */
export function searchText(parts: readonly (string | null)[]): string {
  return parts
    .filter((part) => part !== null)
    .join('\n')
    .normalize('NFC')
    .toLowerCase();
}
