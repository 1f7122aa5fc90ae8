/**
 * `npm run test:faults`: the full proof, which writes its table into docs/reliability.md. `-- --quick` is the
 * part of it that every `npm test` runs. `-- --seed N` repeats a run, `-- --kills N` makes it shorter or longer;
 * only the full one writes the table. `-- --fleet` is three agents on one activity, apart from the rest.
 */
import { parseArgs } from 'node:util';
import { writeTable } from '../bench/docs-table.ts';
import { FLEET_TASKS, proveFleet } from './fleet.ts';
import { FULL, problemsOf, proveFaults, QUICK, tableOf } from './prove.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string' },
    kills: { type: 'string' },
    fleet: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
if (values.fleet) {
  const { problems, ...facts } = await proveFleet(FLEET_TASKS.full);
  console.log(JSON.stringify(facts, null, 2));
  for (const problem of problems) console.error(problem);
  process.exit(problems.length > 0 ? 1 : 0);
}

const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const size = values.quick ? QUICK : FULL;
const isShorter = values.quick || values.kills !== undefined;

console.log(`seed ${seed}`);
const proof = await proveFaults({
  seed,
  ...size,
  ...(values.kills === undefined ? {} : { kills: Number(values.kills), faults: 0 }),
  keep: values.keep,
  onProgress: (text) => console.log(text),
});
console.log(tableOf(proof));
const problems = problemsOf(proof);
for (const problem of problems) console.error(problem);
if (problems.length > 0) console.error(`Again with: npm run test:faults -- --seed ${seed}`);
else if (!isShorter) writeTable('faults', tableOf(proof), 'reliability.md');
process.exit(problems.length > 0 ? 1 : 0);
