/**
 * What the main process says: JSON lines in `logs/desktop.log` of the data directory, and on standard error
 * where there is one. Small on purpose: the window waits for what the main process loads.
 */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The file before is kept beside it as `.1`. */
const MAX_SIZE_BYTES = 2_000_000;

type Write = (fields: object, message: string) => void;

export interface ShellLog {
  info: Write;
  warn: Write;
  error: Write;
}

/** Never throws: a full disk or a missing console stops nothing. */
export function openShellLog(folder: string): ShellLog {
  const path = join(folder, 'desktop.log');
  quietly(() => {
    mkdirSync(folder, { recursive: true });
    if (statSync(path).size > MAX_SIZE_BYTES) renameSync(path, `${path}.1`);
  });
  // A program without a console on Windows has a standard error that breaks with the first line.
  process.stderr.on('error', () => undefined);
  const write = (level: string, fields: object, message: string): void => {
    const line = `${JSON.stringify({ level, time: new Date().toISOString(), pid: process.pid, ...shown(fields), msg: message })}\n`;
    quietly(() => appendFileSync(path, line, { mode: 0o600 }));
    quietly(() => process.stderr.write(line));
  };
  return {
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
  };
}

function shown(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? (value.stack ?? value.message) : (value as unknown),
    ]),
  );
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Nobody could be told.
  }
}
