/** Keys of the API; only an admin sees or makes them. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { API_SCOPES, API_TIERS, type ApiKeyRow } from '../../store/api-keys.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { isoTime, time } from '../shapes.ts';

const tags = ['keys'];

const keySchema = z
  .object({
    key_id: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(API_SCOPES)),
    tier: z.enum(API_TIERS),
    created_at: time,
    expires_at: time.nullable(),
    revoked_at: time.nullable(),
    last_used_at: time.nullable().describe('Exact to some seconds.'),
  })
  .meta({ id: 'ApiKey' });

const newKeySchema = z.strictObject({
  name: z.string().trim().min(1).max(80).describe('For a person: what the key is for.'),
  scopes: z.array(z.enum(API_SCOPES)).min(1).max(API_SCOPES.length).default(['read']),
  tier: z.enum(API_TIERS).default('basic'),
  expires_at: z.iso.datetime({ offset: true }).optional().describe('RFC 3339, in the future; absent: never.'),
});

export function keyRoutes({ keys, clock }: ApiPorts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/keys',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'listKeys',
          summary: 'List keys, revoked ones too',
          tags,
          response: answers({ 200: z.object({ items: z.array(keySchema) }) }),
        },
      },
      async () => ({ items: keys.list().map(shown) }),
    );

    app.post(
      '/keys',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'createKey',
          summary: 'Create a key',
          description: 'The key itself is in this answer and never shown again.',
          tags,
          body: newKeySchema,
          response: answers(
            { 201: keySchema.extend({ key: z.string() }).meta({ id: 'NewApiKey' }) },
            413,
            415,
          ),
        },
      },
      async (request, reply) => {
        const { name, scopes, tier, expires_at } = request.body;
        const expiresAt = expires_at === undefined ? null : Date.parse(expires_at);
        if (expiresAt !== null && expiresAt <= clock.now()) {
          throw new ApiError(400, 'BrowserAgent.InvalidInput', '`expires_at` is not in the future.');
        }
        const { row, key } = keys.create({ name, scopes: [...new Set(scopes)], tier, expiresAt });
        return reply.code(201).send({ ...shown(row), key });
      },
    );

    app.delete(
      '/keys/:key_id',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'revokeKey',
          summary: 'Revoke a key, from now on and for good',
          tags,
          params: z.object({ key_id: z.string().regex(/^[0-9a-f]{12}$/) }),
          response: answers({ 200: keySchema }, 404, 413, 415),
        },
      },
      async ({ params }) => {
        const row = keys.revoke(params.key_id);
        if (row) return shown(row);
        throw new ApiError(404, 'BrowserAgent.NotFound', `There is no key ${params.key_id}.`);
      },
    );
  };
}

export function shown(row: ApiKeyRow): z.infer<typeof keySchema> {
  return {
    key_id: row.key_id,
    name: row.name,
    scopes: row.scopes,
    tier: row.tier,
    created_at: isoTime(row.created_at),
    expires_at: isoTime(row.expires_at),
    revoked_at: isoTime(row.revoked_at),
    last_used_at: isoTime(row.last_used_at),
  };
}
