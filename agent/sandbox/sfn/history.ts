/** The interpreter's events in the words of GetExecutionHistory. */
import type { StateMachine } from 'aws-local-stepfunctions';

type InterpreterEvent =
  ReturnType<StateMachine['run']>['eventLogs'] extends AsyncGenerator<infer E> ? E : never;

export interface HistoryEventDetails {
  type: string;
  /** The name of the event's details member, and its content. */
  details?: [name: string, content: Record<string, unknown>];
}

export interface HistoryEvent {
  id: number;
  previousEventId: number;
  /** Seconds since the epoch. */
  timestamp: number;
  type: string;
  [details: string]: unknown;
}

/** The service ends an execution whose history grows longer. */
export const MAX_HISTORY_EVENTS = 25_000;

/** The history event for an event of the interpreter; `undefined` where the service has none of its own. */
export function eventOf(event: InterpreterEvent): HistoryEventDetails | undefined {
  switch (event.type) {
    case 'StateEntered':
      return {
        type: `${event.state.type}StateEntered`,
        details: [
          'stateEnteredEventDetails',
          {
            name: event.state.name,
            input: JSON.stringify(event.state.input ?? null),
            inputDetails: { truncated: false },
          },
        ],
      };
    case 'StateExited':
      // A Fail state has no exit in the service's history.
      if (event.state.type === 'Fail') return undefined;
      return {
        type: `${event.state.type}StateExited`,
        details: [
          'stateExitedEventDetails',
          {
            name: event.state.name,
            output: JSON.stringify(event.state.output ?? null),
            outputDetails: { truncated: false },
          },
        ],
      };
    case 'StateFailed':
      return event.state.type === 'Map' || event.state.type === 'Parallel'
        ? { type: `${event.state.type}StateFailed` }
        : undefined;
    case 'MapIterationStarted':
    case 'MapIterationSucceeded':
    case 'MapIterationFailed':
      return {
        type: event.type,
        details: [
          `mapIteration${event.type.slice('MapIteration'.length)}EventDetails`,
          { name: event.parentState.name, index: event.index },
        ],
      };
    // Start and end of the execution are recorded by whoever starts and ends it; tasks record themselves.
    case 'ExecutionStarted':
    case 'ExecutionSucceeded':
    case 'ExecutionFailed':
    case 'ExecutionAborted':
    case 'ExecutionTimeout':
    case 'StateRetried':
    case 'StateCaught':
    case 'ParallelBranchStarted':
    case 'ParallelBranchSucceeded':
    case 'ParallelBranchFailed':
      return undefined;
  }
}
