/** The agent at work: what it does, and whether it takes tasks. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiPorts, WorkerPort } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { isoTime, time } from '../shapes.ts';

const tags = ['agent'];

const statusSchema = z
  .object({
    state: z
      .string()
      .describe('`starting`, `working`, `paused`, `draining`, `stopping`, `stopped`; `none`: no worker.'),
    detail: z.string(),
    pid: z.int(),
    started_at: time.nullable(),
    activity_arn: z.string().nullable(),
    tasks: z.array(z.object({ run_id: z.string(), task_id: z.string(), script_name: z.string() })),
    waiting_for_person: z.array(z.object({ run_id: z.string(), message: z.string() })),
  })
  .meta({ id: 'AgentStatus' });

const restartSchema = z
  .object({ waits_for: z.string().nullable().describe('What ends first, in words; null: nothing.') })
  .meta({ id: 'Restart' });

const VERBS = [
  { verb: 'pause', operationId: 'pauseAgent', summary: 'Take no new tasks until it is resumed' },
  { verb: 'resume', operationId: 'resumeAgent', summary: 'Take tasks again' },
  { verb: 'drain', operationId: 'drainAgent', summary: 'Finish the tasks at hand, then end the agent' },
] as const;

export function agentRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/agent',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getAgent',
          summary: 'What the agent is doing',
          tags,
          response: answers({ 200: statusSchema }),
        },
      },
      async () => statusOf(ports),
    );

    app.post(
      '/agent/restart',
      {
        config: { scope: 'operate' },
        // Once the answer is out: an agent that is idle ends at once.
        onResponse: async (_request, reply) => {
          if (reply.statusCode === 202) ports.restart?.begin('asked for through the API');
        },
        schema: {
          operationId: 'restartAgent',
          summary: 'Start the agent anew in the same process, with the settings as they are now',
          description:
            'Address and owner’s key stay. Followers of events are told (`agent.restarting`) and connect again. While something runs it is refused, unless `when_idle` asks to wait for that: then nothing new is begun until it has ended. An open poll of Step Functions is never broken off, so this may take a minute.',
          tags,
          body: z
            .strictObject({
              when_idle: z.boolean().default(false).describe('Finish what is at hand first.'),
            })
            .nullish(),
          response: answers({ 202: restartSchema }, 409, 413, 415),
        },
      },
      async ({ body }, reply) => {
        const { restart } = ports;
        if (!restart) {
          throw new ApiError(
            409,
            'BrowserAgent.Conflict',
            'This agent cannot be started anew from here. Stop it, and start it again.',
          );
        }
        const busy = restart.busy();
        if (busy !== null && body?.when_idle !== true) {
          throw new ApiError(409, 'BrowserAgent.Conflict', `The agent is at work: ${busy}.`, {
            hint: 'Ask again when that has ended, or ask with "when_idle": true.',
          });
        }
        // Its end takes the connection along: no client is to send its next request on this one.
        return reply.code(202).header('connection', 'close').send({ waits_for: busy });
      },
    );

    for (const { verb, operationId, summary } of VERBS) {
      app.post(
        `/agent/${verb}`,
        {
          config: { scope: 'operate' },
          schema: {
            operationId,
            summary,
            tags,
            response: answers({ 202: statusSchema }, 409, 413, 415),
          },
        },
        async (_request, reply) => {
          requireWorker(ports, verb)[verb]();
          return reply.code(202).send(statusOf(ports));
        },
      );
    }
  };
}

function requireWorker({ worker }: ApiPorts, verb: 'pause' | 'resume' | 'drain'): WorkerPort {
  if (!worker) throw new ApiError(409, 'BrowserAgent.Conflict', 'No activity is worked for in this process.');
  const { state } = worker.status();
  const isEnding = state === 'draining' || state === 'stopping' || state === 'stopped';
  if (isEnding && verb !== 'drain') {
    throw new ApiError(
      409,
      'BrowserAgent.Conflict',
      `The agent is ending (${state}); that cannot be taken back.`,
    );
  }
  return worker;
}

function statusOf(ports: ApiPorts): z.infer<typeof statusSchema> {
  const now = ports.worker?.status();
  const waiting = ports.humans.pending();
  return {
    state: now?.state ?? 'none',
    detail: now?.detail ?? '',
    pid: process.pid,
    started_at: isoTime(now?.startedAt ?? null),
    activity_arn: now?.activityArn ?? null,
    tasks: (now?.runs ?? []).map((run) => ({
      run_id: run.runId,
      task_id: run.taskId,
      script_name: run.scriptName,
    })),
    waiting_for_person: waiting.map(({ runId, message }) => ({ run_id: runId, message })),
  };
}
