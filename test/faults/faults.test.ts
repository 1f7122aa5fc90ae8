/** The quick part of `npm run test:faults`, always with the same choices; `FAULTS_SEED` makes others. */
import { expect, test } from 'vitest';
import { problemsOf, proveFaults, QUICK } from './prove.ts';

/** Alone on two cores it takes less than half of that. */
const TIMEOUT_MS = 180_000;
const DEFAULT_SEED = 20_261_121;

test(
  'no task is lost, told twice or told wrongly while the agent is killed and its line is faulty',
  { timeout: TIMEOUT_MS },
  async () => {
    const seed = Number(process.env['FAULTS_SEED'] ?? DEFAULT_SEED);
    console.log(`seed ${seed}; again with: npm run test:faults -- --quick --seed ${seed}`);
    const proof = await proveFaults({ seed, ...QUICK });
    expect(problemsOf(proof)).toEqual([]);
    expect(proof.facts.kills).toBeGreaterThanOrEqual(QUICK.kills);
    const { succeeded, failed, interrupted, timedOut } = proof.verdict.ends;
    expect(succeeded + failed + interrupted + timedOut).toBe(proof.facts.tasks);
  },
);
