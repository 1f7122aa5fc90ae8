import { AgentError } from '../base/errors.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { LEAF_TRAITS, type LeafStep, type RunAction } from './actions/index.ts';
import { CONDITION_TRAITS, type Condition } from './condition.ts';
import { withDeadline } from './deadline.ts';
import { InnerFailure, NEXT, type Done, type Flow, type Frame } from './flow.ts';
import type { ActionResult, StepMeta, StepPorts } from './interpreter.ts';
import { timeoutOf, type LeafRunner } from './leaf-runner.ts';
import { MAX_INCLUDE_DEPTH, type Limits } from './limits.ts';
import type { LeafStepOf, Script } from './schema.ts';

/** The actions that the interpreter does itself: they steer the run, ask a person, or compare. */

/** What these actions need of the run. */
export interface RunStepContext {
  frame: Frame;
  meta: StepMeta;
  ports: StepPorts;
  leaves: LeafRunner;
  limits: Limits;
  signal: AbortSignal;
  /** Evaluates any condition, those about variables included. */
  check: (condition: Condition) => Promise<boolean>;
  /** Runs an included script; `data` is what it says its data is, if it says anything. */
  runInner: (
    script: Script,
    given: JsonObject,
    reference: string,
  ) => Promise<{ flow: Flow; data?: JsonObject | undefined }>;
}

type RunStep = LeafStepOf<RunAction>;

const RUN_ACTIONS: { readonly [A in RunAction]: (step: LeafStepOf<A>, on: RunStepContext) => Promise<Done> } =
  {
    goto: async ({ target }) => ({ flow: { kind: 'jump', target }, fields: { target } }),
    succeed: async ({ message, output }, { frame }) => {
      if (message !== undefined) frame.ended.message = message;
      if (output !== undefined) frame.ended.output = asObject(output as JsonValue);
      return { flow: { kind: 'end', by: 'succeed' }, fields: message === undefined ? {} : { message } };
    },
    fail: async ({ error, message }, { meta }) => {
      const text = message ?? `The script failed at its step "${meta.name}".`;
      const failure = { meta, error: new AgentError(error, text), final: false, explicit: true };
      throw new InnerFailure({ kind: 'failed', ...failure });
    },
    include: runInclude,
    human: async (step, { ports, leaves, frame, meta, limits, signal }) => {
      const timeoutMs = timeoutOf(step, limits);
      const until = step.until && (await leaves.resolveCondition(step.until, frame.scope, meta));
      const request = { message: step.message, timeoutMs, ...(until ? { until } : {}) };
      // The person's time is not the step's: the human desk ends the wait, with a better error.
      const deadline = { clock: ports.clock, signal, timeoutMs: null, timeoutError: humanTimeout };
      return next(await withDeadline(deadline, (inner) => ports.human(request, meta, inner)));
    },
    assert: async (step, on) => {
      const { leaves, meta, signal } = on;
      return next(await leaves.within(step, meta, signal, (inner) => assertHolds(step, on, inner)));
    },
  };

export function isRunStep(step: LeafStep): step is RunStep {
  return LEAF_TRAITS[step.action].doneBy === 'run';
}

/** Does the step, whose templates are resolved. Throws {@link InnerFailure} or AgentError when it failed. */
export function runStep(step: RunStep, on: RunStepContext): Promise<Done> {
  return (RUN_ACTIONS[step.action] as (step: RunStep, on: RunStepContext) => Promise<Done>)(step, on);
}

function next(result: ActionResult): Done {
  return { flow: NEXT, ...result };
}

function humanTimeout(): Error {
  return new AgentError('BrowserAgent.HumanTimeout', 'The person did not answer in time.');
}

function asObject(output: JsonValue): JsonObject {
  return typeof output === 'object' && output !== null && !Array.isArray(output) ? output : { output };
}

async function runInclude(
  step: LeafStepOf<'include'>,
  { frame, ports, runInner }: RunStepContext,
): Promise<Done> {
  const reference = step.script;
  const chain = [...frame.includes, reference];
  if (frame.includes.includes(reference)) {
    throw new AgentError(
      'BrowserAgent.InvalidScript',
      `Scripts include each other in a circle: ${chain.join(' → ')}.`,
    );
  }
  if (chain.length > MAX_INCLUDE_DEPTH) {
    throw new AgentError(
      'BrowserAgent.InvalidScript',
      `Scripts include each other more than ${MAX_INCLUDE_DEPTH} deep: ${chain.join(' → ')}.`,
    );
  }
  const script = await ports.include(reference);
  const given = { ...frame.scope.variables, ...(step.variables as JsonObject | undefined) };
  const { flow, data } = await runInner(script, given, reference);
  if (flow.kind === 'failed') throw new InnerFailure(flow);
  // An included script's end is the end of the include, not of the run.
  return { flow: NEXT, fields: { script: reference }, ...(data ? { data } : {}) };
}

/** Time an assertion has to become true when its conditions do not wait themselves, in milliseconds. */
const ASSERT_WITHIN_MS = 5_000;
const ASSERT_POLL_MS = 100;

async function assertHolds(
  step: LeafStepOf<'assert'>,
  { ports: { clock }, check, meta }: RunStepContext,
  signal: AbortSignal,
): Promise<ActionResult> {
  const withinMs = looksOnceAtThePage(step.condition) ? (step.timeout ?? ASSERT_WITHIN_MS) : 0;
  const deadline = clock.monotonic() + withinMs;
  for (;;) {
    if (await check(step.condition)) return { fields: { condition: true } };
    if (clock.monotonic() >= deadline) break;
    await clock.sleep(ASSERT_POLL_MS, signal);
  }
  throw new AgentError(
    'BrowserAgent.AssertionFailed',
    step.message ??
      `"${meta.name}" does not hold${withinMs > 0 ? ` within ${withinMs / 1_000} s` : ''}: ${JSON.stringify(step.condition)}`,
  );
}

/** Whether it is about the page and nothing in it waits: right after a click its address is still the old one. */
function looksOnceAtThePage(condition: Condition): boolean {
  switch (condition.type) {
    case 'and':
    case 'or':
      return condition.conditions.every(looksOnceAtThePage);
    case 'not':
      return looksOnceAtThePage(condition.condition);
    default: {
      const { about } = CONDITION_TRAITS[condition.type];
      return about === 'page' && !('timeout' in condition && condition.timeout > 0);
    }
  }
}
