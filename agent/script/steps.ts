import type { ModelUse } from './no-model.ts';
import {
  CONTROL_ACTIONS,
  MODEL_ACTIONS,
  MODEL_METHODS,
  type ControlStep,
  type LeafStep,
  type Step,
} from './schema.ts';

/** Name of the step that opens a script's `starting_page`. */
export const STARTING_PAGE = 'Starting page';

const CONTROL: ReadonlySet<string> = new Set(CONTROL_ACTIONS);
const MODEL: ReadonlySet<string> = new Set(MODEL_ACTIONS);
const METHODS: ReadonlySet<string> = new Set(MODEL_METHODS);

export function isControlStep(step: Step): step is ControlStep {
  return CONTROL.has(step.action);
}

/** What makes the step impossible without a model: a model action, or a chain of model methods only. */
export function modelUse(step: LeafStep): ModelUse | undefined {
  if (isModelStep(step)) return step.action;
  const chain = 'escalation_chain' in step ? step.escalation_chain : undefined;
  return chain?.every(({ method }) => METHODS.has(method)) === true ? 'escalation_chain' : undefined;
}

function isModelStep(step: LeafStep): step is Extract<LeafStep, { action: (typeof MODEL_ACTIONS)[number] }> {
  return MODEL.has(step.action);
}
