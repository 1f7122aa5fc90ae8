/** What a worker is made of, how it says how it is, and how it ended. */
import type { Clock } from '../base/clock.ts';
import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import type { RunExecutor } from '../runs/types.ts';
import type { Database } from '../store/database.ts';
import type { OutboxStatus } from './outbox.ts';
import type { PollStatus } from './poll-loop.ts';
import type { RunJournal } from './recovery.ts';
import type { Offload } from './report.ts';
import type { ActivityService } from './service.ts';
import type { TaskView } from './task-runner.ts';
import type { WorkerState } from './worker-state.ts';

export interface WorkerOptions {
  db: Database;
  service: ActivityService;
  executor: RunExecutor;
  journal: RunJournal;
  /** Absent: no bucket is configured, and an output above the limit fails the task. */
  offload?: Offload;
  activityArn: string;
  /** Any text; it is made into what Step Functions accepts. */
  workerName: string;
  /** Tasks at once; default 1. */
  concurrency?: number;
  /** Default 20,000. Must be well below the state machine's HeartbeatSeconds. */
  heartbeatMs?: number;
  /** Without an accepted heartbeat for this long, the lease is lost; default three heartbeats. */
  leaseMs?: number;
  /** Ends after one task. */
  once?: boolean;
  events: EventBus;
  log: Logger;
  clock?: Clock;
  /** 0 (incl.) to 1 (excl.). */
  random?: () => number;
}

/** How a worker ended. */
export interface WorkerEnd {
  reason: 'drained' | 'stopped' | 'failed';
  /** With `failed`: the first thing that went wrong in the worker itself. */
  error?: Error;
  /** A poll was still open: end the process, nobody listens to it any more. */
  pollLeftOpen: boolean;
  /** Runs that had not ended in time; the next start reports them as interrupted. */
  runsLeft: number;
  /** Reports that wait on disk for the next start. */
  reportsLeft: number;
  counts: WorkerCounts;
}

export interface WorkerCounts {
  received: number;
  succeeded: number;
  failed: number;
  lost: number;
  refused: number;
}

export interface WorkerStatus {
  state: WorkerState;
  activityArn: string;
  workerName: string;
  concurrency: number;
  startedAt: number | null;
  poll: PollStatus;
  tasks: TaskView[];
  outbox: OutboxStatus;
  counts: WorkerCounts;
}
