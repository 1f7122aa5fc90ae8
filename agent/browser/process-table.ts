import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { ProcessIdentity } from '../store/processes.ts';

/** One running process, as the operating system's table shows it. Processes that are only waiting to be reaped are left out. */
export interface ProcessInfo extends ProcessIdentity {
  parentPid: number;
  /** Process group, on POSIX. */
  groupPid: number | null;
  /** Start time as a number, for comparing processes of one listing; the unit depends on the platform. */
  startOrder: number;
  /** Command line, arguments separated by spaces; empty where the system hides it. */
  command: string;
}

/** The operating system's process table. */
export interface ProcessTable {
  list(): Promise<ProcessInfo[]>;
  get(pid: number): Promise<ProcessInfo | undefined>;
  /** Whether `get` is cheap enough to be called several times a second. */
  readonly cheap: boolean;
}

/** `ps` and PowerShell answer in well under this; a hung one must not hold up the agent's start. */
const LIST_TIMEOUT_MS = 20_000;
/** A listing with every command line: a few MB on a busy machine. */
const LIST_LIMIT_BYTES = 64 * 1024 * 1024;

export function systemProcessTable(): ProcessTable {
  const os = platform();
  if (os === 'linux') return procProcessTable();
  return os === 'win32' ? windowsProcessTable() : psProcessTable();
}

/**
 * Linux: /proc. `started` is the boot's id and the start time in clock ticks since boot (proc(5), field
 * 22), so that it also differs after a restart of the machine.
 */
export function procProcessTable(): ProcessTable {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const read = (pid: number): ProcessInfo | undefined => {
    try {
      const stat = parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      if (!stat) return undefined;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trimEnd();
      return { pid, started: `${bootId}/${stat.startOrder}`, command, ...stat };
    } catch {
      return undefined; // Ended while we looked, or not ours to see.
    }
  };
  return {
    cheap: true,
    get: async (pid) => read(pid),
    list: async () =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .flatMap((name) => read(Number(name)) ?? []),
  };
}

/** Fields of /proc/PID/stat; the name in parentheses may itself hold spaces and parentheses. */
export function parseProcStat(
  text: string,
): { parentPid: number; groupPid: number; startOrder: number } | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  const start = fields[19];
  if (state === undefined || parent === undefined || group === undefined || start === undefined)
    return undefined;
  if (state === 'Z' || state === 'X') return undefined;
  return { parentPid: Number(parent), groupPid: Number(group), startOrder: Number(start) };
}

/** macOS and other Unixes: ps(1). Start times are in whole seconds there. */
export function psProcessTable(): ProcessTable {
  const run = async (selection: string[]): Promise<ProcessInfo[]> => {
    try {
      const { stdout } = await promisify(execFile)(
        'ps',
        [...selection, '-ww', '-o', 'pid=,ppid=,pgid=,stat=,lstart=,command='],
        {
          env: { ...process.env, LC_ALL: 'C' },
          timeout: LIST_TIMEOUT_MS,
          maxBuffer: LIST_LIMIT_BYTES,
        },
      );
      return parsePs(stdout);
    } catch (thrown) {
      if (isExit(thrown, 1)) return []; // ps exits 1 when no process matches.
      throw thrown;
    }
  };
  return {
    cheap: false,
    get: async (pid) => (await run(['-p', String(pid)]))[0],
    list: () => run(['-A']),
  };
}

export function parsePs(text: string): ProcessInfo[] {
  const line =
    /^\s*(?<pid>\d+)\s+(?<parent>\d+)\s+(?<group>\d+)\s+(?<state>\S+)\s+(?<started>\w{3}\s+\w{3}\s+\d+\s+[\d:]{8}\s+\d{4})[ \t]*(?<command>.*)$/gm;
  return [...text.matchAll(line)].flatMap(({ groups }) => {
    if (!groups || groups['state']?.startsWith('Z')) return [];
    const started = (groups['started'] ?? '').replaceAll(/\s+/g, ' ');
    return {
      pid: Number(groups['pid']),
      parentPid: Number(groups['parent']),
      groupPid: Number(groups['group']),
      started,
      startOrder: Date.parse(started),
      command: groups['command'] ?? '',
    };
  });
}

/** Windows: WMI through PowerShell. Start times are file times (100 ns since 1601). */
export function windowsProcessTable(): ProcessTable {
  const run = async (filter: string): Promise<ProcessInfo[]> => {
    const script = [
      '[Console]::OutputEncoding = [Text.Encoding]::UTF8',
      `Get-CimInstance Win32_Process ${filter} | Where-Object { $_.CreationDate } | ForEach-Object {` +
        ' [pscustomobject]@{ pid = $_.ProcessId; parent = $_.ParentProcessId;' +
        ' started = "$($_.CreationDate.ToFileTimeUtc())"; command = "$($_.CommandLine)" } } |' +
        ' ConvertTo-Json -Compress',
    ].join('; ');
    const { stdout } = await promisify(execFile)(
      'powershell.exe',
      ['-NoProfile', '-NonInteractive', '-Command', script],
      { timeout: LIST_TIMEOUT_MS, maxBuffer: LIST_LIMIT_BYTES, windowsHide: true },
    );
    return parseWindows(stdout);
  };
  return {
    cheap: false,
    get: async (pid) => (await run(`-Filter 'ProcessId = ${pid}'`))[0],
    list: () => run(''),
  };
}

const windowsRow = z.object({
  pid: z.number().int(),
  parent: z.number().int(),
  started: z.string().regex(/^\d+$/),
  command: z.string(),
});

/** ConvertTo-Json writes one object bare, several as an array, none as nothing. */
export function parseWindows(text: string): ProcessInfo[] {
  const trimmed = text.trim();
  if (trimmed === '') return [];
  const parsed: unknown = JSON.parse(trimmed);
  return z
    .array(windowsRow)
    .parse(Array.isArray(parsed) ? parsed : [parsed])
    .map((row) => ({
      pid: row.pid,
      parentPid: row.parent,
      groupPid: null,
      started: row.started,
      startOrder: Number(row.started),
      command: row.command,
    }));
}

function isExit(thrown: unknown, code: number): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
