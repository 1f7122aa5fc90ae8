/** What the desktop app passes on to the agent, checked against what the agent reads. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settingDefinitions } from '../../agent/config/definitions.ts';
import { agentEnvironment } from '../../electron/agent-environment.ts';

const AGENT = join(import.meta.dirname, '..', '..', 'agent');

/** Read by verbs of the command line alone. */
const NOT_FOR_DESKTOP: readonly string[] = [];

const namesPassed = (names: readonly string[], platform: NodeJS.Platform): string[] =>
  Object.keys(agentEnvironment(Object.fromEntries(names.map((name) => [name, '1'])), platform));

test('every variable that a setting or the source of the agent names is passed on', () => {
  const read = new Set(settingDefinitions.flatMap(({ env }) => env));
  for (const file of readdirSync(AGENT, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
    const text = readFileSync(join(AGENT, file), 'utf8');
    for (const [, name] of text.matchAll(/\benv\[['"`](\w+(?:\(x86\))?)['"`]\]/gi)) read.add(name!);
  }
  expect([...read]).toEqual(expect.arrayContaining(['LBA_HOME', 'PLAYWRIGHT_BROWSERS_PATH', 'LOCALAPPDATA']));
  const passed = new Set([...namesPassed([...read], 'linux'), ...namesPassed([...read], 'win32')]);
  expect([...read].filter((name) => !passed.has(name))).toEqual(NOT_FOR_DESKTOP);
});

test('what else the terminal of the person exported is not', () => {
  const others = [
    'GITHUB_TOKEN',
    'NPM_TOKEN',
    'NODE_OPTIONS',
    'SSH_AUTH_SOCK',
    'DATABASE_URL',
    'PS1',
    'AWSX',
  ];
  expect(namesPassed(others, 'linux')).toEqual(['MALLOC_ARENA_MAX']);
});

test('upper and lower case count, except on Windows', () => {
  expect(namesPassed(['Path', 'ProgramFiles(x86)'], 'win32')).toEqual([
    'MALLOC_ARENA_MAX',
    'Path',
    'ProgramFiles(x86)',
  ]);
  expect(namesPassed(['Path'], 'linux')).toEqual(['MALLOC_ARENA_MAX']);
});

test('values are passed as they are', () => {
  expect(agentEnvironment({ PATH: '/bin', LBA_HOME: '/h', MALLOC_ARENA_MAX: '4' }, 'linux')).toEqual({
    PATH: '/bin',
    LBA_HOME: '/h',
    MALLOC_ARENA_MAX: '4',
  });
});
