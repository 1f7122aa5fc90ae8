import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import type { AwsService } from '../base/services.ts';
import type { ServiceHealth } from './resilience.ts';

/** Tells followers of every change, and the log once when a service is held back and once when it works again. */
export function announcing(events: EventBus, log: Logger): (health: ServiceHealth) => void {
  const held = new Map<AwsService, number>();
  return ({ service, state, since, lastError, failures }) => {
    const heldSince = held.get(service);
    if (state === 'open' && heldSince === undefined) {
      held.set(service, since);
      log.warn({ service, failures, lastError }, 'an AWS service keeps failing; it is asked less often');
    } else if (state === 'closed' && heldSince !== undefined) {
      held.delete(service);
      log.info({ service, durationMs: since - heldSince }, 'an AWS service works again');
    }
    events.emit({ type: 'agent.service', service, state, since, lastError });
  };
}
