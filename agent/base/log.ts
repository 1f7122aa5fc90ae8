import { pino, destination, type Logger } from 'pino';

export type { Logger } from 'pino';

export interface LogOptions {
  /** pino level name; default `info`. */
  level?: string;
  /** File descriptor or file path; default standard error (2): standard output belongs to results. */
  to?: number | string;
}

/** A structured JSON logger. Values of secrets are never passed to it. */
export function createLogger(options: LogOptions = {}): Logger {
  const to = options.to ?? 2;
  return pino(
    {
      level: options.level ?? 'info',
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    destination(
      typeof to === 'number' ? { fd: to, sync: true } : { dest: to, sync: false, mkdir: true, append: true },
    ),
  );
}

/** Swallows everything; for tests and one-off commands. */
export const silentLogger: Logger = pino({ level: 'silent' });
