import { AgentError } from '../base/errors.ts';
import type { MODEL_ACTIONS, MODEL_METHODS } from './schema.ts';

/** What in a script asks for a model. */
export type ModelUse =
  | (typeof MODEL_ACTIONS)[number]
  | (typeof MODEL_METHODS)[number]
  | 'escalation_chain'
  | 'ui_prompt';

const ANOTHER_METHOD = 'the method playwright_locator, with a locator of any strategy';

/** What does the same work without a model. */
const INSTEAD: Readonly<Record<ModelUse, string>> = {
  act: 'click, fill, select and the other steps that name their element with a locator',
  act_with_schema:
    'click, fill and the other steps that name their element with a locator, then extract_dom or extract_table',
  extract: 'extract_dom or extract_table',
  extract_by_llm: 'extract_dom or extract_table',
  select_by_llm: 'select, with a value, label or index',
  vision_llm: ANOTHER_METHOD,
  vision_find_element: ANOTHER_METHOD,
  escalation_chain: ANOTHER_METHOD,
  ui_prompt: 'ui_condition',
};

/** For what needs a model: this version has none, and no setting connects one. `what` begins the sentence. */
export function noModel(what: string, use: ModelUse): AgentError {
  const instead = INSTEAD[use];
  return new AgentError(
    'BrowserAgent.StepFailed',
    `${what} needs a model, and this version has no model connected. Use ${instead} instead.`,
    { data: { needs: 'model', use_instead: instead } },
  );
}
