/**
 * What evidence costs in S3 is computed from what was measured, so that the two tables of
 * docs/recording-levels.md cannot disagree: run this with `-u` after `npm run bench -- storage`.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { S3_DOLLARS_PER_GB_MONTH } from '../../agent/recording/level-words.ts';

const DOC = fileURLToPath(new URL('../../docs/recording-levels.md', import.meta.url));

/** S3 Standard, US East (N. Virginia), in USD. https://aws.amazon.com/s3/pricing/, November 2026. */
const USD_PER_PUT = 0.005 / 1_000;
const SESSIONS = 1_000;
/** What the stack's RetentionDays of 90 come to, in months of 30 days. */
const MONTHS_KEPT = 3;
/** S3 counts a GB as 2^30 bytes; with 10^9 the figures are 7 % too high, never too low. */
const MB_PER_GB = 1_000;

test('docs/recording-levels.md says what the measured sizes and requests cost', async () => {
  const doc = readFileSync(DOC, 'utf8');
  const measured = between(doc, '<!-- begin: measured by npm run bench -- storage -->');
  const costs = measured
    .split('\n')
    .slice(2)
    .map((line) => line.split('|').map((cell) => cell.trim()));
  expect(costs).toHaveLength(6);
  const rows = costs.map(([, level, , , size, promised, requests]) => {
    const gb = (Number.parseFloat(size!) / MB_PER_GB) * SESSIONS;
    const promisedGb = (Number.parseFloat(promised!) / MB_PER_GB) * SESSIONS;
    const puts = Number(requests) * SESSIONS;
    const onceUsd = puts * USD_PER_PUT;
    const total = (stored: number): number => onceUsd + stored * S3_DOLLARS_PER_GB_MONTH * MONTHS_KEPT;
    return `| ${[level, gb.toFixed(2), puts.toLocaleString('en'), ...[onceUsd, gb * S3_DOLLARS_PER_GB_MONTH, total(gb), total(promisedGb)].map(usd)].join(' | ')} |`;
  });
  const table = [
    '| level | GB | PUT requests | requests, once | storage, each month | kept 90 days, all in all | the same at the promised size |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
  const begin = '<!-- begin: computed by test/integration/storage-costs.test.ts -->';
  const [before, after] = doc.split(`${begin}\n${between(doc, begin)}\n`);
  await expect(`${before}${begin}\n${table}\n${after}`).toMatchFileSnapshot(DOC);
});

function usd(amount: number): string {
  return amount === 0 ? '$0' : `$${amount.toFixed(3)}`;
}

/** What stands between this mark and the next end. */
function between(doc: string, begin: string): string {
  const from = doc.indexOf(begin) + begin.length + 1;
  expect(from, begin).toBeGreaterThan(begin.length);
  return doc.slice(from, doc.indexOf('\n<!-- end', from));
}
