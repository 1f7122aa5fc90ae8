import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { homePaths } from '../base/paths.ts';
import { AwsValuesStore } from '../store/aws-values.ts';
import { openDatabase } from '../store/database.ts';
import { loadConfig, readSetting, type LoadOptions } from './load.ts';
import { settingDefinitions } from './definitions.ts';
import { formatConfigProblem } from './settings-file.ts';

const ARN = 'arn:aws:states:eu-west-1:123456789012:activity:browser-remote-prod';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lba-config-'));
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

const settings = (text: string) => writeFileSync(join(home, 'settings.yaml'), text);
const load = (more: Partial<LoadOptions> = {}) => loadConfig({ home, env: {}, ...more });
const messages = (config: ReturnType<typeof load>) => config.problems.map(formatConfigProblem);

describe('the order of sources', () => {
  test('is flags, environment, settings.yaml, AWS, default', () => {
    const db = openDatabase(homePaths(home).database);
    new AwsValuesStore(db).replace('dev', [
      { key: 'recording.default_level', value: 'ERROR', source: 'parameter /x', fetchedAt: 0 },
    ]);
    const level = (config: ReturnType<typeof load>) => [
      config.settings.recording.default_level,
      config.sourceOf('recording.default_level'),
    ];
    expect(level(load())).toEqual(['ERROR', 'parameter /x, fetched 1970-01-01T00:00:00.000Z']);
    settings('# ours\nrecording:\n  default_level: DEBUG\n');
    expect(level(load({ db }))).toEqual(['DEBUG', 'settings.yaml:3']);
    const env = { LBA_RECORDING_DEFAULT_LEVEL: 'trace' };
    expect(level(load({ db, env }))).toEqual(['TRACE', 'environment LBA_RECORDING_DEFAULT_LEVEL']);
    const flags = { 'recording.default_level': 'none' };
    expect(level(load({ db, env, flags }))).toEqual(['NONE', 'command line']);
    db.close();
    rmSync(homePaths(home).database);
    rmSync(homePaths(home).settings);
    expect(level(load())).toEqual(['INFO', 'default']);
  });

  test('values fetched for one environment never count in another', () => {
    const db = openDatabase(homePaths(home).database);
    new AwsValuesStore(db).replace('prod', [
      { key: 'aws.s3_bucket', value: 'prod-bucket', source: 'secret', fetchedAt: 0 },
    ]);
    expect(load({ db }).settings.aws.s3_bucket).toBeNull();
    expect(load({ db, flags: { 'aws.env': 'prod' } }).settings.aws.s3_bucket).toBe('prod-bucket');
    db.close();
  });

  test('what decides which program runs is never taken from AWS', () => {
    const db = openDatabase(homePaths(home).database);
    new AwsValuesStore(db).replace('dev', [
      { key: 'browser.executable_path', value: '/bin/evil', source: 'parameter', fetchedAt: 0 },
      { key: 'script.allowed_env', value: '["AWS_SECRET_ACCESS_KEY"]', source: 'parameter', fetchedAt: 0 },
    ]);
    const { browser, script } = load({ db }).settings;
    db.close();
    expect(browser.executable_path).toBeNull();
    expect(script.allowed_env).toEqual([]);
  });
});

describe('the environment', () => {
  test('of the earlier program and of the AWS SDK is understood', () => {
    const { aws, recording } = load({
      env: {
        ACTIVITY_ARN: ARN,
        S3_BUCKET: 'recordings',
        AWS_DEFAULT_REGION: 'us-west-2',
        AWS_PROFILE: 'work',
        RECORDING_LEVEL_OVERRIDE: 'DEBUG',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
      },
    }).settings;
    expect(aws).toMatchObject({
      activity_arn: ARN,
      s3_bucket: 'recordings',
      region: 'us-west-2',
      profile: 'work',
      endpoint: 'http://127.0.0.1:4566',
    });
    expect(recording.level_override).toBe('DEBUG');
  });

  test('carries booleans, numbers, lists and maps', () => {
    const config = load({
      env: {
        LBA_BROWSER_HEADLESS: 'no',
        LBA_WORKER_CONCURRENCY: '3',
        LBA_BROWSER_ARGS: '--a, --b',
        LBA_RECORDING_MASK_SELECTORS: '["input[name=a,b]"]',
        LBA_RECORDING_LEVEL_BY_ENV: 'prod=error,dev=TRACE',
        LBA_AWS_REGION: '',
      },
    });
    expect(config.problems).toEqual([]);
    expect(config.settings).toMatchObject({
      browser: { headless: false, args: ['--a', '--b'] },
      worker: { concurrency: 3 },
      recording: { mask_selectors: ['input[name=a,b]'], level_by_env: { prod: 'ERROR', dev: 'TRACE' } },
      aws: { region: null },
    });
  });

  test('the region is that of the activity when nothing names one', () => {
    const config = load({ env: { ACTIVITY_ARN: ARN } });
    expect(config.settings.aws.region).toBe('eu-west-1');
    expect(config.sourceOf('aws.region')).toContain('aws.activity_arn');
  });
});

describe('a mistake', () => {
  test('in a key is a warning with file, line and suggestion', () => {
    settings('recording:\n  max_levle: NONE\nworker:\n  keep_days: 3\nbrwoser:\n  args: []\n');
    const path = join(home, 'settings.yaml');
    expect(messages(load())).toEqual([
      `${path}:2:3: warning: there is no setting \`recording.max_levle\`; it is ignored. Did you mean \`recording.max_level\`?`,
      `${path}:4:3: warning: there is no setting \`worker.keep_days\`; it is ignored. Did you mean \`recording.keep_days\`?`,
      `${path}:5:1: warning: there is no setting \`brwoser\`; it is ignored. Did you mean \`browser\`?`,
    ]);
  });

  test('in a value names file, line and what is allowed, and the next source counts', () => {
    settings('worker:\n  concurrency: many\nrecording:\n  keep_level: DEBUGG\n');
    const config = load();
    const path = join(home, 'settings.yaml');
    expect(messages(config)).toEqual([
      `${path}:4:15: error: \`recording.keep_level\` is "DEBUGG"; allowed: one of NONE, ERROR, INFO, DEBUG, TRACE. Did you mean DEBUG?`,
      `${path}:2:16: error: \`worker.concurrency\` is "many"; allowed: a whole number from 1 to 16`,
    ]);
    expect(config.settings.worker.concurrency).toBe(1);
  });

  test('in one entry of a map leaves the others in force', () => {
    settings('recording:\n  level_by_env:\n    prod: NONE\n    dev: FULL\n');
    const config = load();
    expect(config.settings.recording.level_by_env).toEqual({ prod: 'NONE' });
    expect(messages(config)[0]).toContain('wrong at `dev`');
  });

  test.each([
    ['recording:\n  max_level: NNE\n', {}, 'max_level'],
    ['', { RECORDING_LEVEL_OVERRIDE: 'NON' }, 'level_override'],
  ] as const)('in a limit on recording counts as NONE', (text, env, key) => {
    settings(text);
    const config = load({ env });
    expect(config.settings.recording[key]).toBe('NONE');
    expect(config.problems).toMatchObject([{ severity: 'error', key: `recording.${key}` }]);
  });

  test('that leaves no valid YAML names line and column, and the last good file counts', () => {
    const db = openDatabase(homePaths(home).database);
    settings('recording:\n  max_level: ERROR\n');
    load({ db });
    settings('recording:\n  max_level: ERROR\n bad: [\n');
    const config = load({ db });
    db.close();
    expect(config.settings.recording.max_level).toBe('ERROR');
    expect(config.sourceOf('recording.max_level')).toContain('the present one cannot be read');
    expect(config.problems[0]).toMatchObject({ severity: 'error', line: 3 });
    expect(messages(config)[0]).toMatch(/settings\.yaml:3:\d+: error: not valid YAML/);
  });

  test('that leaves no valid YAML and no earlier file lets nothing be uploaded', () => {
    settings('{');
    const config = load();
    expect(config.settings.recording.max_level).toBe('NONE');
    expect(config.sourceOf('recording.max_level')).toContain('cannot be read');
  });

  test.each(['- a\n- b\n', 'text', 'aws: prod\n'])('of shape is said, not thrown: %j', (text) => {
    settings(text);
    expect(load().problems).toMatchObject([{ severity: 'error', line: 1 }]);
  });
});

describe('every setting', () => {
  test('is explained, with a default that is valid', () => {
    const explained = load().explain();
    expect(explained.map(({ key }) => key)).toEqual(settingDefinitions.map(({ key }) => key));
    for (const definition of settingDefinitions) {
      expect(definition.schema.safeParse(definition.default).success).toBe(true);
    }
  });

  test('has variables of its own that no other has', () => {
    const names = settingDefinitions.flatMap(({ env }) => env);
    expect(new Set(names).size).toBe(names.length);
  });

  test('shows an endpoint without the password in it', () => {
    const config = load({ flags: { 'aws.endpoint': 'http://user:hunter2@localhost:4566' } });
    expect(JSON.stringify(config.explain())).not.toContain('hunter2');
  });
});

test('an unknown key given on the command line is answered with the nearest one', () => {
  expect(readSetting('recording.max-level', 'INFO')).toEqual({
    ok: false,
    message: 'there is no setting `recording.max-level`. Did you mean `recording.max_level`?',
  });
  expect(readSetting('recording.max_level', 'info')).toEqual({ ok: true, value: 'INFO' });
});
