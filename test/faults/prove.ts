/** Both parts of the proof, kills amid faults and malformed inputs, and the table that says how it went. */
import { cpus } from 'node:os';
import { makeHome, removeHome } from '../fixtures/home.ts';
import { judge, type Verdict } from './checker.ts';
import { countOf, driveFaults, type FaultRun } from './driver.ts';
import { feedMalformed, type MalformedResult } from './malformed.ts';

export const FULL = { kills: 300, faults: 2_000, inputs: 10_000 };
export const QUICK = { kills: 5, faults: 20, inputs: 200 };

export interface Proof {
  seed: number;
  verdict: Verdict;
  malformed: MalformedResult;
  facts: Pick<FaultRun, 'kills' | 'injected' | 'requests' | 'errors' | 'durationMs'> & { tasks: number };
}

export async function proveFaults(options: {
  seed: number;
  kills: number;
  faults: number;
  inputs: number;
  /** Leaves the data directory for a look. */
  keep?: boolean;
  onProgress?: (text: string) => void;
}): Promise<Proof> {
  const { seed } = options;
  const home = makeHome('faults');
  if (options.keep === true) options.onProgress?.(`data directory: ${home}`);
  try {
    const malformed = await feedMalformed({ home, seed, inputs: options.inputs });
    options.onProgress?.(`${malformed.inputs} malformed inputs`);
    const { verdict, facts } = await driveFaults({ home, ...options }, async (run) => {
      const { kills, injected, requests, errors, durationMs, planned } = run;
      const facts = { kills, injected, requests, errors, durationMs, tasks: planned.length };
      return { verdict: await judge(run), facts };
    });
    return { seed, verdict, malformed, facts };
  } finally {
    if (options.keep !== true) removeHome(home);
  }
}

/** Everything that must not be, in words; each with the seed. */
export function problemsOf({ seed, verdict, malformed }: Proof): string[] {
  const all = Object.entries({ ...verdict.problems, malformed: malformed.problems });
  return all.flatMap(([what, list]) => list.map((problem) => `seed ${seed}, ${what}: ${problem}`));
}

/** As docs/reliability.md shows it. */
export function tableOf({ seed, verdict, malformed, facts }: Proof): string {
  const { ends, problems } = verdict;
  const kinds = Object.entries(facts.injected)
    .map(([kind, count]) => `${kind.replaceAll('_', ' ')} ${count}`)
    .join(', ');
  const minutes = (facts.durationMs / 60_000).toFixed(1);
  const rows: [string, string | number][] = [
    ['Agent killed with SIGKILL', facts.kills],
    ['Faults injected', `${countOf(facts.injected)} in ${facts.requests} requests (${kinds})`],
    [
      'Tasks',
      `${facts.tasks}: ${ends.succeeded} succeeded, ${ends.failed} failed as planned, ${ends.interrupted} interrupted and said so, ${ends.timedOut} timed out at the service because the lease was gone`,
    ],
    ['**Tasks lost**', problems.lost.length],
    ['**Double reports**', problems.doubleReports.length],
    ['**Reports that contradict what happened**', problems.contradictions.length],
    [
      '**Files promised and missing from S3 after recovery**',
      `${problems.missingArtifacts.length} of ${verdict.artifacts}`,
    ],
    ['**Browser and ffmpeg processes left**', problems.processesLeft.length],
    ['**Actions after the fence**', problems.actionsAfterFence.length],
    [
      'Longest time from rejection to fence',
      verdict.longestFenceMs === null
        ? 'no run met one'
        : `${verdict.longestFenceMs} ms (${verdict.tokensRejected} tokens rejected)`,
    ],
    [
      'Malformed inputs without one clear answer',
      `${malformed.problems.length} of ${malformed.inputs} (${malformed.sound} stayed sound)`,
    ],
  ];
  const made = `Made by \`npm run test:faults -- --seed ${seed}\` in ${minutes} minutes on ${cpus().length} cores.`;
  return [
    '',
    '| What | Result |',
    '|---|---|',
    ...rows.map(([what, result]) => `| ${what} | ${result} |`),
    '',
    made,
  ].join('\n');
}
