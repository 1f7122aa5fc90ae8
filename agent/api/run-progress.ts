/** How far a run has come, by its script as it is written. */
import { parseScript } from '../script/parse.ts';
import { topSteps } from '../script/steps.ts';
import type { RunRepository, RunRow } from '../store/run-rows.ts';
import type { StepJournal } from '../store/step-journal.ts';

export interface RunProgress {
  /** In the script's own list of steps, the starting page included, from 1; null before the first one. */
  step: number | null;
  /** How many that list has; null where the script cannot be read. */
  ofSteps: number | null;
  /** Of the step that was begun last, also deep inside others. */
  stepName: string | null;
}

/** As many as can be at work at once, and some. */
const MAX_KEPT = 64;

/**
 * Best effort: a script that jumps goes back, one with branches and loops stays at one number for long, one
 * that ends early never gets to the last.
 *
 * @returns a function that remembers how long scripts are
 */
export function progressOf(
  runs: Pick<RunRepository, 'script'> & Pick<StepJournal, 'lastStep'>,
): (run: RunRow) => RunProgress {
  const lengths = new Map<string, { count: number | null; offset: number }>();
  const lengthOf = (runId: string): { count: number | null; offset: number } => {
    const known = lengths.get(runId);
    if (known) return known;
    const parsed = parseScript(runs.script(runId) ?? '');
    const count = parsed.ok ? topSteps(parsed.script).length : null;
    const length = { count, offset: parsed.ok ? (count ?? 0) - parsed.script.steps.length : 0 };
    if (lengths.size >= MAX_KEPT) lengths.delete(lengths.keys().next().value ?? '');
    lengths.set(runId, length);
    return length;
  };
  return (run) => {
    const { count, offset } = lengthOf(run.run_id);
    const last = runs.lastStep(run.run_id);
    return { step: last ? placeOf(last.path, offset) : null, ofSteps: count, stepName: last?.name ?? null };
  };
}

/** Paths begin with `$.starting_page` or `$.steps[n]`, or stand behind the reference of an included script. */
function placeOf(path: string, offset: number): number | null {
  if (path.startsWith('$.starting_page')) return 1;
  const index = /^\$\.steps\[(\d+)\]/.exec(path)?.[1];
  return index === undefined ? null : Number(index) + offset + 1;
}
