/**
 * The OpenAPI document, made from the schemas of the API's routes. It is made on the first request for it, so that
 * an agent without such a request does not hold it in memory.
 */
import { STATUS_CODES } from 'node:http';
import Fastify from 'fastify';
import type { OpenAPIV3_1 } from 'openapi-types';
import type { DocumentedRoute } from './routes-of.ts';
import { schemaController } from './schema-controller.ts';

const DESCRIPTION = `Everything that the agent on this machine can be asked for.

Send a key as \`Authorization: Bearer lba_…\`. Each operation names the scope that the key needs: \`read\`, \`run\`, \`operate\` or \`admin\`; \`admin\` may do everything, and every key may read.

Problems are answered as RFC 9457 problem details; the member \`error\` is the name of the error. Answers carry \`RateLimit-*\` headers. Times are RFC 3339 in UTC, sizes are bytes.`;

/** @param version of the program */
export async function openApiDocument(
  routes: readonly DocumentedRoute[],
  version: string,
): Promise<OpenAPIV3_1.Document> {
  const [{ default: swagger }, { jsonSchemaTransform, jsonSchemaTransformObject }] = await Promise.all([
    import('@fastify/swagger'),
    import('fastify-type-provider-zod'),
  ]);
  // @fastify/swagger reads the routes of an application. This one has the schemas alone and never listens.
  const app = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    schemaController,
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Local Browser Agent', version, description: DESCRIPTION },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      servers: [{ url: '/' }],
    },
    transform: (args) => {
      const made = jsonSchemaTransform(args as Parameters<typeof jsonSchemaTransform>[0]);
      const scope = args.route.config?.scope;
      if (scope === undefined || scope === 'none') return made;
      const description = [made.schema['description'], `Scope: \`${scope}\`.`].filter(Boolean).join('\n\n');
      return { ...made, schema: { ...made.schema, description, security: [{ key: [] }] } };
    },
    transformObject: jsonSchemaTransformObject,
  });
  for (const route of routes) app.route({ ...route, handler: () => undefined });
  try {
    await app.ready();
    return tidied(app.swagger() as OpenAPIV3_1.Document);
  } finally {
    await app.close();
  }
}

/** Without schemas that nothing refers to, and with a description of every response: by default the status as text. */
function tidied(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const schemas = document.components?.schemas ?? {};
  // Repeat until stable: removing one schema may orphan another.
  for (let left = -1; left !== Object.keys(schemas).length;) {
    left = Object.keys(schemas).length;
    const text = JSON.stringify(document);
    for (const name of Object.keys(schemas)) {
      if (!text.includes(`"#/components/schemas/${name}"`)) delete schemas[name];
    }
  }
  for (const path of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(path ?? {}) as OpenAPIV3_1.OperationObject[]) {
      for (const [status, response] of Object.entries(operation.responses ?? {})) {
        if (!('description' in response)) continue;
        if (response.description === '' || response.description === 'Default Response')
          response.description = STATUS_CODES[status] ?? status;
      }
    }
  }
  return document;
}
