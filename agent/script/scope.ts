import type { JsonObject } from '../base/words.ts';
import type { StepPorts } from './interpreter.ts';
import type { Script } from './schema.ts';
import { prepareVariables, type Scope } from './variables.ts';

/**
 * What the templates of a script may name: its variables, checked, over what was given. Values of variables
 * declared secret are told to the ports at once.
 *
 * Throws BrowserAgent.InvalidInput that lists everything wrong with the variables.
 */
export async function scopeOf(
  script: Pick<Script, 'name' | 'variables'>,
  given: JsonObject,
  ports: Pick<StepPorts, 'env' | 'secret' | 'onSecretUsed'>,
  steps: ReadonlyMap<string, JsonObject> = new Map(),
): Promise<Scope> {
  const { variables, secrets } = await prepareVariables(script, given);
  for (const secret of secrets) ports.onSecretUsed(secret);
  return {
    variables,
    steps,
    env: (name) => ports.env(name),
    secret: (name) => ports.secret(name),
    onSecretUsed: (value) => ports.onSecretUsed(value),
  };
}
