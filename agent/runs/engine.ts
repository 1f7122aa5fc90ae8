/**
 * One run from what was asked for to its result: joins script, browser and recording.
 *
 * The stages are in order below, and each stage's undoing is registered as soon as it is done, so that a
 * run leaves nothing behind, whichever stage it ends in: prepare (parse, level) → queue (row on disk) →
 * profile (lease, waiting in its queue) → browser → sign-in → steps → evidence → result.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright';
import type { BrowserSession } from '../browser/session.ts';
import { installPolicy, type PolicyGuard } from '../browser/policy.ts';
import type { Clock } from '../base/clock.ts';
import { AgentError, messageOf, toAgentError } from '../base/errors.ts';
import type { EventBus, RunEndState } from '../base/events.ts';
import { redactLogs, withRunId, type Logger, type LogRedactor } from '../base/log.ts';
import { maskText } from '../base/mask-sensitive.ts';
import type { HomePaths } from '../base/paths.ts';
import type { ResolvedLevel } from '../base/words.ts';
import { Recorder } from '../recording/recorder.ts';
import { Redactor } from '../recording/redaction.ts';
import type { ProcessRegistry, RecordingSummary } from '../recording/types.ts';
import { interpret, type ScriptOutcome, type StepResult } from '../script/interpreter.ts';
import { CONTROL_ACTIONS, type Script } from '../script/schema.ts';
import type { ProcessIdentity } from '../store/processes.ts';
import type { RunStore } from '../store/runs.ts';
import type { UploadQueue } from '../uploads/queue.ts';
import type { BrowserSource, OpenedBrowser } from './browser-source.ts';
import { intersectDomains } from './domains.ts';
import { Evidence } from './evidence.ts';
import { pageOf, refuseOtherDomain, refuseOtherProfile, type KeptBrowser } from './kept-browser.ts';
import type { HumanDesk } from './human-desk.ts';
import { PauseGate } from './pause-gate.ts';
import { createPorts, noteHolds } from './ports.ts';
import { keepRequest, withoutSecrets, type KeptRequest } from './kept-request.ts';
import { levelOf, prepareScript, type Prepared } from './prepare.ts';
import { buildCause, buildResult, type RunFailure } from './result.ts';
import type { ScriptLibrary } from './script-library.ts';
import type { RunSettings } from './settings.ts';
import { signIn } from './sign-in.ts';
import type { WatchableRuns } from './watchable.ts';
import { LeaseLost, type RunControl, type RunExecutor, type RunOutcome, type RunRequest } from './types.ts';

/** How long `recording.wait_for_uploads` waits for the evidence of one run. */
const WAIT_FOR_UPLOADS_MS = 120_000;

export interface RunEngineOptions {
  runs: RunStore;
  browsers: BrowserSource;
  /** Null: nothing is ever uploaded (`exec` without a bucket). */
  uploads: UploadQueue | null;
  library: ScriptLibrary;
  humans: HumanDesk;
  events: EventBus;
  clock: Clock;
  log: Logger;
  paths: HomePaths;
  /** This process, as the owner of its runs. */
  self: ProcessIdentity;
  ffmpegs: ProcessRegistry;
  ffmpeg: string | null;
  /** The value of `{{secret:NAME}}`. */
  secret: (name: string) => Promise<string>;
  env: NodeJS.ProcessEnv;
  settings: () => RunSettings;
  /** Where runs are entered that can be watched. */
  watchable?: WatchableRuns;
  /** Where the audit log ends by now, for the manifest. */
  auditHead?: () => string;
}

/** What is known of a run, growing stage by stage. */
interface RunState {
  request: RunRequest;
  settings: RunSettings;
  log: Logger;
  startedMs: number;
  level: ResolvedLevel;
  script: Script | null;
  /** How it was asked for, as it is on record; null until it is. */
  keptRequest: KeptRequest | null;
  redactor: Redactor;
  evidence: Evidence | null;
  recorder: Recorder | null;
  page: Page | null;
  profile: string | null;
  steps: StepResult[];
}

export class RunEngine implements RunExecutor {
  readonly #options: RunEngineOptions;

  constructor(options: RunEngineOptions) {
    this.#options = options;
  }

  async execute(request: RunRequest, options: RunControl): Promise<RunOutcome> {
    const settings = this.#options.settings();
    const redactor = new Redactor({ selectors: settings.recording.maskSelectors });
    for (const value of options.kept?.secrets ?? []) redactor.add(value);
    const loggedNoMore = redactLogs(logRedactor(redactor));
    try {
      return await withRunId(request.runId, () => this.#execute(request, { settings, redactor }, options));
    } finally {
      loggedNoMore();
      for (const value of redactor.values) options.kept?.secrets.add(value);
    }
  }

  async #execute(
    request: RunRequest,
    { settings, redactor }: Pick<RunState, 'settings' | 'redactor'>,
    options: RunControl,
  ): Promise<RunOutcome> {
    const { clock, log } = this.#options;
    const state: RunState = {
      request,
      settings,
      log: log.child({ runId: request.runId }),
      startedMs: clock.monotonic(),
      level: levelOf(request, null, settings),
      script: null,
      keptRequest: null,
      redactor,
      evidence: null,
      recorder: null,
      page: null,
      profile: null,
      steps: [],
    };
    let outcome: ScriptOutcome | null = null;
    let thrown: unknown = null;
    let recorded: Promise<RecordingSummary | null>;
    {
      await using stack = new AsyncDisposableStack();
      try {
        outcome = await this.#run(state, stack, options);
      } catch (caught) {
        thrown = caught;
      }
      const released = Promise.withResolvers<void>();
      recorded = this.#finishRecording(state, { outcome, thrown }, released.resolve, options.signal);
      await Promise.race([released.promise, recorded]);
    }
    const summary = await recorded;
    return this.#conclude(state, { outcome, thrown, summary }, options.signal);
  }

  async #run(
    state: RunState,
    stack: AsyncDisposableStack,
    { signal, beforeStep, gate = this.#gate(), kept }: RunControl,
  ): Promise<ScriptOutcome> {
    const { request, settings } = state;
    const { runs, clock, events, paths, library } = this.#options;

    let prepared: Prepared;
    try {
      prepared = prepareScript(request, library);
    } catch (caught) {
      this.#create(state, { name: '(not readable)', source: sourceForRecord(request) });
      throw caught;
    }
    const { script } = prepared;
    state.script = script;
    state.level = levelOf(request, script, settings);
    state.keptRequest = keepRequest(request, script);
    this.#create(state, { name: script.name, source: prepared.source });
    for (const warning of prepared.warnings) state.log.warn({ at: warning.path }, warning.message);
    signal.throwIfAborted();

    const { session, profileDir } = kept
      ? this.#goOn(state, script, kept)
      : await this.#openBrowser(state, script, stack, signal);
    const page = kept ? await pageOf(kept) : session.page();
    state.page = page;
    if (kept) kept.page = page;
    runs.transition(request.runId, 'running', {
      now: clock.now(),
      ...(state.profile === null ? {} : { profile: state.profile }),
    });
    events.emit({
      type: 'run.started',
      runId: request.runId,
      scriptName: script.name,
      profile: state.profile,
      level: state.level,
    });

    const allowedDomains = intersectDomains(
      script.policy?.allowed_domains ?? null,
      settings.script.allowedDomains,
    );
    const policy = await installPolicy(session.context, allowedDomains);
    if (kept) {
      stack.defer(() => policy.remove());
      refuseOtherDomain(script, page, allowedDomains);
    }
    const recorder = this.#startRecorder(state, script, session, kept !== undefined);
    state.recorder = recorder;
    await recorder.attach(session.context, page);

    const notWatchable = this.#options.watchable?.add({
      runId: request.runId,
      scriptName: script.name,
      context: session.context,
      page: () => (state.page?.isClosed() === false ? state.page : session.page()),
      watch: () => recorder.watch(),
      watchPage: (page) => recorder.watchPage(page),
      personActs: () => recorder.personActs(),
    });
    stack.defer(() => notWatchable?.());
    const stop = AbortSignal.any([signal, crashSignal(session, stack), deniedSignal(policy)]);
    // Nobody holds up the end of a run. Node keeps a signal that depends on others for as long as it has a
    // listener, and with it all that belongs to the run.
    const closeGate = (): void => gate.close();
    stop.addEventListener('abort', closeGate, { once: true });
    stack.defer(() => stop.removeEventListener('abort', closeGate));
    const ports = createPorts({
      runId: request.runId,
      session,
      page,
      recorder,
      redactor: state.redactor,
      policy,
      allowedDomains,
      level: state.level,
      profile: { name: state.profile, dir: profileDir ?? '' },
      files: {
        uploads: paths.files,
        downloads: join(this.#runDir(request), 'downloads'),
        scripts: paths.scripts,
      },
      steps: state.steps,
      stepTimeoutMs: settings.run.stepTimeoutMs,
      allowedEnv: settings.script.allowedEnv,
      env: this.#options.env,
      secret: this.#options.secret,
      library,
      humans: this.#options.humans,
      runs,
      events,
      clock,
      log: state.log,
      beforeStep: beforeStep ?? (() => Promise.resolve()),
      gate,
      signal: stop,
      onPage: (page) => {
        state.page = page;
        if (kept) kept.page = page;
      },
    });
    if (kept) stack.defer(() => ports.close());
    await signIn({
      runId: request.runId,
      script,
      variables: prepared.variables,
      profile: state.profile,
      ports,
      humans: this.#options.humans,
      signal,
    });
    const timed = { ...script, timeout: script.timeout ?? settings.run.timeoutMs };
    const outcome = await interpret(timed, ports, {
      variables: prepared.variables,
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

  /** For those who hold nothing up. */
  #gate(): PauseGate {
    return new PauseGate({ clock: this.#options.clock, maxHeldMs: 0 });
  }

  #goOn(state: RunState, script: Script, kept: KeptBrowser): OpenedBrowser {
    const { opened } = kept;
    state.profile = opened.profile;
    refuseOtherProfile(script, opened.profile);
    return opened;
  }

  async #openBrowser(
    state: RunState,
    script: Script,
    stack: AsyncDisposableStack,
    signal: AbortSignal,
  ): Promise<OpenedBrowser> {
    const { runs, clock, events, browsers } = this.#options;
    const { request, settings } = state;
    const opened = await browsers.open({
      session: script.session,
      runId: request.runId,
      browser: settings.browser,
      downloadsDir: join(this.#runDir(request), 'downloads'),
      signal,
      onWaiting: (profile, heldBy) => {
        state.log.info({ profile, heldBy }, 'the run waits for its profile');
        runs.transition(request.runId, 'waiting', { now: clock.now(), profile });
        events.emit({ type: 'run.waiting', runId: request.runId, for: 'profile', profile });
      },
    });
    stack.defer(() => opened.close());
    state.profile = opened.profile;
    return opened;
  }

  #startRecorder(state: RunState, script: Script, session: BrowserSession, keepsPages: boolean): Recorder {
    const { request, settings, level } = state;
    const evidence = new Evidence({
      runId: request.runId,
      taskId: request.taskId ?? null,
      scriptName: script.name,
      agentName: settings.agentName,
      level,
      bucket: settings.bucket,
      runs: this.#options.runs,
      uploads: this.#options.uploads,
      clock: this.#options.clock,
    });
    state.evidence = evidence;
    return new Recorder({
      runId: request.runId,
      runDir: this.#runDir(request),
      level,
      keepLevel: request.overrides?.outDir === undefined ? settings.recording.keepLevel : level.level,
      redactor: state.redactor,
      sink: evidence,
      ffmpeg: this.#options.ffmpeg,
      clock: this.#options.clock,
      log: state.log,
      processes: this.#options.ffmpegs,
      keepsPages,
      facts: {
        scriptName: script.name,
        ...(request.taskId === undefined ? {} : { taskId: request.taskId }),
        agent: settings.agentName,
        ...(settings.env === null ? {} : { environment: settings.env }),
        profile: state.profile,
        ...(this.#options.auditHead ? { more: { audit_head: this.#options.auditHead() } } : {}),
        browser: {
          kind: session.browser.name,
          version: session.browser.version,
          headless: session.headless,
        },
      },
    });
  }

  /** Takes the evidence of how it ended while the browser is still there, until `onReleased`. Never throws. */
  async #finishRecording(
    state: RunState,
    end: { outcome: ScriptOutcome | null; thrown: unknown },
    onReleased: () => void,
    signal: AbortSignal,
  ): Promise<RecordingSummary | null> {
    const { recorder, evidence } = state;
    if (!recorder || !evidence) return null;
    const { outcome, thrown } = end;
    const ended = endOf(outcome, thrown, signal);
    try {
      const page = state.page?.isClosed() === true ? null : state.page;
      const error = ended.error;
      if (error && ended.state !== 'lost') {
        await recorder.failure(
          { name: error.errorName, message: state.redactor.redactText(error.message) },
          page,
        );
      }
      return await recorder.finish(
        {
          state: ended.state,
          ...(error
            ? { error: { name: error.errorName, message: state.redactor.redactText(error.message) } }
            : {}),
          ...(outcome ? { data: state.redactor.redactJson(outcome.data) } : {}),
        },
        page,
        onReleased,
      );
    } catch (caught) {
      state.log.error({ err: caught }, 'the recording could not be finished');
      evidence.problems.push(`the recording could not be finished: ${messageOf(caught)}`);
      return null;
    }
  }

  async #conclude(
    state: RunState,
    end: { outcome: ScriptOutcome | null; thrown: unknown; summary: RecordingSummary | null },
    signal: AbortSignal,
  ): Promise<RunOutcome> {
    const { request, script, evidence, redactor } = state;
    const { runs, clock, events, uploads } = this.#options;
    const { state: endState, error } = endOf(end.outcome, end.thrown, signal);

    let pending = 0;
    if (evidence && uploads && evidence.totals().files > 0) {
      const settled = await uploads.settle(request.runId, {
        deadlineMs: state.settings.recording.waitForUploads && endState !== 'lost' ? WAIT_FOR_UPLOADS_MS : 0,
      });
      pending = settled.pending;
      const reason = pending > 0 ? uploads.lastError(request.runId) : null;
      if (reason !== null)
        evidence.problems.push(`not in S3 yet (${pending} of ${evidence.totals().files} files): ${reason}`);
      if (settled.failed > 0) evidence.problems.push(`${settled.failed} files could not be uploaded`);
    }
    await evidence?.tidy();

    const failure: RunFailure | null = error ? this.#failure(state, error, end.outcome) : null;
    const totals = evidence?.totals() ?? { files: 0, sizeBytes: 0 };
    const result = redactor.redactJson(
      buildResult({
        success: endState === 'succeeded',
        runId: request.runId,
        executionId: script?.execution_id ?? null,
        scriptName: script?.name ?? '(not readable)',
        steps: end.outcome?.steps ?? state.steps,
        stepsTotal: end.outcome?.stepsTotal ?? script?.steps.length ?? 0,
        data: end.outcome?.data ?? {},
        error: failure,
        profile: state.profile,
        mode: script && isWorkflow(script) ? 'workflow' : 'linear',
        durationMs: clock.monotonic() - state.startedMs,
        recording: {
          level: state.level,
          manifestUri: evidence?.uriOf('manifest.json') ?? null,
          files: totals.files,
          sizeBytes: totals.sizeBytes,
          pending,
          problems: [...(end.summary?.problems ?? []), ...(evidence?.problems ?? [])],
        },
        pictures: evidence?.stepPictures() ?? [],
        uriOf: (key) => evidence?.uriOf(key) ?? null,
      }),
    );
    const cause = failure
      ? redactor.redactJson(buildCause(request.runId, failure, evidence?.failureUris() ?? []))
      : null;
    const message = error ? redactor.redactText(error.message) : null;
    const cleaned = state.keptRequest && withoutSecrets(state.keptRequest, (text) => redactor.contains(text));
    if (cleaned) runs.setRequest(request.runId, cleaned);

    runs.transition(request.runId, endState, {
      now: clock.now(),
      result,
      ...(error ? { errorName: error.errorName, errorMessage: message ?? '' } : {}),
    });
    events.emit({
      type: 'run.finished',
      runId: request.runId,
      state: endState,
      durationMs: clock.monotonic() - state.startedMs,
      ...(error ? { errorName: error.errorName, message: message ?? '' } : {}),
    });
    return {
      runId: request.runId,
      state: endState,
      result,
      ...(error && cause ? { error: { name: error.errorName, message: message ?? '', cause } } : {}),
      returnOnFailure: script?.on_failure === 'return',
    };
  }

  #failure(state: RunState, error: AgentError, outcome: ScriptOutcome | null): RunFailure {
    const steps = outcome?.steps ?? state.steps;
    const failed = outcome?.failedStep?.stepNumber;
    const step =
      steps.find((candidate) => candidate.step_number === failed) ??
      steps.findLast((candidate) => !candidate.success) ??
      null;
    let url = typeof step?.url === 'string' ? step.url : null;
    if (url === null && state.page !== null) url = state.page.url();
    return { error, step, url: url === null ? null : maskText(url) };
  }

  #create(state: RunState, script: { name: string; source: string }): void {
    const { request, level } = state;
    const { runs, clock, events, self } = this.#options;
    runs.create({
      runId: request.runId,
      taskId: request.taskId ?? null,
      scriptName: script.name,
      script: script.source,
      level,
      profile: null,
      ...(state.script ? { onFailure: state.script.on_failure } : {}),
      ...(state.keptRequest ? { request: state.keptRequest } : {}),
      owner: self,
      now: clock.now(),
    });
    events.emit({
      type: 'run.queued',
      runId: request.runId,
      scriptName: script.name,
      ...(request.taskId === undefined ? {} : { taskId: request.taskId }),
      ...(request.by === undefined ? {} : { by: request.by }),
    });
  }

  #runDir(request: RunRequest): string {
    const dir = request.overrides?.outDir ?? join(this.#options.paths.runs, request.runId);
    mkdirSync(dir, { recursive: true });
    return dir;
  }
}

/** What is hidden in a log line is not counted as masked evidence: a redactor of its own does it. */
function logRedactor(redactor: Redactor): LogRedactor {
  return {
    contains: (text) => redactor.contains(text),
    redact: (fields) => new Redactor({ values: redactor.values }).redactJson(fields),
  };
}

/** How the run ended, from what the interpreter said or what was thrown before or around it. */
function endOf(
  outcome: ScriptOutcome | null,
  thrown: unknown,
  signal: AbortSignal,
): { state: RunEndState; error: AgentError | null } {
  if (signal.aborted && signal.reason instanceof LeaseLost) {
    return { state: 'lost', error: new AgentError('BrowserAgent.Interrupted', signal.reason.message) };
  }
  if (outcome?.success === true) return { state: 'succeeded', error: null };
  const error = outcome
    ? (outcome.error ??
      new AgentError('BrowserAgent.StepFailed', 'a step failed; the script went on, because it says so'))
    : toAgentError(thrown);
  if (error.errorName === 'BrowserAgent.Cancelled') return { state: 'cancelled', error };
  return { state: 'failed', error };
}

function isWorkflow(script: Script): boolean {
  const control: readonly string[] = CONTROL_ACTIONS;
  return script.steps.some((step) => control.includes(step.action) || step.next !== undefined);
}

/** For the record of a run whose script could not be read: what was handed over, at most this much of it. */
const RECORDED_CHARACTERS = 10_000;

function sourceForRecord(request: RunRequest): string {
  const { input } = request;
  const text =
    input.kind === 'script' && typeof input.script === 'string' ? input.script : JSON.stringify(input);
  return text.slice(0, RECORDED_CHARACTERS);
}

/** Aborts when the browser dies, so that a step that waits for it does not wait for its time-out. */
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
