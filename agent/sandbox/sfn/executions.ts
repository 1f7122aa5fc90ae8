/** Executions: started, followed, ended and kept, each with its history. */
import { randomUUID } from 'node:crypto';
import { ServiceError } from '../errors.ts';
import { seconds } from '../operation.ts';
import type { Collection } from '../records.ts';
import type { ActivityTasks } from './activities.ts';
import { compileDefinition } from './definition.ts';
import { MAX_HISTORY_EVENTS, type HistoryEvent, type HistoryEventDetails } from './history.ts';
import { startRun, type RunEnd } from './interpreter.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

export interface Execution {
  executionArn: string;
  stateMachineArn: string;
  name: string;
  status: ExecutionStatus;
  /** Seconds since the epoch. */
  startDate: number;
  stopDate?: number;
  input: string;
  output?: string;
  error?: string;
  cause?: string;
  history: HistoryEvent[];
}

export interface StateMachineRecord {
  stateMachineArn: string;
  name: string;
  definition: string;
  roleArn: string;
  type: 'STANDARD';
  creationDate: number;
  updateDate: number;
  revisionId: string;
  tags: Record<string, string>;
}

type Listener = (execution: Execution) => void;

export class Executions {
  readonly #records: Collection<Execution>;
  readonly #tasks: ActivityTasks;
  readonly #hasActivity: (arn: string) => boolean;
  readonly #running = new Map<string, (end: RunEnd) => void>();
  readonly #listeners = new Set<Listener>();

  constructor(records: Collection<Execution>, tasks: ActivityTasks, hasActivity: (arn: string) => boolean) {
    this.#records = records;
    this.#tasks = tasks;
    this.#hasActivity = hasActivity;
    // The interpreter's state is gone with the process that ran it.
    for (const execution of records.all()) {
      if (execution.status === 'RUNNING') {
        this.#finish(execution, {
          status: 'ABORTED',
          error: 'Sandbox.Stopped',
          cause: 'The sandbox ended while this execution was running',
        });
      }
    }
  }

  get(arn: string): Execution {
    const execution = this.#records.get(arn);
    if (!execution) {
      throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    }
    return execution;
  }

  /** Newest first, as the service lists them. */
  list(stateMachineArn: string, status?: ExecutionStatus): Execution[] {
    return this.#records
      .all()
      .filter(
        (execution) =>
          execution.stateMachineArn === stateMachineArn && (!status || execution.status === status),
      )
      .toReversed();
  }

  start(machine: StateMachineRecord, name: string, input: string): Execution {
    const executionArn = `${machine.stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    const existing = this.#records.get(executionArn);
    if (existing) {
      if (existing.status === 'RUNNING' && existing.input === input) return existing;
      throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
    }
    const startDate = seconds(Date.now());
    const execution: Execution = {
      executionArn,
      stateMachineArn: machine.stateMachineArn,
      name,
      status: 'RUNNING',
      startDate,
      input,
      history: [],
    };
    this.#records.put(executionArn, execution);
    this.#record(execution, {
      type: 'ExecutionStarted',
      details: [
        'executionStartedEventDetails',
        { input, inputDetails: { truncated: false }, roleArn: machine.roleArn },
      ],
    });
    const parsedInput: unknown = JSON.parse(input);
    const run = startRun({
      compiled: compileDefinition(machine.definition),
      input: parsedInput,
      context: {
        Execution: {
          Id: executionArn,
          Name: name,
          RoleArn: machine.roleArn,
          Input: parsedInput,
          StartTime: new Date(startDate * 1000).toISOString(),
        },
        StateMachine: { Id: machine.stateMachineArn, Name: machine.name },
      },
      tasks: this.#tasks,
      hasActivity: this.#hasActivity,
      onEvent: (event) => this.#record(execution, event),
      onEnd: (end) => this.#finish(execution, end),
    });
    this.#running.set(executionArn, (end) => run.stop(end));
    return execution;
  }

  stop(arn: string, end: RunEnd): Execution {
    const execution = this.get(arn);
    this.#running.get(arn)?.(end);
    return execution;
  }

  /** Resolves when the execution is over; for tests and demonstrations, which would otherwise have to ask again and again. */
  async ended(arn: string, signal?: AbortSignal): Promise<Execution> {
    const execution = this.get(arn);
    if (execution.status !== 'RUNNING') return execution;
    const { promise, resolve, reject } = Promise.withResolvers<Execution>();
    const listener: Listener = (other) => {
      if (other === execution) resolve(execution);
    };
    const onAbort = (): void => reject(signal?.reason as Error);
    this.#listeners.add(listener);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    try {
      return await promise;
    } finally {
      this.#listeners.delete(listener);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    for (const stop of this.#running.values()) {
      stop({ status: 'ABORTED', error: 'Sandbox.Stopped', cause: 'The sandbox was stopped' });
    }
  }

  #record(execution: Execution, event: HistoryEventDetails): void {
    if (execution.status !== 'RUNNING') return;
    append(execution, event);
    if (execution.history.length >= MAX_HISTORY_EVENTS) {
      this.#running.get(execution.executionArn)?.({
        status: 'FAILED',
        error: 'States.Runtime',
        cause: `The execution reached the maximum number of history events (${MAX_HISTORY_EVENTS})`,
      });
    }
  }

  #finish(execution: Execution, end: RunEnd): void {
    this.#running.delete(execution.executionArn);
    append(execution, endEvent(end));
    execution.status = end.status;
    execution.stopDate = seconds(Date.now());
    if (end.status === 'SUCCEEDED') {
      execution.output = end.output;
    } else if (end.status !== 'TIMED_OUT') {
      if (end.error !== undefined) execution.error = end.error;
      if (end.cause !== undefined) execution.cause = end.cause;
    } else {
      execution.error = 'States.Timeout';
    }
    this.#records.put(execution.executionArn, execution);
    for (const listener of this.#listeners) listener(execution);
  }
}

/** A name for an execution that was started without one. */
export function newExecutionName(): string {
  return randomUUID();
}

function append(execution: Execution, event: HistoryEventDetails): void {
  const id = execution.history.length + 1;
  execution.history.push({
    id,
    previousEventId: id - 1,
    timestamp: seconds(Date.now()),
    type: event.type,
    ...(event.details ? { [event.details[0]]: event.details[1] } : {}),
  });
}

function endEvent(end: RunEnd): HistoryEventDetails {
  switch (end.status) {
    case 'SUCCEEDED':
      return {
        type: 'ExecutionSucceeded',
        details: [
          'executionSucceededEventDetails',
          { output: end.output, outputDetails: { truncated: false } },
        ],
      };
    case 'FAILED':
      return {
        type: 'ExecutionFailed',
        details: ['executionFailedEventDetails', { error: end.error, cause: end.cause }],
      };
    case 'TIMED_OUT':
      return {
        type: 'ExecutionTimedOut',
        details: ['executionTimedOutEventDetails', { error: 'States.Timeout' }],
      };
    case 'ABORTED':
      return {
        type: 'ExecutionAborted',
        details: ['executionAbortedEventDetails', { error: end.error, cause: end.cause }],
      };
  }
}
