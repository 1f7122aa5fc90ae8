/**
 * Writes down how each poll was answered. `doctor` reads it, because a poll of its own could take a task away
 * from the agent.
 */
import { ServiceUnavailable } from '../aws/resilience.ts';
import { bestEffort } from '../base/best-effort.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import type { JsonObject } from '../base/words.ts';
import { AgentStateStore, LAST_POLL_KEY, type LastPoll } from '../store/agent-state.ts';
import type { Database } from '../store/database.ts';
import type { ActivityService } from './service.ts';

export function noteLastPoll(
  service: ActivityService,
  { db, clock, log, events }: { db: Database; clock: Clock; log: Logger; events: EventBus },
): ActivityService {
  const state = new AgentStateStore(db);
  const write = (answer: LastPoll): void => {
    // A poll is never aborted: its answer may arrive after the agent has closed the database.
    if (!db.open) return;
    bestEffort(log, 'noting the last poll', () => {
      state.set(LAST_POLL_KEY, { ...answer } as JsonObject, clock.now());
    });
  };
  return {
    ...service,
    getActivityTask: async (request) => {
      const { activityArn } = request;
      try {
        const task = await service.getActivityTask(request);
        write({ activityArn, ok: true });
        events.emit({ type: 'poll.answered', outcome: task === null ? 'empty' : 'task' });
        return task;
      } catch (thrown) {
        // The circuit breaker refused the call: the service was not asked, so it answered nothing.
        if (thrown instanceof ServiceUnavailable) throw thrown;
        const code = thrown instanceof Error ? thrown.name : 'unknown';
        write({ activityArn, ok: false, code, message: messageOf(thrown) });
        events.emit({ type: 'poll.answered', outcome: 'failed' });
        throw thrown;
      }
    },
  };
}
