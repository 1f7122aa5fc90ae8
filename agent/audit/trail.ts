import { systemActor, type Actor } from '../base/actor.ts';
import type { AgentEvent, EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import type { JsonObject } from '../base/words.ts';
import type { RunRepository } from '../store/run-rows.ts';
import type { AuditLog } from './log.ts';

export interface TrailOptions {
  events: EventBus;
  audit: AuditLog;
  runs: Pick<RunRepository, 'setAuditHead'>;
  log: Logger;
  /** Who asks for the runs that say nothing of that themselves and belong to no task. Default: the agent. */
  by?: Actor;
}

/**
 * Writes the beginning and the end of each run into the audit log, whoever asked for it, and the log's head
 * into the run's record. Returns a function that ends it.
 */
export function auditRuns(options: TrailOptions): () => void {
  const { events, audit, runs, log } = options;
  const open = new Map<string, { by: Actor; facts: JsonObject; paused?: boolean }>();

  const follow = (event: AgentEvent): void => {
    switch (event.type) {
      case 'run.queued': {
        const by = event.by ?? taskActor(event.taskId) ?? options.by ?? systemActor;
        open.set(event.runId, { by, facts: {} });
        const head = audit.append(
          { by, action: 'run.start', target: `run/${event.runId}`, details: { script: event.scriptName } },
          { unhurried: true },
        );
        runs.setAuditHead(event.runId, head);
        break;
      }
      case 'run.started': {
        const run = open.get(event.runId);
        if (run) run.facts = { profile: event.profile, level: event.level.level };
        break;
      }
      case 'run.paused': {
        // Said again when it has come to a stand: that is no deed of anybody.
        const run = open.get(event.runId);
        if (!run || run.paused === true) break;
        run.paused = true;
        const details = { reason: event.reason };
        const head = audit.append({
          by: event.by,
          action: 'run.pause',
          target: `run/${event.runId}`,
          details,
        });
        runs.setAuditHead(event.runId, head);
        break;
      }
      case 'run.resumed': {
        const run = open.get(event.runId);
        if (run) run.paused = false;
        break;
      }
      case 'run.finished': {
        const { by, facts } = open.get(event.runId) ?? { by: systemActor, facts: {} };
        open.delete(event.runId);
        const head = audit.append({
          by,
          action: 'run.end',
          target: `run/${event.runId}`,
          result: event.state === 'succeeded' ? 'ok' : 'failed',
          details: {
            ...facts,
            state: event.state,
            ...(event.errorName === undefined ? {} : { error: event.errorName }),
            duration_ms: Math.round(event.durationMs),
          },
        });
        runs.setAuditHead(event.runId, head);
        break;
      }
      default:
        break;
    }
  };

  return events.on('audit trail', (event) => {
    try {
      follow(event);
    } catch (thrown) {
      // The bus reports a failing listener once a minute; here every missing row matters.
      log.error({ err: thrown, event: event.type }, 'the audit log could not be written');
    }
  });
}

function taskActor(taskId: string | undefined): Actor | undefined {
  return taskId === undefined ? undefined : { kind: 'task', id: taskId, from: 'step-functions' };
}
