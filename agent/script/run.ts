import { AgentError, toAgentError } from '../base/errors.ts';
import type { JsonObject } from '../base/words.ts';
import { ACTION_TRAITS } from './actions/index.ts';
import { withRetry } from './attempts.ts';
import { holds } from './holds.ts';
import { runControl } from './control.ts';
import { withDeadline } from './deadline.ts';
import {
  InnerFailure,
  NEXT,
  abortReason,
  finalFailure,
  type Done,
  type Failed,
  type Flow,
  type Frame,
} from './flow.ts';
import type { InterpretOptions, ScriptOutcome, StepMeta, StepPorts, StepResult } from './interpreter.ts';
import { LeafRunner } from './leaf-runner.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { NO_STEP, resultOf } from './results.ts';
import { isRunStep, runStep } from './run-actions.ts';
import type { Condition, Script, Step } from './schema.ts';
import { scopeOf } from './scope.ts';
import { isControlStep, topSteps } from './steps.ts';
import { resolveTemplates, setOwn } from './variables.ts';

interface ListHooks {
  /** Whether the list goes on after this failure. */
  onFailure?(failed: Failed): boolean;
  onDone?(index: number, result: StepResult): void;
}

/** One run of one script; used once. */
export class Run {
  readonly #script: Script;
  readonly #ports: StepPorts;
  readonly #options: InterpretOptions;
  readonly #limits: Limits;
  readonly #leaves: LeafRunner;
  readonly #results: StepResult[] = [];
  readonly #byName = new Map<string, JsonObject>();
  readonly #data: JsonObject = {};
  #started = 0;
  /** Aborted by the caller, or when the run takes too long. */
  #signal: AbortSignal;

  constructor(script: Script, ports: StepPorts, options: InterpretOptions) {
    this.#script = script;
    this.#ports = ports;
    this.#options = options;
    this.#signal = options.signal;
    const bounds = { ...DEFAULT_LIMITS, ...options.limits };
    const { maxSteps, maxVisits } = options.limits ?? {};
    this.#limits = {
      ...bounds,
      // The machine is its owner's: where the owner said how much, a script may ask for less, never for more.
      maxSteps: Math.min(script.limits?.max_steps ?? bounds.maxSteps, maxSteps ?? Infinity),
      maxVisits: Math.min(script.limits?.max_visits ?? bounds.maxVisits, maxVisits ?? Infinity),
    };
    this.#leaves = new LeafRunner(ports, this.#limits);
  }

  async toEnd(): Promise<ScriptOutcome> {
    const timeoutMs = this.#script.timeout ?? this.#limits.runTimeoutMs;
    const timeoutError = (): AgentError =>
      new AgentError(
        'BrowserAgent.RunTimeout',
        `The run took longer than ${timeoutMs} ms. Give the script a longer "timeout", or find the step that waits.`,
      );
    const { clock } = this.#ports;
    const { signal } = this.#options;
    try {
      // No grace: every step lets go by itself, and its result is wanted.
      return await withDeadline({ clock, signal, timeoutMs, timeoutError, graceMs: null }, (inner) => {
        this.#signal = inner;
        return this.#runAll();
      });
    } catch (thrown) {
      if (thrown instanceof InnerFailure) return this.#failure(thrown.failed);
      const error = signal.aborted ? abortReason(signal) : toAgentError(thrown);
      return this.#outcome({ error, endedBy: this.#wasCancelled(error) ? 'cancelled' : 'error' }, this.#data);
    }
  }

  async #runAll(): Promise<ScriptOutcome> {
    const frame = await this.#frame(this.#script, this.#options.variables);
    const flow = await this.#runScript(frame);
    if (flow.kind === 'failed') return this.#failure(flow);
    const data = await this.#dataOf(frame);
    const { message } = frame.ended;
    return this.#outcome(
      { endedBy: flow.kind === 'end' ? flow.by : 'end', ...(message === undefined ? {} : { message }) },
      data ?? this.#data,
    );
  }

  #failure({ error, meta, explicit }: Failed): ScriptOutcome {
    const endedBy = this.#wasCancelled(error) ? 'cancelled' : explicit ? 'fail' : 'error';
    return this.#outcome({ error, failedStep: meta, endedBy }, this.#data);
  }

  #outcome(
    end: Pick<ScriptOutcome, 'error' | 'failedStep' | 'endedBy' | 'message'>,
    data: JsonObject,
  ): ScriptOutcome {
    const stepsTotal = topSteps(this.#script).length;
    return {
      success: end.error === undefined,
      steps: this.#results.filter(Boolean),
      stepsTotal,
      data,
      ...end,
    };
  }

  /** The caller's abort ends a run as cancelled, unless it says that something broke. */
  #wasCancelled(error: AgentError): boolean {
    return this.#options.signal.aborted && error.errorName === 'BrowserAgent.Cancelled';
  }

  async #frame(script: Script, given: JsonObject, outer?: Frame, reference = ''): Promise<Frame> {
    const scope = await scopeOf(script, given, this.#ports, this.#byName);
    return {
      script,
      scope,
      includes: outer ? [...outer.includes, reference] : [],
      pathPrefix: outer ? `${reference}#` : '',
      inLoop: outer?.inLoop ?? false,
      ended: {},
    };
  }

  /** What a script that has ended says its data is, if it says anything. */
  async #dataOf(frame: Frame): Promise<JsonObject | undefined> {
    if (frame.ended.output) return frame.ended.output;
    return frame.script.output && ((await resolveTemplates(frame.script.output, frame.scope)) as JsonObject);
  }

  /** The steps of a script from its starting page on; with `abort_on_error: false` past failed ones. */
  async #runScript(frame: Frame): Promise<Flow> {
    const { script, scope, pathPrefix } = frame;
    const failures: Failed[] = [];
    const steps = topSteps(script);
    const offset = steps.length - script.steps.length;
    const path = (index: number): string =>
      index < offset ? '$.starting_page' : `$.steps[${index - offset}]`;
    const flow = await this.#runList(steps, path, frame, {
      onFailure: (failed) => {
        failures.push(failed);
        return !script.abort_on_error;
      },
      onDone: (index, { data }) => {
        // The earlier program's name for what a top-level step gave.
        if (data) scope.variables[`step_${index - offset + 1}_data`] = data;
      },
    });
    if (flow.kind === 'jump') {
      const error = new AgentError(
        'BrowserAgent.InvalidScript',
        `There is no step named "${flow.target}" to jump to, in the list of steps that jumps or those around it.`,
      );
      return finalFailure(error, { ...NO_STEP, stepNumber: this.#started, path: `${pathPrefix}$` });
    }
    return flow.kind === 'failed' ? flow : (failures[0] ?? flow);
  }

  async #runList(
    steps: readonly Step[],
    path: (index: number) => string,
    frame: Frame,
    hooks: ListHooks = {},
  ): Promise<Flow> {
    const visits = new Map<number, number>();
    let index = 0;
    for (let step = steps[index]; step !== undefined; step = steps[index]) {
      const visit = (visits.get(index) ?? 0) + 1;
      visits.set(index, visit);
      const { flow, result, skipped, next } = await this.#runStep(
        step,
        `${frame.pathPrefix}${path(index)}`,
        visit,
        frame,
      );
      if (result) hooks.onDone?.(index, result);
      if (flow.kind === 'end') return flow;
      if (flow.kind === 'failed' && (flow.final || flow.explicit || hooks.onFailure?.(flow) !== true))
        return flow;
      if (flow.kind !== 'jump' && step.end === true && !skipped) return { kind: 'end', by: 'end' };
      const target = flow.kind === 'jump' ? flow.target : skipped ? undefined : next;
      const found = target === undefined ? index + 1 : steps.findIndex(({ name }) => name === target);
      if (target !== undefined && found === -1) return { kind: 'jump', target };
      index = found;
    }
    return NEXT;
  }

  async #runStep(
    written: Step,
    path: string,
    visit: number,
    frame: Frame,
  ): Promise<{ flow: Flow; result?: StepResult; skipped?: boolean; next?: string | undefined }> {
    const meta: StepMeta = {
      stepNumber: this.#started + 1,
      name: await this.#nameOf(written, frame),
      action: written.action,
      path,
      attempt: 1,
      key: written.key === true || ACTION_TRAITS[written.action].picture === 'key',
      sensitive: written.sensitive === true,
    };
    const stop = this.#signal.aborted ? abortReason(this.#signal) : this.#limitBreach(meta, visit);
    if (stop) return { flow: finalFailure(stop, meta) };
    this.#started++;
    await this.#journal(meta, () => this.#ports.stepStarted({ ...meta }));

    const { clock } = this.#ports;
    const from = clock.monotonic();
    const conditionErrors: string[] = [];
    let done: Done | undefined;
    let failed: Failed | undefined;
    let { next } = written;
    try {
      const step = await this.#leaves.resolveBase(written, frame.scope, meta);
      next = step.next;
      const check = (condition: Condition): Promise<boolean> =>
        this.#holds(condition, frame, conditionErrors);
      if (step.when && !(await check(step.when)))
        done = { flow: NEXT, skipped: true, fields: { skipped: true } };
      else {
        done = await this.#attempts(step, meta, frame, check);
        if (done.data) this.#keepData(meta.name, done.data, frame);
        if (step.save_as !== undefined)
          setOwn(frame.scope.variables, step.save_as, done.value ?? done.data ?? null);
      }
    } catch (thrown) {
      failed = this.#asFailed(thrown, meta);
    }

    const result = resultOf(meta, done, failed, Math.round(clock.monotonic() - from), conditionErrors);
    this.#results[meta.stepNumber - 1] = result;
    const value: JsonObject = done?.value === undefined ? {} : { value: done.value };
    this.#byName.set(meta.name, { ...(result as JsonObject), ...value });
    await this.#journal(meta, () => this.#ports.stepFinished({ ...meta }, result));
    const goesOn =
      failed !== undefined && written.continue_on_error === true && !failed.final && !failed.explicit;
    return {
      flow: (goesOn ? undefined : failed) ?? done?.flow ?? NEXT,
      result,
      skipped: done?.skipped === true,
      next,
    };
  }

  /** A step that cannot be written down does not happen, and the run ends. */
  async #journal(meta: StepMeta, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (thrown) {
      throw new InnerFailure(finalFailure(toAgentError(thrown), meta));
    }
  }

  #limitBreach(meta: StepMeta, visit: number): AgentError | undefined {
    const { maxSteps, maxVisits } = this.#limits;
    if (this.#started >= maxSteps) {
      return new AgentError(
        'BrowserAgent.StepFailed',
        `The run reached its limit of ${maxSteps} steps before "${meta.name}" (${meta.path}). A loop does not end, or the limit is too low: ${this.#whose('max_steps', maxSteps)}.`,
      );
    }
    if (visit > maxVisits) {
      return new AgentError(
        'BrowserAgent.StepFailed',
        `The step "${meta.name}" (${meta.path}) was reached more than ${maxVisits} times: its loop does not end. Mend the jump to it, or raise the limit: ${this.#whose('max_visits', maxVisits)}.`,
      );
    }
    return undefined;
  }

  /** In words, where the limit in force comes from, or what would set another. */
  #whose(limit: 'max_steps' | 'max_visits', inForce: number): string {
    const owners = this.#options.limits?.[limit === 'max_steps' ? 'maxSteps' : 'maxVisits'];
    return owners === inForce && this.#script.limits?.[limit] !== inForce
      ? `run.${limit} in the settings of this machine, which a script can only lower`
      : `limits.${limit} of the script`;
  }

  async #nameOf(step: Step, frame: Frame): Promise<string> {
    const written = step.name ?? step.description ?? `${step.action} ${this.#started + 1}`;
    try {
      const resolved: unknown = await resolveTemplates(written, frame.scope);
      return typeof resolved === 'string' ? resolved : JSON.stringify(resolved);
    } catch {
      return written;
    }
  }

  /** Leaves the number of the attempt in `meta`. */
  async #attempts(
    step: Step,
    meta: StepMeta,
    frame: Frame,
    check: (condition: Condition) => Promise<boolean>,
  ): Promise<Done> {
    await this.#leaves.delayBefore(step, frame.script.default_delay, this.#signal);
    return withRetry(step.retry, {
      clock: this.#ports.clock,
      signal: this.#signal,
      check,
      act: (attempt) => {
        meta.attempt = attempt;
        return this.#act(step, { ...meta }, frame, check);
      },
    });
  }

  async #act(
    step: Step,
    meta: StepMeta,
    frame: Frame,
    check: (condition: Condition) => Promise<boolean>,
  ): Promise<Done> {
    if (isControlStep(step)) {
      const base = meta.path.slice(frame.pathPrefix.length);
      return runControl(step, {
        frame,
        meta,
        check,
        inside: (steps, part, inner) => this.#runList(steps, (index) => `${base}.${part}[${index}]`, inner),
        loop: (loop) => this.#leaves.resolveLoop(loop, frame.scope, meta),
      });
    }
    const resolved = await this.#leaves.resolve(step, frame.scope, meta);
    if (isRunStep(resolved)) {
      return runStep(resolved, {
        frame,
        meta,
        check,
        ports: this.#ports,
        leaves: this.#leaves,
        limits: this.#limits,
        signal: this.#signal,
        runInner: (script, given, reference) => this.#runInner(script, given, reference, frame),
      });
    }
    return { flow: NEXT, ...(await this.#leaves.act(resolved, meta, frame.scope, this.#signal)) };
  }

  async #runInner(
    script: Script,
    given: JsonObject,
    reference: string,
    outer: Frame,
  ): Promise<{ flow: Flow; data?: JsonObject | undefined }> {
    const inner = await this.#frame(script, given, outer, reference);
    const flow = await this.#runScript(inner);
    return flow.kind === 'failed' ? { flow } : { flow, data: await this.#dataOf(inner) };
  }

  async #holds(condition: Condition, frame: Frame, errors: string[]): Promise<boolean> {
    const { clock } = this.#ports;
    const signal = this.#signal;
    return holds(condition, {
      scope: frame.scope,
      signal,
      errors,
      evaluate: (page) => {
        const timeoutMs = this.#limits.stepTimeoutMs + ('timeout' in page ? page.timeout : 0);
        const timeoutError = (): AgentError =>
          new AgentError('BrowserAgent.StepTimeout', `no answer from the page within ${timeoutMs} ms`);
        return withDeadline({ clock, signal, timeoutMs, timeoutError }, (inner) =>
          this.#ports.evaluate(page, inner),
        );
      },
    });
  }

  #keepData(name: string, data: JsonObject, frame: Frame): void {
    const before = Object.hasOwn(this.#data, name) ? this.#data[name] : undefined;
    const list = Array.isArray(before) ? [...before, data] : [data];
    setOwn(this.#data, name, frame.inLoop ? list : data);
  }

  #asFailed(thrown: unknown, meta: StepMeta): Failed {
    if (thrown instanceof InnerFailure) return thrown.failed;
    if (this.#signal.aborted) return finalFailure(abortReason(this.#signal), meta);
    return { ...finalFailure(toAgentError(thrown), meta), final: false };
  }
}
