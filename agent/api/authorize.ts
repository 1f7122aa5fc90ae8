/** Key, scope and limits of each request; a route that names no scope does not start. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiScope } from '../store/api-keys.ts';
import { mayDo, type Caller, type KeyRing } from './keys.ts';
import type { RateLimits } from './limits.ts';
import { ApiError } from './problem.ts';

const HOW = 'Send "Authorization: Bearer lba_…". "local-browser-agent keys create NAME" makes a key.';

export function authorize(app: FastifyInstance, ports: { keys: KeyRing; limits: RateLimits }): void {
  app.decorateRequest('caller', null);
  app.addHook('onRoute', (route) => {
    if (route.method === 'OPTIONS') return;
    if (route.config?.scope === undefined)
      throw new Error(`${String(route.method)} ${route.url} names no scope`);
  });
  app.addHook('onRequest', async (request, reply) => {
    // Not a route of ours: there is nothing to guard, and it says 404 to everybody alike.
    const scope = request.routeOptions.config.scope;
    if (scope === undefined || scope === 'none') return;
    const caller = callerOf(request, reply, ports.keys);
    count(caller, reply, ports.limits);
    request.caller = caller;
    checkScope(caller, scope);
  });
}

function callerOf(request: FastifyRequest, reply: FastifyReply, keys: KeyRing): Caller {
  const given = request.headers.authorization ?? inProtocol(request) ?? '';
  const [scheme, key, ...more] = given.split(' ');
  const isBearer = scheme?.toLowerCase() === 'bearer' && key !== undefined && more.length === 0;
  const verdict = isBearer ? keys.verify(key) : null;
  if (verdict?.ok) return verdict.caller;
  void reply.header('www-authenticate', 'Bearer realm="local-browser-agent"');
  const detail = verdict ? `This key cannot be used: ${verdict.why}.` : 'A key is needed.';
  throw new ApiError(401, 'BrowserAgent.Unauthorized', detail, { hint: HOW });
}

/** `bearer.<key>` among the subprotocols that a WebSocket offers, where the route takes it. */
function inProtocol(request: FastifyRequest): string | undefined {
  if (request.routeOptions.config.keyInProtocol !== true) return undefined;
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
  const key = offered.find((protocol) => protocol.startsWith('bearer.'))?.slice('bearer.'.length);
  return key === undefined ? undefined : `Bearer ${key}`;
}

function count(caller: Caller, reply: FastifyReply, limits: RateLimits): void {
  if (caller.row === null) return;
  const { allowed, limit, remaining, resetSeconds, policy } = limits.take(caller.row);
  void reply.headers({
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(resetSeconds),
    'ratelimit-policy': policy,
  });
  if (allowed) return;
  void reply.header('retry-after', String(resetSeconds));
  throw new ApiError(429, 'BrowserAgent.TooManyRequests', `This key has used up its ${limit} requests.`, {
    hint: `Ask again in ${resetSeconds} s. The limits of each tier are settings of the agent (api.…_per_minute, api.…_per_day).`,
  });
}

function checkScope(caller: Caller, scope: ApiScope): void {
  if (mayDo(caller.scopes, scope)) return;
  throw new ApiError(
    403,
    'BrowserAgent.Forbidden',
    `This needs a key with the scope "${scope}"; this one has: ${caller.scopes.join(', ')}.`,
  );
}
