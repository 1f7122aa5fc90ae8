/**
 * Runs a compiled state machine: joins the interpreter to activity tasks and turns its events into the
 * service's execution history.
 */
import { ExecutionTimeoutError, StateMachine } from 'aws-local-stepfunctions';
import { messageOf } from '../../base/errors.ts';
import type { ActivityTasks, TaskEnd } from './activities.ts';
import type { CompiledMachine } from './definition.ts';
import { eventOf, type HistoryEventDetails } from './history.ts';
import type { ActivityTaskState, TaskEnvelope } from './rewrite.ts';
import { currentScope, Scope, SCOPE } from './scope.ts';

/** Input, output and every state's data, as UTF-8. */
export const MAX_PAYLOAD_BYTES = 262_144;

export type RunEnd =
  | { status: 'SUCCEEDED'; output: string }
  | { status: 'FAILED'; error: string; cause: string }
  | { status: 'TIMED_OUT' }
  | { status: 'ABORTED'; error?: string; cause?: string };

export interface RunOptions {
  compiled: CompiledMachine;
  input: unknown;
  /** The context object's Execution and StateMachine. */
  context: { Execution: Record<string, unknown>; StateMachine: Record<string, unknown> };
  tasks: ActivityTasks;
  /** Whether an activity exists: a task for one that does not fails. */
  hasActivity(arn: string): boolean;
  onEvent(event: HistoryEventDetails): void;
  /** Called once. */
  onEnd(end: RunEnd): void;
}

/** Starts a run; the function returned stops it. */
export function startRun(options: RunOptions): { stop(end: RunEnd): void } {
  let ended = false;
  const whole = new Scope();

  const end = (how: RunEnd): void => {
    if (ended) return;
    ended = true;
    whole.abandon();
    execution.abort();
    options.onEnd(how);
  };

  const handlers = Object.fromEntries(
    options.compiled.tasks.map((state) => [
      state.name,
      async (given: unknown): Promise<never> => {
        await eventsSeen();
        const envelope = state.hasEnvelope ? (given as TaskEnvelope) : { payload: given };
        // The interpreter's own JSON type is not exported; what a task gives is parsed JSON.
        return (await performTask(state, envelope, options)) as never;
      },
    ]),
  );
  const execution = options.compiled.machine.run(options.input as never, {
    overrides: { taskResourceLocalHandlers: handlers },
    context: {
      ...options.context,
      Run: options.context.Execution,
      [SCOPE]: whole,
      State: {
        get EnteredTime(): string {
          return new Date().toISOString();
        },
      },
    } as never,
  });

  const follow = async (): Promise<void> => {
    for await (const event of execution.eventLogs) {
      if (ended) return;
      const translated = eventOf(event);
      if (translated) options.onEvent(translated);
      if (event.type === 'StateExited' && tooLarge(JSON.stringify(event.state.output ?? null))) {
        end({ status: 'FAILED', ...dataLimit(`state '${event.state.name}'`) });
      }
    }
  };
  const run = async (): Promise<void> => {
    const following = follow().catch((thrown: unknown) => end(failureOf(thrown)));
    try {
      const output = (await execution.result) as unknown;
      await following;
      end({ status: 'SUCCEEDED', output: JSON.stringify(output ?? null) });
    } catch (thrown) {
      // The interpreter does not end its log when it fails before the first state, as it does on input
      // that it cannot copy; what is in the log by now has been followed in a moment.
      await Promise.race([following, eventsSeen()]);
      end(thrown instanceof ExecutionTimeoutError ? { status: 'TIMED_OUT' } : failureOf(thrown));
    }
  };
  run().catch((thrown: unknown) => end(failureOf(thrown)));
  return { stop: end };
}

async function performTask(
  state: ActivityTaskState,
  envelope: TaskEnvelope,
  options: RunOptions,
): Promise<unknown> {
  const { signal } = currentScope();
  // Abandoned: the interpreter no longer waits for what is returned here.
  if (signal.aborted) return new Promise(() => undefined);
  const input = JSON.stringify(envelope.payload ?? null);
  if (tooLarge(input)) throw taskError(state, dataLimit(`the input of state '${state.name}'`));
  if (!options.hasActivity(state.activityArn)) {
    const cause = `The activity ${state.activityArn} does not exist`;
    options.onEvent({
      type: 'ActivityScheduleFailed',
      details: ['activityScheduleFailedEventDetails', { error: 'ActivityDoesNotExist', cause }],
    });
    throw taskError(state, { error: 'ActivityDoesNotExist', cause });
  }
  const timeoutSeconds = limitOf(envelope.timeoutSeconds, 'TimeoutSecondsPath') ?? state.timeoutSeconds;
  const heartbeatSeconds =
    limitOf(envelope.heartbeatSeconds, 'HeartbeatSecondsPath') ?? state.heartbeatSeconds;
  options.onEvent({
    type: 'ActivityScheduled',
    details: [
      'activityScheduledEventDetails',
      {
        resource: state.activityArn,
        input,
        inputDetails: { truncated: false },
        timeoutInSeconds: timeoutSeconds,
        heartbeatInSeconds: heartbeatSeconds,
      },
    ],
  });
  const { promise, resolve } = Promise.withResolvers<TaskEnd>();
  const task = options.tasks.schedule({
    activityArn: state.activityArn,
    input,
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(heartbeatSeconds === undefined ? {} : { heartbeatSeconds }),
    onStarted: (workerName) =>
      options.onEvent({ type: 'ActivityStarted', details: ['activityStartedEventDetails', { workerName }] }),
    onEnd: resolve,
  });
  const drop = (): void => task.drop();
  signal.addEventListener('abort', drop, { once: true });
  const end = await promise;
  signal.removeEventListener('abort', drop);
  switch (end.kind) {
    case 'succeeded':
      options.onEvent({
        type: 'ActivitySucceeded',
        details: [
          'activitySucceededEventDetails',
          { output: end.output, outputDetails: { truncated: false } },
        ],
      });
      if (tooLarge(end.output)) throw taskError(state, dataLimit(`the result of state '${state.name}'`));
      return JSON.parse(end.output) as unknown;
    case 'failed': {
      const { error = '', cause = '' } = end;
      options.onEvent({ type: 'ActivityFailed', details: ['activityFailedEventDetails', { error, cause }] });
      throw taskError(state, { error, cause });
    }
    case 'timed-out':
      options.onEvent({
        type: 'ActivityTimedOut',
        details: ['activityTimedOutEventDetails', { error: end.error }],
      });
      if (end.error === 'States.Timeout') throw await timeoutError();
      throw taskError(state, { error: end.error, cause: '' });
  }
}

/**
 * An error the interpreter matches by name. States.ALL does not match States.DataLimitExceeded, and since
 * States.ALL must come last, only a rule that names it can be meant to.
 */
function taskError(state: ActivityTaskState, { error, cause }: { error: string; cause: string }): Error {
  const matchable = error !== 'States.DataLimitExceeded' || state.handlesDataLimit;
  return Object.assign(new Error(cause), { name: error, isRetryable: matchable, isCatchable: matchable });
}

/**
 * States.Timeout in the interpreter's own class, which States.TaskFailed does not match. The class is not
 * exported, so one is provoked.
 */
async function timeoutError(): Promise<Error> {
  timeoutClass ??= provokeTimeout();
  const Timeout = await timeoutClass;
  const error = new Timeout();
  error.message = '';
  return error;
}

let timeoutClass: Promise<new () => Error> | undefined;

async function provokeTimeout(): Promise<new () => Error> {
  const machine = new StateMachine(
    {
      StartAt: 'Never',
      States: { Never: { Type: 'Task', Resource: 'never', TimeoutSeconds: 0.001, End: true } },
    },
    { validationOptions: { noValidate: true } },
  );
  const never = new Promise<never>(() => undefined);
  const { result } = machine.run(null, { overrides: { taskResourceLocalHandlers: { Never: () => never } } });
  try {
    await result;
  } catch (thrown) {
    return (thrown as { cause: Error }).cause.constructor as new () => Error;
  }
  throw new Error('A task without an end did not time out');
}

function limitOf(value: unknown, field: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw Object.assign(new Error(`${field} must point to a positive integer, not ${JSON.stringify(value)}`), {
    name: 'States.Runtime',
    isRetryable: false,
    isCatchable: false,
  });
}

/** Names of JavaScript's own errors: what the service would call States.Runtime. */
const NATIVE_ERRORS = new Set(['Error', 'TypeError', 'SyntaxError', 'RangeError', 'ReferenceError']);

function failureOf(thrown: unknown): RunEnd {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const name = cause instanceof Error ? cause.name : 'States.Runtime';
  if (cause instanceof RangeError && cause.message.includes('call stack')) {
    // The service documents no limit of its own but the size; ours is the stack.
    return {
      status: 'FAILED',
      error: 'States.Runtime',
      cause: 'The data is nested too deep for the sandbox',
    };
  }
  return {
    status: 'FAILED',
    error: NATIVE_ERRORS.has(name) ? 'States.Runtime' : name,
    cause: cause instanceof Error ? cause.message : messageOf(cause),
  };
}

function dataLimit(what: string): { error: string; cause: string } {
  return {
    error: 'States.DataLimitExceeded',
    cause: `The data of ${what} exceeds the maximum of ${MAX_PAYLOAD_BYTES} bytes`,
  };
}

function tooLarge(json: string): boolean {
  return Buffer.byteLength(json) > MAX_PAYLOAD_BYTES;
}

/** The interpreter's events arrive through microtasks: this lets those before a task come first. */
function eventsSeen(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
