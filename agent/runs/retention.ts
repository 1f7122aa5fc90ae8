/**
 * What stays on this machine of past runs: at most `keepDays` and `keepGb`. Above the size what is worth
 * least goes first: runs whose evidence is in S3 as well, then those that succeeded, then the others; among
 * equals the oldest. A run that is open, or whose evidence is still on its way to S3, is left alone whatever
 * the size; what that costs is told.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { RunRow } from '../store/run-rows.ts';
import type { RunStore } from '../store/runs.ts';
import type { UploadCounts } from '../store/uploads.ts';

const DAY_MS = 86_400_000;
const GB = 1_000_000_000;
/** Read from the database at a time. */
const PAGE = 500;

export interface RetentionOptions {
  runs: RunStore;
  /** The uploads of a run. */
  uploads: (runId: string) => UploadCounts;
  /** Folder that holds one folder per run. */
  folder: string;
  keepDays: number;
  keepGb: number;
  clock: Clock;
}

export interface RemovedRun {
  runId: string;
  reason: 'age' | 'size';
  sizeBytes: number;
  /** All that was kept of it here is in S3 as well. */
  isInS3: boolean;
}

export interface Sweep {
  removed: RemovedRun[];
  /** What remains above `keepGb`, because its runs are open or on their way to S3; 0: nothing. */
  overBytes: number;
}

interface Candidate extends RemovedRun {
  state: RunRow['state'];
}

export async function sweepRuns(options: RetentionOptions): Promise<Sweep> {
  const { runs, clock, folder } = options;
  const oldest = clock.now() - options.keepDays * DAY_MS;
  const removed: RemovedRun[] = [];
  const remove = async ({ runId, reason, sizeBytes, isInS3 }: RemovedRun): Promise<void> => {
    await rm(join(folder, runId), { recursive: true, force: true });
    runs.remove(runId);
    removed.push({ runId, reason, sizeBytes, isInS3 });
  };

  const candidates: Candidate[] = [];
  let overBytes = -options.keepGb * GB;
  for (const run of everyRun(runs)) {
    const { run_id: runId, state } = run;
    const sizeBytes = await folderBytes(join(folder, runId));
    const uploads = options.uploads(runId);
    const isFree = run.ended_at !== null && uploads.pending === 0;
    const isInS3 = isFree && uploads.failed === 0 && uploads.done > 0 && isAllUploaded(runs, runId);
    if (isFree && run.queued_at < oldest) {
      await remove({ runId, reason: 'age', sizeBytes, isInS3 });
      continue;
    }
    overBytes += sizeBytes;
    if (isFree) candidates.push({ runId, reason: 'size', sizeBytes, isInS3, state });
  }
  for (const candidate of candidates.toSorted(byValue)) {
    if (overBytes <= 0) break;
    // An empty folder frees nothing.
    if (candidate.sizeBytes === 0) continue;
    await remove(candidate);
    overBytes -= candidate.sizeBytes;
  }
  return { removed, overBytes: Math.max(0, Math.ceil(overBytes)) };
}

/** Least first; ids of runs sort by time. */
function byValue(a: Candidate, b: Candidate): number {
  return valueOf(a) - valueOf(b) || (a.runId < b.runId ? -1 : 1);
}

function valueOf({ isInS3, state }: Candidate): number {
  if (isInS3) return 0;
  return state === 'succeeded' ? 1 : 2;
}

function isAllUploaded(runs: RunStore, runId: string): boolean {
  return runs.artifacts(runId).every((artifact) => artifact.upload === 1);
}

/** Read to the end before any is removed. */
function everyRun(runs: RunStore): RunRow[] {
  const all: RunRow[] = [];
  for (;;) {
    const page = runs.list({ limit: PAGE, before: all.at(-1)?.run_id });
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}

async function folderBytes(folder: string): Promise<number> {
  let total = 0;
  let entries;
  try {
    entries = await readdir(folder, { recursive: true, withFileTypes: true });
  } catch {
    return 0;
  }
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    try {
      total += (await stat(join(entry.parentPath, entry.name))).size;
    } catch {
      // Removed meanwhile.
    }
  }
  return total;
}
