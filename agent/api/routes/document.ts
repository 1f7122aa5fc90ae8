/**
 * The OpenAPI document, and a page to read and try it (Swagger UI's own files, from the package: nothing is
 * loaded from elsewhere). Both need no key: they say nothing about this machine.
 */
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { answers } from '../problem.ts';
import type { DocumentedRoute } from '../routes-of.ts';

/** Swagger UI draws its icons as `data:` images and styles as it goes; the request goes to us alone. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Local Browser Agent: the API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
`;

const START = `SwaggerUIBundle({ url: new URL('openapi.json', location.href).pathname, dom_id: '#page', deepLinking: true });
`;

const ASSETS = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
} as const;

/** @param routes of the whole API; complete by the first request */
export function documentRoutes(routes: readonly DocumentedRoute[], version: string): FastifyPluginAsyncZod {
  let document: Promise<string> | null = null;
  const made = async (): Promise<string> => {
    document ??= import('../openapi.ts').then(async ({ openApiDocument }) =>
      JSON.stringify(await openApiDocument(routes, version)),
    );
    try {
      return await document;
    } catch (thrown) {
      document = null;
      throw thrown;
    }
  };

  return async (app) => {
    app.get(
      '/openapi.json',
      {
        config: { scope: 'none' },
        schema: {
          operationId: 'getOpenApi',
          summary: 'This document',
          tags: ['system'],
          response: answers({ 200: z.record(z.string(), z.unknown()) }),
        },
      },
      async (_request, reply) => {
        // Text already: it goes out as it is.
        const text = (await made()) as unknown as Record<string, unknown>;
        return reply.header('content-type', 'application/json; charset=utf-8').send(text);
      },
    );

    const hidden = { config: { scope: 'none' as const }, schema: { hide: true } };
    app.get('/docs', hidden, async (_request, reply) =>
      reply
        .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': PAGE_POLICY })
        .send(PAGE),
    );
    app.get('/docs/start.js', hidden, async (_request, reply) =>
      reply.header('content-type', 'text/javascript; charset=utf-8').send(START),
    );
    for (const [name, type] of Object.entries(ASSETS)) {
      app.get(`/docs/${name}`, hidden, async (_request, reply) =>
        reply.header('content-type', type).send(createReadStream(join(assetFolder(), name))),
      );
    }
  };
}

function assetFolder(): string {
  const main = createRequire(import.meta.url).resolve('@fastify/swagger-ui');
  return join(dirname(main), 'static');
}
