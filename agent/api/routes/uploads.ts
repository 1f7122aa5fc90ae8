/** The queue of what goes to S3. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { UploadRow } from '../../store/uploads.ts';
import type { ApiPorts } from '../ports.ts';
import { answers } from '../problem.ts';
import { cursor, decodeCursor, isoTime, limit, page, pageOf, runId, time } from '../shapes.ts';

const tags = ['uploads'];

const state = z.enum(['pending', 'done', 'failed']);

const uploadSchema = z
  .object({
    upload_id: z.int(),
    run_id: z.string(),
    s3_uri: z.string(),
    content_type: z.string(),
    size_bytes: z.int(),
    state,
    attempts: z.int(),
    next_at: time.nullable().describe('When it is tried next; null when it has ended.'),
    done_at: time.nullable(),
    last_error: z.string().nullable(),
  })
  .meta({ id: 'Upload' });

const countsSchema = z.object({
  pending: z.int(),
  done: z.int(),
  failed: z.int(),
  last_error: z.string().nullable().describe('Why something waits after an attempt; null: nothing does.'),
});
const idPlace = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);

export function uploadRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/uploads',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listUploads',
          summary: 'List uploads, newest first',
          tags,
          querystring: z.object({
            state: state.optional(),
            run_id: runId.optional(),
            limit,
            cursor: cursor.optional(),
          }),
          response: answers({ 200: page(uploadSchema) }),
        },
      },
      async ({ query }) => {
        const before = query.cursor === undefined ? undefined : decodeCursor(query.cursor, idPlace);
        const rows = ports.uploadStore.list({
          state: query.state,
          runId: query.run_id,
          before,
          limit: query.limit + 1,
        });
        return pageOf(rows, query.limit, shown, (row) => String(row.upload_id));
      },
    );

    app.get(
      '/uploads/counts',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'countUploads',
          summary: 'How many uploads wait, are done and have failed',
          tags,
          querystring: z.object({ run_id: runId.optional() }),
          response: answers({ 200: countsSchema }),
        },
      },
      async ({ query }) => ({
        ...ports.uploadStore.counts(query.run_id),
        last_error:
          query.run_id === undefined ? ports.uploadStore.lastError() : ports.uploads.lastError(query.run_id),
      }),
    );

    app.post(
      '/uploads/retry',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'retryUploads',
          summary: 'Try waiting and failed uploads again now: all, or those of one run',
          tags,
          body: z.strictObject({ run_id: runId.optional() }),
          response: answers({ 200: z.object({ due: z.int() }) }, 413, 415),
        },
      },
      async ({ body }) => {
        ports.resilience.reset('s3');
        const one = body.run_id === undefined ? {} : { runId: body.run_id };
        return { due: ports.uploads.retry({ failed: true, ...one }) };
      },
    );
  };
}

function shown(row: UploadRow): z.infer<typeof uploadSchema> {
  return {
    upload_id: row.upload_id,
    run_id: row.run_id,
    s3_uri: `s3://${row.bucket}/${row.key}`,
    content_type: row.content_type,
    size_bytes: row.size_bytes,
    state: row.state,
    attempts: row.attempts,
    next_at: row.state === 'pending' ? isoTime(row.next_at) : null,
    done_at: isoTime(row.done_at),
    last_error: row.last_error,
  };
}
