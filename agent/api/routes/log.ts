/** The agent's log: what was written, and what is being written. Masked as everything. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { LOG_LEVELS, type LogLine } from '../../base/log-line.ts';
import { readLog, type LogFilter } from '../../base/log-reader.ts';
import { onLogLine } from '../../base/log.ts';
import { drop } from '../../base/drop.ts';
import { BEAT_MS, LogStream } from '../log-stream.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { cursor, decodeCursor, encodeCursor, limit, page, runId, time } from '../shapes.ts';

const tags = ['log'];

/** Windows of one person; each line is looked at for each of them. */
const MAX_STREAMS = 20;

const filterShape = {
  level: z.enum(LOG_LEVELS).optional().describe('This level or above.'),
  q: z.string().min(1).max(200).optional().describe('In message or fields, in any case.'),
  run_id: runId.optional(),
};

const lineSchema = z
  .object({
    time,
    level: z.enum(LOG_LEVELS),
    message: z.string(),
    run_id: z.string().nullable(),
    fields: z.record(z.string(), z.unknown()).describe('Whatever else the line has.'),
  })
  .meta({ id: 'LogLine' });

const place = z
  .string()
  .regex(/^\d+:\d+$/)
  .transform((text) => {
    const [ino = '', offset = '0'] = text.split(':');
    return { ino, offset: Number(offset) };
  });

export function logRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const { paths, config, clock, keys, log } = ports;
  const open = new Set<LogStream>();
  return async (app) => {
    // Streams would keep the server from closing.
    app.addHook('preClose', async () => {
      for (const stream of open) stream.destroy();
    });

    app.get(
      '/log',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listLog',
          summary: 'Lines of the log, newest first',
          description:
            'From the log file (`log.file`) and the parts of it that were put aside. A page may have fewer lines than asked for, and still a `next_cursor`: so much is looked through at a time.',
          tags,
          querystring: z.object({ ...filterShape, limit, cursor: cursor.optional() }),
          response: answers({
            200: page(lineSchema).extend({
              is_kept: z.boolean().describe('False: `log.file` is off, and there is only what is followed.'),
            }),
          }),
        },
      },
      async ({ query }) => {
        const before = query.cursor === undefined ? null : decodeCursor(query.cursor, place);
        const { lines, next } = readLog(paths.logFile, { ...filterOf(query), before, limit: query.limit });
        return {
          items: lines.map(shown),
          next_cursor: next === null ? null : encodeCursor(`${next.ino}:${next.offset}`),
          is_kept: config.settings.log.file,
        };
      },
    );

    app.get(
      '/log/follow',
      {
        config: { scope: 'read', isStream: true },
        exposeHeadRoute: false,
        schema: {
          operationId: 'followLog',
          summary: 'The log as it is written, as server-sent events',
          description:
            'Events `line` with a `LogLine` as data; `lost` with how many lines a reader was too slow for. A comment every 15 s shows that it lives.',
          tags,
          querystring: z.object(filterShape),
          response: answers({
            200: {
              description: 'A stream that ends when the client, the agent or the key does.',
              content: { 'text/event-stream': { schema: z.string() } },
            },
          }),
        },
      },
      async (request, reply) => {
        if (open.size >= MAX_STREAMS) {
          throw new ApiError(
            429,
            'BrowserAgent.TooManyRequests',
            `The log is followed ${open.size} times already. Close one of these first.`,
          );
        }
        const { caller } = request;
        const stream = new LogStream(filterOf(request.query), shown);
        open.add(stream);
        const over = new AbortController();
        const forget = onLogLine((text) => stream.line(text));
        const forgetKey = keys.onRevoked((keyId) => {
          if (keyId === caller?.keyId) stream.destroy();
        });
        stream.once('close', () => {
          over.abort();
          forget();
          forgetKey();
          open.delete(stream);
        });
        const beat = async (): Promise<void> => {
          while (!over.signal.aborted) {
            await clock.sleep(BEAT_MS, over.signal).catch(() => undefined);
            if (caller && (keys.isRevoked(caller.keyId) || keys.isExpired(caller))) stream.destroy();
            stream.beat();
          }
        };
        drop(beat(), log, 'following the log');
        return reply
          .headers({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
          .send(stream as never);
      },
    );
  };
}

function filterOf(query: {
  level?: LogLine['level'] | undefined;
  q?: string | undefined;
  run_id?: string | undefined;
}): LogFilter {
  return { level: query.level, q: query.q, runId: query.run_id };
}

function shown({ time, level, message, runId, fields }: LogLine): z.infer<typeof lineSchema> {
  return { time, level, message, run_id: runId, fields };
}
