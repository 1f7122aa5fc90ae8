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

/** Whether the step cannot be done without a model: a model action, or a chain of model methods only. */
export function needsModel(step: LeafStep): boolean {
  if (MODEL.has(step.action)) return true;
  const chain = 'escalation_chain' in step ? step.escalation_chain : undefined;
  return chain !== undefined && chain.every(({ method }) => METHODS.has(method));
}
