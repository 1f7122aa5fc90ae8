/** Settings in force, each with its source. None of them is a secret: those are in the vault, and stay there. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';

const tags = ['settings'];

const settingSchema = z
  .object({
    key: z.string().describe('e.g. `recording.max_level`.'),
    value: z.unknown(),
    source: z.string().describe('Where the value comes from, e.g. `settings.yaml:12`.'),
  })
  .meta({ id: 'Setting' });

export function settingRoutes({ config }: ApiPorts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/settings',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listSettings',
          summary: 'Every setting in force with its source',
          tags,
          response: answers({ 200: z.object({ items: z.array(settingSchema) }) }),
        },
      },
      async () => ({ items: config.explain() }),
    );

    app.get(
      '/settings/:key',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getSetting',
          summary: 'One setting',
          tags,
          params: z.object({ key: z.string().min(1).max(100) }),
          response: answers({ 200: settingSchema }, 404),
        },
      },
      async ({ params }) => {
        const setting = config.explain().find(({ key }) => key === params.key);
        if (setting) return setting;
        throw new ApiError(
          404,
          'BrowserAgent.NotFound',
          `There is no setting ${JSON.stringify(params.key)}.`,
        );
      },
    );
  };
}
