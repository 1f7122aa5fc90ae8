/** What an event looks like to a client. */
import { z } from 'zod';
import { payloads, PRIORITIES, SOURCES, type PublishedType } from '../../journal/index.ts';
import { time } from '../shapes.ts';
import type { Lost } from './feed.ts';

function shapeOf<T extends PublishedType>(type: T) {
  return z.object({
    id: z.int().describe('Place in the stream: one more than that of the event before.'),
    type: z.literal(type),
    priority: z.enum(PRIORITIES),
    source: z.enum(SOURCES).describe('The part of the agent that it comes from.'),
    correlation_id: z.string().nullable().describe('Id of the run that it belongs to.'),
    time,
    payload: payloads[type],
  });
}

const [first, ...rest] = (Object.keys(payloads) as PublishedType[]).map(shapeOf);

export const eventSchema = z
  .discriminatedUnion('type', [first!, ...rest])
  .meta({ id: 'Event', description: 'Something that happened in the agent.' });

/** Types and globs; whether anything can match is for the caller to say. */
export const typePattern = z
  .string()
  .max(60)
  .regex(/^(?:\*|[a-z_]+\.(?:\*|[a-z_]+))$/);

/** More than there are types. */
export const MAX_PATTERNS = 40;
export const eventId = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** The only event that is made for one follower alone. It takes the id before the one that it goes on with. */
export function historyLost(lost: Lost): {
  id: number;
  type: 'agent.history_lost';
  priority: 'high';
  source: 'stream';
  correlation_id: null;
  time: string;
  payload: Lost;
} {
  return {
    id: lost.from_id - 1,
    type: 'agent.history_lost',
    priority: 'high',
    source: 'stream',
    correlation_id: null,
    time: new Date().toISOString(),
    payload: lost,
  };
}
