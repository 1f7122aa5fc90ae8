/** The steps of a run: they act through ports on the page, until the script ends or something ends it. */
import { join } from 'node:path';
import type { BrowserSession } from '../../browser/session.ts';
import type { PolicyGuard } from '../../browser/policy.ts';
import { interpret, type ScriptOutcome } from '../../script/interpreter.ts';
import type { RunEngineOptions } from '../engine-options.ts';
import { PauseGate } from '../pause-gate.ts';
import { createPorts, noteHolds, type RunPorts } from '../ports.ts';
import { signIn } from '../sign-in.ts';
import type { RunControl } from '../types.ts';
import { runFolder } from './run-folder.ts';
import type { Recording } from './types.ts';

export interface PerformOptions extends RunEngineOptions {
  stack: AsyncDisposableStack;
  control: RunControl;
}

/**
 * Signs in where the script asks for it, then runs the steps.
 *
 * @throws the reason of the signal, of the policy or of the browser's crash; AgentError when signing in fails
 */
export async function performSteps(run: Recording, options: PerformOptions): Promise<ScriptOutcome> {
  const { request, settings, script, variables, browser } = run;
  const { humans, clock, stack, control } = options;
  const { signal } = control;
  // Without a gate of their own, callers never pause the run.
  const gate = control.gate ?? new PauseGate({ clock, maxHeldMs: 0 });

  offerToViewers(run, options);
  const stop = AbortSignal.any([signal, crashSignal(browser.session, stack), deniedSignal(run.policy)]);
  // A paused run must still end. Node keeps a signal that depends on others for as long as it has a listener,
  // and with it everything that belongs to the run.
  const closeGate = (): void => gate.close();
  stop.addEventListener('abort', closeGate, { once: true });
  stack.defer(() => stop.removeEventListener('abort', closeGate));

  const ports = portsOf(run, options, { gate, stop });
  if (control.kept) stack.defer(() => ports.close());
  await signIn({
    runId: request.runId,
    script,
    variables,
    profile: browser.profile,
    ports,
    humans,
    signal,
  });
  const timed = { ...script, timeout: script.timeout ?? settings.run.timeoutMs };
  const outcome = await interpret(timed, ports, {
    variables,
    signal: stop,
    limits: {
      ...(settings.run.maxSteps !== null && { maxSteps: settings.run.maxSteps }),
      ...(settings.run.maxVisits !== null && { maxVisits: settings.run.maxVisits }),
    },
  });
  if (outcome.success && gate.isHeld) await gate.pass(stop);
  const last = outcome.steps.at(-1);
  if (last) noteHolds(last, gate.takeFacts());
  return outcome;
}

function offerToViewers(run: Recording, { watchable, stack }: PerformOptions): void {
  const { request, script, browser, page, recorder } = run;
  const { session } = browser;
  const remove = watchable?.add({
    runId: request.runId,
    scriptName: script.name,
    context: session.context,
    page: () => page.open ?? session.page(),
    watch: () => recorder.watch(),
    watchPage: (other) => recorder.watchPage(other),
    personActs: () => recorder.personActs(),
  });
  if (remove) stack.defer(remove);
}

function portsOf(
  run: Recording,
  options: PerformOptions,
  { gate, stop }: { gate: PauseGate; stop: AbortSignal },
): RunPorts {
  const { request, settings, level, browser, page, recorder, redactor, policy, log } = run;
  const { paths, control } = options;
  return createPorts({
    runId: request.runId,
    session: browser.session,
    page: page.last,
    recorder,
    redactor,
    policy,
    allowedDomains: run.allowedDomains,
    level,
    profile: { name: browser.profile, dir: browser.profileDir ?? '' },
    files: {
      uploads: paths.files,
      downloads: join(runFolder(request, paths), 'downloads'),
      scripts: paths.scripts,
    },
    steps: run.steps,
    stepTimeoutMs: settings.run.stepTimeoutMs,
    allowedEnv: settings.script.allowedEnv,
    variable: options.variable,
    secret: options.secret,
    library: options.library,
    humans: options.humans,
    journal: options.runs,
    events: options.events,
    clock: options.clock,
    log,
    beforeStep: control.beforeStep ?? (() => Promise.resolve()),
    gate,
    signal: stop,
    onPage: (turnedTo) => page.turnTo(turnedTo),
  });
}

/** Aborts when the browser dies, so that a step does not wait for its time-out first. */
function crashSignal(session: BrowserSession, stack: AsyncDisposableStack): AbortSignal {
  const controller = new AbortController();
  stack.defer(session.onCrash((error) => controller.abort(error)));
  return controller.signal;
}

function deniedSignal(policy: PolicyGuard): AbortSignal {
  const controller = new AbortController();
  policy.onDenied((error) => controller.abort(error));
  return controller.signal;
}
