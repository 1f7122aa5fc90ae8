/** `npm run demo`, as a person runs it: the built command line, a browser, and every expectation held. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/agent/cli/main.js', import.meta.url));
const DEMO_TIMEOUT_MS = 240_000;

interface Row {
  execution: string;
  status: string;
  level: string;
  files: number;
  keys: string[];
  problems: string[];
}

test(
  'the demo holds every expectation, and shows what happens as it happens',
  { timeout: DEMO_TIMEOUT_MS },
  async () => {
    const child = spawn(process.execPath, [MAIN, 'demo', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'exit')) as [number];
    const rows = JSON.parse(stdout) as Row[];
    expect(rows.flatMap((row) => row.problems.map((problem) => `${row.execution}: ${problem}`))).toEqual([]);
    expect(code).toBe(0);
    expect(rows.map((row) => row.status)).toContain('FAILED');
    expect(new Set(rows.map((row) => row.level))).toEqual(
      new Set(['NONE', 'ERROR', 'INFO', 'DEBUG', 'TRACE']),
    );
    const files = Object.fromEntries(rows.slice(0, 5).map((row) => [row.level, row.files]));
    expect(files['NONE']).toBe(0);
    expect(files['ERROR']).toBe(0);
    expect(files['DEBUG']).toBeGreaterThan(files['INFO']!);
    expect(files['TRACE']).toBeGreaterThan(files['DEBUG']!);
    expect(stderr).toMatch(/task received[\s\S]*✓ 1 Starting page[\s\S]*reported: succeeded/);
  },
);
