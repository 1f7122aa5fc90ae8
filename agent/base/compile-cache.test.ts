import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { homePaths } from './paths.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lba-compiled-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process that keeps its compiled code there, loads a package and ends. */
function start(home: string): string {
  const program = `
    import { keepCompiledCode } from ${JSON.stringify(new URL('compile-cache.ts', import.meta.url).href)};
    keepCompiledCode(${JSON.stringify(home)});
    await import('yaml');
    console.log('loaded');
  `;
  // Whoever measures coverage switches the cache off for all that is started.
  const { NODE_DISABLE_COMPILE_CACHE: _off, ...env } = process.env;
  const args = ['--input-type=module', '-e', program];
  return execFileSync(process.execPath, args, { encoding: 'utf8', env }).trim();
}

test('what was compiled is kept, for this user alone', () => {
  expect(start(folder)).toBe('loaded');
  const { compiled } = homePaths(folder);
  expect(readdirSync(compiled, { recursive: true }).length).toBeGreaterThan(10);
  if (process.platform !== 'win32') expect(statSync(compiled).mode & 0o077).toBe(0);
});

test('where it cannot be kept the program starts all the same', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(start(join(folder, 'file'))).toBe('loaded');
});
