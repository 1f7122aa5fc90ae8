import { loadConfig, readSetting, showable } from '../../config/load.ts';
import { settingDefinition } from '../../config/definitions.ts';
import type { Applies } from '../../config/settings/group.ts';
import { vaultNameOf } from '../../config/script-secrets.ts';
import { formatConfigProblem, writeSettings } from '../../config/settings-file.ts';
import { openFileVault } from '../../config/vault.ts';
import { homePaths } from '../../base/paths.ts';
import type { JsonValue } from '../../base/words.ts';
import { cliActor, withAuditLog } from '../audit.ts';
import { WrongUse, type VerbOptions } from '../main-types.ts';
import { note, print, printJson, printRows } from '../output.ts';

/** `show`: every setting with its source; `get KEY`; `set KEY VALUE`; `secret NAME` for `{{secret:NAME}}`. */
export async function config(options: VerbOptions, args: string[]): Promise<void> {
  const [verb = 'show', key, value] = args;
  switch (verb) {
    case 'show':
      return show(options);
    case 'get':
      return get(options, required(key, 'config get KEY'));
    case 'set':
      return set(options, required(key, 'config set KEY VALUE'), required(value, 'config set KEY VALUE'));
    case 'secret':
      return secret(options, required(key, 'config secret NAME'));
    default:
      throw new WrongUse(`config ${verb}: use show, get, set or secret`);
  }
}

function show(options: VerbOptions): void {
  const loaded = loadConfig({ home: options.home, env: process.env });
  for (const problem of loaded.problems) note(formatConfigProblem(problem));
  printRows(
    loaded.explain(),
    [
      { title: 'setting', value: (row) => row.key },
      { title: 'value', value: (row) => shown(row.value) },
      { title: 'source', value: (row) => row.source },
    ],
    options.json === true,
  );
}

function get(options: VerbOptions, key: string): void {
  const loaded = loadConfig({ home: options.home, env: process.env });
  const row = loaded.explain().find((setting) => setting.key === key);
  if (!row) throw new WrongUse(noSuch(key));
  if (options.json === true) printJson(row);
  else print(shown(row.value));
}

async function set(options: VerbOptions, key: string, value: string): Promise<void> {
  const read = readSetting(key, value);
  if (!read.ok) throw new WrongUse(read.message);
  const details = { value: (showable(key, read.value) ?? null) as JsonValue };
  await withAuditLog(options.home, (audit) =>
    audit.around({ by: cliActor(), action: 'settings.change', target: `setting/${key}`, details }, () =>
      writeSettings(homePaths(options.home).settings, new Map([[key, read.value]])),
    ),
  );
  const loaded = loadConfig({ home: options.home, env: process.env });
  const source = loaded.sourceOf(key);
  if (source.startsWith('settings.yaml'))
    note(`${key} is set. A running agent takes it ${WHEN[settingDefinition(key)?.applies ?? 'restart']}.`);
  else note(`${key} is written to settings.yaml, but ${source} is stronger and stays in force.`);
}

async function secret(options: VerbOptions, name: string): Promise<void> {
  const vault = openFileVault(options.home, process.env);
  if (process.stdin.isTTY)
    note(`Type the value of ${name}, then Enter and Ctrl+D. Nothing typed removes it.`);
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const value = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  const change = (action: string, work: () => Promise<void>): Promise<void> =>
    withAuditLog(options.home, (audit) =>
      audit.around({ by: cliActor(), action, target: `secret/${name}` }, work),
    );
  if (value === '') {
    await change('secret.delete', () => vault.delete(vaultNameOf(name)));
    note(`${name} is removed from this machine.`);
    return;
  }
  await change('secret.set', () => vault.set(vaultNameOf(name), value));
  note(`${name} is stored in ${vault.protection}. Scripts use it as {{secret:${name}}}.`);
}

function required(value: string | undefined, usage: string): string {
  if (value === undefined) throw new WrongUse(`usage: local-browser-agent ${usage}`);
  return value;
}

function noSuch(key: string): string {
  const read = readSetting(key, null);
  return read.ok ? `there is no setting ${key}` : read.message;
}

/** When a change reaches a running agent. */
const WHEN: Record<Applies, string> = {
  now: 'within the hour, or with its next run',
  'next run': 'with its next run',
  restart: 'at its next start',
};

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
