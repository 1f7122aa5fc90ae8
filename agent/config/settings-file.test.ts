import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readSettingsFile, writeSettings } from './settings-file.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lba-settings-'));
  path = join(folder, 'deeper', 'settings.yaml');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const write = (changes: Record<string, unknown>) => writeSettings(path, new Map(Object.entries(changes)));

describe('writing settings.yaml', () => {
  test('makes file and folder', () => {
    write({ 'aws.env': 'prod', 'recording.mask_selectors': ['#card'] });
    expect(readFileSync(path, 'utf8')).toBe(
      'aws:\n  env: prod\nrecording:\n  mask_selectors:\n    - "#card"\n',
    );
    expect(readdirSync(join(folder, 'deeper'))).toEqual(['settings.yaml']);
  });

  test('keeps comments, order and what it does not know', () => {
    write({});
    writeFileSync(
      path,
      '# our rules\nrecording: # agreed 2026\n  max_level: INFO # never more\n  typo: 1\n\n# who\naws:\n',
    );
    write({ 'recording.max_level': 'ERROR', 'aws.env': 'prod' });
    // The library moves a comment behind a group's name to a line of its own.
    expect(readFileSync(path, 'utf8')).toBe(
      '# our rules\nrecording:\n  # agreed 2026\n  max_level: ERROR # never more\n  typo: 1\n\n# who\naws:\n  env: prod\n',
    );
  });

  test('removes what is set to undefined, also in its one-line spelling', () => {
    write({});
    writeFileSync(path, 'aws:\n  env: prod\n  profile: work\nrecording.max_level: INFO\n');
    expect(readSettingsFile(path)).toMatchObject({
      values: [{ key: 'aws.env' }, { key: 'aws.profile' }, { key: 'recording.max_level', value: 'INFO' }],
    });
    write({ 'aws.profile': undefined, 'recording.max_level': undefined });
    expect(readFileSync(path, 'utf8')).toBe('aws:\n  env: prod\n');
  });

  test('refuses a broken file and leaves it as it is', () => {
    write({});
    writeFileSync(path, 'aws: [\n');
    expect(() => write({ 'aws.env': 'prod' })).toThrow(/settings\.yaml:\d+:\d+: error: not valid YAML/);
    expect(readFileSync(path, 'utf8')).toBe('aws: [\n');
  });
});
