/** Every call that changes something is in the audit log, with who made it and how it ended. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Actor } from '../base/actor.ts';
import type { ApiPorts } from './ports.ts';

/** Calls that only look; so does every other one that a key with the scope `read` may make. */
const LOOKS = new Set(['GET', 'HEAD', 'OPTIONS']);

export function auditCalls(app: FastifyInstance, { audit, log }: ApiPorts): void {
  app.decorateRequest('auditDetails', null);
  // Before the answer goes out: who has one may rely on the entry.
  app.addHook('onSend', async (request, reply) => {
    const { scope } = request.routeOptions.config;
    const isChange =
      scope !== undefined && scope !== 'none' && scope !== 'read' && !LOOKS.has(request.method);
    // Nobody who is known: strangers must not be able to fill the disk; a 429 is said in the answer alone.
    if (!isChange || request.caller === null || reply.statusCode === 429) return;
    const operation = (request.routeOptions.schema as { operationId?: string } | undefined)?.operationId;
    try {
      audit.append({
        by: actorOf(request),
        action: `api.${operation ?? request.method.toLowerCase()}`,
        target: targetOf(request),
        result: reply.statusCode < 400 ? 'ok' : reply.statusCode === 403 ? 'denied' : 'failed',
        details: {
          status: reply.statusCode,
          key: request.caller.name,
          ...(request.auditDetails ? { changes: request.auditDetails } : {}),
        },
      });
    } catch (thrown) {
      log.error({ err: thrown, operation }, 'a call of the API could not be written to the audit log');
    }
  });
}

/** Who made the request, as the audit log names people and programs. */
export function actorOf({ caller, ip, socket }: FastifyRequest): Actor {
  const isOwner = caller?.row === null;
  return {
    kind: isOwner ? 'owner' : 'key',
    id: caller?.keyId ?? 'none',
    from: `${ip}:${socket.remotePort ?? 0}`,
  };
}

/** e.g. `api/runs/0198…/cancel`: the path without what every path begins with, and without its query. */
function targetOf({ url }: FastifyRequest): string {
  const [path = ''] = url.split('?');
  return path.replace(/^\/api\/v1\//, 'api/');
}
