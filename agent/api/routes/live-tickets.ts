/** Tickets for the live view: what a page shows instead of a key. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { drop } from '../../base/drop.ts';
import { LIVE_ROLES } from '../../live/tickets.ts';
import { actorOf } from '../audit.ts';
import { mayDo } from '../keys.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { isoTime, runId, time } from '../shapes.ts';

const ticketSchema = z
  .object({
    ticket: z.string().describe('Good for one connection. It is in this answer and never shown again.'),
    role: z.enum(LIVE_ROLES),
    expires_at: time,
    path: z.string().describe('The page that shows the run, on the address of the API, with the ticket.'),
  })
  .meta({ id: 'LiveTicket' });

export function liveTicketRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/runs/:run_id/live-tickets',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'createLiveTicket',
          summary: 'A ticket to watch a run, or to act in it',
          description:
            'A `viewer` sees the page; an `operator` may also take over, which needs a key with the scope `operate`. The ticket ends with its time, its use, its run and its key.',
          tags: ['live'],
          params: z.object({ run_id: runId }),
          body: z
            .strictObject({ role: z.enum(LIVE_ROLES).default('viewer') })
            .meta({ id: 'CreateLiveTicket' }),
          response: answers({ 201: ticketSchema }, 404, 409, 413, 415),
        },
      },
      async (request, reply) => {
        const { caller, body } = request;
        const { role } = body;
        if (!caller || (role === 'operator' && !mayDo(caller.scopes, 'operate'))) {
          throw new ApiError(
            403,
            'BrowserAgent.Forbidden',
            `To act in a run needs a key with the scope "operate"; this one has: ${caller?.scopes.join(', ') ?? 'none'}.`,
            { hint: 'Ask for the role "viewer" to watch.' },
          );
        }
        const row = ports.runs.get(request.params.run_id.toLowerCase());
        if (!row) {
          throw new ApiError(404, 'BrowserAgent.NotFound', `There is no run ${request.params.run_id} here.`);
        }
        if (row.ended_at !== null) {
          throw new ApiError(409, 'BrowserAgent.Conflict', `The run has ended: it is ${row.state}.`, {
            hint: 'Its evidence shows what it did.',
          });
        }
        if (!ports.engine.isRunning(row.run_id)) {
          throw new ApiError(409, 'BrowserAgent.Conflict', 'Another process executes this run.');
        }
        const { ticket, expiresAt } = ports.tickets.issue({ runId: row.run_id, role, keyId: caller.keyId });
        const expected = ports.liveView().then((view) => view.expect(row.run_id));
        drop(expected, ports.log, 'beginning the live view');
        // Looking is not audited, but this gives somebody mouse and keyboard.
        if (role === 'operator') {
          ports.audit.append({
            by: actorOf(request),
            action: 'api.createLiveTicket',
            target: `api/runs/${row.run_id}/live-tickets`,
            details: { role, key: caller.name },
          });
        }
        return reply.code(201).send({
          ticket,
          role,
          expires_at: isoTime(expiresAt),
          path: `/live/${row.run_id}#ticket=${ticket}`,
        });
      },
    );
  };
}
