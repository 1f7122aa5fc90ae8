/** Browser profiles. What is in them (cookies, sign-ins) leaves the machine in encrypted files alone. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { newRunId } from '../../base/ids.ts';
import type { Profile } from '../../browser/profiles.ts';
import type { ApiPorts } from '../ports.ts';
import { answers } from '../problem.ts';
import { description, name, params, profileSchema, profilesShown, tags } from '../profile-shapes.ts';

const tagList = ['profiles'];

/** How long a copy waits for the profile, in milliseconds: a short run ends meanwhile. */
const CLONE_WAIT_MS = 5_000;

export function profileRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const all = profilesShown(ports);
  const shown = async (profile: Profile): Promise<z.infer<typeof profileSchema>> =>
    (await all([profile]))[0]!;
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
      async () => ({ items: await all(ports.profiles.list()) }),
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
            description: description.default(''),
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

    app.patch(
      '/profiles/:name',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'updateProfile',
          summary: 'Change name, tags or description of a profile',
          description: 'Scripts name profiles: those that name this one are not changed with it.',
          tags: tagList,
          params,
          body: z.strictObject({
            name: name.optional(),
            tags: tags.optional(),
            description: description.optional(),
          }),
          response: answers({ 200: profileSchema }, 404, 413, 415),
        },
      },
      async ({ params, body }) => {
        const changes = {
          ...(body.name === undefined ? {} : { name: body.name }),
          ...(body.tags === undefined ? {} : { tags: body.tags }),
          ...(body.description === undefined ? {} : { description: body.description }),
        };
        return shown(ports.profiles.update(params.name, changes));
      },
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

    app.post(
      '/profiles/:name/clone',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'cloneProfile',
          summary: 'A new profile with the same sign-ins in it',
          tags: tagList,
          params,
          body: z.strictObject({ name: name.describe('Of the copy.') }),
          response: answers({ 201: profileSchema }, 404, 409, 413, 415),
        },
      },
      async ({ params, body }, reply) => {
        const copy = await ports.profiles.clone(params.name, body.name, {
          runId: newRunId(),
          timeoutMs: CLONE_WAIT_MS,
        });
        return reply
          .code(201)
          .header('location', `/api/v1/profiles/${encodeURIComponent(copy.name)}`)
          .send(await shown(copy));
      },
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
