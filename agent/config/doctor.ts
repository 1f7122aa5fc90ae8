/**
 * Everything the agent needs, checked one by one, as data: what is wrong, and what to do. What belongs to
 * the browser is handed in, because configuration knows nothing of browsers.
 */
import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import { arch, freemem, platform, release, totalmem } from 'node:os';
import { LOW_DISK_BYTES } from '../base/disk.ts';
import { messageOf } from '../base/errors.ts';
import { isNodeNewEnough, LEAST_NODE } from '../base/least-node.ts';
import { checkAws, type AwsCheckOptions } from './aws-checks.ts';
import type { Check, CheckStatus, Report } from './check.ts';
import type { LoadedConfig } from './load.ts';
import { formatConfigProblem } from './settings-file.ts';

export type { Check };

/** A check of another part, e.g. of the browser. It may throw: that is a failed check. */
export interface ExtraCheck {
  id: string;
  title: string;
  run(): Promise<{ status: CheckStatus; detail: string; fix?: string }>;
}

/** `machine`: Node.js, memory, data directory, settings; `browser`: what the caller hands in; `aws`: the rest. */
export const CHECK_GROUPS = ['machine', 'browser', 'aws'] as const;
export type CheckGroup = (typeof CHECK_GROUPS)[number];

export interface DoctorOptions extends AwsCheckOptions {
  /** Default: all. */
  groups?: readonly CheckGroup[];
  /** Browser, ffmpeg and what else the caller knows; they come after the machine, before AWS. */
  extra?: readonly ExtraCheck[];
  onCheck?: (check: Check) => void;
}

/** A browser with a few pages takes about this much. */
const MIN_MEMORY_BYTES = 1_000_000_000;

export async function doctor(options: DoctorOptions): Promise<Check[]> {
  const checks: Check[] = [];
  const report: Report = (check) => {
    checks.push({ ...check, fix: check.fix ?? '' });
    options.onCheck?.(checks.at(-1)!);
  };
  const wanted = new Set(options.groups ?? CHECK_GROUPS);
  if (wanted.has('machine')) {
    checkNode(report);
    checkMachine(report);
    await checkHome(options.config.home, report);
    checkSettings(options.config, report);
  }
  for (const extra of wanted.has('browser') ? (options.extra ?? []) : []) {
    const { id, title } = extra;
    try {
      report({ id, title, ...(await extra.run()) });
    } catch (thrown) {
      report({ id, title, status: 'fail', detail: messageOf(thrown) });
    }
  }
  if (!wanted.has('aws')) return checks;
  if (options.config.settings.sandbox.enabled && !options.working) {
    report({
      id: 'sandbox',
      title: 'Stand-in for AWS',
      status: 'skip',
      detail: 'not checked: it is inside the running agent (sandbox.enabled), and AWS is not used',
    });
  } else await checkAws(options, report);
  return checks;
}

function checkNode(report: Report): void {
  const { node } = process.versions;
  const isGood = isNodeNewEnough(node);
  report({
    id: 'node',
    title: 'Node.js',
    status: isGood ? 'ok' : 'fail',
    detail: node,
    fix: isGood ? '' : `Install Node.js ${LEAST_NODE} or later.`,
  });
}

function checkMachine(report: Report): void {
  const little = totalmem() < MIN_MEMORY_BYTES;
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  report({
    id: 'machine',
    title: 'Machine',
    status: little ? 'warn' : 'ok',
    detail: `${platform()} ${release()} ${arch()}, ${gb(freemem())} of ${gb(totalmem())} memory free`,
    fix: little ? 'A browser needs about 1 GB: use a machine with more memory.' : '',
  });
}

async function checkHome(home: string, report: Report): Promise<void> {
  const about = { id: 'home', title: 'Data directory' };
  try {
    await mkdir(home, { recursive: true });
    await access(home, constants.R_OK | constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(home);
    const freeBytes = bavail * bsize;
    const little = freeBytes < LOW_DISK_BYTES;
    report({
      ...about,
      status: little ? 'fail' : 'ok',
      detail: `${home}, ${(freeBytes / 1e9).toFixed(1)} GB free`,
      fix: little ? 'Free some disk space, or lower recording.keep_gb.' : '',
    });
  } catch (thrown) {
    const fix =
      'Give the user of the agent read and write permission there, or set LBA_HOME to another folder.';
    report({ ...about, status: 'fail', detail: messageOf(thrown), fix });
  }
}

function checkSettings(config: LoadedConfig, report: Report): void {
  const about = { id: 'settings', title: 'Settings' };
  if (config.problems.length === 0) report({ ...about, status: 'ok', detail: 'no problems' });
  for (const problem of config.problems) {
    report({
      ...about,
      status: problem.severity === 'error' ? 'fail' : 'warn',
      detail: formatConfigProblem(problem),
      fix: 'Correct it there; docs/configuration.md lists every setting.',
    });
  }
}
