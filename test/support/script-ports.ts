import type { Clock } from '../../agent/base/clock.ts';
import type { JsonObject } from '../../agent/base/words.ts';
import {
  interpret,
  type ActionResult,
  type InterpretOptions,
  type ScriptOutcome,
  type StepMeta,
  type StepPorts,
  type StepResult,
} from '../../agent/script/interpreter.ts';
import { formatProblem, parseScript, type ParseOptions } from '../../agent/script/parse.ts';
import type { LeafStep, Script } from '../../agent/script/schema.ts';

/** Time that passes only when nothing else can happen, and then at once up to the next timer. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #timers: { at: number; wake: () => void }[] = [];
  #pumping = false;

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = { at: this.#nowMs + ms, wake: resolve };
    const onAbort = (): void => {
      this.#timers = this.#timers.filter((other) => other !== timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#timers.push(timer);
    this.#pump();
    await promise;
    signal?.removeEventListener('abort', onAbort);
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      const [next] = this.#timers.sort((a, b) => a.at - b.at);
      if (!next) return;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = next.at;
      next.wake();
      if (this.#timers.length > 0) this.#pump();
    });
  }
}

/** Ports that write down what happens to them; every one can be replaced. */
export class RecordedPorts implements StepPorts {
  readonly clock = new VirtualClock();
  readonly performed: LeafStep[] = [];
  readonly metas: StepMeta[] = [];
  readonly started: StepMeta[] = [];
  readonly finished: { meta: StepMeta; result: StepResult }[] = [];
  readonly secretsUsed: string[] = [];
  readonly asked: unknown[] = [];
  /** What happened, in order, as `started 1`, `perform 1`, `finished 1`. */
  readonly log: string[] = [];
  #act: (step: LeafStep, meta: StepMeta, signal: AbortSignal) => Promise<ActionResult> | ActionResult;

  constructor(
    act: (
      step: LeafStep,
      meta: StepMeta,
      signal: AbortSignal,
    ) => Promise<ActionResult> | ActionResult = () => ({}),
    overrides: Partial<StepPorts> = {},
  ) {
    this.#act = act;
    Object.assign(this, overrides);
  }

  async perform(step: LeafStep, meta: StepMeta, signal: AbortSignal): Promise<ActionResult> {
    this.performed.push(step);
    this.metas.push(meta);
    this.log.push(`perform ${meta.stepNumber}`);
    return this.#act(step, meta, signal);
  }
  evaluate: StepPorts['evaluate'] = async () => ({ met: true });
  human: StepPorts['human'] = async (request) => {
    this.asked.push(request);
    return {};
  };
  secret: StepPorts['secret'] = async (name) => `value of ${name}`;
  env: StepPorts['env'] = () => undefined;
  include: StepPorts['include'] = async (reference) => {
    throw new Error(`no script ${reference}`);
  };
  stepStarted: StepPorts['stepStarted'] = async (meta) => {
    this.started.push(meta);
    this.log.push(`started ${meta.stepNumber}`);
  };
  stepFinished: StepPorts['stepFinished'] = async (meta, result) => {
    this.finished.push({ meta, result });
    this.log.push(`finished ${meta.stepNumber}`);
  };
  onSecretUsed(value: string): void {
    this.secretsUsed.push(value);
  }
  random(): number {
    return 0.5;
  }
}

/** Parses what must parse. */
export function parsed(source: unknown, options: ParseOptions = {}): Script {
  const result = parseScript(source, options);
  if (!result.ok) throw new Error(result.problems.map((problem) => formatProblem(problem)).join('\n'));
  return result.script;
}

/** Parses and runs. */
export async function run(
  source: JsonObject,
  ports: StepPorts = new RecordedPorts(),
  options: Partial<InterpretOptions> = {},
): Promise<ScriptOutcome> {
  return interpret(parsed(source), ports, {
    variables: {},
    signal: new AbortController().signal,
    ...options,
  });
}
