/**
 * In the worker's place where no activity is configured: it asks nobody for tasks, so that an agent can serve
 * its API alone, e.g. until it is set up. The data directory is this process's all the same.
 */
import type { Database } from '../store/database.ts';
import { lockWorker } from '../store/worker-lock.ts';
import type { Worker } from './worker.ts';
import type { WorkerEnd } from './worker-types.ts';

/** What the agent needs of a worker. */
export type AnyWorker = Pick<Worker, 'start' | 'pause' | 'resume' | 'drain' | 'stop' | 'woke' | 'done'> & {
  status(): Pick<ReturnType<Worker['status']>, 'state' | 'tasks'>;
};

export class NoWorker implements AnyWorker {
  readonly #db: Database;
  readonly #ended = Promise.withResolvers<WorkerEnd>();
  #state: 'made' | 'working' | 'stopped' = 'made';
  #unlock: () => void = () => undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  get done(): Promise<WorkerEnd> {
    return this.#ended.promise;
  }

  /** @throws AgentError when another process works on this data directory */
  start(): void {
    this.#unlock = lockWorker(this.#db);
    this.#state = 'working';
  }

  status(): ReturnType<AnyWorker['status']> {
    return { state: this.#state, tasks: [] };
  }

  pause(): void {}

  resume(): void {}

  woke(): void {}

  drain(): Promise<WorkerEnd> {
    return this.#end('drained');
  }

  stop({ deadlineMs }: { deadlineMs: number }): Promise<WorkerEnd> {
    return this.#end(deadlineMs > 0 ? 'drained' : 'stopped');
  }

  #end(reason: 'drained' | 'stopped'): Promise<WorkerEnd> {
    if (this.#state !== 'stopped') {
      this.#state = 'stopped';
      this.#unlock();
      const counts = { received: 0, succeeded: 0, failed: 0, lost: 0, refused: 0 };
      this.#ended.resolve({ reason, pollLeftOpen: false, runsLeft: 0, reportsLeft: 0, counts });
    }
    return this.done;
  }
}
