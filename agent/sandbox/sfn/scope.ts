/**
 * Which parts of an execution are still wanted. The interpreter abandons the other branches of a Parallel
 * and the other iterations of a Map when one fails, but tells no task handler; and it goes on to start the
 * iterations that were waiting for their turn. Each nested run gets a scope here, whose signal is aborted
 * when it, or one around it, is abandoned.
 *
 * The only place where this can be seen is `StateMachine.run`, which the interpreter calls for nested runs
 * too: it is wrapped once, and does nothing of its own for runs without a scope.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { StateMachine } from 'aws-local-stepfunctions';

export class Scope {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();

  constructor(parent?: Scope) {
    this.signal = parent
      ? AbortSignal.any([this.#controller.signal, parent.signal])
      : this.#controller.signal;
  }

  abandon(): void {
    this.#controller.abort();
  }
}

/** The scope whose run is at work. */
const current = new AsyncLocalStorage<Scope>();

/** In a task handler: the part of the execution that the task belongs to. */
export function currentScope(): Scope {
  const scope = current.getStore();
  if (!scope) throw new Error('no execution is at work here');
  return scope;
}

/** Under this name a scope travels in the context object to nested runs. */
export const SCOPE = 'SandboxScope';

/** One per Map or branch that was given up: no further run of it may start. */
const abandoned = new WeakSet<StateMachine>();

const plainRun = Object.getOwnPropertyDescriptor(StateMachine.prototype, 'run')?.value as StateMachine['run'];

StateMachine.prototype.run = function run(input, options) {
  const parent = options?.context?.[SCOPE];
  if (!(parent instanceof Scope)) return plainRun.call(this, input, options);
  if (abandoned.has(this)) {
    return { abort: () => undefined, result: new Promise(() => undefined), eventLogs: noEvents() };
  }
  const scope = new Scope(parent);
  const nested = current.run(scope, () =>
    plainRun.call(this, input, { ...options, context: { ...options?.context, [SCOPE]: scope } }),
  );
  return {
    ...nested,
    abort: () => {
      abandoned.add(this);
      scope.abandon();
      nested.abort();
    },
  };
};

async function* noEvents(): ReturnType<StateMachine['run']>['eventLogs'] {
  // A run that never was.
}
