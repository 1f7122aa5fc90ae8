/** What can be made of a past run: the same once more, or a script that checks whether all is as it was. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { maskText } from '../../base/mask-sensitive.ts';
import { newRunId } from '../../base/ids.ts';
import type { JsonObject, JsonValue } from '../../base/words.ts';
import { readKeptRequest, type KeptRequest } from '../../runs/kept-request.ts';
import { prepareScript } from '../../runs/prepare.ts';
import { runAsTest } from '../../runs/run-as-test.ts';
import { ScriptLibrary } from '../../runs/script-library.ts';
import type { RunRequest } from '../../runs/types.ts';
import { readSource } from '../../script/source.ts';
import type { RunRow } from '../../store/run-rows.ts';
import { actorOf } from '../audit.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { params, requireRun, runSchema, shownRun } from '../run-shapes.ts';
import { checkDepth, level } from '../shapes.ts';
import { beginRun, refuseWhenFull } from '../start-run.ts';

const tags = ['runs'];

const againSchema = z
  .strictObject({
    variables: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('On top of those that are kept; secrets are never kept and have to be given.'),
    level: level.optional().describe('Instead of the level that it had.'),
    profile: z.string().min(1).max(64).optional().describe('Instead of the profile that it used.'),
    headed: z.boolean().optional(),
    paused: z.boolean().optional().describe('Stand still before the first step.'),
  })
  .meta({ id: 'RunAgain' });

export function runAgainRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const library = new ScriptLibrary(ports.paths.scripts);
  return async (app) => {
    app.post(
      '/runs/:run_id/again',
      {
        config: { scope: 'run' },
        schema: {
          operationId: 'runAgain',
          summary: 'Run it again: same script, variables, level and profile',
          description:
            'The script is the one that it ran, also when the stored one has changed since. Secrets are not kept: what is missing is named in a 409.',
          tags,
          params,
          body: againSchema,
          response: answers({ 201: runSchema }, 404, 409, 413, 415, 503),
        },
      },
      async (request, reply) => {
        const row = requireRun(ports, request.params.run_id);
        const { body } = request;
        checkDepth(body, 'The body');
        const { script, kept } = requireKept(ports, row);
        const variables = { ...kept.variables, ...(body.variables as JsonObject | undefined) };
        refuseMissing(kept, variables);
        const profile = body.profile ?? row.profile ?? kept.profile;
        const made: RunRequest = {
          runId: newRunId(),
          by: actorOf(request),
          input: { kind: 'script', script, variables },
          level:
            body.level === undefined
              ? { level: row.level, reason: `as run ${row.run_id} had, which this one repeats` }
              : {
                  level: body.level,
                  reason: `asked for by ${request.caller?.name ?? 'the API'} through the API`,
                },
          overrides: {
            ...(profile === null ? {} : { profile }),
            headed: body.headed ?? kept.headed,
          },
        };
        await prepareScript(made, library);
        if (profile !== null) ports.profiles.get(profile);
        refuseWhenFull(ports, reply);
        await beginRun(ports, made, { paused: body.paused === true });
        const again = requireRun(ports, made.runId);
        return reply.code(201).header('location', `/api/v1/runs/${again.run_id}`).send(shownRun(again));
      },
    );

    app.get(
      '/runs/:run_id/test',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getRunAsTest',
          summary: 'The run as a script that checks whether all is as it was',
          description:
            'Its variables are fixed, and an assertion at the end compares what each step brought. What is a secret is left out.',
          tags,
          params,
          response: answers({ 200: z.record(z.string(), z.unknown()) }, 404, 409),
        },
      },
      async ({ params: { run_id } }) => {
        const row = requireRun(ports, run_id);
        const { script, kept } = requireKept(ports, row);
        const read = readSource(script);
        if (!read.ok) throw notKept(row);
        return runAsTest({
          script: masked(read.value) as JsonObject,
          variables: kept.variables,
          result: ports.runs.result(row.run_id) ?? null,
        });
      },
    );
  };
}

/** @throws ApiError 409 */
function requireKept(ports: ApiPorts, row: RunRow): { script: string; kept: KeptRequest } {
  const script = ports.runs.script(row.run_id);
  const request = ports.runs.request(row.run_id);
  if (script === undefined || request === undefined) throw notKept(row);
  return { script, kept: readKeptRequest(request) };
}

function notKept(row: RunRow): ApiError {
  return new ApiError(
    409,
    'BrowserAgent.Conflict',
    `The script of run ${row.run_id} is not kept: it could not be read when the run began.`,
    { hint: 'Start the run from its script instead.' },
  );
}

function refuseMissing(kept: KeptRequest, variables: JsonObject): void {
  const missing = kept.withheld.filter((name) => !Object.hasOwn(variables, name));
  if (missing.length === 0) return;
  throw new ApiError(
    409,
    'BrowserAgent.Conflict',
    `Secrets are not kept, so these have to be given anew: ${missing.join(', ')}.`,
    {
      hint: 'Send them as `variables`.',
      problems: missing.map((name) => ({
        path: `$.variables.${name}`,
        message: 'is a secret, and was not kept',
      })),
    },
  );
}

/** What is a credential by its form. A template names a secret and is none. */
function masked(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.includes('{{') ? value : maskText(value);
  if (Array.isArray(value)) return value.map(masked);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, masked(child)]));
}
