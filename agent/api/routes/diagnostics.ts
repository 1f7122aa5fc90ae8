/** One file for whoever helps. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiPorts } from '../ports.ts';
import { answers } from '../problem.ts';

export function diagnosticsRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/diagnostics',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'getDiagnostics',
          summary: 'A bundle for whoever helps, as a ZIP',
          description:
            'Versions, settings with their sources, health, checks of machine and browser, the end of log, audit log and events, the last runs without their data. Secrets are left out.',
          tags: ['log'],
          response: answers({
            200: { description: 'The file.', content: { '*/*': { schema: z.any() } } },
          }),
        },
      },
      async (_request, reply) => {
        // With all that it looks at, loaded when somebody asks for it.
        const { diagnosticsOf } = await import('../diagnostics.ts');
        const day = new Date(ports.clock.now()).toISOString().slice(0, 10);
        return reply
          .headers({
            'content-type': 'application/zip',
            'content-disposition': `attachment; filename="local-browser-agent-${day}.zip"`,
          })
          .send(await diagnosticsOf(ports));
      },
    );
  };
}
