import { mkdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import { messageOf } from './errors.ts';

/** Only the agent's own user may read what its runs did. */
const OWNER_ONLY = 0o600;
/** Lines that a disk is too slow for are kept up to this many bytes; further ones are dropped and counted. */
const MAX_WAITING_BYTES = 4_000_000;
/** After a failure (disk full, folder gone) the file is opened anew at the earliest after this time. */
const REOPEN_MS = 10_000;

export interface LogFileOptions {
  /** The current file; older ones are `<path>.1`, `.2`…, the oldest with the highest number. */
  path: string;
  /** A file that has reached this size is put aside. */
  maxSizeBytes: number;
  /** The current one included; at least 2. */
  maxFiles: number;
  /** Told once per failure, in words; the log itself cannot be. */
  onProblem: (message: string) => void;
  /** Milliseconds, for a test to hold. */
  now?: () => number;
}

export interface LogFile {
  /** Never throws and never waits: a log that cannot be written stops nothing. */
  write(line: string): void;
  /** Resolves when all that was written is in the file. */
  close(): Promise<void>;
}

/** A file that is rotated by size and count, in this process, without a thread or a timer. */
export function openLogFile(options: LogFileOptions): LogFile {
  const now = options.now ?? (() => performance.now());
  let stream: RotatingFileStream | null = null;
  let failedAt = Number.NEGATIVE_INFINITY;
  let dropped = 0;

  const fail = (thrown: unknown): void => {
    stream = null;
    failedAt = now();
    options.onProblem(`the log file ${options.path} cannot be written: ${messageOf(thrown)}`);
  };

  const open = (): RotatingFileStream | null => {
    if (stream || now() - failedAt < REOPEN_MS) return stream;
    try {
      mkdirSync(dirname(options.path), { recursive: true });
      const opened = createStream(basename(options.path), {
        path: dirname(options.path),
        size: `${options.maxSizeBytes}B`,
        rotate: Math.max(1, options.maxFiles - 1),
        mode: OWNER_ONLY,
      });
      opened.on('error', (thrown) => {
        if (stream === opened) fail(thrown);
      });
      stream = opened;
    } catch (thrown) {
      fail(thrown);
    }
    return stream;
  };

  return {
    write: (line) => {
      const to = open();
      if (!to || to.writableLength > MAX_WAITING_BYTES) {
        dropped += 1;
        return;
      }
      if (dropped > 0)
        to.write(`${JSON.stringify({ level: 40, msg: `${dropped} lines were left out here` })}\n`);
      dropped = 0;
      to.write(line);
    },
    close: async () => {
      const closing = stream;
      if (!closing) return;
      stream = null;
      const { promise, resolve } = Promise.withResolvers<void>();
      // Destroyed by an error in the meantime, it closes without finishing.
      closing.once('close', resolve).once('error', () => resolve());
      closing.end(resolve);
      await promise;
    },
  };
}
