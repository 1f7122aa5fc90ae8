/** Browser profiles. What is in them (cookies, sign-ins) never goes over the API. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Profile } from '../../browser/profiles.ts';
import type { ApiPorts } from '../ports.ts';
import { answers } from '../problem.ts';
import { isoTime, time } from '../shapes.ts';

const tagList = ['profiles'];

const profileSchema = z
  .object({
    name: z.string(),
    tags: z.array(z.string()),
    description: z.string(),
    created_at: time,
    last_used_at: time.nullable(),
    signed_in_at: time.nullable().describe('When a person last signed in to it.'),
    used_by_run: z.string().nullable(),
  })
  .meta({ id: 'Profile' });

const name = z.string().min(1).max(64);
const tags = z.array(z.string().min(1).max(64)).max(32);
const params = z.object({ name });

export function profileRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const shown = async (profile: Profile): Promise<z.infer<typeof profileSchema>> => ({
    name: profile.name,
    tags: profile.tags,
    description: profile.description,
    created_at: isoTime(profile.createdAt),
    last_used_at: isoTime(profile.lastUsedAt),
    signed_in_at: isoTime(profile.signedInAt),
    used_by_run: (await ports.profiles.holder(profile.profileId))?.runId ?? null,
  });
  return async (app) => {
    app.get(
      '/profiles',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listProfiles',
          summary: 'List profiles, most recently used first',
          tags: tagList,
          response: answers({ 200: z.object({ items: z.array(profileSchema) }) }),
        },
      },
      async () => ({ items: await Promise.all(ports.profiles.list().map(shown)) }),
    );

    app.post(
      '/profiles',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'createProfile',
          summary: 'Create a profile',
          tags: tagList,
          body: z.strictObject({
            name,
            tags: tags.default([]),
            description: z.string().max(1_000).default(''),
          }),
          response: answers({ 201: profileSchema }, 413, 415),
        },
      },
      async (request, reply) => {
        const profile = ports.profiles.create(request.body);
        return reply
          .code(201)
          .header('location', `/api/v1/profiles/${encodeURIComponent(profile.name)}`)
          .send(await shown(profile));
      },
    );

    app.get(
      '/profiles/:name',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getProfile',
          summary: 'One profile',
          tags: tagList,
          params,
          response: answers({ 200: profileSchema }, 404),
        },
      },
      async ({ params }) => shown(ports.profiles.get(params.name)),
    );

    app.put(
      '/profiles/:name/tags',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'setProfileTags',
          summary: 'Replace the tags of a profile',
          tags: tagList,
          params,
          body: z.strictObject({ tags }),
          response: answers({ 200: profileSchema }, 404, 413, 415),
        },
      },
      async ({ params, body }) => shown(ports.profiles.setTags(params.name, body.tags)),
    );

    app.delete(
      '/profiles/:name',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'deleteProfile',
          summary: 'Delete a profile with all that is signed in to in it',
          tags: tagList,
          params,
          response: answers({ 204: z.undefined().describe('It is gone.') }, 404, 409, 413, 415),
        },
      },
      async (request, reply) => {
        await ports.profiles.delete(request.params.name);
        return reply.code(204).send();
      },
    );
  };
}
