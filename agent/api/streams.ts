import type { FastifyInstance } from 'fastify';

/** Lets the routes of this plugin take bytes, as a stream that they hold to a size themselves. */
export function parsingStreams(app: Pick<FastifyInstance, 'addContentTypeParser'>): void {
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
}
