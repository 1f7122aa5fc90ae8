import { Worker, type ResourceLimits } from 'node:worker_threads';
import { messageOf } from './errors.ts';

/** The result of one call. */
export type CallResult<Answer> =
  | { kind: 'answered'; answer: Answer }
  /** It took longer than its limit; the thread was ended. */
  | { kind: 'too-slow' }
  | { kind: 'aborted' }
  /** The thread threw, ran out of memory or could not be started. */
  | { kind: 'failed'; problem: string };

export interface CallOptions {
  limitMs: number;
  signal?: AbortSignal | undefined;
  /** Moved to the thread instead of copied. */
  transfer?: ArrayBuffer[];
}

export interface OnDemandWorkerOptions {
  /** The thread's program, written as `agent/vite.config.ts` finds it. */
  entry: URL;
  /** The thread ends after this time without a call: it takes about 10 MB. */
  idleMs: number;
  resourceLimits: ResourceLimits;
}

/** What the thread's program sends: that it has started, then an answer to each request (see `answerCalls`). */
export type Reply<Answer> = { isReady: true } | { answer: Answer } | { problem: string };

interface Waiting<Request, Answer> {
  request: Request;
  options: CallOptions;
  settle: (result: CallResult<Answer>) => void;
}

/**
 * A limit is counted in ticks of this length (ms), not read from a clock: a machine that slept, or a process
 * that was stopped, has made at most one tick meanwhile.
 */
const TICK_MS = 50;
/** Starting a thread takes 30 ms; on a machine that swaps, seconds. It does not count against a call's limit. */
const START_LIMIT_MS = 30_000;

/**
 * A thread for calculations that must not block the process. It is started by the first call and ends when it
 * has been idle; calls are answered one after the other, so that each has its whole limit to itself.
 */
export class OnDemandWorker<Request, Answer> {
  readonly #options: OnDemandWorkerOptions;
  readonly #queue: Waiting<Request, Answer>[] = [];
  #worker: Worker | null = null;
  #isReady = false;
  #isBusy = false;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: OnDemandWorkerOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  call(request: Request, options: CallOptions): Promise<CallResult<Answer>> {
    const { promise, resolve } = Promise.withResolvers<CallResult<Answer>>();
    const { signal } = options;
    if (signal?.aborted) return Promise.resolve({ kind: 'aborted' });
    const waiting: Waiting<Request, Answer> = { request, options, settle: resolve };
    const leave = (): void => {
      const at = this.#queue.indexOf(waiting);
      if (at < 0) return;
      this.#queue.splice(at, 1);
      resolve({ kind: 'aborted' });
    };
    signal?.addEventListener('abort', leave, { once: true });
    this.#queue.push(waiting);
    void this.#answerAll();
    return promise.finally(() => signal?.removeEventListener('abort', leave));
  }

  async #answerAll(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    clearTimeout(this.#idle);
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      next.settle(await this.#answer(next));
    }
    this.#isBusy = false;
    this.#idle = setTimeout(() => this.#end(), this.#options.idleMs).unref();
  }

  async #answer({ request, options }: Waiting<Request, Answer>): Promise<CallResult<Answer>> {
    const { promise, resolve } = Promise.withResolvers<CallResult<Answer>>();
    const { limitMs, signal, transfer } = options;
    let worker: Worker;
    try {
      worker = this.#worker ??= this.#start();
    } catch (thrown) {
      return { kind: 'failed', problem: messageOf(thrown) };
    }
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
      if (this.#isReady && ticks * TICK_MS >= limitMs) resolve({ kind: 'too-slow' });
      if (!this.#isReady && ticks * TICK_MS >= START_LIMIT_MS)
        resolve({ kind: 'failed', problem: 'the thread did not start' });
    }, TICK_MS);
    const send = (): void => {
      ticks = 0;
      worker.postMessage(request, transfer);
    };
    const onMessage = (reply: Reply<Answer>): void => {
      if ('isReady' in reply) {
        this.#isReady = true;
        send();
      } else if ('problem' in reply) resolve({ kind: 'failed', problem: reply.problem });
      else resolve({ kind: 'answered', answer: reply.answer });
    };
    const onError = (thrown: unknown): void => resolve({ kind: 'failed', problem: messageOf(thrown) });
    const onExit = (): void => resolve({ kind: 'failed', problem: 'the thread ended by itself' });
    const onAbort = (): void => resolve({ kind: 'aborted' });
    worker.ref();
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (this.#isReady) send();
    const result = await promise;
    clearInterval(timer);
    signal?.removeEventListener('abort', onAbort);
    worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    worker.unref();
    // What it is at now would be the answer to the next call.
    if (result.kind !== 'answered') this.#end();
    return result;
  }

  #start(): Worker {
    const { entry, resourceLimits } = this.#options;
    // It needs nothing of the environment and of Node's arguments, and would keep a copy.
    const worker = new Worker(entry, { env: {}, execArgv: [], resourceLimits });
    this.#isReady = false;
    // No call is waiting; the next one starts another thread.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null;
    });
    return worker;
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = null;
    void worker?.terminate();
  }
}
