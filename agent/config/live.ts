/**
 * The configuration of a running agent. Every read first looks whether settings.yaml has changed,
 * by hand or through the agent, so no reader gets an old value. Settings that the agent is built on keep the value it started with.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { AgentError } from '../base/errors.ts';
import { homePaths } from '../base/paths.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { loadConfig, readSetting, showable, type LoadedConfig, type LoadOptions } from './load.ts';
import { settingDefinition, settingDefinitions } from './definitions.ts';
import type { Settings } from './schema.ts';
import type { Applies } from './settings/group.ts';
import { liveView } from './live-view.ts';
import { nearest, writeSettings } from './settings-file.ts';

/** A setting as it is configured now. */
export interface LiveSetting {
  key: string;
  /** As configured; credentials are masked. */
  value: unknown;
  source: string;
  applies: Applies;
  /** The running agent still works with another value, until it is started again. */
  pendingRestart: boolean;
}

export interface SettingProblem {
  key: string;
  message: string;
  suggestion?: string;
}

export interface SettingsChange {
  /** What was asked for, by key; null: back to the default. */
  changes: Readonly<Record<string, unknown>>;
  /** Only if the file still has this tag; absent: in any case. */
  ifTag?: string;
  /** May set what decides which program runs; see `ownerOnly`. */
  isOwner: boolean;
}

/** The file was changed since it was looked at. */
export class SettingsChanged extends AgentError {
  constructor() {
    super('BrowserAgent.InvalidInput', 'The settings were changed meanwhile. Read them again, then change.');
    this.name = 'SettingsChanged';
  }
}

/** What is wrong with a change, all of it; nothing was written. */
export class WrongSettings extends AgentError {
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    super('BrowserAgent.InvalidInput', problems.map(({ message }) => message).join('; '));
    this.name = 'WrongSettings';
    this.problems = problems;
  }
}

export class LiveConfig implements LoadedConfig {
  readonly home: string;
  /** The settings in force. May be kept: each value is read when it is asked for. */
  readonly settings: Settings;
  readonly #options: LoadOptions;
  readonly #path: string;
  /** As loaded at the start: still in force for settings that only a restart changes. */
  readonly #started: LoadedConfig;
  #latest: LoadedConfig;
  #inForce: Settings;
  #stamp: string;
  /** Cached until the file changes: it is read often. */
  #explained: LiveSetting[] | undefined;

  /** Loads; never throws, as `loadConfig`. */
  constructor(options: LoadOptions) {
    this.home = options.home;
    this.#options = options;
    this.#path = homePaths(options.home).settings;
    this.#stamp = this.#stampNow();
    this.#started = loadConfig(options);
    this.#latest = this.#started;
    this.#inForce = this.#started.settings;
    this.settings = liveView(() => {
      this.#refresh();
      return this.#inForce;
    });
  }

  get problems(): LoadedConfig['problems'] {
    this.#refresh();
    return this.#latest.problems;
  }

  sourceOf(key: string): string {
    this.#refresh();
    const from = settingDefinition(key)?.applies === 'restart' ? this.#started : this.#latest;
    return from.sourceOf(key);
  }

  explain(): LiveSetting[] {
    this.#refresh();
    return (this.#explained ??= this.#latest.explain().map((setting) => {
      const applies = settingDefinition(setting.key)?.applies ?? 'restart';
      const differs = !isSame(
        valueOf(this.#latest.settings, setting.key),
        valueOf(this.#inForce, setting.key),
      );
      return { ...setting, applies, pendingRestart: differs };
    }));
  }

  /** Loads settings.yaml again if it has changed. Costs one `stat` (2 µs). */
  #refresh(): void {
    // After the agent has closed, its settings stay as they were: loading needs the database.
    if (this.#options.db?.open === false) return;
    const stamp = this.#stampNow();
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.#latest = loadConfig(this.#options);
    this.#inForce = mixed(this.#started.settings, this.#latest.settings);
    this.#explained = undefined;
  }

  /** What applies after a restart, without what the sandbox of this instance decides. */
  afterRestart(): LoadedConfig {
    const { given: _given, ...options } = this.#options;
    return loadConfig(options);
  }

  /** Names the contents of settings.yaml as they are on disk now. */
  tag(): string {
    if (!existsSync(this.#path)) return 'none';
    return createHash('sha256').update(readFileSync(this.#path)).digest('base64url').slice(0, 22);
  }

  /**
   * Writes settings.yaml, all changes or none, and takes them up.
   * @returns the audit log's words for it: each key with what it was and what it is
   * @throws WrongSettings, SettingsChanged, AgentError when the file on disk is broken
   */
  change({ changes, ifTag, isOwner }: SettingsChange): JsonObject {
    // Nothing is awaited from here to the end: no other change comes between the look and the write.
    if (ifTag !== undefined && ifTag !== this.tag()) throw new SettingsChanged();
    this.#refresh();
    const problems: SettingProblem[] = [];
    const written = new Map<string, unknown>();
    for (const [key, value] of Object.entries(changes)) {
      const problem = problemWith(key, value, isOwner);
      if (problem) problems.push(problem);
      if (value === null) written.set(key, undefined);
      else {
        const read = readSetting(key, value);
        if (read.ok) written.set(key, read.value);
      }
    }
    if (problems.length > 0) throw new WrongSettings(problems);
    const before = this.#latest.settings;
    writeSettings(this.#path, written);
    this.#refresh();
    return Object.fromEntries(
      Object.keys(changes).map((key): [string, JsonValue] => [
        key,
        {
          from: (showable(key, valueOf(before, key)) ?? null) as JsonValue,
          to: (showable(key, written.get(key)) ?? null) as JsonValue,
        },
      ]),
    );
  }

  /** The inode too: an atomic write makes a new file, also within one tick of the clock. */
  #stampNow(): string {
    try {
      const found = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
      return found ? `${found.ino} ${found.size} ${found.mtimeNs}` : '';
    } catch (thrown) {
      // Loading reports a file that cannot be read; reading a setting never throws.
      return `unreadable ${(thrown as NodeJS.ErrnoException).code}`;
    }
  }
}

function problemWith(key: string, value: unknown, isOwner: boolean): SettingProblem | undefined {
  const definition = settingDefinition(key);
  const read = readSetting(key, value);
  if (!definition || (!read.ok && value !== null)) {
    const suggestion = definition
      ? undefined
      : nearest(
          key,
          settingDefinitions.map((each) => each.key),
        );
    const message = read.ok ? '' : read.message;
    return { key, message, ...(suggestion === undefined ? {} : { suggestion }) };
  }
  if (definition.meta.envOnly === true) {
    return {
      key,
      message: `\`${key}\` can only be set by the environment variable ${definition.env.join(', ')}`,
    };
  }
  if (definition.meta.ownerOnly === true && !isOwner) {
    const message = `\`${key}\` decides which program runs or what is read here: only the owner of this machine sets it (window, \`config set\`, settings.yaml)`;
    return { key, message };
  }
  return undefined;
}

/** The settings in force: `latest`, but for settings that only a restart changes those of the start. */
function mixed(started: Settings, latest: Settings): Settings {
  const settings = structuredClone(latest) as Record<string, Record<string, unknown>>;
  for (const { key, applies } of settingDefinitions) {
    if (applies !== 'restart') continue;
    const [group = '', name = ''] = key.split('.');
    settings[group]![name] = valueOf(started, key);
  }
  return settings as Settings;
}

function valueOf(settings: Settings, key: string): unknown {
  const [group = '', name = ''] = key.split('.');
  return (settings as Record<string, Record<string, unknown>>)[group]?.[name];
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
