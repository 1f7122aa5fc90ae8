/** The messages of the event socket, both ways: JSON texts. */
import { z } from 'zod';
import { PRIORITIES } from '../../journal/index.ts';
import { problemSchema } from '../problem.ts';
import { runId } from '../shapes.ts';
import { eventId, eventSchema, MAX_PATTERNS, typePattern } from './shapes.ts';

/** The subprotocol that both sides speak. */
export const PROTOCOL = 'lba.events.v1';

/** The client's own name for a subscription or consumer. */
const name = z.string().min(1).max(100);

export const clientMessage = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('subscribe'),
      id: name.describe('Names the subscription; one of the same name is replaced.'),
      types: z.array(typePattern).min(1).max(MAX_PATTERNS).optional(),
      run_id: runId.optional(),
      min_priority: z.enum(PRIORITIES).optional(),
      after: eventId
        .optional()
        .describe(
          'The last id that the client has; 0: all that history holds. Default: where `consumer` is, else only what comes from now on.',
        ),
      consumer: name.optional().describe('Goes on behind what this consumer has acknowledged.'),
    }),
    z.strictObject({ type: z.literal('unsubscribe'), id: name }),
    z.strictObject({
      type: z.literal('acknowledge'),
      consumer: name,
      event_id: eventId.describe('This event and all before it are done with.'),
    }),
    z.strictObject({ type: z.literal('ping') }),
  ])
  .meta({ id: 'EventsClientMessage' });

export type ClientMessage = z.infer<typeof clientMessage>;

const lost = { after: z.int(), from_id: z.int() };

export const serverMessage = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('subscribed'), id: name, position: eventId }),
    z.object({ type: z.literal('unsubscribed'), id: name }),
    z.object({ type: z.literal('event'), id: name, event: eventSchema }),
    z
      .object({ type: z.literal('history_lost'), id: name, ...lost })
      .describe('What lies between is lost; it goes on with `from_id`.'),
    z
      .object({ type: z.literal('position'), id: name, position: eventId })
      .describe('Everything up to here was sent or does not match: now and then, when it moved.'),
    z.object({ type: z.literal('acknowledged'), consumer: name, event_id: eventId }),
    z.object({ type: z.literal('pong') }),
    z.object({
      type: z.literal('error'),
      id: name.optional().describe('The subscription that the message was about.'),
      error: z.string(),
      detail: z.string(),
      hint: z.string().optional(),
      problems: problemSchema.shape.problems,
    }),
  ])
  .meta({ id: 'EventsServerMessage' });

export type ServerMessage = z.infer<typeof serverMessage>;
