/**
 * Where a run stands still because somebody wants it to: the gate before each of its actions. It is shut while
 * anybody holds it, so that a person can look, or take mouse and keyboard; the run goes on when the last holder
 * lets go. Meanwhile its page, its lease and its place stay as they are, and its time does not run: its clock
 * ({@link PauseGate.clock}) stands still too.
 *
 * States, from outside:
 * - open: nobody holds it; the run passes without waiting.
 * - held: the run goes on to its next action and stands still there (`standing`); a run that waits, for a
 *   person or for something on the page, stands still already.
 * - stepping: held, and one step was let through; it closes behind that step.
 * - closed: the run has ended.
 */
import type { Actor } from '../base/actor.ts';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';

/**
 * An action that is about to act ends within that time by itself; one that is still not done then waits for
 * something, in milliseconds.
 */
const INTERRUPT_AFTER_MS = 300;

/** `pause`: to look; `takeover`: a person acts in the page. */
export type HoldKind = 'pause' | 'takeover';

/** Somebody's hold on a run. */
export interface Hold {
  readonly kind: HoldKind;
  /** Resolves when the run stands still, or has ended: from then on nothing but a person acts in its page. */
  readonly standing: Promise<void>;
  /** Resolves when the hold is over, whoever ended it. */
  readonly over: Promise<void>;
  /** Safe to call twice. */
  release(): void;
}

/** One hold as it was, for the results of steps. */
export interface HoldFact {
  kind: HoldKind;
  by: Actor;
  reason: string;
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
}

/** The gate, as far as an action inside a step sees it. */
export type StepGate = Pick<PauseGate, 'looking' | 'interruptible'> & { clock: Pick<Clock, 'monotonic'> };

/** What is to be seen of a gate that is held. */
export interface PauseState {
  /** Who has held it longest, and why. */
  by: Actor;
  reason: string;
  kind: HoldKind;
  /** Milliseconds since the epoch: since when anybody holds it. */
  since: number;
  /** The run stands still; otherwise the action that it had begun is still going on. */
  isStanding: boolean;
}

export interface PauseGateOptions {
  clock: Clock;
  /** How long the gate may be held at a stretch, in milliseconds. */
  maxHeldMs: number;
  /** Called when it is held, when the run stands still, and with null when the last holder has let go. */
  onChange?: (state: PauseState | null, heldMs: number) => void;
  /** Called with the error to end the run with when it was held for too long. */
  onTooLong?: (error: AgentError) => void;
}

/** Why work was stopped that is done again. */
const HELD = new Error('somebody holds the run');

interface Holder {
  kind: HoldKind;
  by: Actor;
  reason: string;
  from: number;
  standing: PromiseWithResolvers<void>;
  over: PromiseWithResolvers<void>;
}

export class PauseGate {
  readonly #options: PauseGateOptions;
  readonly #base: Clock;
  readonly #holders = new Set<Holder>();
  #facts: HoldFact[] = [];
  /** Resolves when the run may go on; there only while it is held. */
  #opened: PromiseWithResolvers<void> | null = null;
  /** Milliseconds, of holds that are over. */
  #heldMs = 0;
  #heldFrom = 0;
  #since = 0;
  /** Holds, since the run began. */
  #begun = 0;
  #standing = 0;
  /** `wanted`: the next step may pass; `inside`: it has, and acts. */
  #step: 'none' | 'wanted' | 'inside' = 'none';
  #limit: AbortController | null = null;
  /** Of work that can be stopped as long as it only waits. */
  readonly #interrupts = new Set<() => void>();
  #isClosed = false;
  /** The run's own time: it stands still while the gate is held. `now()` is the time of the world. */
  readonly clock: Clock;

  constructor(options: PauseGateOptions) {
    this.#options = options;
    this.#base = options.clock;
    this.clock = {
      now: () => this.#base.now(),
      monotonic: () => this.#base.monotonic() - this.heldMs,
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  get isHeld(): boolean {
    return this.#opened !== null;
  }

  /** Null: nobody holds it. */
  get state(): PauseState | null {
    const [first] = this.#holders;
    if (!first) return null;
    const { by, reason, kind } = first;
    return { by, reason, kind, since: this.#since, isStanding: this.#standing > 0 };
  }

  /** How long it has been held in all, in milliseconds. */
  get heldMs(): number {
    return this.#heldMs + (this.#opened ? this.#base.monotonic() - this.#heldFrom : 0);
  }

  /**
   * The run stands still before its next action, until every hold is released.
   *
   * @returns null when the run has ended
   */
  hold(by: Actor, reason: string, kind: HoldKind = 'takeover'): Hold | null {
    if (this.#isClosed) return null;
    const holder: Holder = {
      kind,
      by,
      reason,
      from: this.#base.now(),
      standing: Promise.withResolvers<void>(),
      over: Promise.withResolvers<void>(),
    };
    this.#holders.add(holder);
    this.#begun += 1;
    // A step that was let through must not act under a person's hands.
    if (kind === 'takeover' && this.#step === 'wanted') this.#step = 'none';
    if (!this.#opened) this.#shut();
    if (this.#standing > 0) holder.standing.resolve();
    else for (const interrupt of this.#interrupts) interrupt();
    if (this.#holders.size === 1) this.#tell();
    return {
      kind,
      standing: holder.standing.promise,
      over: holder.over.promise,
      release: () => this.#release(holder),
    };
  }

  /** Pauses for those who have no hold of their own to keep, such as callers of the API. @returns false when it is paused already */
  pause(by: Actor, reason = 'paused'): boolean {
    if (this.#paused()) return false;
    return this.hold(by, reason, 'pause') !== null;
  }

  /** Ends what {@link pause} began; a person who has taken over keeps the run. @returns false when it is not paused */
  resume(): boolean {
    const paused = this.#paused();
    if (paused) this.#release(paused);
    return paused !== undefined;
  }

  /** Lets one step through, with all of its attempts. */
  step(): 'stepping' | 'not paused' | 'taken over' {
    if (!this.#paused()) return 'not paused';
    if ([...this.#holders].some(({ kind }) => kind === 'takeover')) return 'taken over';
    this.#step = 'wanted';
    this.#wake();
    return 'stepping';
  }

  /**
   * To be awaited before each step; call it only while {@link isHeld}, an open gate asks for nothing.
   *
   * @throws the signal's reason
   */
  async pass(signal: AbortSignal): Promise<void> {
    if (this.#step === 'inside') this.#step = 'none';
    await this.#stand(signal, () => {
      if (this.#step !== 'wanted') return false;
      this.#step = 'inside';
      return true;
    });
  }

  /** The same before each action inside a step: a step that was let through is not held. */
  async passInside(signal: AbortSignal): Promise<void> {
    await this.#stand(signal, () => this.#step === 'inside');
  }

  /** The run waits for something outside, and does nothing in the page meanwhile: as good as standing still. */
  async resting<T>(work: () => Promise<T>): Promise<T> {
    this.#enter();
    try {
      return await work();
    } finally {
      this.#standing -= 1;
    }
  }

  /**
   * For work that looks at the page and waits, and does nothing in it: whoever holds the run meanwhile has it at
   * once. The work goes on beside them, and is over only when they have let go. What came of it by then may not
   * hold any more, so it is done `again`, in what is left of the step's time, which stood still.
   *
   * @throws what the work throws; the signal's reason
   */
  async looking<T>(work: () => Promise<T>, again: boolean, signal: AbortSignal): Promise<T> {
    return this.resting(async () => {
      for (;;) {
        if (this.#opened) await this.passInside(signal);
        const before = this.#begun;
        const [outcome] = await Promise.allSettled([work()]);
        const wasHeld = this.#begun !== before;
        if (wasHeld && again) continue;
        if (wasHeld) await this.passInside(signal);
        if (outcome.status === 'rejected') throw outcome.reason;
        return outcome.value;
      }
    });
  }

  /**
   * For work that waits until it can act, and then acts: who takes hold of the run while it still waits has it
   * at once. The work is stopped by its signal, and done anew when they have let go. Work that had acted by
   * then is not done again, and what came of it is thrown.
   *
   * @param hasActed whether the work, which threw this when it was stopped, may have acted before
   * @throws what the work throws; the signal's reason
   */
  async interruptible<T>(
    work: (signal: AbortSignal) => Promise<T>,
    hasActed: (thrown: unknown) => boolean,
    signal: AbortSignal,
  ): Promise<T> {
    for (;;) {
      if (this.#opened) await this.passInside(signal);
      const stop = new AbortController();
      const wait = new AbortController();
      const onAbort = (): void => stop.abort(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      const interrupt = (): void => {
        const interrupted = this.#base.sleep(INTERRUPT_AFTER_MS, wait.signal).then(() => stop.abort(HELD));
        interrupted.catch(() => undefined); // it has ended meanwhile
      };
      this.#interrupts.add(interrupt);
      if (signal.aborted) onAbort();
      try {
        return await work(stop.signal);
      } catch (thrown) {
        if (stop.signal.reason !== HELD || hasActed(thrown)) throw thrown;
      } finally {
        wait.abort();
        this.#interrupts.delete(interrupt);
        signal.removeEventListener('abort', onAbort);
      }
    }
  }

  /** The holds that are over since the last call. */
  takeFacts(): HoldFact[] {
    if (this.#facts.length === 0) return this.#facts;
    const facts = this.#facts;
    this.#facts = [];
    return facts;
  }

  /** The run has ended. */
  close(): void {
    this.#isClosed = true;
    for (const holder of this.#holders) {
      holder.standing.resolve();
      holder.over.resolve();
    }
    this.#holders.clear();
    this.#open();
  }

  #paused(): Holder | undefined {
    return [...this.#holders].find(({ kind }) => kind === 'pause');
  }

  #shut(): void {
    this.#opened = Promise.withResolvers<void>();
    this.#heldFrom = this.#base.monotonic();
    this.#since = this.#base.now();
    this.#limit = new AbortController();
    this.#base.sleep(this.#options.maxHeldMs, this.#limit.signal).then(
      () => this.#tooLong(),
      () => undefined,
    );
  }

  #open(): void {
    if (!this.#opened) return;
    this.#heldMs += this.#base.monotonic() - this.#heldFrom;
    const opened = this.#opened;
    this.#opened = null;
    this.#step = 'none';
    this.#limit?.abort();
    opened.resolve();
  }

  #release(holder: Holder): void {
    if (!this.#holders.delete(holder)) return;
    const { kind, by, reason, from } = holder;
    this.#facts.push({ kind, by, reason, from, to: this.#base.now() });
    holder.over.resolve();
    if (this.#holders.size > 0) return;
    const heldMs = this.#base.monotonic() - this.#heldFrom;
    this.#open();
    this.#options.onChange?.(null, heldMs);
  }

  #tooLong(): void {
    const state = this.state;
    if (!state) return;
    const seconds = Math.round(this.#options.maxHeldMs / 1_000);
    this.#options.onTooLong?.(
      new AgentError(
        'BrowserAgent.HumanTimeout',
        `The run stood still for ${seconds} s (${state.reason}, by ${state.by.kind} ${state.by.id}) and nobody let it go on. Resume it in time, or raise run.max_pause_seconds.`,
      ),
    );
  }

  async #stand(signal: AbortSignal, mayPass: () => boolean): Promise<void> {
    if (!this.#opened || mayPass()) return;
    this.#enter();
    try {
      while (this.#opened && !mayPass()) await orAborted(this.#opened.promise, signal);
      // What ends the run opens the gate, too.
      signal.throwIfAborted();
    } finally {
      this.#standing -= 1;
    }
  }

  #enter(): void {
    this.#standing += 1;
    if (this.#standing > 1 || this.#holders.size === 0) return;
    for (const holder of this.#holders) holder.standing.resolve();
    this.#tell();
  }

  #tell(): void {
    const state = this.state;
    if (state) this.#options.onChange?.(state, 0);
  }

  /** Those who stand look again whether they may pass. */
  #wake(): void {
    const opened = this.#opened;
    if (!opened) return;
    this.#opened = Promise.withResolvers<void>();
    opened.resolve();
  }

  async #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    // What of a sleep passed while the gate was held is slept again.
    let leftMs = ms;
    do {
      while (this.#opened) await orAborted(this.#opened.promise, signal);
      const before = this.#heldMs;
      await this.#base.sleep(leftMs, signal);
      leftMs = this.heldMs - before;
    } while (leftMs > 0 || this.#opened);
  }
}

async function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
