/** From what was asked for to a script that is ready to run: parsed, with overrides applied and its level resolved. */
import { AgentError } from '../base/errors.ts';
import type { JsonObject, ResolvedLevel } from '../base/words.ts';
import { resolveLevel } from '../recording/resolve-level.ts';
import { findIncludeCycle } from '../script/includes.ts';
import { formatProblem, parseScript, type Problem } from '../script/parse.ts';
import type { Script } from '../script/schema.ts';
import { prepareVariables } from '../script/variables.ts';
import type { ScriptLibrary } from './script-library.ts';
import type { RunSettings } from './settings.ts';
import type { RunInput, RunRequest } from './types.ts';

/** Problems shown in one message: enough to act on, short enough for a cause. */
const PROBLEMS_SHOWN = 10;

export interface Prepared {
  script: Script;
  /** As it was handed over, for the record. */
  source: string;
  variables: JsonObject;
  warnings: Problem[];
}

/** @throws AgentError BrowserAgent.InvalidInput or BrowserAgent.InvalidScript, naming every problem's place */
export async function prepareScript(request: RunRequest, library: ScriptLibrary): Promise<Prepared> {
  const { source, variables, reference } = sourceOf(request.input, library);
  const parsed = parseScript(source, { variables: Object.keys(variables) });
  if (!parsed.ok) throw invalidScript(parsed.problems);
  refuseIncludeCycle(parsed.script, reference, library);
  // The interpreter does this anyway; here it costs no browser.
  await prepareVariables(parsed.script, variables);
  return {
    script: withOverrides(parsed.script, request.overrides),
    source: typeof source === 'string' ? source : JSON.stringify(source),
    variables,
    warnings: parsed.warnings,
  };
}

export function levelOf(request: RunRequest, script: Script | null, settings: RunSettings): ResolvedLevel {
  const recording = settings.recording;
  return resolveLevel({
    env: recording.override,
    taskLevel: request.level?.level ?? null,
    ...(request.level ? { taskLevelReason: request.level.reason } : {}),
    scriptLevel: script?.session?.recording_level ?? null,
    byAgent: recording.levelByAgent,
    byEnv: recording.levelByEnv,
    default: recording.defaultLevel,
    max: recording.maxLevel,
    agent: request.agentName ?? null,
    envName: settings.env,
  });
}

export function invalidScript(problems: readonly Problem[]): AgentError {
  const shown = problems.slice(0, PROBLEMS_SHOWN).map((problem) => formatProblem(problem));
  const more = problems.length - shown.length;
  return new AgentError(
    'BrowserAgent.InvalidScript',
    `the script is not valid:\n${shown.join('\n')}${more > 0 ? `\nand ${more} more` : ''}`,
    { data: { problems: problems.slice(0, PROBLEMS_SHOWN) } },
  );
}

/** A circle costs no browser when it can be seen; the interpreter sees the others, when they are reached. */
function refuseIncludeCycle(script: Script, own: string | undefined, library: ScriptLibrary): void {
  const cycle = findIncludeCycle(script, own, (reference) => {
    try {
      const parsed = parseScript(library.read(reference));
      return parsed.ok ? parsed.script : undefined;
    } catch {
      // Said by the step that includes it, should the run come there.
      return undefined;
    }
  });
  if (!cycle) return;
  throw new AgentError(
    'BrowserAgent.InvalidScript',
    `Scripts include each other in a circle: ${cycle.join(' → ')}. Take one of these include steps out.`,
    { data: { includes: cycle } },
  );
}

/** `reference`: by which a stored script was asked for. */
function sourceOf(
  input: RunInput,
  library: ScriptLibrary,
): { source: unknown; variables: JsonObject; reference?: string } {
  switch (input.kind) {
    case 'script':
      return { source: input.script, variables: input.variables ?? {} };
    case 'stored': {
      const reference = input.version === undefined ? input.name : `${input.name}@${input.version}`;
      return { source: library.read(reference), variables: input.variables ?? {}, reference };
    }
    case 'prompt':
      return { source: promptScript(input), variables: {} };
  }
}

/** The legacy one-prompt form is a script of one model step. */
function promptScript(input: Extract<RunInput, { kind: 'prompt' }>): unknown {
  return {
    name: 'Prompt',
    ...(input.startingPage === undefined ? {} : { starting_page: input.startingPage }),
    steps: [
      input.schema === undefined
        ? { action: 'act', name: 'Prompt', prompt: input.prompt }
        : { action: 'act_with_schema', name: 'Prompt', prompt: input.prompt, schema: input.schema },
    ],
  };
}

function withOverrides(script: Script, overrides: RunRequest['overrides']): Script {
  if (overrides?.profile === undefined && overrides?.headed !== true) return script;
  const session = {
    ...(script.session ?? {
      allow_temp_profile: true,
      clone_for_parallel: false,
      requires_human_login: false,
      wait_for_human_login: false,
      ignore_https_errors: false,
    }),
    ...(overrides.profile === undefined ? {} : { profile_name: overrides.profile, required_tags: undefined }),
    ...(overrides.headed === true ? { headless: false } : {}),
  };
  return { ...script, session };
}
