/** Sessions: a browser that stays open, and messages that become runs in it, one after the other. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { JsonObject } from '../../base/words.ts';
import { MAX_QUEUED_MESSAGES } from '../../runs/browser-sessions.ts';
import {
  MESSAGE_STATES,
  SESSION_ENDS,
  SESSION_STATES,
  type MessageRow,
  type SessionRow,
} from '../../store/sessions.ts';
import { actorOf } from '../audit.ts';
import { mayDo } from '../keys.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { scriptInput } from '../script-input.ts';
import { checkDepth, cursor, decodeCursor, isoTime, level, limit, page, pageOf, time } from '../shapes.ts';

const tags = ['sessions'];

/** What somebody is told to wait who finds everything taken, in seconds. */
const FULL_RETRY_SECONDS = 10;
/** A request that waits holds a connection: no longer than what proxies let pass. */
const MAX_WAIT_SECONDS = 60;

const sessionId = z.uuid().describe('Id of a session; sorts by time.');
const messageId = z.uuid().describe('Id of a message; sorts by time.');

const sessionSchema = z
  .object({
    session_id: z.string(),
    state: z.enum(SESSION_STATES),
    ended: z
      .object({ reason: z.enum(SESSION_ENDS), detail: z.string(), at: time })
      .nullable()
      .describe('Why and when it ended.'),
    profile: z.string().nullable().describe('Null: a temporary one.'),
    headed: z.boolean(),
    level: level
      .nullable()
      .describe('Null: each message has the level that its script and the settings say.'),
    idle_timeout_seconds: z.number(),
    key: z.object({ id: z.string(), name: z.string() }).describe('Who opened it.'),
    created_at: time,
    last_used_at: time,
  })
  .meta({ id: 'Session' });

const messageSchema = z
  .object({
    message_id: z.string(),
    session_id: z.string(),
    script_name: z.string(),
    state: z.enum(MESSAGE_STATES),
    run_id: z.string().nullable().describe('The run that it became; null before it begins.'),
    error: z.object({ name: z.string(), message: z.string() }).nullable(),
    created_at: time,
    started_at: time.nullable(),
    ended_at: time.nullable(),
  })
  .meta({ id: 'SessionMessage' });

const messageDetailSchema = messageSchema
  .extend({
    result: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe('Of its run, as the script format documents it.'),
  })
  .meta({ id: 'SessionMessageDetail' });

const openSchema = z
  .strictObject({
    profile: z.string().min(1).max(64).optional().describe('Absent: a temporary one.'),
    headed: z.boolean().optional().describe('Show the window of the browser.'),
    level: level.optional().describe('Recording level of every message.'),
    variables: z.record(z.string(), z.unknown()).optional().describe('For every message.'),
    idle_timeout_seconds: z
      .int()
      .min(1)
      .max(86_400)
      .optional()
      .describe('It ends when it had nothing to do for so long. Absent: as `api.session_idle_seconds` says.'),
  })
  .meta({ id: 'OpenSession' });

const messageBodySchema = z
  .strictObject({
    script: z
      .union([z.string().min(1).max(200), z.record(z.string(), z.unknown())])
      .optional()
      .describe('A script, or the name of a stored one.'),
    step: z.record(z.string(), z.unknown()).optional().describe('One step, instead of a script.'),
    variables: z.record(z.string(), z.unknown()).optional(),
  })
  .refine(({ script, step }) => (script === undefined) !== (step === undefined), {
    message: 'either "script" or "step"',
  })
  .meta({ id: 'SendMessage' });

const inSession = z.object({ session_id: sessionId });

export function sessionRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const { sessions, config } = ports;
  const { store } = sessions;
  return async (app) => {
    const unsubscribe = ports.keys.onRevoked((keyId) => {
      sessions.endOfKey(keyId).catch((thrown: unknown) => {
        ports.log.warn({ err: thrown, keyId }, 'the sessions of a revoked key could not be ended');
      });
    });
    app.addHook('onClose', async () => {
      unsubscribe();
    });
    app.post(
      '/sessions',
      {
        config: { scope: 'run' },
        schema: {
          operationId: 'openSession',
          summary: 'Open a browser that stays open from run to run',
          description:
            'Answers when the browser is open. It holds its profile until it ends. How many a key may have open is a setting of its tier.',
          tags,
          body: openSchema,
          response: answers({ 201: sessionSchema }, 404, 409, 413, 415, 503),
        },
      },
      async (request, reply) => {
        const { body, caller } = request;
        checkDepth(body, 'The body');
        refuseWhenEnding(ports);
        const row = caller?.row ?? null;
        const opened = await sessions.open({
          ...(body.profile === undefined ? {} : { profile: body.profile }),
          ...(body.headed === undefined ? {} : { headed: body.headed }),
          ...(body.level === undefined
            ? {}
            : {
                level: {
                  level: body.level,
                  reason: `asked for by ${caller?.name ?? 'the API'} through the API`,
                },
              }),
          variables: (body.variables ?? {}) as JsonObject,
          idleMs: (body.idle_timeout_seconds ?? config.settings.api.session_idle_seconds) * 1_000,
          keyId: caller?.keyId ?? 'none',
          keyName: caller?.name ?? 'none',
          maxOfKey: row === null ? null : config.settings.api[`${row.tier}_sessions`],
        });
        if (!opened.ok) {
          const { why, limit } = opened;
          const whose = why === 'key' ? 'This key' : 'This machine';
          const setting = why === 'key' ? `api.${row?.tier ?? 'basic'}_sessions` : 'api.max_sessions';
          throw tooMany(
            reply,
            `${whose} has ${limit} sessions open, and may have no more.`,
            `End one, or raise ${setting}.`,
          );
        }
        const { session } = opened;
        return reply
          .code(201)
          .header('location', `/api/v1/sessions/${session.session_id}`)
          .send(shownSession(session));
      },
    );

    app.get(
      '/sessions',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listSessions',
          summary: 'List sessions, newest first',
          description: 'Those that the key opened; with the scope `operate` those of all keys.',
          tags,
          querystring: z.object({
            state: z.enum(SESSION_STATES).optional(),
            limit,
            cursor: cursor.optional(),
          }),
          response: answers({ 200: page(sessionSchema) }),
        },
      },
      async (request) => {
        const { state, limit: size, cursor: from } = request.query;
        const before = from === undefined ? undefined : decodeCursor(from, z.uuid());
        const keyId = seesAll(request) ? undefined : (request.caller?.keyId ?? 'none');
        const rows = store.list({ state, keyId, before, limit: size + 1 });
        return pageOf(rows, size, shownSession, (row) => row.session_id);
      },
    );

    app.get(
      '/sessions/:session_id',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getSession',
          summary: 'One session',
          tags,
          params: inSession,
          response: answers({ 200: sessionSchema }, 404),
        },
      },
      async (request) => shownSession(requireSession(ports, request, request.params.session_id)),
    );

    app.delete(
      '/sessions/:session_id',
      {
        config: { scope: 'run' },
        schema: {
          operationId: 'endSession',
          summary: 'End a session',
          description:
            'Its run is cancelled, and so is what waits in its queue. Answers when its browser is closed.',
          tags,
          params: inSession,
          response: answers({ 200: sessionSchema }, 404, 413, 415),
        },
      },
      async (request) => {
        const { session_id } = requireSession(ports, request, request.params.session_id);
        await sessions.end(
          session_id,
          'closed',
          `The session was ended by ${request.caller?.name ?? 'the API'}.`,
        );
        return shownSession(requireSession(ports, request, session_id));
      },
    );

    app.post(
      '/sessions/:session_id/messages',
      {
        config: { scope: 'run' },
        schema: {
          operationId: 'sendMessage',
          summary: 'Send a script or a step to a session',
          description:
            'It waits its turn, then becomes a run in the page where the one before left off, with cookies and tabs as they are.',
          tags,
          params: inSession,
          body: messageBodySchema,
          response: answers({ 202: messageSchema }, 404, 409, 413, 415, 422, 503),
        },
      },
      async (request, reply) => {
        const { session_id } = requireSession(ports, request, request.params.session_id);
        const { script, step, variables } = request.body;
        checkDepth(request.body, 'The body');
        refuseWhenEnding(ports);
        const given = (variables ?? {}) as JsonObject;
        const input = scriptInput(script ?? scriptOf(step ?? {}), given);
        const sent = await sessions.send(session_id, { input, by: actorOf(request) });
        if (sent.ok) {
          const { message } = sent;
          return reply
            .code(202)
            .header('location', `/api/v1/sessions/${session_id}/messages/${message.message_id}`)
            .send(shownMessage(message));
        }
        if (sent.why === 'ended') {
          throw new ApiError(409, 'BrowserAgent.Conflict', `The session has ended. ${sent.detail}`.trim(), {
            hint: 'Open another one.',
          });
        }
        throw tooMany(
          reply,
          `As much waits in this session as may: ${MAX_QUEUED_MESSAGES} messages, or 4 MB of them.`,
          'Send it again when one has ended.',
        );
      },
    );

    app.get(
      '/sessions/:session_id/messages',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listMessages',
          summary: 'The messages of a session, newest first',
          tags,
          params: inSession,
          querystring: z.object({ limit, cursor: cursor.optional() }),
          response: answers({ 200: page(messageSchema) }, 404),
        },
      },
      async (request) => {
        const { session_id } = requireSession(ports, request, request.params.session_id);
        const { limit: size, cursor: from } = request.query;
        const before = from === undefined ? undefined : decodeCursor(from, z.uuid());
        const rows = store.messages(session_id, { before, limit: size + 1 });
        return pageOf(rows, size, shownMessage, (row) => row.message_id);
      },
    );

    app.get(
      '/sessions/:session_id/messages/:message_id',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getMessage',
          summary: 'One message, with the result of its run',
          tags,
          params: inSession.extend({ message_id: messageId }),
          querystring: z.object({
            wait_seconds: z.coerce
              .number()
              .min(0)
              .max(MAX_WAIT_SECONDS)
              .default(0)
              .describe('Answer when it has ended, at the latest after so long.'),
          }),
          response: answers({ 200: messageDetailSchema }, 404),
        },
      },
      async (request) => {
        const { session_id, message_id } = request.params;
        const session = requireSession(ports, request, session_id);
        requireMessage(ports, session, message_id);
        const waitMs = request.query.wait_seconds * 1_000;
        if (waitMs > 0) {
          await sessions.waitFor(session.session_id, message_id.toLowerCase(), waitMs, request.signal);
        }
        const message = requireMessage(ports, session, message_id);
        const result = message.run_id === null ? undefined : ports.runs.result(message.run_id);
        return { ...shownMessage(message), result: result ?? null };
      },
    );
  };
}

function scriptOf(step: Record<string, unknown>): Record<string, unknown> {
  const { name, action } = step;
  const title = [name, action].find((text) => typeof text === 'string' && text !== '') ?? 'step';
  return { name: title, steps: [step] };
}

/** @throws ApiError 404, also for one that the key may not see */
function requireSession(ports: ApiPorts, request: FastifyRequest, id: string): SessionRow {
  const row = ports.sessions.store.get(id.toLowerCase());
  if (row && (seesAll(request) || row.key_id === request.caller?.keyId)) return row;
  throw new ApiError(404, 'BrowserAgent.NotFound', `There is no session ${id} of this key.`);
}

function requireMessage({ sessions }: ApiPorts, { session_id }: SessionRow, id: string): MessageRow {
  const row = sessions.store.message(session_id, id.toLowerCase());
  if (row) return row;
  throw new ApiError(404, 'BrowserAgent.NotFound', `Session ${session_id} has no message ${id}.`);
}

/** Who operates the agent sees the sessions of all keys. */
function seesAll({ caller }: FastifyRequest): boolean {
  return caller !== null && mayDo(caller.scopes, 'operate');
}

function refuseWhenEnding({ worker }: ApiPorts): void {
  const state = worker?.status().state;
  if (state !== 'draining' && state !== 'stopping' && state !== 'stopped') return;
  throw new ApiError(503, 'BrowserAgent.Draining', 'The agent is ending and begins nothing new.');
}

function tooMany(reply: FastifyReply, detail: string, hint: string): ApiError {
  void reply.header('retry-after', String(FULL_RETRY_SECONDS));
  return new ApiError(429, 'BrowserAgent.TooManyRequests', detail, { hint });
}

function shownSession(row: SessionRow): z.infer<typeof sessionSchema> {
  return {
    session_id: row.session_id,
    state: row.state,
    ended:
      row.ended_at === null || row.end_reason === null
        ? null
        : { reason: row.end_reason, detail: row.end_detail ?? '', at: isoTime(row.ended_at) },
    profile: row.profile,
    headed: row.headed === 1,
    level: row.level,
    idle_timeout_seconds: row.idle_timeout_ms / 1_000,
    key: { id: row.key_id, name: row.key_name },
    created_at: isoTime(row.created_at),
    last_used_at: isoTime(row.last_used_at),
  };
}

function shownMessage(row: MessageRow): z.infer<typeof messageSchema> {
  return {
    message_id: row.message_id,
    session_id: row.session_id,
    script_name: row.script_name,
    state: row.state,
    run_id: row.run_id,
    error: row.error_name === null ? null : { name: row.error_name, message: row.error_message ?? '' },
    created_at: isoTime(row.created_at),
    started_at: isoTime(row.started_at),
    ended_at: isoTime(row.ended_at),
  };
}
