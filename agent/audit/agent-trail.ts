/** What the agent does by itself, in the audit log: starts, stops and removes old runs. */
import { systemActor } from '../base/actor.ts';
import { bestEffort } from '../base/best-effort.ts';
import type { Logger } from '../base/log.ts';
import type { JsonObject } from '../base/words.ts';
import type { AuditLog } from './log.ts';

/** Maximum number of removed runs listed in one entry. */
const LISTED_RUNS = 100;

export interface AgentTrailOptions {
  audit: AuditLog;
  /** Null: the agent serves its API alone. */
  activityArn: string | null;
  log: Logger;
}

interface RemovedRun {
  runId: string;
  reason: string;
  sizeBytes: number;
  isInS3: boolean;
}

export class AgentTrail {
  readonly #options: AgentTrailOptions;

  constructor(options: AgentTrailOptions) {
    this.#options = options;
  }

  started(worker: string): void {
    this.#append('agent.start', { worker });
  }

  stopped(reason: string): void {
    this.#append('agent.stop', { reason });
  }

  runsRemoved(removed: readonly RemovedRun[]): void {
    const runs = removed.slice(0, LISTED_RUNS).map(({ runId, reason, sizeBytes, isInS3 }) => ({
      run_id: runId,
      reason,
      size_bytes: sizeBytes,
      in_s3: isInS3,
    }));
    this.#append('runs.remove', { count: removed.length, runs });
  }

  #append(action: string, details: JsonObject): void {
    const { audit, activityArn, log } = this.#options;
    const target = activityArn === null ? 'api' : `activity/${activityArn}`;
    bestEffort(log, 'writing the audit log', () => {
      audit.append({ by: systemActor, action, target, details });
    });
  }
}
