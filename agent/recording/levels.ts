import { atLeast, type RecordingLevel } from '../base/words.ts';

/**
 * What is recorded at which level, as data: the table of docs/design.md, section 4. Levels are cumulative:
 * an artifact is wanted from its level upwards.
 */
interface Rule {
  /** The weakest level that has it. */
  from: Exclude<RecordingLevel, 'NONE'>;
  /** Only of a run that fails. */
  onFailure?: true;
  /** From this level upwards also of a run that does not fail. */
  alwaysFrom?: RecordingLevel;
}

const RULES = {
  failure_screenshot: { from: 'ERROR', onFailure: true },
  failure_html: { from: 'ERROR', onFailure: true },
  failure_errors: { from: 'ERROR', onFailure: true },
  failure_video: { from: 'ERROR', onFailure: true },
  manifest: { from: 'ERROR', onFailure: true, alwaysFrom: 'INFO' },
  final_screenshot: { from: 'INFO' },
  final_html: { from: 'INFO' },
  data: { from: 'INFO' },
  download: { from: 'INFO' },
  screenshot: { from: 'INFO' },
  key_screenshot: { from: 'DEBUG' },
  key_html: { from: 'DEBUG' },
  trace: { from: 'DEBUG' },
  step_screenshot: { from: 'TRACE' },
  step_html: { from: 'TRACE' },
  video: { from: 'TRACE' },
} as const satisfies Record<string, Rule>;

export type ArtifactKind = keyof typeof RULES;
export const ARTIFACT_KINDS = Object.keys(RULES) as ArtifactKind[];

/** Whether a run at `level` has an artifact of this kind. `failed`: the run fails. */
export function artifactWanted(kind: ArtifactKind, level: RecordingLevel, run: { failed: boolean }): boolean {
  const rule: Rule = RULES[kind];
  if (!atLeast(level, rule.from)) return false;
  if (!rule.onFailure || run.failed) return true;
  return rule.alwaysFrom !== undefined && atLeast(level, rule.alwaysFrom);
}
