import Fastify from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { openTestApi, type TestApi } from '../../test/fixtures/api.ts';
import type { KeyRing } from './keys.ts';
import { openApiDocument } from './openapi.ts';
import type { ApiPorts } from './ports.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { routesOf } from './routes-of.ts';
import { schemaController } from './schema-controller.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
});

afterAll(async () => {
  await api.close();
});

test('the document is made from the schemas of the routes: no handler is called', async () => {
  const app = Fastify({ schemaController });
  const routes = routesOf(app);
  const handler = vi.fn<() => string>();
  app.withTypeProvider<ZodTypeProvider>().get(
    '/things/:id',
    {
      config: { scope: 'read' },
      schema: { operationId: 'getThing', summary: 'One', params: z.object({ id: z.string() }) },
    },
    handler,
  );
  await app.ready();
  const document = await openApiDocument(routes, '1.2.3');
  expect(document).toMatchObject({
    info: { version: '1.2.3' },
    paths: {
      '/things/{id}': {
        get: { operationId: 'getThing', description: 'Scope: `read`.', security: [{ key: [] }] },
      },
    },
  });
  expect(Object.keys(document.paths ?? {})).toEqual(['/things/{id}']);
  expect(handler).not.toHaveBeenCalled();
  await app.close();
});

test('reading the document adds no listener for revoked keys', async () => {
  const endOfKey = vi.spyOn(api.agent.sessions, 'endOfKey').mockResolvedValue();
  for (let reads = 0; reads < 2; reads += 1) {
    expect((await api.call('GET', '/openapi.json')).status).toBe(200);
  }
  const { key_id } = await api.key({ name: 'tool', scopes: ['run'] });
  await api.call('DELETE', `/keys/${key_id}`);
  expect(endOfKey.mock.calls).toEqual([[key_id]]);
});

test('the routes of sessions follow revoked keys from the start of the application to its end', async () => {
  const { agent } = api;
  const subscribers = new Set<unknown>();
  const keys = {
    onRevoked: (listener: unknown) => {
      subscribers.add(listener);
      return () => subscribers.delete(listener);
    },
  } as Partial<KeyRing> as KeyRing;
  const plugin = sessionRoutes({ ...agent, keys } as Partial<ApiPorts> as ApiPorts);
  expect(subscribers.size).toBe(0);
  const app = Fastify({ schemaController });
  await app.register(plugin);
  await app.ready();
  expect(subscribers.size).toBe(1);
  await app.close();
  expect(subscribers.size).toBe(0);
});
