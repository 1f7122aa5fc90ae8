/** Every sample through the built command line, against the demo portal, with the result that stands beside it. */
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { homePaths } from '../../agent/base/paths.ts';
import type { JsonObject, JsonValue } from '../../agent/base/words.ts';
import { startPortal, type Portal } from '../../agent/sandbox/index.ts';
import { parseScript } from '../../agent/script/parse.ts';
import {
  ACTIONS,
  CONDITION_TYPES,
  LOCATOR_STRATEGIES,
  MODEL_ACTIONS,
  strictSchemas,
} from '../../agent/script/schema.ts';
import { cli } from '../fixtures/cli.ts';
import { childrenOf, makeHome, removeHome } from '../fixtures/home.ts';

const FOLDER = fileURLToPath(new URL('../../resources/samples', import.meta.url));

/** A sample's documented result. */
interface Case {
  title: string;
  variables?: Record<string, string>;
  exit_code: number;
  /** What the result must hold; more may be there. */
  result: JsonObject;
  /** What the last result of a step of this name must hold. */
  steps?: Record<string, JsonObject>;
  /** The error's message must hold this. */
  error_says?: string;
}

interface Result {
  error: { name: string; message: string } | null;
  step_results: { name: string; action: string; success: boolean; [field: string]: JsonValue }[];
}

const samples = jsonFiles(FOLDER);
const stored = jsonFiles(join(FOLDER, 'stored'));

let home: string;
let portal: Portal;
/** Actions that a step really did, over all runs. */
const done = new Set<unknown>();

beforeAll(async () => {
  home = makeHome('samples');
  portal = await startPortal();
  cpSync(join(FOLDER, 'files'), homePaths(home).files, { recursive: true });
  cpSync(join(FOLDER, 'stored'), homePaths(home).scripts, { recursive: true });
  await cli(['config', 'secret', 'portal-password', '--home', home], { input: portal.user.password });
});

afterAll(async () => {
  await portal.close();
  removeHome(home);
});

describe.each(samples.map((file) => basename(file, '.json')))('%s', (name) => {
  const cases = readJson(join(FOLDER, 'expected', `${name}.json`)) as unknown as Case[];

  test.each(cases)(
    'ends as documented: $title',
    async ({ variables = {}, exit_code, result, steps = {}, error_says = '' }) => {
      const given = Object.entries({ portal: portal.url, ...variables }).flatMap(([key, value]) => [
        '--var',
        `${key}=${value}`,
      ]);
      const ran = await cli(['exec', join(FOLDER, `${name}.json`), '--home', home, ...given], {
        env: { LBA_SCRIPT_ALLOWED_ENV: '["PORTAL_REGION"]', PORTAL_REGION: 'north' },
      });
      const said = JSON.parse(ran.stdout) as Result;
      for (const step of said.step_results) {
        if (step.success && step['skipped'] !== true) done.add(step.action);
      }
      const last = Object.fromEntries(said.step_results.map((step) => [step.name, step]));
      expect({ code: ran.code, result: said, steps: last }).toMatchObject({ code: exit_code, result, steps });
      expect(said.error?.message ?? '').toContain(error_says);
      // Passwords stand in the scripts, in the vault and in variables: in no result and on no screen.
      for (const secret of [portal.user.password, '4711-secret', '4111111111111111']) {
        expect(ran.stdout + ran.stderr).not.toContain(secret);
      }
      expect(await childrenOf(home)).toEqual([]);
    },
  );
});

test('every sample has documented results, and none is documented that is not there', () => {
  const documented = jsonFiles(join(FOLDER, 'expected')).map((file) => basename(file));
  expect(documented).toEqual(samples.map((file) => basename(file)));
  expect(samples.length).toBeGreaterThanOrEqual(10);
  const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');
  for (const file of [...samples, ...stored]) expect(readme).toContain(basename(file));
});

test('the editor finds the schema of a sample, and validate has nothing to say about one that names it', async () => {
  const named = [...samples, ...stored].filter((file) => '$schema' in readJson(file));
  expect(named.length).toBeGreaterThanOrEqual(10);
  for (const file of named) {
    const { $schema: schema } = readJson(file) as { $schema: string };
    expect(existsSync(resolve(dirname(file), schema))).toBe(true);
  }
  expect(await cli(['validate', '--home', home, ...named])).toMatchObject({ code: 0, stdout: '' });
});

test('all samples together use every action, condition, locator strategy and extraction strategy of the format', () => {
  const used = { actions: new Set(), conditions: new Set(), locators: new Set(), extractions: new Set() };
  for (const file of [...samples, ...stored]) {
    const parsed = parseScript(readFileSync(file, 'utf8'));
    if (!parsed.ok) throw new Error(`${file}: ${JSON.stringify(parsed.problems)}`);
    collect(parsed.script as unknown as JsonValue, '', used);
  }
  const { options: extractionStrategies } = strictSchemas.parts.extraction.shape.strategy;
  expect(missing(ACTIONS, used.actions)).toEqual([]);
  expect(missing(CONDITION_TYPES, used.conditions)).toEqual([]);
  expect(missing(LOCATOR_STRATEGIES, used.locators)).toEqual([]);
  expect(missing(extractionStrategies, used.extractions)).toEqual([]);
});

test('every action that needs no model was really done in one of the runs', () => {
  const never: readonly string[] = [...MODEL_ACTIONS, 'fail'];
  expect(missing(ACTIONS, done).filter((action) => !never.includes(action))).toEqual([]);
});

function missing(all: readonly string[], used: ReadonlySet<unknown>): string[] {
  return all.filter((name) => !used.has(name));
}

/** Walks a script in canonical form; what an object is, its own keys and the key it stands under tell. */
function collect(
  value: JsonValue,
  under: string,
  used: Record<'actions' | 'conditions' | 'locators' | 'extractions', Set<unknown>>,
): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, under, used);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (under === 'extractions') used.extractions.add(value['strategy']);
  else if ('action' in value) used.actions.add(value['action']);
  else if (under === 'locator') used.locators.add(value['strategy']);
  else if ('type' in value) used.conditions.add(value['type']);
  for (const [key, child] of Object.entries(value)) if (key !== 'variables') collect(child, key, used);
}

function jsonFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => join(folder, file));
}

function readJson(file: string): JsonObject {
  return JSON.parse(readFileSync(file, 'utf8')) as JsonObject;
}
