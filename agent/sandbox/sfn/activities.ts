/**
 * Activities and their tasks: a queue per activity, workers that poll it, and the life of a task from
 * scheduled to closed.
 *
 * scheduled: waits in its activity's queue; no token is known to anybody yet
 * started:   a worker has its token; both time limits count from here, as the service documents it
 * closed:    succeeded, failed, timed out, or dropped because its execution moved on; its token is dead
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '../errors.ts';

export type TaskEnd =
  | { kind: 'succeeded'; output: string }
  | { kind: 'failed'; error?: string; cause?: string }
  | { kind: 'timed-out'; error: 'States.Timeout' | 'States.HeartbeatTimeout' };

export interface TaskRequest {
  activityArn: string;
  /** Effective input as JSON text. */
  input: string;
  /** Limits count from the moment a worker takes the task. Absent: none (the service's 99,999,999 s). */
  timeoutSeconds?: number;
  heartbeatSeconds?: number;
  /** A worker has taken it. */
  onStarted(workerName: string | undefined): void;
  /** Called once, unless the task is dropped. */
  onEnd(end: TaskEnd): void;
}

export interface OpenTask {
  /** Ends the task without telling anybody but the worker, by its token's death. */
  drop(): void;
}

interface Task {
  token: string;
  request: TaskRequest;
  timeout?: NodeJS.Timeout;
  heartbeat?: NodeJS.Timeout;
}

interface Poller {
  workerName: string | undefined;
  answer(task: Task | null): void;
}

/** How long GetActivityTask waits for a task before it answers with none, as the service does. */
export const POLL_MS = 60_000;
/** Tokens of closed tasks that are remembered, to tell TaskTimedOut from TaskDoesNotExist. */
const MAX_CLOSED_TOKENS = 10_000;
/** Longer delays overflow Node's timers; 24 days is as good as none here. */
const MAX_TIMER_MS = 2_147_483_000;

export class ActivityTasks {
  readonly #queues = new Map<string, Task[]>();
  readonly #pollers = new Map<string, Poller[]>();
  readonly #started = new Map<string, Task>();
  readonly #closed = new Set<string>();
  readonly #key: Buffer;
  readonly #pollMs: number;

  /** `key` signs task tokens, so that a token of an earlier start on the same data is known as genuine. */
  constructor(key: Buffer, pollMs = POLL_MS) {
    this.#key = key;
    this.#pollMs = pollMs;
  }

  schedule(request: TaskRequest): OpenTask {
    const task: Task = { token: this.#newToken(), request };
    const poller = this.#pollers.get(request.activityArn)?.shift();
    if (poller) {
      this.#start(task, poller.workerName);
      poller.answer(task);
    } else {
      const queue = this.#queues.get(request.activityArn) ?? [];
      queue.push(task);
      this.#queues.set(request.activityArn, queue);
    }
    return { drop: () => this.#close(task) };
  }

  /**
   * The next task of an activity, waiting up to {@link POLL_MS} for one; `null` when there was none.
   * A poller whose client goes away while it waits takes no task with it; a task whose answer is lost
   * on the way stays with a worker that does not know of it, until its time limits end it.
   */
  async poll(
    activityArn: string,
    workerName: string | undefined,
    signal: AbortSignal,
  ): Promise<{ taskToken: string; input: string } | null> {
    const queued = this.#queues.get(activityArn)?.shift();
    if (queued) {
      this.#start(queued, workerName);
      return { taskToken: queued.token, input: queued.request.input };
    }
    const task = await new Promise<Task | null>((resolve) => {
      const waiting = this.#pollers.get(activityArn) ?? [];
      this.#pollers.set(activityArn, waiting);
      const finish = (answer: Task | null): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        resolve(answer);
      };
      const poller: Poller = { workerName, answer: finish };
      const giveUp = (): void => {
        const index = waiting.indexOf(poller);
        if (index >= 0) waiting.splice(index, 1);
        finish(null);
      };
      const timer = setTimeout(giveUp, this.#pollMs);
      signal.addEventListener('abort', giveUp, { once: true });
      waiting.push(poller);
      if (signal.aborted) giveUp();
    });
    return task && { taskToken: task.token, input: task.request.input };
  }

  /** Ends a started task; throws what the service answers for a token that cannot. */
  end(token: string, end: TaskEnd): void {
    const task = this.#find(token);
    this.#close(task);
    task.request.onEnd(end);
  }

  heartbeat(token: string): void {
    this.#armHeartbeat(this.#find(token));
  }

  /** Of an open task. */
  activityOf(token: string): string | undefined {
    return this.#started.get(token)?.request.activityArn;
  }

  /** Tasks waiting for a worker, per activity ARN. */
  waiting(activityArn: string): number {
    return this.#queues.get(activityArn)?.length ?? 0;
  }

  close(): void {
    for (const task of this.#started.values()) this.#close(task);
    this.#queues.clear();
  }

  #start(task: Task, workerName: string | undefined): void {
    this.#started.set(task.token, task);
    const { timeoutSeconds } = task.request;
    if (timeoutSeconds !== undefined) {
      task.timeout = setTimeout(
        () => this.end(task.token, { kind: 'timed-out', error: 'States.Timeout' }),
        Math.min(timeoutSeconds * 1000, MAX_TIMER_MS),
      );
    }
    this.#armHeartbeat(task);
    task.request.onStarted(workerName);
  }

  #armHeartbeat(task: Task): void {
    clearTimeout(task.heartbeat);
    const { heartbeatSeconds } = task.request;
    if (heartbeatSeconds === undefined) return;
    task.heartbeat = setTimeout(
      () => this.end(task.token, { kind: 'timed-out', error: 'States.HeartbeatTimeout' }),
      Math.min(heartbeatSeconds * 1000, MAX_TIMER_MS),
    );
  }

  #close(task: Task): void {
    clearTimeout(task.timeout);
    clearTimeout(task.heartbeat);
    const queue = this.#queues.get(task.request.activityArn);
    const index = queue?.indexOf(task) ?? -1;
    if (index >= 0) queue?.splice(index, 1);
    if (!this.#started.delete(task.token)) return;
    this.#closed.add(task.token);
    if (this.#closed.size > MAX_CLOSED_TOKENS) {
      for (const oldest of this.#closed) {
        this.#closed.delete(oldest);
        break;
      }
    }
  }

  #find(token: string): Task {
    const task = this.#started.get(token);
    if (task) return task;
    if (this.#closed.has(token)) {
      throw new ServiceError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");
    }
    if (this.#isGenuine(token)) {
      throw new ServiceError('TaskDoesNotExist', "Task does not exist: 'Provided task does not exist'");
    }
    throw new ServiceError('InvalidToken', "Invalid Token: 'Invalid token'");
  }

  #newToken(): string {
    const random = randomBytes(TOKEN_RANDOM_BYTES);
    return Buffer.concat([random, this.#sign(random)]).toString('base64');
  }

  #isGenuine(token: string): boolean {
    const bytes = Buffer.from(token, 'base64');
    if (bytes.length !== TOKEN_RANDOM_BYTES + SIGNATURE_BYTES) return false;
    return timingSafeEqual(
      this.#sign(bytes.subarray(0, TOKEN_RANDOM_BYTES)),
      bytes.subarray(TOKEN_RANDOM_BYTES),
    );
  }

  #sign(bytes: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(bytes).digest();
  }
}

/** Tokens of the service are several hundred characters; these are 256, so that nobody stores them short. */
const TOKEN_RANDOM_BYTES = 160;
const SIGNATURE_BYTES = 32;
