/** Whether the app was ended as it should be: a file that is there while it runs. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface LastLife {
  /** For people; null: the start before ended well, or there was none. */
  notice: string | null;
  /** Called as the last thing. */
  endedWell: () => void;
}

/** Never throws: on a full disk the app starts all the same. */
export function lookAtLastLife(path: string): LastLife {
  let notice: string | null = null;
  try {
    const started = readFileSync(path, 'utf8');
    const when = new Date(started);
    const since = Number.isNaN(when.getTime()) ? '' : ` (it had run since ${when.toLocaleString()})`;
    notice = `The app did not end by itself last time${since}: it crashed, was ended by force, or the computer went off. Runs that were at work then are shown as failed, with "Interrupted"; evidence that was not uploaded yet is uploaded now.`;
  } catch {
    // There is none.
  }
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, new Date().toISOString());
  } catch {
    // Then nothing can be told at the next start.
  }
  return {
    notice,
    endedWell: () => {
      try {
        rmSync(path, { force: true });
      } catch {
        // The next start tells of an end that was none.
      }
    },
  };
}
