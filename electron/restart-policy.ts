/** When an agent that ended by itself is started again: sooner at first, later after more, not for ever. */

/** Before the first restart; doubles with each further one. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** More ends than this within {@link WINDOW_MS}: something is wrong that starting again does not mend. */
const MAX_ENDS = 5;
const WINDOW_MS = 10 * 60_000;

export type Decision = { restart: true; pauseMs: number } | { restart: false };

/**
 * @param ends when it ended by itself, monotonic milliseconds; the last one is now
 */
export function decideRestart(ends: readonly number[]): Decision {
  const now = ends.at(-1) ?? 0;
  const lately = ends.filter((end) => now - end < WINDOW_MS).length;
  if (lately > MAX_ENDS) return { restart: false };
  return { restart: true, pauseMs: Math.min(FIRST_PAUSE_MS * 2 ** (lately - 1), LONGEST_PAUSE_MS) };
}
