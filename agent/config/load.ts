/**
 * The configuration in force, and where each value came from. Strongest first: flags, environment,
 * settings.yaml, values fetched from AWS, defaults.
 *
 * A value that is wrong is reported and passed over; loading never fails. Limits do not fall open: a cap on
 * recording that cannot be read counts as NONE, and a settings.yaml that cannot be read is replaced by the
 * last one that could.
 */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { messageOf } from '../base/errors.ts';
import { MASK } from '../base/mask-sensitive.ts';
import { homePaths } from '../base/paths.ts';
import { parseArn } from '../aws/arn.ts';
import { AgentStateStore } from '../store/agent-state.ts';
import { AwsValuesStore, type AwsValue } from '../store/aws-values.ts';
import { openDatabase, type Database } from '../store/database.ts';
import {
  enumOf,
  jsonTypeOf,
  settingDefinition,
  settingDefinitions,
  type SettingDefinition,
} from './definitions.ts';
import { settingsSchema, type Settings } from './schema.ts';
import {
  nearest,
  parseSettings,
  readSettingsFile,
  withoutSecrets,
  type ConfigProblem,
  type FileValue,
} from './settings-file.ts';

export interface LoadOptions {
  home: string;
  env: NodeJS.ProcessEnv;
  /** By key, e.g. `{'aws.env': 'prod'}`; `undefined` is a flag that was not given. */
  flags?: Record<string, unknown>;
  /** Stronger than everything, where the agent itself decides: e.g. what its own sandbox has. */
  given?: { source: string; values: Record<string, unknown> };
  /** The open database, for those who have it; otherwise it is opened for a moment, where it exists. */
  db?: Database;
}

export interface ExplainedSetting {
  key: string;
  value: unknown;
  /** e.g. `environment LBA_AWS_ENV`, `settings.yaml:12`, `secret browser-agent-credentials-prod, fetched …`. */
  source: string;
}

export interface LoadedConfig {
  home: string;
  settings: Settings;
  problems: ConfigProblem[];
  /** Every setting in force with its source, fit to be shown: credentials are masked. */
  explain(): ExplainedSetting[];
  /** Of one setting, e.g. `default`. */
  sourceOf(key: string): string;
}

/** One offer of a value, strongest first in its list. */
interface Candidate {
  value: unknown;
  source: string;
  where: string;
  line?: number;
  column?: number;
}

const LAST_GOOD_KEY = 'settings.last_good';

export function loadConfig(options: LoadOptions): LoadedConfig {
  const problems: ConfigProblem[] = [];
  return withDatabase(options, problems, (db) => {
    const file = fileValues(options.home, db, problems);
    const own = new Map<string, Candidate[]>();
    for (const definition of settingDefinitions) {
      own.set(definition.key, [
        ...givenCandidates(definition, options.given),
        ...flagCandidates(definition, options.flags ?? {}),
        ...envCandidates(definition, options.env),
        ...fileCandidates(definition, file, problems),
      ]);
    }
    const envDefinition = settingDefinition('aws.env')!;
    const env = choose(envDefinition, own.get('aws.env')!, []).value as string;
    const fetched = db ? new AwsValuesStore(db).all(env) : [];

    const values: Record<string, Record<string, unknown>> = {};
    const sources = new Map<string, string>();
    for (const definition of settingDefinitions) {
      const candidates = [...own.get(definition.key)!, ...awsCandidates(definition, fetched)];
      const chosen = choose(definition, candidates, problems);
      const [group = '', name = ''] = definition.key.split('.');
      (values[group] ??= {})[name] = chosen.value;
      sources.set(definition.key, chosen.source);
    }
    const settings = settingsSchema.parse(values);
    if (settings.aws.region === null && settings.aws.activity_arn !== null) {
      settings.aws.region = parseArn(settings.aws.activity_arn)?.region ?? null;
      if (settings.aws.region) sources.set('aws.region', 'the region in aws.activity_arn');
    }
    if (file.capUnknown) {
      settings.recording.max_level = 'NONE';
      sources.set('recording.max_level', 'settings.yaml cannot be read, so the cap in it is not known');
    }
    return {
      home: options.home,
      settings,
      problems,
      sourceOf: (key) => sources.get(key) ?? 'default',
      explain: () =>
        settingDefinitions.map(({ key }) => {
          const [group = '', name = ''] = key.split('.');
          const value = (settings as Record<string, Record<string, unknown>>)[group]?.[name];
          return { key, value: showable(key, value), source: sources.get(key) ?? 'default' };
        }),
    };
  });
}

/**
 * A value as its setting takes it: text from a command line or the environment is read by the setting's
 * type, words in any case. @returns the value, or what is wrong with it
 */
export function readSetting(
  key: string,
  value: unknown,
): { ok: true; value: unknown } | { ok: false; message: string } {
  const definition = settingDefinition(key);
  if (!definition) {
    const suggestion = nearest(
      key,
      settingDefinitions.map((each) => each.key),
    );
    const hint = suggestion ? ` Did you mean \`${suggestion}\`?` : '';
    return { ok: false, message: `there is no setting \`${key}\`.${hint}` };
  }
  const parsed = definition.schema.safeParse(coerce(definition, value));
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, message: wrongValue(definition, value, parsed.error) };
}

function choose(
  definition: SettingDefinition,
  candidates: readonly Candidate[],
  problems: ConfigProblem[],
): { value: unknown; source: string } {
  for (const candidate of candidates) {
    const { source, where, line, column } = candidate;
    const parsed = definition.schema.safeParse(coerce(definition, candidate.value));
    if (parsed.success) return { value: parsed.data, source };
    problems.push({
      severity: 'error',
      where,
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
      key: definition.key,
      message: wrongValue(definition, candidate.value, parsed.error),
    });
    if (definition.meta.whenInvalid !== undefined) {
      return { value: definition.meta.whenInvalid, source: `${source}, which cannot be read` };
    }
    const kept = goodEntries(definition, candidate.value);
    if (kept) return { value: kept, source };
  }
  return { value: definition.default, source: 'default' };
}

/** Of a map with a wrong entry the others still count: one typo must not lift the level of the rest. */
function goodEntries(definition: SettingDefinition, value: unknown): Record<string, unknown> | undefined {
  const map = coerce(definition, value);
  if (jsonTypeOf(definition.schema) !== 'object' || typeof map !== 'object' || map === null) return undefined;
  return Object.fromEntries(
    Object.entries(map).filter(([name, entry]) => definition.schema.safeParse({ [name]: entry }).success),
  );
}

/** Long values are not for messages. */
const SHOWN_CHARS = 80;

function wrongValue(definition: SettingDefinition, value: unknown, error: z.ZodError): string {
  const path = error.issues[0]?.path.join('.') ?? '';
  const shown = (JSON.stringify(showable(definition.key, value)) ?? String(value)).slice(0, SHOWN_CHARS);
  const words = enumOf(definition.schema);
  const suggestion = words && typeof value === 'string' ? nearest(value, words) : undefined;
  return `\`${definition.key}\` is ${shown}${path ? ` (wrong at \`${path}\`)` : ''}; allowed: ${definition.allowed}${suggestion ? `. Did you mean ${suggestion}?` : ''}`;
}

function coerce(definition: SettingDefinition, value: unknown): unknown {
  if (typeof value !== 'string') return mapLevels(definition, value);
  const text = value.trim();
  const words = enumOf(definition.schema);
  if (words) return words.find((word) => word.toLowerCase() === text.toLowerCase()) ?? value;
  switch (jsonTypeOf(definition.schema)) {
    case 'boolean':
      if (/^(true|yes|on|1)$/i.test(text)) return true;
      return /^(false|no|off|0)$/i.test(text) ? false : value;
    case 'integer':
    case 'number':
      return text !== '' && Number.isFinite(Number(text)) ? Number(text) : value;
    case 'array':
      return text.startsWith('[') ? parseJson(text) : splitList(text);
    case 'object':
      if (text.startsWith('{')) return mapLevels(definition, parseJson(text));
      return mapLevels(
        definition,
        Object.fromEntries(splitList(text).map((pair) => pair.split('=', 2).map((part) => part.trim()))),
      );
    default:
      return text;
  }
}

/** Levels in a map may be written in any case too. */
function mapLevels(definition: SettingDefinition, value: unknown): unknown {
  if (jsonTypeOf(definition.schema) !== 'object' || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [
      name,
      typeof entry === 'string' ? entry.toUpperCase() : (entry as unknown),
    ]),
  );
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function givenCandidates({ key }: SettingDefinition, given: LoadOptions['given']): Candidate[] {
  if (given === undefined || !Object.hasOwn(given.values, key)) return [];
  return [{ value: given.values[key], source: given.source, where: given.source }];
}

function flagCandidates({ key }: SettingDefinition, flags: Record<string, unknown>): Candidate[] {
  const value = flags[key];
  return value === undefined ? [] : [{ value, source: 'command line', where: 'command line' }];
}

function envCandidates(definition: SettingDefinition, env: NodeJS.ProcessEnv): Candidate[] {
  return definition.env
    .filter((name) => (env[name] ?? '') !== '') // containers pass variables that are set to nothing
    .map((name) => ({
      value: env[name],
      source: `environment ${name}`,
      where: `environment variable ${name}`,
    }));
}

interface FileValues {
  path: string;
  values: FileValue[];
  source: (line: number) => string;
  /** The file is broken and there is no copy of it from better days. */
  capUnknown: boolean;
}

function fileValues(home: string, db: Database | undefined, problems: ConfigProblem[]): FileValues {
  const { settings: path } = homePaths(home);
  const state = db && new AgentStateStore(db);
  const file = readSettingsFile(path);
  if (file.state === 'ok') {
    problems.push(...file.problems);
    const before = state?.get(LAST_GOOD_KEY, z.string());
    const text = withoutSecrets(file);
    if (state && before?.value !== text) {
      try {
        state.set(LAST_GOOD_KEY, text, Date.now());
      } catch (thrown) {
        problems.push({
          severity: 'warning',
          where: homePaths(home).database,
          message: `a copy of settings.yaml could not be kept there: ${messageOf(thrown)}. Make sure that the disk is not full.`,
        });
      }
    }
    return { path, values: file.values, source: (line) => `settings.yaml:${line}`, capUnknown: false };
  }
  if (file.state === 'absent') return { path, values: [], source: () => '', capUnknown: false };

  problems.push(...file.problems);
  const kept = state?.get(LAST_GOOD_KEY, z.string());
  const copy = kept && parseSettings(kept.value, path);
  if (!kept || copy?.state !== 'ok') return { path, values: [], source: () => '', capUnknown: true };
  const when = new Date(kept.updatedAt).toISOString();
  const source = `the settings.yaml of ${when}: the present one cannot be read`;
  return { path, values: copy.values, source: () => source, capUnknown: false };
}

function fileCandidates(
  definition: SettingDefinition,
  file: FileValues,
  problems: ConfigProblem[],
): Candidate[] {
  return file.values
    .filter(({ key, value }) => key === definition.key && value !== null && value !== undefined)
    .flatMap(({ key, value, line, column }) => {
      if (!definition.meta.envOnly)
        return [{ value, source: file.source(line), where: file.path, line, column }];
      const message = `\`${key}\` can only be set by the environment variable ${definition.env.join(', ')}; it is ignored`;
      problems.push({ severity: 'warning', where: file.path, line, column, key, message });
      return [];
    });
}

function awsCandidates(definition: SettingDefinition, fetched: readonly AwsValue[]): Candidate[] {
  if (!definition.meta.fromAws) return [];
  return fetched
    .filter(({ key }) => key === definition.key)
    .map(({ value, source, fetchedAt }) => ({
      value,
      source: `${source}, fetched ${new Date(fetchedAt).toISOString()}`,
      where: source,
    }));
}

/** A value as people and logs may see it: an endpoint may carry a user and password. */
export function showable(key: string, value: unknown): unknown {
  if (settingDefinition(key)?.meta.secret === true && value !== null) return MASK;
  return typeof value === 'string' ? value.replace(/\/\/[^/@\s]+@/, '//***@') : value;
}

function withDatabase<T>(
  options: LoadOptions,
  problems: ConfigProblem[],
  work: (db: Database | undefined) => T,
): T {
  if (options.db) return work(options.db);
  const { database } = homePaths(options.home);
  if (!existsSync(database)) return work(undefined);
  let db: Database;
  try {
    db = openDatabase(database);
  } catch (thrown) {
    problems.push({ severity: 'error', where: database, message: messageOf(thrown) });
    return work(undefined);
  }
  try {
    return work(db);
  } finally {
    db.close();
  }
}
