import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../base/json.ts';
import type { RunRepository } from '../store/run-rows.ts';
import { parseHead } from './chain.ts';
import type { KnownHead } from './log.ts';

/** Where the manifest of a run says which head the log had when the run began. */
export const MANIFEST_FIELD = 'audit_head';

const manifestSchema = z.looseObject({ more: z.record(z.string(), z.unknown()).optional() });

/** Every head that the record of a run or a manifest on this machine names. */
export function knownHeads(runs: Pick<RunRepository, 'auditHeads'>, runsFolder: string): KnownHead[] {
  const recorded = runs
    .auditHeads()
    .map(({ runId, head }): KnownHead => ({ head, source: `the record of run ${runId}` }));
  return [...recorded, ...manifestHeads(runsFolder)];
}

/** The head that a manifest names; undefined when it names none, as one from before a first run does. */
export function headOfManifest(file: string): string | undefined {
  const head = readJsonFile(file, manifestSchema).more?.[MANIFEST_FIELD];
  // A run's secret can be a few digits that stand in the hash by chance; then they are masked in it.
  return typeof head === 'string' && parseHead(head) ? head : undefined;
}

function manifestHeads(runsFolder: string): KnownHead[] {
  const heads: KnownHead[] = [];
  for (const runId of namesIn(runsFolder)) {
    let head: string | undefined;
    try {
      head = headOfManifest(join(runsFolder, runId, 'manifest.json'));
    } catch {
      // No manifest, or one that is just being written: this run's record has the head too.
      continue;
    }
    if (head !== undefined) heads.push({ head, source: `the manifest of run ${runId}` });
  }
  return heads;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
