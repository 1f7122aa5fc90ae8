import { existsSync } from 'node:fs';
import { AuditLog, headOfManifest, knownHeads, type KnownHead } from '../../audit/index.ts';
import { AgentError, messageOf } from '../../base/errors.ts';
import { homePaths } from '../../base/paths.ts';
import { openDatabase } from '../../store/database.ts';
import { RunRepository } from '../../store/run-rows.ts';
import { Failed, WrongUse, type VerbOptions } from '../main-types.ts';
import { formatTime, note, print, printJson, printRows } from '../output.ts';

interface AuditOptions extends VerbOptions {
  limit: string;
  before?: string;
  action?: string;
  target?: string;
  head: string[];
  manifest: string[];
}

/** `list` shows who did what; `verify` finds out whether the log is as it was written, exit code 1 when not. */
export async function audit(options: AuditOptions, args: string[]): Promise<void> {
  const [verb = 'list'] = args;
  if (verb !== 'list' && verb !== 'verify') throw new WrongUse(`audit ${verb}: use list or verify`);
  const limit = wholeNumber('--limit', options.limit);
  const before = options.before === undefined ? undefined : wholeNumber('--before', options.before);
  const { database, runs } = homePaths(options.home);
  if (!existsSync(database))
    throw new Failed(`No agent has run on ${options.home} yet: there is no audit log.`);
  const db = openDatabase(database);
  try {
    const log = new AuditLog({ db });
    if (verb === 'verify') {
      verify(
        log,
        [...knownHeads(new RunRepository(db), runs), ...givenHeads(options)],
        options.json === true,
      );
    } else {
      list(
        log,
        {
          limit,
          ...(before === undefined ? {} : { before }),
          ...(options.action === undefined ? {} : { action: options.action }),
          ...(options.target === undefined ? {} : { target: options.target }),
        },
        options.json === true,
      );
    }
  } finally {
    db.close();
  }
}

function list(log: AuditLog, filter: Parameters<AuditLog['list']>[0], json: boolean): void {
  const entries = log.list(filter);
  if (entries.length === 0 && !json) {
    note('Nothing is in the audit log.');
    return;
  }
  printRows(
    entries,
    [
      { title: 'row', align: 'right', value: (entry) => entry.seq },
      { title: 'when', value: (entry) => formatTime(entry.at) },
      { title: 'who', value: (entry) => `${entry.by.kind} ${entry.by.id}` },
      { title: 'from', value: (entry) => entry.by.from },
      { title: 'did', value: (entry) => entry.action },
      { title: 'to', value: (entry) => entry.target },
      { title: 'result', value: (entry) => entry.result },
      { title: 'details', value: (entry) => detailsOf(entry.details) },
    ],
    json,
  );
}

function verify(log: AuditLog, heads: KnownHead[], json: boolean): void {
  const found = log.verify(heads);
  if (json) printJson(found);
  else if (found.ok) {
    print(`${found.rows} rows, all as they were written; ${found.headsCompared} known heads are among them.`);
    print(`head ${found.head}`);
  }
  if (!found.ok)
    throw new Failed(json ? '' : `The audit log is broken at row ${found.firstBadRow}: ${found.why}.`);
}

function givenHeads(options: AuditOptions): KnownHead[] {
  return [
    ...options.head.map((head): KnownHead => ({ head, source: `--head ${head}` })),
    ...options.manifest.map((file): KnownHead => {
      let head: string | undefined;
      try {
        head = headOfManifest(file);
      } catch (thrown) {
        throw new AgentError('BrowserAgent.InvalidInput', `--manifest ${file}: ${messageOf(thrown)}`, {
          cause: thrown,
        });
      }
      if (head === undefined)
        throw new Failed(`--manifest ${file} names no head of an audit log (more.audit_head).`);
      return { head, source: `the manifest ${file}` };
    }),
  ];
}

function detailsOf(details: Record<string, unknown>): string {
  return Object.entries(details)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new WrongUse(`${option} ${text}: use a whole number above 0`);
  return value;
}
