import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JsonObject } from '../base/words.ts';
import { prepareScript, type Prepared } from './prepare.ts';
import { ScriptLibrary } from './script-library.ts';
import type { RunInput } from './types.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prepare-'));
  mkdirSync(join(folder, 'scripts'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const include = (script: string): JsonObject => ({ action: 'include', script });
const scriptOf = (...steps: JsonObject[]): JsonObject => ({ name: 'S', steps });

function store(name: string, script: unknown): void {
  writeFileSync(join(folder, 'scripts', `${name}.json`), JSON.stringify(script));
}

function prepare(input: RunInput): Promise<Prepared> {
  return prepareScript({ runId: 'r', input }, new ScriptLibrary(join(folder, 'scripts')));
}

const given = (script: JsonObject): RunInput => ({ kind: 'script', script });

test('scripts that include each other in a circle are refused before the run, naming the circle', async () => {
  store('a', scriptOf({ action: 'sequence', steps: [include('b@2')] }));
  store('b@2', scriptOf({ action: 'if', condition: { text_visible: 'x' }, then: [], else: [include('a')] }));
  await expect(prepare(given(scriptOf(include('a'))))).rejects.toThrow(
    expect.objectContaining({
      errorName: 'BrowserAgent.InvalidScript',
      message: expect.stringContaining('in a circle: a → b@2 → a.'),
    }),
  );
});

test('a stored script that includes itself is a circle of one', async () => {
  store('own', scriptOf({ action: 'for_each', items: [1], steps: [include('own')] }));
  await expect(prepare({ kind: 'stored', name: 'own' })).rejects.toThrow(/in a circle: own → own\./);
});

test('scripts that share a part, or include one twice, are no circle', async () => {
  store('part', scriptOf({ action: 'wait' }));
  store('left', scriptOf(include('part'), include('part')));
  store('right', scriptOf(include('part')));
  const { warnings } = await prepare(given(scriptOf(include('left'), include('right'), include('left'))));
  expect(warnings).toEqual([]);
});

test('names that templates give, scripts that are not there and scripts that are not valid are left to the run', async () => {
  store('computed', scriptOf(include('{{next}}')));
  store('broken', { name: 'S', steps: [{ action: 'clck' }] });
  const script = scriptOf(include('computed'), include('nowhere'), include('broken'));
  await expect(prepare(given(script))).resolves.toBeDefined();
});
