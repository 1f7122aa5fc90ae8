import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { HomePaths } from '../../base/paths.ts';
import type { RunRequest } from '../types.ts';

/** The folder of a run's files; it exists from the first call on. */
export function runFolder(request: RunRequest, paths: HomePaths): string {
  const folder = request.overrides?.outDir ?? join(paths.runs, request.runId);
  mkdirSync(folder, { recursive: true });
  return folder;
}
