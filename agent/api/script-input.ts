import type { JsonObject } from '../base/words.ts';
import type { RunInput } from '../runs/types.ts';
import { ApiError } from './problem.ts';

/** A script as a request gives it: whole, or by `name` or `name@version`. @throws ApiError 400 */
export function scriptInput(
  script: string | Record<string, unknown>,
  variables: JsonObject,
): Extract<RunInput, { kind: 'script' | 'stored' }> {
  if (typeof script !== 'string') return { kind: 'script', script, variables };
  if (script.endsWith('.json')) {
    throw new ApiError(400, 'BrowserAgent.InvalidInput', 'A stored script is named without ".json".');
  }
  const at = script.lastIndexOf('@');
  if (at <= 0) return { kind: 'stored', name: script, variables };
  return { kind: 'stored', name: script.slice(0, at), version: script.slice(at + 1), variables };
}
