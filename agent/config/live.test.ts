import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { homePaths } from '../base/paths.ts';
import { openDatabase } from '../store/database.ts';
import { AgentStateStore } from '../store/agent-state.ts';
import { settingDefinitions } from './definitions.ts';
import { LiveConfig, SettingsChanged, WrongSettings } from './live.ts';
import { z } from 'zod';

let home: string;
let file: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lba-live-'));
  file = homePaths(home).settings;
});

afterEach(() => rmSync(home, { recursive: true }));

test('a change made by hand applies with the next read, but not where the agent is built upon it', () => {
  writeFileSync(file, '# mine\nworker:\n  name: a # desk\nrecording:\n  default_level: ERROR\n');
  const config = new LiveConfig({ home, env: {} });
  writeFileSync(file, '# mine\nworker:\n  name: b # desk\nrecording:\n  default_level: DEBUG\n');
  expect(config.settings.recording.default_level).toBe('DEBUG');
  expect(config.settings).toMatchObject({ recording: { default_level: 'DEBUG' }, worker: { name: 'a' } });
  expect(config.explain()).toContainEqual({
    key: 'worker.name',
    value: 'b',
    source: 'settings.yaml:3',
    applies: 'restart',
    pendingRestart: true,
  });
});

const LIVE = settingDefinitions.filter(({ applies, meta }) => applies !== 'restart' && !meta.envOnly);

test.each(LIVE)('$key is current also through a group that was kept', (definition) => {
  const { key, group, schema } = definition;
  const config = new LiveConfig({ home, env: {} });
  const kept = config.settings[group] as Record<string, unknown>;
  const name = key.slice(group.length + 1);
  const before = kept[name];
  expect(before).toEqual(definition.default);
  const other = [!before, 3, 200, 'ERROR', 'https://example.com', ['a'], { prod: 'ERROR' }].find(
    (value) => value !== before && schema.safeParse(value).success,
  );
  writeFileSync(file, JSON.stringify({ [group]: { [name]: other } }));
  expect(kept[name]).toEqual(other);
  expect(config.sourceOf(key)).toBe('settings.yaml:1');
  rmSync(file);
  expect(kept[name]).toEqual(before);
});

test('the settings of an agent that has closed its database stay as they were', () => {
  const db = openDatabase(homePaths(home).database);
  writeFileSync(file, 'recording:\n  keep_days: 3\n');
  const config = new LiveConfig({ home, env: {}, db });
  db.close();
  writeFileSync(file, 'recording:\n  keep_days: 40\n');
  expect(config.settings.recording.keep_days).toBe(3);
  expect(config.problems).toEqual([]);
});

test('a database that takes no writes does not keep a change from the agent', () => {
  const db = openDatabase(homePaths(home).database);
  writeFileSync(file, 'recording:\n  keep_days: 3\n');
  const config = new LiveConfig({ home, env: {}, db });
  db.pragma('query_only = ON');
  writeFileSync(file, 'recording:\n  keep_days: 40\n');
  expect(config.settings.recording.keep_days).toBe(40);
  expect(config.problems).toMatchObject([{ severity: 'warning', where: homePaths(home).database }]);
  db.close();
});

test('a change keeps comments, says old and new, and null takes a setting out', () => {
  writeFileSync(file, '# mine\nworker:\n  name: a # desk\n  concurrency: 2\n');
  const config = new LiveConfig({ home, env: {} });
  const changes = {
    'worker.name': null,
    'recording.keep_gb': 7,
    'recording.level_by_env': { prod: 'error' },
  };
  expect(config.change({ changes, ifTag: config.tag(), isOwner: true })).toEqual({
    'worker.name': { from: 'a', to: null },
    'recording.keep_gb': { from: 5, to: 7 },
    'recording.level_by_env': { from: {}, to: { prod: 'ERROR' } },
  });
  expect(readFileSync(file, 'utf8')).toBe(
    '# mine\nworker:\n  concurrency: 2\nrecording:\n  keep_gb: 7\n  level_by_env:\n    prod: ERROR\n',
  );
  expect(config.settings.recording.keep_gb).toBe(7);
});

test('nothing is written when anything is wrong, or when somebody else wrote first', () => {
  const config = new LiveConfig({ home, env: {} });
  const tag = config.tag();
  const wrong = {
    'worker.concurency': 2,
    'run.max_steps': 'many',
    'recording.level_override': 'NONE',
    'browser.args': ['--x'],
    'recording.keep_gb': 1,
  };
  let thrown: unknown;
  try {
    config.change({ changes: wrong, isOwner: false });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(WrongSettings);
  expect((thrown as WrongSettings).problems.map(({ key, suggestion }) => [key, suggestion])).toEqual([
    ['worker.concurency', 'worker.concurrency'],
    ['run.max_steps', undefined],
    ['recording.level_override', undefined],
    ['browser.args', undefined],
  ]);
  expect(config.tag()).toBe('none');
  writeFileSync(file, 'run:\n  max_steps: 3\n');
  expect(() => config.change({ changes: { 'run.max_steps': 4 }, ifTag: tag, isOwner: true })).toThrow(
    SettingsChanged,
  );
  expect(readFileSync(file, 'utf8')).toContain('max_steps: 3');
});

test('a credential among the settings is neither shown, nor told, nor copied into the database', () => {
  const secret = 'x-key=canary-123';
  const db = openDatabase(homePaths(home).database);
  writeFileSync(file, `telemetry:\n  otlp_headers: ${secret} # ours\n  metrics_seconds: 30\n`);
  const config = new LiveConfig({ home, env: {}, db });
  expect(config.settings.telemetry.otlp_headers).toBe(secret);
  const told = config.change({ changes: { 'telemetry.otlp_headers': `${secret}4` }, isOwner: true });
  const kept = new AgentStateStore(db).get('settings.last_good', z.string())?.value;
  expect(kept).toContain('metrics_seconds: 30');
  expect(JSON.stringify([config.explain(), told, kept])).not.toContain('canary');
  expect(readFileSync(file, 'utf8')).toContain(`${secret}4`);
  db.close();
});
