import { AsyncLocalStorage } from 'node:async_hooks';
import { pino, destination, type DestinationStream, type Logger } from 'pino';
import { MASK, maskText } from './mask-sensitive.ts';
import type { JsonObject } from './words.ts';

export type { Logger } from 'pino';

export interface LogOptions {
  /** pino level name; default `info`. */
  level?: string;
  /** File descriptor or file path; default standard error (2): standard output belongs to results. */
  to?: number | string;
  /** Where each line goes as well: see `openLogFile`. */
  file?: { write(line: string): void } | null;
}

/**
 * A structured JSON logger. Every line of a run has its `runId`. What is a secret of a run (see
 * {@link redactLogs}) or a credential by its form is masked before a line leaves the process.
 */
export function createLogger(options: LogOptions = {}): Logger {
  const to = options.to ?? 2;
  const first = destination(
    typeof to === 'number' ? { fd: to, sync: true } : { dest: to, sync: false, mkdir: true, append: true },
  );
  const { file } = options;
  const both: DestinationStream = {
    write: (line) => {
      first.write(line);
      file?.write(line);
    },
  };
  return pino(
    {
      level: options.level ?? 'info',
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      mixin: (_fields, _level, logger) => {
        const runId = currentRun.getStore();
        return runId === undefined || 'runId' in logger.bindings() ? {} : { runId };
      },
      hooks: { streamWrite: redactLine },
    },
    file ? both : first,
  );
}

/** Swallows everything; for tests and one-off commands. */
export const silentLogger: Logger = pino({ level: 'silent' });

const currentRun = new AsyncLocalStorage<string>();

/** Whatever is logged by `work`, or by what it starts, has this run's id. */
export function withRunId<T>(runId: string, work: () => T): T {
  return currentRun.run(runId, work);
}

/** Knows values that must not be logged. */
export interface LogRedactor {
  contains(text: string): boolean;
  redact(fields: JsonObject): JsonObject;
}

/** What a run has begun may log a little after its end: so many ended runs' secrets are still known then. */
const KEPT_REDACTORS = 20;
/** What is the logger's own, and no secret even when it looks like one. */
const OWN_FIELDS = ['level', 'time', 'pid'] as const;

const redactors = new Set<LogRedactor>();
const ended: LogRedactor[] = [];

/**
 * From now on the values are masked in every line of every logger of this process.
 * @returns a function to be called when nothing more will be logged that could hold them
 */
export function redactLogs(redactor: LogRedactor): () => void {
  redactors.add(redactor);
  return () => {
    if (ended.includes(redactor)) return;
    ended.push(redactor);
    while (ended.length > KEPT_REDACTORS) redactors.delete(ended.shift()!);
  };
}

const followers = new Set<(line: string) => void>();

/**
 * Told of every line that leaves a logger of this process, masked. It must not throw and not log.
 * @returns a function that ends it
 */
export function onLogLine(follower: (line: string) => void): () => void {
  followers.add(follower);
  return () => followers.delete(follower);
}

/** Takes out of a text what would be masked in a log line: for what others get to see beside the log. */
export function redactText(text: string): string {
  let clean = text;
  for (const redactor of redactors) {
    if (!redactor.contains(clean)) continue;
    const { text: masked } = redactor.redact({ text: clean });
    clean = typeof masked === 'string' ? masked : MASK;
  }
  return maskText(clean);
}

function redactLine(line: string): string {
  let clean = line;
  for (const redactor of redactors) {
    if (redactor.contains(clean)) clean = redactFields(clean, redactor);
  }
  clean = maskText(clean);
  for (const follower of followers) follower(clean);
  return clean;
}

/** Field by field, so that the line stays JSON whatever the secret is. */
function redactFields(line: string, redactor: LogRedactor): string {
  try {
    const fields = JSON.parse(line) as JsonObject;
    const redacted = redactor.redact(fields);
    for (const name of OWN_FIELDS) if (name in fields) redacted[name] = fields[name]!;
    return `${JSON.stringify(redacted)}\n`;
  } catch {
    // A log must neither leak nor throw.
    const level = /"level":(\d+)/.exec(line)?.[1] ?? '40';
    return `{"level":${level},"pid":${process.pid},"msg":"a line that could not be redacted was left out"}\n`;
  }
}
