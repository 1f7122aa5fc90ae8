/** How a run was asked for, as far as it may be kept: so that it can be run again. Secrets are left out. */
import { z } from 'zod';
import { parseJson } from '../base/json.ts';
import { maskSensitive } from '../base/mask-sensitive.ts';
import { RECORDING_LEVELS, type JsonObject } from '../base/words.ts';
import type { Script } from '../script/schema.ts';
import type { RunRequest } from './types.ts';

const keptRequest = z.object({
  variables: z.record(z.string(), z.json()),
  /** Names of variables that were given and are not kept: a secret must be given anew. */
  withheld: z.array(z.string()),
  level: z.enum(RECORDING_LEVELS).nullable(),
  profile: z.string().nullable(),
  headed: z.boolean(),
});

export type KeptRequest = z.infer<typeof keptRequest>;

export function readKeptRequest(json: string): KeptRequest {
  return parseJson(json, keptRequest, 'the kept request of the run');
}

/** A variable is a secret by what the script declares, by its name, or by its form. */
export function keepRequest(request: RunRequest, script: Script): KeptRequest {
  const given = request.input.kind === 'prompt' ? {} : (request.input.variables ?? {});
  return {
    ...sorted(given, (name, value) => {
      const masked = maskSensitive({ [name]: value })[name];
      return script.variables[name]?.secret === true || JSON.stringify(masked) !== JSON.stringify(value);
    }),
    level: request.level?.level ?? null,
    profile: request.overrides?.profile ?? null,
    headed: request.overrides?.headed ?? false,
  };
}

/** Without what has turned out to be a secret while the run went on; null when there was nothing. */
export function withoutSecrets(kept: KeptRequest, contains: (text: string) => boolean): KeptRequest | null {
  const { variables, withheld } = sorted(kept.variables, (_name, value) => contains(JSON.stringify(value)));
  if (withheld.length === 0) return null;
  return { ...kept, variables, withheld: [...kept.withheld, ...withheld] };
}

function sorted(
  given: JsonObject,
  isSecret: (name: string, value: JsonObject[string]) => boolean,
): Pick<KeptRequest, 'variables' | 'withheld'> {
  const entries = Object.entries(given);
  return {
    variables: Object.fromEntries(entries.filter(([name, value]) => !isSecret(name, value))),
    withheld: entries.filter(([name, value]) => isSecret(name, value)).map(([name]) => name),
  };
}
