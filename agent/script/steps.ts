import { CONTROL_TRAITS, isControlAction, isModelAction, type ModelAction } from './actions/index.ts';
import type { ControlTraits } from './actions/traits.ts';
import type { ModelUse } from './no-model.ts';
import type { Path } from './problem.ts';
import {
  MODEL_METHODS,
  type ControlStep,
  type LeafStep,
  type LeafStepOf,
  type Script,
  type Step,
} from './schema.ts';

/** Name of the step that opens a script's `starting_page`. */
export const STARTING_PAGE = 'Starting page';

const METHODS: ReadonlySet<string> = new Set(MODEL_METHODS);

export function isControlStep(step: Step): step is ControlStep {
  return isControlAction(step.action);
}

/** The steps of a script's own list, with the one that opens its starting page. */
export function topSteps(script: Script): Step[] {
  if (script.starting_page === undefined) return script.steps;
  return [{ action: 'navigate', name: STARTING_PAGE, url: script.starting_page }, ...script.steps];
}

/** The lists of steps right inside a step, with their paths. */
export function innerLists(step: Step): { steps: readonly Step[]; path: Path }[] {
  return isControlStep(step) ? controlTraits(step).lists(step) : [];
}

/** Names of variables that only the steps inside a step see. */
export function definedInside(step: Step): readonly string[] {
  return isControlStep(step) ? controlTraits(step).defines(step) : [];
}

function controlTraits<S extends ControlStep>(step: S): ControlTraits<S> {
  return CONTROL_TRAITS[step.action] as unknown as ControlTraits<S>;
}

/** What makes the step impossible without a model: a model action, or a chain of model methods only. */
export function modelUse(step: LeafStep): ModelUse | undefined {
  if (isModelStep(step)) return step.action;
  const chain = 'escalation_chain' in step ? step.escalation_chain : undefined;
  return chain?.every(({ method }) => METHODS.has(method)) === true ? 'escalation_chain' : undefined;
}

function isModelStep(step: LeafStep): step is LeafStepOf<ModelAction> {
  return isModelAction(step.action);
}
