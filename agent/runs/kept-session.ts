/**
 * One open session: a browser that stays, and the queue of what is to be done in it. Each message becomes an
 * ordinary run, one after the other.
 *
 * States: open (working through its queue, or idle) → ending (takes nothing more; the run at work comes to its
 * end or is cancelled) → ended (browser closed, queue cancelled). The first reason to end is the one that counts.
 */
import type { Clock } from '../base/clock.ts';
import { drop } from '../base/drop.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import { newRunId } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { MessageEnd, SessionEnd, SessionStore } from '../store/sessions.ts';
import type { KeptBrowser } from './kept-browser.ts';
import type { RunExecutor, RunOutcome, RunRequest } from './types.ts';

export interface KeptSessionOptions {
  sessionId: string;
  kept: KeptBrowser;
  /** How long it may have nothing to do, in milliseconds. */
  idleMs: number;
  store: SessionStore;
  executor: RunExecutor;
  clock: Clock;
  log: Logger;
  /** Whether the key that opened it can still be used. */
  isKeyGood: () => boolean;
}

interface Message {
  messageId: string;
  request: Omit<RunRequest, 'runId'>;
  /** Of script and variables as JSON. */
  sizeCharacters: number;
}

export class KeptSession {
  readonly #options: KeptSessionOptions;
  readonly #queue: Message[] = [];
  /** Of messages that have not ended. */
  readonly #ends = new Map<string, PromiseWithResolvers<void>>();
  readonly #cancel = new AbortController();
  #wake = Promise.withResolvers<void>();
  #end: { reason: SessionEnd; detail: string } | null = null;
  /** Resolves when it has ended and its browser is closed. */
  readonly ended: Promise<void>;

  constructor(options: KeptSessionOptions) {
    this.#options = options;
    const forget = options.kept.opened.session.onCrash((error) =>
      this.#begin('browser_ended', error.message),
    );
    this.ended = this.#work().finally(forget);
    drop(this.ended, options.log, 'ending a session');
  }

  /** It takes no messages any more, for this reason. */
  get ending(): { reason: SessionEnd; detail: string } | null {
    return this.#end;
  }

  /** What waits, without the message at work. */
  get queued(): { messages: number; characters: number } {
    const characters = this.#queue.reduce((sum, { sizeCharacters }) => sum + sizeCharacters, 0);
    return { messages: this.#queue.length, characters };
  }

  /** To be called only while it is not {@link ending}. */
  send(message: Message): void {
    this.#queue.push(message);
    this.#ends.set(message.messageId, Promise.withResolvers<void>());
    this.#wake.resolve();
  }

  /** Resolves when the message has ended; at once for one that is not on its way. */
  whenEnded(messageId: string): Promise<void> {
    return this.#ends.get(messageId)?.promise ?? Promise.resolve();
  }

  /** Resolves when it has ended: the run at work has `deadlineMs` for it, then it is cancelled. */
  async close(reason: SessionEnd, detail: string, deadlineMs = 0): Promise<void> {
    this.#begin(reason, detail);
    const over = new AbortController();
    this.#options.clock.sleep(deadlineMs, over.signal).then(
      () => this.#cancel.abort(new AgentError('BrowserAgent.Cancelled', detail)),
      () => undefined,
    );
    await this.ended.catch(() => undefined);
    over.abort();
  }

  #begin(reason: SessionEnd, detail: string): void {
    this.#end ??= { reason, detail };
    this.#wake.resolve();
  }

  async #work(): Promise<void> {
    const { kept, store, sessionId, clock, log } = this.#options;
    for (let next = await this.#next(); next !== null; next = await this.#next()) await this.#perform(next);
    const { reason, detail } = this.#end ?? { reason: 'closed' as const, detail: '' };
    try {
      await kept.opened.close();
    } finally {
      kept.secrets.clear();
      store.end(sessionId, { reason, detail, now: clock.now() });
      this.#queue.length = 0;
      for (const { resolve } of this.#ends.values()) resolve();
      this.#ends.clear();
      log.info({ sessionId, reason }, 'a session has ended');
    }
  }

  /** Waits for it; null when the session ends. */
  async #next(): Promise<Message | null> {
    const { clock, idleMs, isKeyGood } = this.#options;
    if (this.#queue.length === 0 && this.#end === null) {
      this.#wake = Promise.withResolvers<void>();
      const awake = new AbortController();
      const idle = clock.sleep(idleMs, awake.signal).then(
        () => this.#begin('idle', `The session had nothing to do for ${Math.round(idleMs / 1_000)} s.`),
        () => undefined,
      );
      await Promise.race([this.#wake.promise, idle]);
      awake.abort();
    }
    if (this.#end === null && !isKeyGood()) {
      this.#begin('key_revoked', 'The key that opened the session was revoked, or its time is over.');
    }
    return this.#end === null ? (this.#queue.shift() ?? null) : null;
  }

  async #perform({ messageId, request }: Message): Promise<void> {
    const { store, clock, executor, kept, sessionId, log } = this.#options;
    const runId = newRunId();
    store.messageBegins(messageId, runId, clock.now());
    let end: { state: MessageEnd; error: { name: string; message: string } | null };
    try {
      const signal = this.#cancel.signal;
      end = endOf(await executor.execute({ ...request, runId }, { signal, kept }));
    } catch (thrown) {
      log.error({ err: thrown, sessionId, run: runId }, 'a run failed beyond its result');
      end = { state: 'failed', error: { name: 'BrowserAgent.Internal', message: messageOf(thrown) } };
    }
    const now = clock.now();
    store.messageEnds(messageId, { ...end, now });
    store.used(sessionId, now);
    this.#ends.get(messageId)?.resolve();
    this.#ends.delete(messageId);
  }
}

function endOf({ state, error }: RunOutcome): {
  state: MessageEnd;
  error: { name: string; message: string } | null;
} {
  return {
    state: state === 'lost' ? 'failed' : state,
    error: error ? { name: error.name, message: error.message } : null,
  };
}
