/** The recording levels for people: what each uploads, and how many bytes that is before any run was measured. */
import { RECORDING_LEVELS, type RecordingLevel } from '../base/words.ts';
import { ARTIFACT_KINDS, type ArtifactKind } from './artifact-kinds.ts';
import { artifactWanted } from './levels.ts';

/** What each level uploads, in one sentence. A test compares it with the table in artifact-kinds.ts. */
export const LEVEL_WORDS: Record<RecordingLevel, { title: string; uploads: string }> = {
  NONE: {
    title: 'Nothing',
    uploads: 'Nothing is uploaded, whatever a script asks for.',
  },
  ERROR: {
    title: 'Failures',
    uploads:
      'Only when a run fails: a picture of the page and the page itself, the errors of page and network, the last 30 seconds as video, and a list of these files.',
  },
  INFO: {
    title: 'Results',
    uploads:
      'The final page, extracted data, downloads and requested screenshots; failures also include everything listed under “Failures”.',
  },
  DEBUG: {
    title: 'Key steps',
    uploads:
      'Everything in “Results”, picture and page of the key steps (opening pages, sending forms, signing in), a trace that developers can step through, and a network log.',
  },
  TRACE: {
    title: 'Everything',
    uploads: 'Everything in “Key steps”, picture and page of every step, and the whole run as video.',
  },
};

/** Bytes of a session of 15 steps, as docs/design.md promises. ERROR: of one that fails. */
export const DEFAULT_SESSION_BYTES: Record<RecordingLevel, number> = {
  NONE: 0,
  ERROR: 1_000_000,
  INFO: 600_000,
  DEBUG: 20_000_000,
  TRACE: 59_000_000,
};

/** Twenty a working day: for machines that have not done anything yet. */
export const DEFAULT_SESSIONS_PER_MONTH = 440;

/** Of fewer runs nothing can be told. */
export const LEAST_RUNS = 5;

/**
 * S3 Standard, US East (N. Virginia), first 50 TB, in US dollars for a GB (2^30 bytes) kept for a month. The same
 * since December 2016; other regions cost up to twice as much. https://aws.amazon.com/s3/pricing/
 */
export const S3_DOLLARS_PER_GB_MONTH = 0.023;
const GB = 2 ** 30;

export const DAYS_OF_MONTH = 30;
/** Of less time than this no month is told: a busy first morning is no month of busy mornings. */
const LEAST_DAYS = 7;

/** One run of this machine: its level, whether it failed, and how much of each kind it has. */
export interface RunSizes {
  level: RecordingLevel;
  failed: boolean;
  bytes: Partial<Record<string, number>>;
}

export interface LevelEstimate {
  sessionsPerMonth: number;
  bytesPerSession: number;
  bytesPerMonth: number;
  /** US dollars for what a month brings, each month that it is kept. */
  dollarsPerMonth: number;
  from: 'runs' | 'default';
  /** That it is made from. */
  runs: number;
}

/**
 * What each level would upload in a month, from the runs of this machine where enough of them recorded that
 * much.
 *
 * @param runs newest first; a part of them is enough
 * @param count all of the last {@link DAYS_OF_MONTH} days
 * @param days since the first of them
 */
export function estimateLevels(
  runs: readonly RunSizes[],
  { count, days }: { count: number; days: number },
): Record<RecordingLevel, LevelEstimate> {
  const sessionsPerMonth =
    count < LEAST_RUNS
      ? DEFAULT_SESSIONS_PER_MONTH
      : Math.round((count * DAYS_OF_MONTH) / Math.min(DAYS_OF_MONTH, Math.max(LEAST_DAYS, days)));
  return Object.fromEntries(
    RECORDING_LEVELS.map((level) => [level, estimate(level, runs, sessionsPerMonth)]),
  ) as Record<RecordingLevel, LevelEstimate>;
}

function estimate(level: RecordingLevel, runs: readonly RunSizes[], sessionsPerMonth: number): LevelEstimate {
  // A run that recorded less says nothing of what more would have been.
  const known = runs.filter((run) => RECORDING_LEVELS.indexOf(run.level) >= RECORDING_LEVELS.indexOf(level));
  const sizes = known.map((run) => bytesAt(level, run));
  const isKnown = known.length >= LEAST_RUNS;
  // Most runs upload nothing at ERROR: their middle one would hide the failures.
  const own = level === 'ERROR' ? mean(sizes) : median(sizes);
  const bytesPerSession = isKnown ? Math.round(own) : DEFAULT_SESSION_BYTES[level];
  const bytesPerMonth = bytesPerSession * sessionsPerMonth;
  return {
    sessionsPerMonth,
    bytesPerSession,
    bytesPerMonth,
    dollarsPerMonth: (bytesPerMonth / GB) * S3_DOLLARS_PER_GB_MONTH,
    from: isKnown ? 'runs' : 'default',
    runs: known.length,
  };
}

function bytesAt(level: RecordingLevel, { bytes, failed }: RunSizes): number {
  return ARTIFACT_KINDS.filter((kind: ArtifactKind) => artifactWanted(kind, level, { failed })).reduce(
    (sum, kind) => sum + (bytes[kind] ?? 0),
    0,
  );
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? 0;
  return mean(sorted.slice(middle - 1, middle + 1));
}
