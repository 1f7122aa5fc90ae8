/**
 * Every setting: its type, its default and its purpose, group by group. `config show`, docs/configuration.md and
 * the messages about wrong values are derived from the groups (definitions.ts).
 */
import { z } from 'zod';
import { api } from './settings/api.ts';
import { aws } from './settings/aws.ts';
import { browser } from './settings/browser.ts';
import { live } from './settings/live.ts';
import { log } from './settings/log.ts';
import { recording } from './settings/recording.ts';
import { run } from './settings/run.ts';
import { sandbox } from './settings/sandbox.ts';
import { script } from './settings/script.ts';
import { telemetry } from './settings/telemetry.ts';
import { worker } from './settings/worker.ts';

/** In the order of the documentation. */
export const settingGroups = {
  aws,
  recording,
  worker,
  browser,
  run,
  script,
  api,
  live,
  log,
  telemetry,
  sandbox,
};

type Groups = typeof settingGroups;

export const settingsSchema = z.strictObject(
  Object.fromEntries(Object.entries(settingGroups).map(([name, { schema }]) => [name, schema])) as {
    [Name in keyof Groups]: Groups[Name]['schema'];
  },
);

export type Settings = z.infer<typeof settingsSchema>;
export type SettingGroup = keyof Settings;
/** e.g. `recording.max_level`. */
export type SettingKey = {
  [Group in SettingGroup]: `${Group}.${keyof Settings[Group] & string}`;
}[SettingGroup];
