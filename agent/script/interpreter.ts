import type { Clock } from '../base/clock.ts';
import type { AgentError } from '../base/errors.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import type { Limits } from './limits.ts';
import { Run } from './run.ts';
import type { Action, Condition, LeafStep, Script } from './schema.ts';
import type { ReadVariable } from './variables.ts';

/**
 * Control flow: takes a parsed script from its first step to its end. It knows steps, branches, loops,
 * retries, deadlines and limits, and nothing of browsers: what acts comes in through the ports.
 */

export { DEFAULT_LIMITS, type Limits } from './limits.ts';

/** One step as executed. */
export interface StepMeta {
  /** From 1, in order of execution. */
  stepNumber: number;
  name: string;
  action: Action;
  /** JSON path in the script; steps of an included script follow its reference and a `#`. */
  path: string;
  /** From 1. */
  attempt: number;
  /** Shown with screenshot and HTML at DEBUG: the script says so, or the action always is one. */
  key: boolean;
  sensitive: boolean;
}

/** What doing a step gave. */
export interface ActionResult {
  /** Go into the step's result. */
  fields?: JsonObject;
  /** For `save_as`, and `{{steps.NAME.value}}`. */
  value?: JsonValue;
  /** Named extractions. */
  data?: JsonObject;
  url?: string;
}

export interface ConditionResult {
  met: boolean;
  /** Why it could not be told; it counts as not met. */
  error?: string;
}

/** Everything a run acts through. */
export interface StepPorts {
  /** Does a leaf step whose templates are resolved. Throws AgentError. */
  perform(step: LeafStep, meta: StepMeta, signal: AbortSignal): Promise<ActionResult>;
  /** Looks at the page; `variable`, `and`, `or` and `not` never come here. */
  evaluate(condition: Condition, signal: AbortSignal): Promise<ConditionResult>;
  /** Asks the person. Throws BrowserAgent.HumanTimeout. */
  human(
    request: { message: string; timeoutMs: number; until?: Condition },
    meta: StepMeta,
    signal: AbortSignal,
  ): Promise<ActionResult>;
  secret(name: string): Promise<string>;
  env: ReadVariable;
  /** A stored script by reference, parsed. */
  include(reference: string): Promise<Script>;
  /** Once for each step, before it acts. */
  stepStarted(meta: StepMeta): Promise<void>;
  /** Once for each step that started, also when it failed. */
  stepFinished(meta: StepMeta, result: StepResult): Promise<void>;
  /** Told every value that must never be shown, before it is used. */
  onSecretUsed(value: string): void;
  clock: Clock;
  /** From 0 up to 1. */
  random(): number;
}

/** What is told of one executed step; the action's own fields stand beside these. */
export type StepResult = {
  step_number: number;
  name: string;
  action: Action;
  success: boolean;
  duration_ms: number;
  /** When there was more than one. */
  attempts?: number;
  url?: string;
  error?: { name: string; message: string };
  data?: JsonObject;
  [field: string]: JsonValue | undefined;
};

export interface ScriptOutcome {
  success: boolean;
  /** In order of execution. */
  steps: StepResult[];
  /** Steps at the top of the script, with the one for its starting page. */
  stepsTotal: number;
  data: JsonObject;
  /** Always there when `success` is false; the first failure when the run went on after failures. */
  error?: AgentError;
  /** The step that `error` is about. */
  failedStep?: StepMeta;
  endedBy: 'end' | 'succeed' | 'fail' | 'error' | 'cancelled';
  /** What the script's `succeed` step said. */
  message?: string;
}

export interface InterpretOptions {
  /** As the task gave them; the script's defaults come under them. */
  variables: JsonObject;
  /** Ends the run: nothing more is done once it is aborted. Its reason becomes the outcome's error. */
  signal: AbortSignal;
  limits?: Partial<Limits>;
}

/** Runs a script. Never rejects: what goes wrong is in the outcome. */
export async function interpret(
  script: Script,
  ports: StepPorts,
  options: InterpretOptions,
): Promise<ScriptOutcome> {
  return new Run(script, ports, options).toEnd();
}
