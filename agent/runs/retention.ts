/**
 * What stays on this machine of past runs: at most `keepDays` and `keepGb`, oldest removed first. A run that
 * is open, or whose evidence is still on its way to S3, is left alone.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { RunRow, RunStore } from '../store/runs.ts';

const DAY_MS = 86_400_000;
const GB = 1_000_000_000;
/** Runs looked at in one sweep; the rest is for the next one. */
const PAGE = 5_000;

export interface RetentionOptions {
  runs: RunStore;
  /** How many uploads of a run are not done. */
  pendingUploads: (runId: string) => number;
  /** Folder that holds one folder per run. */
  folder: string;
  keepDays: number;
  keepGb: number;
  clock: Clock;
}

/** @returns the ids of the runs that were removed */
export async function sweepRuns(options: RetentionOptions): Promise<string[]> {
  const { runs, clock, folder } = options;
  const oldest = clock.now() - options.keepDays * DAY_MS;
  let leftBytes = options.keepGb * GB;
  const removed: string[] = [];
  for (const run of runs.list({ limit: PAGE })) {
    const sizeBytes = await folderBytes(join(folder, run.run_id));
    if (!isClosed(run) || options.pendingUploads(run.run_id) > 0) {
      leftBytes -= sizeBytes;
      continue;
    }
    if (run.queued_at >= oldest && sizeBytes <= leftBytes) {
      leftBytes -= sizeBytes;
      continue;
    }
    await rm(join(folder, run.run_id), { recursive: true, force: true });
    runs.remove(run.run_id);
    removed.push(run.run_id);
  }
  return removed;
}

function isClosed(run: RunRow): boolean {
  return run.ended_at !== null;
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
