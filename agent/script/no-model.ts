import { AgentError } from '../base/errors.ts';
import { MODEL_TRAITS, isModelAction, type ModelAction } from './actions/index.ts';
import type { MODEL_METHODS } from './schema.ts';

/** What in a script asks for a model. */
export type ModelUse = ModelAction | (typeof MODEL_METHODS)[number] | 'escalation_chain' | 'ui_prompt';

const ANOTHER_METHOD = 'the method playwright_locator, with a locator of any strategy';

/** Replacement without a model, for uses that are not actions. */
const INSTEAD: Readonly<Record<Exclude<ModelUse, ModelAction>, string>> = {
  vision_llm: ANOTHER_METHOD,
  vision_find_element: ANOTHER_METHOD,
  escalation_chain: ANOTHER_METHOD,
  ui_prompt: 'ui_condition',
};

/** The error of what needs a model: this version has none, and no setting connects one. `what` begins the sentence. */
export function noModel(what: string, use: ModelUse): AgentError {
  const instead = isModelAction(use) ? MODEL_TRAITS[use].instead : INSTEAD[use];
  return new AgentError(
    'BrowserAgent.StepFailed',
    `${what} needs a model, and this version has no model connected. Use ${instead} instead.`,
    { data: { needs: 'model', use_instead: instead } },
  );
}
