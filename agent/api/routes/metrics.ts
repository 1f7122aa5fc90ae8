/** Metrics, where Prometheus looks for them: `/metrics`, without the prefix of the API. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiPorts } from '../ports.ts';
import { answers } from '../problem.ts';

export function metricRoutes({ metrics }: ApiPorts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/metrics',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getMetrics',
          summary: 'Metrics in the text format of Prometheus',
          tags: ['system'],
          response: answers({
            200: { description: 'OK', content: { 'text/plain': { schema: z.string() } } },
          }),
        },
      },
      async (_request, reply) => reply.header('content-type', metrics.contentType).send(await metrics.text()),
    );
  };
}
