import { ACTION_TRAITS } from '../script/actions/index.ts';
import type { ArtifactKind } from './artifact-kinds.ts';
import type { RecordedStep } from './types.ts';

export interface StepKinds {
  picture: ArtifactKind;
  html: ArtifactKind;
  /** The step's result as a file of its own. */
  data: ArtifactKind | null;
}

/** `navigated`: the step led to another page, as submitting a form or following a link does. */
export function stepKinds(step: RecordedStep, navigated: boolean): StepKinds {
  const { picture } = ACTION_TRAITS[step.action];
  const isKey = step.key || navigated || picture === 'key';
  const html = isKey ? 'key_html' : 'step_html';
  if (picture === 'data' || picture === 'verification') return { picture: 'screenshot', html, data: 'data' };
  return { picture: isKey ? 'key_screenshot' : 'step_screenshot', html, data: null };
}

/** Whether the step may run while the picture of the step before is still being taken. */
export function isPassive(step: RecordedStep): boolean {
  return ACTION_TRAITS[step.action].duringCapture === 'runs';
}
