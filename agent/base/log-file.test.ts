import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openLogFile } from './log-file.ts';

let folder: string;
let path: string;
let problems: string[];
const onProblem = (message: string): void => {
  problems.push(message);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lba-log-'));
  path = join(folder, 'logs', 'agent.log');
  problems = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const line = (n: number): string => `${JSON.stringify({ n, text: 'x'.repeat(80) })}\n`;

test('what was written is in the file when it is closed, and the next one goes on there', async () => {
  const first = openLogFile({ path, maxSizeBytes: 1e6, maxFiles: 3, onProblem });
  first.write(line(1));
  await first.close();
  const second = openLogFile({ path, maxSizeBytes: 1e6, maxFiles: 3, onProblem });
  second.write(line(2));
  await second.close();
  expect(readFileSync(path, 'utf8')).toBe(line(1) + line(2));
  expect(readdirSync(join(folder, 'logs'))).toEqual(['agent.log']);
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a file that is full is put aside; only so many are kept, and no line is cut or lost in between', async () => {
  const file = openLogFile({ path, maxSizeBytes: 1_000, maxFiles: 3, onProblem });
  for (let n = 0; n < 100; n += 1) file.write(line(n));
  await file.close();
  const names = readdirSync(join(folder, 'logs')).sort();
  expect(names).toEqual(['agent.log', 'agent.log.1', 'agent.log.2']);
  const kept = names
    .toReversed()
    .flatMap((name) =>
      readFileSync(join(folder, 'logs', name), 'utf8')
        .split('\n')
        .filter(Boolean),
    )
    .map((text) => (JSON.parse(text) as { n: number }).n);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 100 - kept.length + i));
  for (const name of names) {
    expect(statSync(join(folder, 'logs', name)).size).toBeLessThan(1_000 + line(99).length);
  }
  expect(problems).toEqual([]);
});

test('a file that cannot be written stops nothing: it is said once, tried again later, and the gap is named', async () => {
  writeFileSync(join(folder, 'logs'), 'a file where the folder should be');
  let now = 0;
  const file = openLogFile({ path, maxSizeBytes: 1e6, maxFiles: 2, onProblem, now: () => now });
  file.write(line(1));
  await vi.waitFor(() => expect(problems).toHaveLength(1));
  file.write(line(2));
  expect(problems[0]).toMatch(/agent\.log cannot be written/);
  rmSync(join(folder, 'logs'));
  file.write(line(3));
  now += 60_000;
  file.write(line(4));
  await file.close();
  expect(problems).toHaveLength(1);
  expect(readFileSync(path, 'utf8')).toBe(`{"level":40,"msg":"3 lines were left out here"}\n${line(4)}`);
});
