/**
 * The one check that a person and CI run: lint, format, types, build, tests with coverage. Every part
 * runs even when one before it failed, so that one look shows everything. The last line holds the real
 * counts of the test run: `N passed, N failed, N skipped`; a failed part that is no test counts as one.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'lba-check-'));
const report = join(folder, 'vitest.json');
const parts = [
  ['lint', 'npm run --silent lint'],
  ['types', 'npm run --silent typecheck'],
  ['build', 'npm run --silent build'],
  ['tests', `vitest run --coverage --reporter=default --reporter=json --outputFile.json="${report}"`],
];

const failedParts = [];
for (const [name, command] of parts) {
  const started = performance.now();
  console.log(`\n== ${name}: ${command.replace(report, 'report.json')}`);
  const { status } = spawnSync(command, { shell: true, stdio: 'inherit' });
  console.log(
    `== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  if (status !== 0) failedParts.push(name);
}

const counts = { passed: 0, failed: 0, skipped: 0 };
try {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  counts.passed = result.numPassedTests;
  counts.failed = result.numFailedTests;
  counts.skipped = result.numPendingTests + result.numTodoTests;
} catch (thrown) {
  console.error(`no test report: ${thrown.message}`);
}
rmSync(folder, { recursive: true });
counts.failed += failedParts.filter((name) => name !== 'tests' || counts.failed === 0).length;
if (failedParts.length > 0) console.error(`failed: ${failedParts.join(', ')}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
