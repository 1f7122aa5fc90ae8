import { existsSync } from 'node:fs';
import { openAgent } from '../../agent.ts';
import { AgentError } from '../../base/errors.ts';
import { createLogger } from '../../base/log.ts';
import { homePaths } from '../../base/paths.ts';
import { loadConfig } from '../../config/load.ts';
import { formatConfigProblem, readSettingsFile, writeSettings } from '../../config/settings-file.ts';
import {
  formatPlace,
  importEarlier,
  type ImportItem,
  type ImportOptions,
  type ImportReport,
  type ImportStatus,
} from '../../import/index.ts';
import { ScriptLibrary } from '../../runs/script-library.ts';
import { openDatabase } from '../../store/database.ts';
import { ProfileRepository } from '../../store/profiles.ts';
import { cliActor } from '../audit.ts';
import { Failed, type VerbOptions } from '../main-types.ts';
import { note, print, printJson } from '../output.ts';

interface ImportVerbOptions extends VerbOptions {
  dryRun?: boolean;
}

/** Takes over what the earlier program left in some folders; `--dry-run` only says what it would. */
export async function importVerb(options: ImportVerbOptions, folders: string[]): Promise<void> {
  const report = options.dryRun === true ? await dryRun(options, folders) : await takeOver(options, folders);
  if (options.json === true) printJson(report);
  else show(report);
  const { failed } = report.counts;
  if (failed > 0) throw new Failed(`${failed} could not be taken over: see what is marked ✗.`);
}

/** Changes nothing, makes nothing: not even the data directory. */
async function dryRun({ home }: ImportVerbOptions, folders: string[]): Promise<ImportReport> {
  const { database } = homePaths(home);
  const db = existsSync(database) ? openDatabase(database) : undefined;
  try {
    const repository = db && new ProfileRepository(db);
    return await importEarlier({
      ...(await common(home, folders)),
      dryRun: true,
      take: () => Promise.resolve(),
      profiles: { find: (name) => repository?.find(name), create: () => Promise.resolve() },
    });
  } finally {
    db?.close();
  }
}

async function takeOver({ home }: ImportVerbOptions, folders: string[]): Promise<ImportReport> {
  const agent = await openAgent({
    home,
    env: process.env,
    log: createLogger({ level: 'warn' }),
    uploads: 'none',
    keepWarm: false,
  });
  try {
    const by = cliActor();
    const report = await importEarlier({
      ...(await common(home, folders)),
      dryRun: false,
      onTake: (item) => {
        // The rest takes no time.
        if (item.kind === 'profile') note(`Copying the profile ${item.what} …`);
      },
      take: ({ work, ...entry }) => agent.audit.around({ by, ...entry }, work),
      profiles: {
        find: (name) => agent.profiles.list().find((own) => own.name.toLowerCase() === name.toLowerCase()),
        create: (...given) => agent.profiles.createFrom(...given),
      },
    });
    agent.audit.append({
      by,
      action: 'agent.import',
      target: `folder/${report.folders.join(', ')}`,
      result: report.counts.failed > 0 ? 'failed' : 'ok',
      details: { ...report.counts },
    });
    return report;
  } finally {
    await agent.close();
  }
}

async function common(
  home: string,
  folders: string[],
): Promise<Omit<ImportOptions, 'dryRun' | 'take' | 'profiles'>> {
  const paths = homePaths(home);
  const own = readSettingsFile(paths.settings);
  if (own.state === 'broken') {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `${formatConfigProblem(own.problems[0]!)}. Mend or remove that file first; nothing was imported.`,
    );
  }
  const library = new ScriptLibrary(paths.scripts);
  return {
    folders,
    own: Object.values(paths).filter((path) => path !== home),
    config: {
      platform: process.platform,
      planned: new Map(),
      awsProfiles: await awsProfiles(process.env),
      // What this shell's environment says is not what the agent has.
      current: (key) => {
        const loaded = loadConfig({ home, env: {} });
        const row = loaded.explain().find((setting) => setting.key === key);
        return { value: row?.value, source: row?.source ?? 'default' };
      },
      set: (key, value) => writeSettings(paths.settings, new Map([[key, value]])),
    },
    scripts: {
      stored: (name) => (library.has(name) ? library.read(`${name}.json`) : undefined),
      store: (name, text) => {
        library.write(name, text);
      },
    },
  };
}

/** By the SDK's own reader, so that a profile is there exactly when the SDK finds it. */
async function awsProfiles(env: NodeJS.ProcessEnv): Promise<string[]> {
  const { loadSharedConfigFiles } = await import('@smithy/core/config');
  const { configFile, credentialsFile } = await loadSharedConfigFiles({
    ...(env['AWS_CONFIG_FILE'] ? { configFilepath: env['AWS_CONFIG_FILE'] } : {}),
    ...(env['AWS_SHARED_CREDENTIALS_FILE'] ? { filepath: env['AWS_SHARED_CREDENTIALS_FILE'] } : {}),
  });
  return Object.keys({ ...configFile, ...credentialsFile });
}

const MARKS: Record<ImportStatus, string> = {
  taken: '✓',
  same: '=',
  kept: '!',
  not_needed: '–',
  by_hand: '?',
  failed: '✗',
};

function show(report: ImportReport): void {
  for (const item of report.items) print(lineOf(item));
  for (const { was, now } of report.for_every_script) print(`  every script: ${was} → ${now}`);
  const { counts } = report;
  note(
    `${report.dry_run ? 'A dry run, nothing was changed. ' : ''}✓ ${report.dry_run ? 'to take over' : 'taken over'}: ${counts.taken}, = here already: ${counts.same}, ! here and different, left so: ${counts.kept}, – not needed: ${counts.not_needed}, ? for you to do: ${counts.by_hand}, ✗ failed: ${counts.failed}.`,
  );
  if (report.dry_run) return;
  note(`The earlier program’s own files are as they were. Next: local-browser-agent doctor`);
}

function lineOf(item: ImportItem): string {
  const as = item.as === null || item.as === item.what ? '' : ` → ${item.as}`;
  const lines = [
    `${MARKS[item.status]} ${item.kind} ${item.what}${as} (${formatPlace(item.from)}): ${item.message}`,
  ];
  for (const { was, now, path, line, column } of item.changes) {
    const at = path === undefined ? '' : `${line === undefined ? '' : `${line}:${column ?? 1} `}${path}: `;
    lines.push(`    ${at}${was} → ${now}`);
  }
  return lines.join('\n');
}
