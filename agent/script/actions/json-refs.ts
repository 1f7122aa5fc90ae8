import type { JsonObject } from '../../base/words.ts';

/** Definitions of the published JSON Schema that others refer to. */
export type DefinitionName =
  | 'Step'
  | 'Branch'
  | 'Condition'
  | 'Locator'
  | 'Extraction'
  | 'Escalation'
  | `step_${string}`;

export function definition(name: DefinitionName): JsonObject {
  return { $ref: `#/$defs/${name}` };
}

export const STEPS: JsonObject = { type: 'array', items: definition('Step') };
