import type { ArtifactKind } from './artifact-kinds.ts';
import type { RecordedStep } from './types.ts';

/** Extraction and assertion: shown with picture and data from INFO on. */
const EVIDENCE_ACTIONS = new Set([
  'extract_dom',
  'extract_table',
  'extract',
  'extract_by_llm',
  'act_with_schema',
  'assert',
  'validate_profile',
]);

/** Navigation, login, human: shown with picture and HTML from DEBUG on. */
const KEY_ACTIONS = new Set(['navigate', 'human', 'upload', 'download', 'select_by_llm', 'act']);

/** These look or wait, or leave acting to steps of theirs: the picture of the step before may still be taken while they do. */
const PASSIVE_ACTIONS = new Set([
  'if',
  'switch',
  'for_each',
  'sequence',
  'try',
  'wait',
  'wait_for_load_state',
  'wait_for_selector',
  'wait_for_url',
  'wait_for_response',
  'screenshot',
  'extract_dom',
  'extract_table',
  'assert',
  'dialog',
  'validate_profile',
  'fail',
  'succeed',
  'goto',
  'include',
]);

export interface StepKinds {
  picture: ArtifactKind;
  html: ArtifactKind;
  /** The step's result as a file of its own. */
  data: ArtifactKind | null;
}

/** `navigated`: the step led to another page, as submitting a form or following a link does. */
export function stepKinds(step: RecordedStep, navigated: boolean): StepKinds {
  const isKey = step.key || navigated || KEY_ACTIONS.has(step.action);
  const html = isKey ? 'key_html' : 'step_html';
  if (EVIDENCE_ACTIONS.has(step.action)) return { picture: 'screenshot', html, data: 'data' };
  return { picture: isKey ? 'key_screenshot' : 'step_screenshot', html, data: null };
}

export function isPassive(step: RecordedStep): boolean {
  return PASSIVE_ACTIONS.has(step.action);
}
