/** Puts a new file in the place of an old one, on machines where other programs look into new files too. */
import { renameSync } from 'node:fs';

/** An antivirus program or an indexer holds a new file for some milliseconds, seldom for a second. */
const PAUSES_MS = [5, 10, 20, 50, 100, 200, 400, 800];
const HELD: ReadonlySet<string | undefined> = new Set(['EPERM', 'EBUSY', 'EACCES']);

/**
 * Renames, and tries again for a while where the file is held; the process stands still meanwhile.
 * @param rename for a test to hold
 * @throws what the last try threw
 */
export function replaceFile(
  from: string,
  to: string,
  rename: (from: string, to: string) => void = renameSync,
): void {
  for (const pauseMs of PAUSES_MS) {
    try {
      rename(from, to);
      return;
    } catch (thrown) {
      if (!HELD.has((thrown as NodeJS.ErrnoException).code)) throw thrown;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
  rename(from, to);
}
