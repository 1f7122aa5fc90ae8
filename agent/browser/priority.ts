import { readFile, writeFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { wait } from '../base/wait.ts';

/**
 * Nice value of the session: a third of what another that wants the processor as much gets. A tenth (10) keeps
 * the agent's answers only a little quicker, and a run on a machine that is busy with other things times out.
 */
export const BROWSER_PRIORITY = 5;
/** Linux takes one such change in 100 ms from all users without rights together. */
const TRIES = 5;
const TRY_AGAIN_MS = 150;

/**
 * Linux: has a browser and what it starts stand back where others want the processor too: a page that draws
 * without end must not slow the agent's heartbeats and answers (on two busy cores the slowest twentieth of its
 * API's answers took 94–404 ms without this, 11–18 ms with it). Elsewhere nothing is done: Windows gives a
 * process of lower priority nothing at all while others are busy, and a run would time out.
 *
 * @throws the system's error, where it does not let us
 */
export async function yieldProcessor(browserPid: number): Promise<void> {
  if (platform() !== 'linux') return;
  // Nice values count only within a session there (sched(7), "The autogroup feature"), and Playwright starts
  // each browser as leader of its own: what starts in it later is in it too.
  if ((await sessionOf(browserPid)) === (await sessionOf(process.pid))) return;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await writeFile(`/proc/${browserPid}/autogroup`, String(BROWSER_PRIORITY));
      return;
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOENT') return; // A kernel without autogroups.
      if (code !== 'EAGAIN' || attempt === TRIES) throw thrown;
      await wait(TRY_AGAIN_MS);
    }
  }
}

async function sessionOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
}
