/**
 * The OpenAPI document, made from the routes' own schemas. It is made when somebody asks for it, by a twin of
 * the application that never listens, so that an agent whose document nobody reads does not carry it.
 */
import { STATUS_CODES } from 'node:http';
import type { OpenAPIV3_1 } from 'openapi-types';
import type { ApiPorts } from './ports.ts';
import { buildApp, type AppOptions } from './server.ts';

const DESCRIPTION = `Everything that the agent on this machine can be asked for.

Send a key as \`Authorization: Bearer lba_…\`. Each operation names the scope that the key needs: \`read\`, \`run\`, \`operate\` or \`admin\`; \`admin\` may do everything, and every key may read.

Problems are answered as RFC 9457 problem details; the member \`error\` is the name of the error. Answers carry \`RateLimit-*\` headers. Times are RFC 3339 in UTC, sizes are bytes.`;

export async function openApiDocument(ports: ApiPorts, options: AppOptions): Promise<OpenAPIV3_1.Document> {
  const [{ default: swagger }, { jsonSchemaTransform, jsonSchemaTransformObject }] = await Promise.all([
    import('@fastify/swagger'),
    import('fastify-type-provider-zod'),
  ]);
  const twin = await buildApp(ports, {
    host: options.host,
    allowedOrigins: options.allowedOrigins,
    tls: null,
    before: async (app) => {
      await app.register(swagger, {
        openapi: {
          openapi: '3.1.0',
          info: { title: 'Local Browser Agent', version: ports.version, description: DESCRIPTION },
          components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
          servers: [{ url: '/' }],
        },
        transform: (args) => {
          const made = jsonSchemaTransform(args as Parameters<typeof jsonSchemaTransform>[0]);
          const scope = args.route.config?.scope;
          if (scope === undefined || scope === 'none') return made;
          const description = [made.schema['description'], `Scope: \`${scope}\`.`]
            .filter(Boolean)
            .join('\n\n');
          return { ...made, schema: { ...made.schema, description, security: [{ key: [] }] } };
        },
        transformObject: jsonSchemaTransformObject,
      });
    },
  });
  try {
    await twin.ready();
    return tidied(twin.swagger() as OpenAPIV3_1.Document);
  } finally {
    await twin.close();
  }
}

/** Without shapes that nothing refers to, and with a description for every answer: the status in words where there is none. */
function tidied(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const schemas = document.components?.schemas ?? {};
  // Again until nothing goes: one that went may have been the last to refer to another.
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
