/** Runs: start, list, look at, pause, step, resume, cancel; and what they left as evidence. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AgentError } from '../../base/errors.ts';
import { newRunId } from '../../base/ids.ts';
import type { JsonObject } from '../../base/words.ts';
import { ScriptLibrary } from '../../runs/script-library.ts';
import type { PauseGate } from '../../runs/pause-gate.ts';
import { prepareScript } from '../../runs/prepare.ts';
import type { RunRequest } from '../../runs/types.ts';
import { RUN_STATES, type ArtifactRow, type RunRow, type StepRow } from '../../store/runs.ts';
import { actorOf } from '../audit.ts';
import { scriptInput } from '../script-input.ts';
import { sendArtifact } from '../send-artifact.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import {
  checkDepth,
  cursor,
  decodeCursor,
  isoTime,
  level,
  limit,
  page,
  pageOf,
  runId,
  time,
} from '../shapes.ts';

const tags = ['runs'];

/** What somebody is told to wait who asks for a run too many, in seconds: a short run takes about that. */
const FULL_RETRY_SECONDS = 10;

const runSchema = z
  .object({
    run_id: z.string(),
    task_id: z.string().nullable().describe('Of the activity task it runs for; null for a run of its own.'),
    script_name: z.string(),
    state: z.enum(RUN_STATES),
    level: level,
    level_reason: z.string(),
    profile: z.string().nullable(),
    queued_at: time,
    started_at: time.nullable(),
    ended_at: time.nullable(),
    error: z.object({ name: z.string(), message: z.string() }).nullable(),
    paused: z.boolean().describe('Somebody makes it stand still before its next action.'),
    pause: z
      .object({
        by: z.object({ kind: z.string(), id: z.string() }),
        reason: z.string(),
        kind: z.enum(['pause', 'takeover']).describe('`takeover`: a person acts in its page.'),
        since: time,
        standing: z.boolean().describe('It stands still; otherwise its last action still goes on.'),
      })
      .nullable(),
  })
  .meta({ id: 'Run' });

const stepSchema = z.object({
  number: z.int(),
  name: z.string(),
  action: z.string(),
  path: z.string().describe('Where it stands in the script.'),
  state: z.enum(['intent', 'done']),
  success: z.boolean().nullable(),
  started_at: time,
  ended_at: time.nullable(),
});

const runDetailSchema = runSchema
  .extend({
    steps: z.array(stepSchema),
    waiting_for_person: z.string().nullable().describe('What the person is asked to do, while it waits.'),
    result: z.record(z.string(), z.unknown()).nullable().describe('As the script format documents it.'),
  })
  .meta({ id: 'RunDetail' });

const artifactSchema = z
  .object({
    artifact_id: z.int(),
    kind: z.string(),
    key: z.string().describe('Its name in the run, e.g. `steps/001-open.jpg`.'),
    content_type: z.string(),
    size_bytes: z.int(),
    sha256: z.string(),
    uploads: z.boolean().describe('Whether the level lets it go to S3.'),
    kept: z.boolean().describe('Whether it stays on this machine; otherwise it is gone once it is in S3.'),
    masked: z.int().describe('How many places were masked in it.'),
    step_number: z.int().nullable(),
    href: z.string().describe('Where to get it.'),
  })
  .meta({ id: 'Artifact' });

const startSchema = z
  .strictObject({
    script: z
      .union([z.string().min(1).max(200), z.record(z.string(), z.unknown())])
      .describe('A script, or the name of a stored one: `name` or `name@version`.'),
    variables: z.record(z.string(), z.unknown()).optional(),
    level: level.optional().describe('Recording level; as the settings say when it is absent.'),
    profile: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe('Profile, instead of the one that the script names.'),
    headed: z.boolean().optional().describe('Show the window of the browser.'),
  })
  .meta({ id: 'StartRun' });

const params = z.object({ run_id: runId });

export function runRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const library = new ScriptLibrary(ports.paths.scripts);
  return async (app) => {
    app.post(
      '/runs',
      {
        config: { scope: 'run' },
        schema: {
          operationId: 'startRun',
          summary: 'Start a run',
          description: 'Answers as soon as the run is on record; it goes on by itself.',
          tags,
          body: startSchema,
          response: answers({ 201: runSchema }, 404, 413, 415, 422, 503),
        },
      },
      async (request, reply) => {
        const made = requestOf(request);
        prepareScript(made, library);
        if (made.overrides?.profile !== undefined) ports.profiles.get(made.overrides.profile);
        refuseWhenFull(ports, reply);
        await begin(ports, made);
        const row = requireRun(ports, made.runId);
        return reply.code(201).header('location', `/api/v1/runs/${row.run_id}`).send(shownRun(row));
      },
    );

    app.get(
      '/runs',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listRuns',
          summary: 'List runs, newest first',
          tags,
          querystring: z.object({
            state: z.enum(RUN_STATES).optional(),
            script_name: z.string().min(1).max(500).optional(),
            profile: z.string().min(1).max(64).optional(),
            limit,
            cursor: cursor.optional(),
          }),
          response: answers({ 200: page(runSchema) }),
        },
      },
      async ({ query }) => {
        const before = query.cursor === undefined ? undefined : decodeCursor(query.cursor, z.uuid());
        const { state, profile, script_name: scriptName } = query;
        const rows = ports.runs.list({ state, profile, scriptName, before, limit: query.limit + 1 });
        return pageOf(rows, query.limit, shownRun, (row) => row.run_id);
      },
    );

    app.get(
      '/runs/:run_id',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getRun',
          summary: 'One run with its steps and, when it has ended, its result',
          tags,
          params,
          response: answers({ 200: runDetailSchema }, 404),
        },
      },
      async ({ params }) => detailOf(ports, requireRun(ports, params.run_id)),
    );

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

    app.get(
      '/runs/:run_id/artifacts',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listArtifacts',
          summary: 'The evidence of a run',
          tags,
          params,
          response: answers({ 200: z.object({ items: z.array(artifactSchema) }) }, 404),
        },
      },
      async ({ params }) => {
        const { run_id } = requireRun(ports, params.run_id);
        return { items: ports.runs.artifacts(run_id).map((row) => shownArtifact(run_id, row)) };
      },
    );

    const file = { description: 'The bytes.', content: { '*/*': { schema: z.any() } } };
    app.get(
      '/runs/:run_id/artifacts/:artifact_id',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getArtifact',
          summary: 'One piece of evidence, whole or in part (`Range`)',
          tags,
          params: params.extend({ artifact_id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) }),
          response: answers({ 200: file, 206: file, 304: z.undefined().describe('Not modified.') }, 404, 416),
        },
      },
      async (request, reply) => {
        const { run_id, artifact_id } = request.params;
        requireRun(ports, run_id);
        const row = ports.runs.artifact(run_id, artifact_id);
        if (!row) throw new ApiError(404, 'BrowserAgent.NotFound', `Run ${run_id} has no such artifact.`);
        return sendArtifact(request, reply, row);
      },
    );
  };
}

function requestOf(request: FastifyRequest & { body: z.infer<typeof startSchema> }): RunRequest {
  const { body } = request;
  const who = request.caller?.name ?? 'the API';
  const { script, level, profile, headed } = body;
  checkDepth(body, 'The body');
  const variables = (body.variables ?? {}) as JsonObject;
  const overrides = {
    ...(profile === undefined ? {} : { profile }),
    ...(headed === undefined ? {} : { headed }),
  };
  return {
    runId: newRunId(),
    by: actorOf(request),
    input: scriptInput(script, variables),
    ...(level === undefined ? {} : { level: { level, reason: `asked for by ${who} through the API` } }),
    overrides,
  };
}

function refuseWhenFull({ worker, engine, config }: ApiPorts, reply: FastifyReply): void {
  const state = worker?.status().state;
  if (state === 'draining' || state === 'stopping' || state === 'stopped') {
    throw new ApiError(503, 'BrowserAgent.Draining', 'The agent is ending and begins no new runs.');
  }
  const maxRuns = config.settings.api.max_runs;
  if (engine.detached >= maxRuns) {
    void reply.header('retry-after', String(FULL_RETRY_SECONDS));
    throw new ApiError(
      503,
      'BrowserAgent.BrowserUnavailable',
      `${maxRuns} runs of the API are at work already.`,
      { hint: 'Start it again when one has ended, or raise api.max_runs.' },
    );
  }
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

/** Resolves when the run is on record; rejects when it could not even get there. */
async function begin({ engine, events, runs, log }: ApiPorts, request: RunRequest): Promise<void> {
  const onRecord = Promise.withResolvers<void>();
  const forget = events.on((event) => {
    if (event.type === 'run.queued' && event.runId === request.runId) onRecord.resolve();
  });
  engine.start(request).then(
    () => onRecord.resolve(),
    (thrown: unknown) => {
      if (runs.get(request.runId) === undefined) onRecord.reject(thrown as Error);
      else log.error({ err: thrown, run: request.runId }, 'a run failed beyond its result');
    },
  );
  try {
    await onRecord.promise;
  } finally {
    forget();
  }
}

function requireRun({ runs }: ApiPorts, id: string): RunRow {
  const row = runs.get(id.toLowerCase());
  if (row) return row;
  throw new ApiError(404, 'BrowserAgent.NotFound', `There is no run ${id} here.`);
}

function detailOf(ports: ApiPorts, row: RunRow): z.infer<typeof runDetailSchema> {
  const waits = ports.humans.pending().find((request) => request.runId === row.run_id);
  return {
    ...shownRun(row),
    steps: ports.runs.steps(row.run_id).map(shownStep),
    waiting_for_person: waits?.message ?? null,
    result: ports.runs.result(row.run_id) ?? null,
  };
}

/** What is shown of a run that has ended, by its row: writing times takes longer than all the rest of a list. */
const shownRuns = new WeakMap<RunRow, ShownRun>();
type ShownRun = z.infer<typeof runSchema>;

function shownRun(row: RunRow): ShownRun {
  const known = shownRuns.get(row);
  if (known) return known;
  const shown = showRun(row);
  if (row.ended_at !== null) shownRuns.set(row, shown);
  return shown;
}

function showRun(row: RunRow): ShownRun {
  return {
    run_id: row.run_id,
    task_id: row.task_id,
    script_name: row.script_name,
    state: row.state,
    level: row.level,
    level_reason: row.level_reason,
    profile: row.profile,
    queued_at: isoTime(row.queued_at),
    started_at: isoTime(row.started_at),
    ended_at: isoTime(row.ended_at),
    error: row.error_name === null ? null : { name: row.error_name, message: row.error_message ?? '' },
    paused: row.paused !== null,
    pause: row.paused && {
      by: row.paused.by,
      reason: row.paused.reason,
      kind: row.paused.kind,
      since: isoTime(row.paused.since),
      standing: row.paused.isStanding,
    },
  };
}

function shownStep(row: StepRow): z.infer<typeof stepSchema> {
  return {
    number: row.step_number,
    name: row.name,
    action: row.action,
    path: row.path,
    state: row.state,
    success: row.success === null ? null : row.success === 1,
    started_at: isoTime(row.started_at),
    ended_at: isoTime(row.ended_at),
  };
}

function shownArtifact(id: string, row: ArtifactRow): z.infer<typeof artifactSchema> {
  const { artifact_id, kind, key, content_type, size_bytes, sha256, masked, step_number } = row;
  return {
    artifact_id,
    kind,
    key,
    content_type,
    size_bytes,
    sha256,
    uploads: row.upload === 1,
    kept: row.keep === 1,
    masked,
    step_number,
    href: `/api/v1/runs/${id}/artifacts/${artifact_id}`,
  };
}
