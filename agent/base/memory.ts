import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * From this size on the space for young objects grows no more, in bytes; V8 doubles it, so that it may end at
 * twice as much. Left alone it takes 55 MB after some dozens of runs.
 */
const ENOUGH_BYTES = 8 * 1024 * 1024;
/** V8 doubles the space now and then, and gives it back to a process at rest, milliseconds. */
const LOOK_MS = 500;

let isGrowing = false;

/**
 * Keeps the space for young objects at the size it starts with, 1 MB. V8 lets it grow to some 32 MB while an
 * agent starts, and again with its first request, and a process at rest gives little of that back: without
 * this an idle agent is 10 MB larger, one whose API was called 17 MB (measured with Node 26). Collecting small
 * spaces more often costs no more processor time here. Call it before anything large is loaded.
 *
 * The space for what lasts grows in small steps too, as in a browser's tab that nobody sees: 4 MB less.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--optimize-for-size');
  growBy(1);
}

/**
 * From now on that space may grow, within bounds: with Playwright loaded and runs at work, collecting 1 MB at a
 * time takes a tenth of two processors away from runs and answers.
 */
export function letHeapGrow(): void {
  if (isGrowing) return;
  isGrowing = true;
  setFlagsFromString('--no-optimize-for-size');
  growBy(2);
  setInterval(() => growBy(youngBytes() < ENOUGH_BYTES ? 2 : 1), LOOK_MS).unref();
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}

function growBy(factor: 1 | 2): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}
