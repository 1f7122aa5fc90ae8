/** What happens in the agent, as it happens and as it happened: one ordered stream, three ways to read it. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { WebSocketServer } from 'ws';
import { z } from 'zod';
import { PRIORITIES, wireEvent, type WireEvent } from '../../journal/index.ts';
import { EventCursor, matcher, unknownType, type EventFilter } from '../events/cursor.ts';
import { clientMessage, PROTOCOL, serverMessage } from '../events/messages.ts';
import { eventSchema, MAX_PATTERNS, typePattern } from '../events/shapes.ts';
import { EventSocket, MAX_MESSAGE_BYTES } from '../events/socket.ts';
import { EventStream } from '../events/sse.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { cursor, decodeCursor, encodeCursor, limit, page, runId } from '../shapes.ts';
import { becomeWebSocket } from '../upgrades.ts';

const tags = ['events'];

/** History is looked through in pieces of so many rows, so that other requests come in between. */
const PIECE_ROWS = 500;

/** Where the document describes what goes over the socket. */
const MESSAGES = {
  client: { $ref: `#/components/schemas/${idOf(clientMessage)}` },
  server: { $ref: `#/components/schemas/${idOf(serverMessage)}` },
};

const filterShape = {
  types: z
    .string()
    .min(1)
    .max(1_000)
    .describe('Types and globs with commas between: `run.*,step.finished`. Default: all.')
    .optional(),
  run_id: runId.optional(),
  min_priority: z.enum(PRIORITIES).optional(),
};

const followQuery = z.object({
  ...filterShape,
  after: z.coerce
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe(
      'The last id that the client has; 0: all that history holds. `Last-Event-ID` is stronger. Default: only what comes from now on.',
    ),
});

const historyQuery = z.object({
  ...filterShape,
  order: z.enum(['newest_first', 'oldest_first']).default('newest_first'),
  cursor: cursor.optional(),
  limit,
});

const historySchema = page(eventSchema).extend({
  newest_id: z
    .int()
    .describe('The last id that was given when this was asked for: `after` to follow what comes behind it.'),
});

export function eventRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const { feed, journal, limits, clock } = ports;
  return async (app) => {
    app.get(
      '/events',
      {
        config: { scope: 'read', isStream: true },
        exposeHeadRoute: false,
        schema: {
          operationId: 'followEvents',
          summary: 'Events as they happen, as server-sent events',
          description:
            'Each frame has `id`, `event` (the type) and `data` (an `Event`). With `Last-Event-ID` it goes on behind that id, from history; when history does not reach back so far, the first event is `agent.history_lost`. A comment every 15 s shows that it lives.',
          tags,
          querystring: followQuery,
          response: answers({
            200: {
              description: 'A stream that ends when the client, the agent or the key does.',
              content: { 'text/event-stream': { schema: z.string() } },
            },
          }),
        },
      },
      async (request, reply) => {
        const caller = callerOf(request);
        const after = lastEventId(request) ?? request.query.after;
        const filter = filterOf(request.query);
        feed.admit(caller);
        const stream = new EventStream({
          cursor: new EventCursor(feed, filter, after),
          clock,
          wake: (follower) => feed.wake(follower),
        });
        stream.once('close', feed.follow(stream, caller));
        return reply
          .headers({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
          .send(stream as never);
      },
    );

    app.get(
      '/events/history',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listEvents',
          summary: 'Events of the past, page by page',
          tags,
          querystring: historyQuery,
          response: answers({ 200: historySchema }),
        },
      },
      async ({ query }, reply) => {
        const place = query.cursor === undefined ? undefined : decodeCursor(query.cursor, place_);
        const { newest } = journal.store.bounds();
        const found = await search(journal.store, { ...query, filter: filterOf(query), place });
        const shown = found.slice(0, query.limit);
        const last = shown.at(-1);
        const next = found.length > query.limit && last ? encodeCursor(String(last.id)) : null;
        // JSON already: it goes out as it is.
        const text = `{"items":[${shown.map(({ json }) => json).join(',')}],"next_cursor":${JSON.stringify(next)},"newest_id":${newest}}`;
        return reply.header('content-type', 'application/json; charset=utf-8').send(text as never);
      },
    );

    app.get(
      '/events/ws',
      {
        config: { scope: 'read', isStream: true, keyInProtocol: true },
        exposeHeadRoute: false,
        schema: {
          operationId: 'openEventSocket',
          summary: 'Events over a WebSocket: subscribe, filter, acknowledge',
          description: `Subprotocol \`${PROTOCOL}\`. A browser, which cannot send \`Authorization\`, offers its key as a second subprotocol \`bearer.<key>\`. Messages are JSON texts: the client sends \`EventsClientMessage\`, the agent \`EventsServerMessage\`.`,
          tags,
          response: answers(
            { 101: z.undefined().describe(`The connection speaks \`${PROTOCOL}\` from now on.`) },
            426,
          ),
          'x-messages': MESSAGES,
        },
      },
      async (request, reply) => {
        const caller = callerOf(request);
        const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/).filter(Boolean);
        if (protocols.length > 0 && !protocols.includes(PROTOCOL)) {
          throw new ApiError(400, 'BrowserAgent.InvalidInput', `The subprotocol is ${PROTOCOL}.`);
        }
        feed.admit(caller);
        return becomeWebSocket(request, reply, {
          server: await socketServer(),
          hint: 'GET /api/v1/events has the same events over plain HTTP.',
          onOpen: (ws, socket) => {
            const connection = { caller, ws, socket };
            void new EventSocket({ feed, store: journal.store, limits, clock }, connection);
          },
        });
      },
    );
  };
}

function idOf(schema: z.ZodType): string {
  return schema.meta()?.id ?? '';
}

const place_ = z.coerce.number().int().min(0);

let made: Promise<WebSocketServer> | undefined;

/** Loaded with the first socket: an agent that nobody follows does not carry it. */
async function socketServer(): Promise<WebSocketServer> {
  made ??= import('ws').then(
    ({ WebSocketServer: Server }) =>
      new Server({
        noServer: true,
        clientTracking: false,
        // Events are small and mostly stay on this machine: compression would cost more than it saves.
        perMessageDeflate: false,
        maxPayload: MAX_MESSAGE_BYTES,
        handleProtocols: (protocols) => (protocols.has(PROTOCOL) ? PROTOCOL : false),
      }),
  );
  return made;
}

function callerOf({ caller }: FastifyRequest): NonNullable<FastifyRequest['caller']> {
  if (!caller) throw new Error('a route with a scope has a caller');
  return caller;
}

/** @throws ApiError 400 for a type that no event has */
function filterOf(query: z.infer<z.ZodObject<typeof filterShape>>): EventFilter {
  const types = query.types?.split(',');
  const parsed = z.array(typePattern).max(MAX_PATTERNS).optional().safeParse(types);
  const unknown = parsed.success ? unknownType(parsed.data ?? []) : query.types;
  if (unknown !== undefined) {
    throw new ApiError(400, 'BrowserAgent.InvalidInput', `No event has the type "${unknown}".`, {
      hint: 'Types are listed in docs/api.md; globs are * and e.g. run.*.',
    });
  }
  return { types: parsed.data, runId: query.run_id, minPriority: query.min_priority };
}

/** @throws ApiError 400 when it is no id of ours; undefined when it is not there */
function lastEventId({ headers }: FastifyRequest): number | undefined {
  const given = headers['last-event-id'];
  if (given === undefined || given === '') return undefined;
  const id = typeof given === 'string' && /^\d{1,16}$/.test(given) ? Number(given) : Number.NaN;
  if (Number.isSafeInteger(id)) return id;
  throw new ApiError(400, 'BrowserAgent.InvalidInput', 'Last-Event-ID is not an id of an event.');
}

interface Search {
  filter: EventFilter;
  order: z.infer<typeof historyQuery>['order'];
  place: number | undefined;
  limit: number;
}

/** One more than asked for, which says whether there is a next page. */
async function search(
  store: ApiPorts['journal']['store'],
  { filter, order, place, limit }: Search,
): Promise<WireEvent[]> {
  const matches = matcher(filter);
  const found: WireEvent[] = [];
  const isBack = order === 'newest_first';
  let from = place ?? (isBack ? Number.MAX_SAFE_INTEGER : 0);
  for (;;) {
    const rows = isBack ? store.before(from, PIECE_ROWS) : store.after(from, PIECE_ROWS);
    for (const event of rows.map(wireEvent)) {
      if (matches(event)) found.push(event);
      if (found.length > limit) return found;
    }
    const last = rows.at(-1);
    if (rows.length < PIECE_ROWS || !last) return found;
    from = last.id;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
