import { atLeast, type RecordingLevel } from '../base/words.ts';
import { traitsOf, type ArtifactKind } from './artifact-kinds.ts';

/**
 * Whether a run at `level` records an artifact of this kind. Levels are cumulative: an artifact is wanted from
 * its level upwards. `failed`: the run fails.
 */
export function artifactWanted(kind: ArtifactKind, level: RecordingLevel, run: { failed: boolean }): boolean {
  const { from, onFailure, alwaysFrom } = traitsOf(kind);
  if (!atLeast(level, from)) return false;
  if (!onFailure || run.failed) return true;
  return alwaysFrom !== undefined && atLeast(level, alwaysFrom);
}
