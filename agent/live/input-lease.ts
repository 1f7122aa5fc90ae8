/**
 * Mouse and keyboard of one run: one holder at a time.
 *
 * States: `free` → `held` (somebody acts) → `waiting` (their connection has gone; the same person may come back
 * within the grace time) → `free`. A holder who does nothing for too long loses it as well.
 */
export interface Holder {
  /** Of the connection. */
  readonly id: number;
  /** Who it is: the same person in another connection has the same. */
  readonly keyId: string;
}

/** A reload of the page, or a short gap in the network, in milliseconds. */
export const GRACE_MS = 15_000;
/** Whoever has gone for a coffee does not keep the run standing, in milliseconds. */
export const IDLE_MS = 300_000;

export type ReleaseReason = 'given back' | 'disconnected' | 'idle' | 'ended';

export class InputLease {
  readonly #onReleased: (reason: ReleaseReason) => void;
  readonly #limits: { graceMs: number; idleMs: number };
  #holder: Holder | null = null;
  #isConnected = false;
  #timer: NodeJS.Timeout | undefined;

  /** `onReleased`: nobody holds it any more. */
  constructor(options: {
    onReleased: (reason: ReleaseReason) => void;
    limits?: { graceMs: number; idleMs: number };
  }) {
    this.#onReleased = options.onReleased;
    this.#limits = options.limits ?? { graceMs: GRACE_MS, idleMs: IDLE_MS };
  }

  get holder(): Holder | null {
    return this.#holder;
  }

  /** `taken`: now; `kept`: the same person had it; `refused`: somebody else has it. */
  take(who: Holder): 'taken' | 'kept' | 'refused' {
    const before = this.#holder;
    if (before && before.id !== who.id && (this.#isConnected || before.keyId !== who.keyId)) return 'refused';
    this.#holder = who;
    this.#isConnected = true;
    this.#after(this.#limits.idleMs, 'idle');
    return before ? 'kept' : 'taken';
  }

  /** Whether this connection may act; if so, it is not idle. */
  use(id: number): boolean {
    if (this.#holder?.id !== id) return false;
    this.#after(this.#limits.idleMs, 'idle');
    return true;
  }

  release(id: number, reason: ReleaseReason = 'given back'): void {
    if (this.#holder?.id === id) this.#free(reason);
  }

  /** The connection has gone. */
  disconnected(id: number): void {
    if (this.#holder?.id !== id) return;
    this.#isConnected = false;
    this.#after(this.#limits.graceMs, 'disconnected');
  }

  end(): void {
    if (this.#holder) this.#free('ended');
  }

  #after(ms: number, reason: ReleaseReason): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#free(reason), ms);
    this.#timer.unref();
  }

  #free(reason: ReleaseReason): void {
    clearTimeout(this.#timer);
    this.#holder = null;
    this.#isConnected = false;
    this.#onReleased(reason);
  }
}
