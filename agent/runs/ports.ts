/** What the interpreter acts through: browser, journal, recording, events and the person, for one run. */
import type { Page } from 'playwright';
import type { PolicyGuard } from '../browser/policy.ts';
import type { BrowserSession } from '../browser/session.ts';
import { evaluateCondition } from '../browser/conditions.ts';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import { maskFacts } from '../base/mask-sensitive.ts';
import { atLeast, type JsonObject, type ResolvedLevel } from '../base/words.ts';
import type { Redactor } from '../recording/redaction.ts';
import type { RunRecorder } from '../recording/types.ts';
import { ACTION_TRAITS, whenHeld } from '../script/actions/index.ts';
import type { ActionResult, StepMeta, StepPorts, StepResult } from '../script/interpreter.ts';
import { parseScript } from '../script/parse.ts';
import type { LeafStep } from '../script/schema.ts';
import type { ReadVariable } from '../script/variables.ts';
import type { StepJournal } from '../store/step-journal.ts';
import {
  DialogQueue,
  fieldsForLevel,
  followPages,
  performAction,
  type ActionContext,
} from './actions/index.ts';
import type { HumanDesk } from './human-desk.ts';
import type { HoldFact, PauseGate } from './pause-gate.ts';
import { invalidScript } from './prepare.ts';
import type { ScriptLibrary } from './script-library.ts';

export interface PortsOptions {
  runId: string;
  session: BrowserSession;
  /** Where the run begins. */
  page: Page;
  recorder: RunRecorder;
  redactor: Redactor;
  policy: PolicyGuard;
  allowedDomains: string[] | null;
  level: ResolvedLevel;
  profile: { name: string | null; dir: string };
  files: ActionContext['files'];
  /** Filled as steps finish, so that what is known survives whatever ends the run. */
  steps: StepResult[];
  stepTimeoutMs: number;
  allowedEnv: readonly string[];
  variable: ReadVariable;
  secret: (name: string) => Promise<string>;
  library: ScriptLibrary;
  humans: HumanDesk;
  journal: Pick<StepJournal, 'stepIntent' | 'stepDone'>;
  events: EventBus;
  clock: Clock;
  log: Logger;
  /** Awaited before each step: rejects when the run may not act any more. */
  beforeStep: () => Promise<void>;
  /** Where the run stands still while somebody holds it; its time is the run's. */
  gate: PauseGate;
  /** Ends a wait at the gate. */
  signal: AbortSignal;
  /** The run goes on in another page. */
  onPage: (page: Page) => void;
}

export interface RunPorts extends StepPorts {
  /** Opens a page outside the steps, for signing in before the first. */
  open(url: string, signal: AbortSignal): Promise<void>;
  /** For a wait in which the run does nothing in the page: as good as standing still. */
  resting<T>(work: () => Promise<T>): Promise<T>;
  /** Lets go of a browser that outlives the run. */
  close(): void;
}

export function createPorts(options: PortsOptions): RunPorts {
  const { runId, session, recorder, redactor, journal, events, clock, log, gate } = options;
  const dialogs = new DialogQueue(session.context, log);
  let chosenPage = options.page;
  const currentPage = (): Page => (chosenPage.isClosed() ? session.page() : chosenPage);
  const showDebug = atLeast(options.level.level, 'DEBUG');

  const turnTo = (page: Page): void => {
    chosenPage = page;
    options.onPage(page);
  };

  const evaluate: StepPorts['evaluate'] = async (condition, signal) => {
    // A pop-up may come a moment after the click that opens it, and is what the condition is about.
    let turnedTo: Page | null = null;
    const setPage = (page: Page): void => {
      turnedTo = page;
      turnTo(page);
    };
    await followPages({ page: currentPage(), setPage, context: session.context, log });
    if (turnedTo !== null) await recorder.pageChanged(turnedTo);
    return evaluateCondition(currentPage(), condition, { signal });
  };

  const perform = async (step: LeafStep, meta: StepMeta, signal: AbortSignal): Promise<ActionResult> => {
    let turnedTo: Page | null = null;
    const context: ActionContext = {
      page: currentPage(),
      setPage: (page) => {
        turnedTo = page;
        turnTo(page);
      },
      context: session.context,
      meta,
      signal,
      timeoutMs: step.timeout ?? options.stepTimeoutMs,
      recorder,
      policy: { allowedDomains: options.allowedDomains, guard: options.policy },
      files: options.files,
      profile: options.profile,
      dialogs,
      gate,
      log,
      performNested: (nested) => performAction(nested, context),
      evaluate,
    };
    if (gate.isHeld) await gate.passInside(signal);
    if (ACTION_TRAITS[step.action].duringCapture !== 'looks') await recorder.beforeActing();
    const held = whenHeld(step);
    const result =
      held === 'looks again' || held === 'passes'
        ? await gate.looking(() => performAction(step, context), held === 'looks again', signal)
        : await performAction(step, context);
    if (turnedTo !== null) await recorder.pageChanged(turnedTo);
    options.policy.throwIfDenied();
    return result.fields === undefined
      ? result
      : { ...result, fields: fieldsForLevel(result.fields, showDebug) };
  };

  return {
    perform,
    evaluate,
    human: async (request, meta, signal) => {
      await recorder.beforeActing();
      const from = clock.now();
      const { until } = request;
      const by = await gate.resting(() =>
        options.humans.ask(
          {
            runId,
            stepNumber: meta.stepNumber,
            message: request.message,
            timeoutMs: request.timeoutMs,
            clock: gate.clock,
            ...(until ? { until: async (stop: AbortSignal) => (await evaluate(until, stop)).met } : {}),
          },
          signal,
        ),
      );
      return {
        fields: { resumed_by: by, waited_from: new Date(from).toISOString(), waited_ms: clock.now() - from },
      };
    },
    secret: options.secret,
    env: (name) => (options.allowedEnv.includes(name) ? options.variable(name) : undefined),
    include: async (reference) => {
      const parsed = parseScript(options.library.read(reference));
      if (parsed.ok) return parsed.script;
      const error = invalidScript(parsed.problems);
      throw new AgentError('BrowserAgent.InvalidScript', `included script ${reference}: ${error.message}`, {
        data: error.data,
      });
    },
    stepStarted: async (meta) => {
      if (gate.isHeld) await gate.pass(options.signal);
      // After any wait: the lease may be gone by now.
      await options.beforeStep();
      journal.stepIntent(runId, {
        number: meta.stepNumber,
        name: redactor.redactText(meta.name),
        action: meta.action,
        path: meta.path,
        now: clock.now(),
      });
      recorder.stepStarted(meta);
      events.emit({
        type: 'step.started',
        runId,
        stepNumber: meta.stepNumber,
        name: redactor.redactText(meta.name),
        action: meta.action,
      });
    },
    stepFinished: async (meta, result) => {
      // Those of a step that failed; a step that worked has taken its own.
      const seen = dialogs.takeSeen();
      if (seen.length > 0 && result['dialogs'] === undefined) result['dialogs'] = seen;
      noteHolds(result, gate.takeFacts());
      maskFacts(result);
      const shown = redactor.redactJson(result as unknown as JsonObject) as JsonObject & { success: boolean };
      await recorder.stepFinished(meta, shown, currentPage());
      options.steps.push(result);
      journal.stepDone(runId, {
        number: meta.stepNumber,
        success: result.success,
        now: clock.now(),
        result: shown,
      });
      events.emit({
        type: 'step.finished',
        runId,
        stepNumber: meta.stepNumber,
        name: redactor.redactText(meta.name),
        action: meta.action,
        success: result.success,
        durationMs: result.duration_ms,
        ...(result.error
          ? { error: { name: result.error.name, message: redactor.redactText(result.error.message) } }
          : {}),
      });
    },
    onSecretUsed: (value) => {
      redactor.add(value);
    },
    clock: gate.clock,
    random: Math.random,
    resting: (work) => gate.resting(work),
    close: () => dialogs.close(),
    open: async (url, signal) => {
      await perform(
        { action: 'navigate', url } as LeafStep,
        {
          stepNumber: 0,
          name: 'Sign-in page',
          action: 'navigate',
          path: '$.starting_page',
          attempt: 1,
          key: false,
          sensitive: false,
        },
        signal,
      );
    },
  };
}

/** What a step tells of those who held the run before or during it: a person may have acted in its page. */
export function noteHolds(result: StepResult, facts: readonly HoldFact[]): void {
  if (facts.length === 0) return;
  const shown = facts.map(({ kind, by, reason, from, to }) => ({
    kind,
    by: `${by.kind} ${by.id}`,
    reason,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
  }));
  const before = Array.isArray(result['paused']) ? result['paused'] : [];
  result['paused'] = [...before, ...shown];
  if (facts.some(({ kind }) => kind === 'takeover')) result['person_acted'] = true;
}
