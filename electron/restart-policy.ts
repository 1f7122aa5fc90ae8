/** When an agent that ended by itself is started again: sooner at first, later after more, not for ever. */
import { fullBackoffMs } from '../agent/base/backoff.ts';

/** A start takes about half a second; a restart every 30 s leaves the machine usable. */
const PAUSE = { firstMs: 500, mostMs: 30_000 };
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
  return { restart: true, pauseMs: fullBackoffMs(PAUSE, lately) };
}
