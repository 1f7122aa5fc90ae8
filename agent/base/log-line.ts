/** One line of the log, as others get to see it. */
import type { JsonObject } from './words.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogLine {
  /** RFC 3339, UTC. */
  time: string;
  level: LogLevel;
  message: string;
  runId: string | null;
  /** Whatever else the line has. */
  fields: JsonObject;
}

/** Pino's numbers are ten times the place in the list, from one. */
const LEVEL_STEP = 10;

/** @returns null for what is no line of the log */
export function parseLogLine(text: string): LogLine | null {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return null;
  const { level, time, msg, runId, pid: _pid, ...fields } = read as JsonObject;
  const place = typeof level === 'number' ? Math.round(level / LEVEL_STEP) - 1 : 2;
  return {
    time: typeof time === 'string' ? time : new Date(0).toISOString(),
    level: LOG_LEVELS[place] ?? 'info',
    message: typeof msg === 'string' ? msg : '',
    runId: typeof runId === 'string' ? runId : null,
    fields,
  };
}
