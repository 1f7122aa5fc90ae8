/**
 * - `key`: a key of the local API, by its id
 * - `owner`: the person at this machine, in the window
 * - `cli`: a person on the command line, by the name of the operating system's user
 * - `task`: a task that the cloud handed over, by its task id
 * - `system`: the agent itself
 */
export const ACTOR_KINDS = ['key', 'owner', 'cli', 'task', 'system'] as const;

/** Who wants something done, and from where. */
export interface Actor {
  kind: (typeof ACTOR_KINDS)[number];
  id: string;
  /** An address (`127.0.0.1:50312`) or a process (`pid 4711`). */
  from: string;
}

/** The agent itself, in this process. */
export const systemActor: Actor = { kind: 'system', id: 'agent', from: `pid ${process.pid}` };
