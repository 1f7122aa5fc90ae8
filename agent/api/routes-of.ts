import type { FastifyInstance, RouteOptions } from 'fastify';

/** What the API's document needs to know of a route. It has no handler, so no request can act through it. */
export type DocumentedRoute = Pick<RouteOptions, 'method' | 'url' | 'schema' | 'config'>;

/** The routes of `app`, in order; to be called before they are made. The list fills as they are. */
export function routesOf(app: FastifyInstance): readonly DocumentedRoute[] {
  const routes: DocumentedRoute[] = [];
  app.addHook('onRoute', ({ method, url, schema, config }) => {
    // Fastify makes one for each GET.
    if (method === 'HEAD') return;
    routes.push({ method, url, ...(schema ? { schema } : {}), ...(config ? { config } : {}) });
  });
  return routes;
}
