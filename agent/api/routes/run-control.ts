/** Runs at work: pause, step, resume, cancel. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AgentError } from '../../base/errors.ts';
import type { PauseGate } from '../../runs/pause-gate.ts';
import { actorOf } from '../audit.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { params, requireRun, runSchema, shownRun } from '../run-shapes.ts';

const tags = ['runs'];

export function runControlRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/runs/:run_id/cancel',
      {
        config: { scope: 'run' },
        schema: {
          operationId: 'cancelRun',
          summary: 'Cancel a run',
          description:
            'It ends soon, with the error `BrowserAgent.Cancelled`; a task is reported as failed with it.',
          tags,
          params,
          response: answers({ 202: runSchema }, 404, 409, 413, 415),
        },
      },
      async (request, reply) => {
        const row = requireRun(ports, request.params.run_id);
        if (row.ended_at !== null) {
          throw new ApiError(409, 'BrowserAgent.Conflict', `The run has ended: it is ${row.state}.`);
        }
        const reason = new AgentError(
          'BrowserAgent.Cancelled',
          `cancelled by ${request.caller?.name ?? 'the API'}`,
        );
        if (!ports.engine.cancel(row.run_id, reason)) {
          throw new ApiError(409, 'BrowserAgent.Conflict', 'Another process executes this run.', {
            hint: 'Cancel it where it was started, e.g. "exec" with Ctrl+C.',
          });
        }
        return reply.code(202).send(shownRun(requireRun(ports, row.run_id)));
      },
    );

    app.post(
      '/runs/:run_id/pause',
      {
        config: { scope: 'run' },
        schema: {
          operationId: 'pauseRun',
          summary: 'Pause a run before its next action',
          description:
            'Page, lease and place are kept, and its time does not run, until it is resumed, or fails after `run.max_pause_seconds`. Pausing it twice is pausing it once.',
          tags,
          params,
          response: answers({ 202: runSchema }, 404, 409, 413, 415),
        },
      },
      async (request, reply) => {
        const { gate, runId } = requireGate(ports, request.params.run_id);
        gate.pause(actorOf(request), `paused by ${request.caller?.name ?? 'the API'}`);
        return reply.code(202).send(shownRun(requireRun(ports, runId)));
      },
    );

    app.post(
      '/runs/:run_id/step',
      {
        config: { scope: 'run' },
        schema: {
          operationId: 'stepRun',
          summary: 'Let a paused run do one step, then stand still again',
          description:
            'A step that only steers, such as a loop, counts as one; those inside it follow singly.',
          tags,
          params,
          response: answers({ 202: runSchema }, 404, 409, 413, 415),
        },
      },
      async (request, reply) => {
        const { gate, runId } = requireGate(ports, request.params.run_id);
        const outcome = gate.step();
        if (outcome === 'not paused') {
          throw new ApiError(409, 'BrowserAgent.Conflict', 'The run is not paused.', {
            hint: 'Pause it first.',
          });
        }
        if (outcome === 'taken over') throw takenOver();
        return reply.code(202).send(shownRun(requireRun(ports, runId)));
      },
    );

    app.post(
      '/runs/:run_id/resume',
      {
        config: { scope: 'run' },
        schema: {
          operationId: 'resumeRun',
          summary: 'Let a run go on that is paused, or that waits for a person',
          description:
            'Ends the pause, if it is paused; otherwise says that the person is done, if it waits for one. `of` says which of the two is meant, and nothing else is touched.',
          tags,
          params,
          querystring: z.object({
            of: z
              .enum(['pause', 'person'])
              .optional()
              .describe('Only the pause, or only the wait for a person. Absent: the pause first.'),
          }),
          response: answers({ 202: runSchema }, 404, 409, 413, 415),
        },
      },
      async (request, reply) => {
        const { run_id } = requireRun(ports, request.params.run_id);
        const { of } = request.query;
        const gate = ports.engine.gate(run_id);
        const wasPaused = of !== 'person' && gate?.resume() === true;
        const isAnswered = !wasPaused && of !== 'pause' && ports.humans.resume(run_id);
        if (!wasPaused && !isAnswered) {
          if (gate?.isHeld === true && of !== 'person') throw takenOver();
          const what = of === 'pause' ? 'is not paused' : 'does not wait for a person';
          throw new ApiError(
            409,
            'BrowserAgent.Conflict',
            `The run ${of === undefined ? 'is not paused and does not wait for a person' : what}.`,
          );
        }
        return reply.code(202).send(shownRun(requireRun(ports, run_id)));
      },
    );
  };
}

/** Where the run can be made to stand still, as long as it is at work in this process. */
function requireGate(ports: ApiPorts, id: string): { gate: PauseGate; runId: string } {
  const row = requireRun(ports, id);
  const gate = ports.engine.gate(row.run_id);
  if (gate) return { gate, runId: row.run_id };
  throw new ApiError(
    409,
    'BrowserAgent.Conflict',
    row.ended_at === null ? 'Another process executes this run.' : `The run has ended: it is ${row.state}.`,
  );
}

function takenOver(): ApiError {
  return new ApiError(409, 'BrowserAgent.Conflict', 'A person has taken the run over and acts in its page.', {
    hint: 'It goes on when they give it back in the live view.',
  });
}
