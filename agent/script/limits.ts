/** What bounds a run. A script may set `maxSteps` and `maxVisits` itself, up to what the machine's owner set. */
export interface Limits {
  /** Steps started in one run. */
  maxSteps: number;
  /** Times one step may be reached in one pass through its list; only jumps reach a step twice. */
  maxVisits: number;
  /** Milliseconds one attempt of a step may take that names no time itself. */
  stepTimeoutMs: number;
  /** Milliseconds a run may take that names no time itself. */
  runTimeoutMs: number;
  /** Milliseconds a person has when the step names no time. */
  humanTimeoutMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  // As in the earlier program: far above real scripts, low enough to end a loop in minutes.
  maxSteps: 1_000,
  maxVisits: 10,
  // A slow page loads in half of it.
  stepTimeoutMs: 60_000,
  // An activity that takes longer is stuck more often than busy.
  runTimeoutMs: 3_600_000,
  // Long enough to be fetched from a meeting's end, short enough for a state machine to wait.
  humanTimeoutMs: 900_000,
};

/** Includes inside includes: deeper is a cycle that changes its spelling. */
export const MAX_INCLUDE_DEPTH = 10;

/** What acts on the page has this much longer than the step, in milliseconds: its own error tells more. */
export const ACTION_GRACE_MS = 1_000;

/** How long an aborted action may take to let go before the run goes on without it, in milliseconds. */
export const ABORT_GRACE_MS = 5_000;
