/** The API as a Fastify application: what holds for every request, then the routes of each resource. */
import type { RequestListener, Server } from 'node:http';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { hasZodFastifySchemaValidationErrors, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Logger } from '../base/log.ts';
import { auditCalls } from './audit.ts';
import { authorize } from './authorize.ts';
import { createGuard, originOf } from './guard.ts';
import type { ApiPorts } from './ports.ts';
import { ApiError, PROBLEM_TYPE, problemOf } from './problem.ts';
import { agentRoutes } from './routes/agent.ts';
import { appPageRoutes } from './routes/app-page.ts';
import { documentRoutes } from './routes/document.ts';
import { eventRoutes } from './routes/events.ts';
import { keyRoutes } from './routes/keys.ts';
import { livePageRoutes, liveRoutes } from './routes/live.ts';
import { liveTicketRoutes } from './routes/live-tickets.ts';
import { diagnosticsRoutes } from './routes/diagnostics.ts';
import { logRoutes } from './routes/log.ts';
import { metricRoutes } from './routes/metrics.ts';
import { profileDeskRoutes } from './routes/profile-desk.ts';
import { profileTransferRoutes } from './routes/profile-transfer.ts';
import { profileRoutes } from './routes/profiles.ts';
import { runAgainRoutes } from './routes/run-again.ts';
import { runControlRoutes } from './routes/run-control.ts';
import { runRoutes } from './routes/runs.ts';
import { scriptSampleRoutes } from './routes/script-samples.ts';
import { scriptVersionRoutes } from './routes/script-versions.ts';
import { scriptRoutes } from './routes/scripts.ts';
import { routesOf } from './routes-of.ts';
import { schemaController } from './schema-controller.ts';
import { securityHeaders } from './security-headers.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { settingRoutes } from './routes/settings.ts';
import { summaryRoutes } from './routes/summary.ts';
import { recordingRoutes } from './routes/recording.ts';
import { setupRoutes } from './routes/setup.ts';
import { systemRoutes } from './routes/system.ts';
import { uploadRoutes } from './routes/uploads.ts';

export const API_PREFIX = '/api/v1';

/** A large script is a few hundred kB; nothing here takes more. */
const BODY_LIMIT_BYTES = 1_048_576;
/** The longest parameter is a profile's or script's name, percent-encoded. */
const MAX_PARAM_LENGTH = 1_024;

export interface AppOptions {
  /** The address that it will listen on: decides which `Host` is right. */
  host: string;
  tls: { cert: Buffer; key: Buffer } | null;
  /** A server that listens already, and what to do with the function that answers its requests. */
  listening?: { server: Server; answer: (handler: RequestListener) => void };
  allowedOrigins: readonly string[];
}

export async function buildApp(ports: ApiPorts, options: AppOptions): Promise<FastifyInstance> {
  const guard = createGuard({ ...options, tls: options.tls !== null });
  const { listening } = options;
  const app = Fastify({
    ...(listening
      ? {
          serverFactory: (handler: RequestListener) => {
            listening.answer(handler);
            return listening.server;
          },
        }
      : {}),
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    schemaController,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, request, reply) => answer(error, request, reply, ports.log),
  }) as unknown as FastifyInstance;
  // JSON alone: what a form of any web page can send is refused by its type.
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler((error, request, reply) => answer(error, request, reply, ports.log));
  app.setNotFoundHandler((request, reply) =>
    answer(
      new ApiError(
        404,
        'BrowserAgent.NotFound',
        `There is no ${request.method} ${request.url.split('?')[0]}.`,
        {
          hint: `${API_PREFIX}/openapi.json lists what there is.`,
        },
      ),
      request,
      reply,
      ports.log,
    ),
  );

  // First of all hooks, so that nothing else is said to a stranger.
  app.addHook('onRequest', async (request) => guard(request));
  const headers = securityHeaders({ tls: options.tls !== null });
  app.addHook('onRequest', async (_request, reply) => {
    void reply.headers(headers);
  });
  if (options.allowedOrigins.length > 0) {
    const { default: cors } = await import('@fastify/cors');
    await app.register(cors, {
      origin: options.allowedOrigins.map(originOf),
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowedHeaders: [
        'authorization',
        'content-type',
        'range',
        'if-range',
        'if-match',
        'last-event-id',
        'lba-passphrase',
      ],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: 600,
    });
  }
  authorize(app, ports);
  auditCalls(app, ports);
  app.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
  });
  app.addHook('onResponse', async (request, reply) => {
    if (request.routeOptions.config.isStream === true && reply.statusCode < 400) return;
    ports.metrics.request({
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      durationMs: reply.elapsedTime,
      keyId: request.caller?.keyId ?? null,
    });
  });
  const routes = routesOf(app);

  await app.withTypeProvider<ZodTypeProvider>().register(metricRoutes(ports));
  await app.register(appPageRoutes());
  await app.register(livePageRoutes(options.allowedOrigins));
  await app.register(
    async (v1) => {
      const typed = v1.withTypeProvider<ZodTypeProvider>();
      await typed.register(systemRoutes(ports));
      await typed.register(summaryRoutes(ports));
      await typed.register(runRoutes(ports));
      await typed.register(runControlRoutes(ports));
      await typed.register(runAgainRoutes(ports));
      await typed.register(liveTicketRoutes(ports));
      await typed.register(sessionRoutes(ports));
      await typed.register(liveRoutes(ports));
      await typed.register(eventRoutes(ports));
      await typed.register(profileRoutes(ports));
      await typed.register(profileDeskRoutes(ports));
      await typed.register(profileTransferRoutes(ports));
      await typed.register(scriptRoutes(ports));
      await typed.register(scriptVersionRoutes(ports));
      await typed.register(scriptSampleRoutes());
      await typed.register(settingRoutes(ports));
      await typed.register(uploadRoutes(ports));
      await typed.register(logRoutes(ports));
      await typed.register(diagnosticsRoutes(ports));
      await typed.register(agentRoutes(ports));
      await typed.register(setupRoutes(ports));
      await typed.register(recordingRoutes(ports));
      await typed.register(keyRoutes(ports));
      await typed.register(documentRoutes(routes, ports.version));
    },
    { prefix: API_PREFIX },
  );
  return app;
}

const EXPOSED_HEADERS = [
  'accept-ranges',
  'content-disposition',
  'content-range',
  'etag',
  'location',
  'ratelimit-limit',
  'ratelimit-policy',
  'ratelimit-remaining',
  'ratelimit-reset',
  'repr-digest',
  'retry-after',
];

/** Every error goes out through here. */
function answer(
  thrown: unknown,
  request: FastifyRequest | { method: string; url: string },
  reply: FastifyReply,
  log: Logger | FastifyBaseLogger,
): void {
  const problem = problemOf(understood(thrown));
  if (problem.status >= 500 && problem.error === 'BrowserAgent.Internal') {
    log.error({ err: thrown, method: request.method, url: request.url.split('?')[0] }, 'a request failed');
  }
  void reply.code(problem.status).header('content-type', PROBLEM_TYPE).send(problem);
}

/** A schema's complaint about the request, as a problem with places. */
function understood(thrown: unknown): unknown {
  if (!hasZodFastifySchemaValidationErrors(thrown)) return thrown;
  const part = (thrown as { validationContext?: string }).validationContext ?? 'request';
  return new ApiError(400, 'BrowserAgent.InvalidInput', `The ${part} of the request is not as documented.`, {
    problems: thrown.validation.map(({ instancePath, message }) => ({
      path: `$${instancePath.replaceAll('/', '.')}`,
      message: message ?? 'wrong',
    })),
  });
}
