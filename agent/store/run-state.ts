/** The states of a run, and which may follow which. */
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

/** Legal transitions; an end has none. */
const TRANSITIONS: Record<RunState, readonly RunState[]> = {
  queued: ['waiting', 'running', 'failed', 'cancelled', 'lost'],
  waiting: ['running', 'failed', 'cancelled', 'lost'],
  running: ['succeeded', 'failed', 'cancelled', 'lost'],
  succeeded: [],
  failed: [],
  cancelled: [],
  lost: [],
};

export function mayBecome(from: RunState, to: RunState): boolean {
  return TRANSITIONS[from].includes(to);
}

/** Whether the run has ended. */
export function isEnd(state: RunState): boolean {
  return TRANSITIONS[state].length === 0;
}
