/** Runs: start, list, look at; and what they left as evidence. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { newRunId } from '../../base/ids.ts';
import { RECORDING_LEVELS, type JsonObject } from '../../base/words.ts';
import { ARTIFACT_KINDS, isArtifactKind, traitsOf } from '../../recording/artifact-kinds.ts';
import { ScriptLibrary } from '../../runs/script-library.ts';
import { prepareScript } from '../../runs/prepare.ts';
import type { RunRequest } from '../../runs/types.ts';
import type { ArtifactRow } from '../../store/artifacts.ts';
import type { RunFilter } from '../../store/run-filter.ts';
import { RUN_STATES } from '../../store/run-state.ts';
import { actorOf } from '../audit.ts';
import { KeptAnswers } from '../kept-answers.ts';
import { scriptInput } from '../script-input.ts';
import { sendArtifact } from '../send-artifact.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { detailsOf, runDetailSchema } from '../run-detail.ts';
import { params, requireRun, runSchema, shownRun } from '../run-shapes.ts';
import { beginRun, refuseWhenFull } from '../start-run.ts';
import type { SentUpload } from '../../store/uploads.ts';
import { checkDepth, cursor, decodeCursor, level, limit, listOf, page, pageOf, time } from '../shapes.ts';

const tags = ['runs'];

const artifactSchema = z
  .object({
    artifact_id: z.int(),
    kind: z.string().describe(`One of ${ARTIFACT_KINDS.map((kind) => `\`${kind}\``).join(', ')}.`),
    title: z.string().describe('What it is, for people.'),
    opens_with: z
      .string()
      .nullable()
      .describe('What a person opens the file with, where a double click is not enough.'),
    key: z.string().describe('Its name in the run, e.g. `steps/001-open.jpg`.'),
    content_type: z.string(),
    size_bytes: z.int(),
    sha256: z.string(),
    uploads: z.boolean().describe('Whether the level lets it go to S3.'),
    kept: z.boolean().describe('Whether it stays on this machine; otherwise it is gone once it is in S3.'),
    masked: z.int().describe('How many places were masked in it.'),
    step_number: z.int().nullable(),
    href: z.string().describe('Where to get it.'),
    upload: z
      .object({
        state: z.enum(['pending', 'done', 'failed']),
        s3_uri: z.string(),
        sent_bytes: z.int().describe('That S3 has: of a large file part by part.'),
        last_error: z.string().nullable(),
      })
      .nullable()
      .describe('On its way to S3, or there; null: it stays here.'),
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
    paused: z
      .boolean()
      .optional()
      .describe('Stand still before the first step, to be stepped through or resumed.'),
  })
  .meta({ id: 'StartRun' });

/** As far as a list is scrolled by offset. */
const MAX_OFFSET = 10_000_000;

const listQuery = z.object({
  q: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Part of the name of script, profile or error, in any case; or how the id of the run begins.'),
  state: listOf(RUN_STATES).optional().describe('One of these, with commas between: `failed,lost`.'),
  level: listOf(RECORDING_LEVELS).optional().describe('One of these, with commas between.'),
  script_name: z.string().min(1).max(500).optional(),
  profile: z.string().min(1).max(64).optional(),
  from: time.optional().describe('Queued at this time or later. RFC 3339, UTC.'),
  to: time.optional().describe('Queued before this time. RFC 3339, UTC.'),
  has_error: z.enum(['true', 'false']).optional(),
  limit,
  cursor: cursor.optional(),
  offset: z.coerce.number().int().min(0).max(MAX_OFFSET).optional().describe('Leave out so many first.'),
  count: z.enum(['true', 'false']).optional().describe('Say `total` as well.'),
});

function filterOf(query: z.infer<typeof listQuery>): RunFilter {
  return {
    q: query.q,
    state: query.state,
    level: query.level,
    scriptName: query.script_name,
    profile: query.profile,
    from: query.from === undefined ? undefined : Date.parse(query.from),
    to: query.to === undefined ? undefined : Date.parse(query.to),
    hasError: query.has_error === undefined ? undefined : query.has_error === 'true',
  };
}

export function runRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const library = new ScriptLibrary(ports.paths.scripts);
  const kept = new KeptAnswers(ports.db);
  const detailOf = detailsOf(ports);
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
        await prepareScript(made, library);
        if (made.overrides?.profile !== undefined) ports.profiles.get(made.overrides.profile);
        refuseWhenFull(ports, reply);
        await beginRun(ports, made, { paused: request.body.paused === true });
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
          description:
            'Page by page with `cursor`; or, for a list that is scrolled, with `offset` and, once, `count=true`. New runs move an offset, never a cursor.',
          querystring: listQuery,
          response: answers({
            200: page(runSchema).extend({
              total: z
                .int()
                .nullable()
                .describe('How many runs match in all; null unless `count=true` asks for it.'),
            }),
          }),
        },
      },
      async ({ url, query }, reply) =>
        kept.send(reply, url, () => {
          const before = query.cursor === undefined ? undefined : decodeCursor(query.cursor, z.uuid());
          const filter = filterOf(query);
          const rows = ports.runs.list({ ...filter, before, offset: query.offset, limit: query.limit + 1 });
          const isAll = before === undefined && query.offset === undefined && rows.length <= query.limit;
          const count = (): number => (isAll ? rows.length : ports.runs.count(filter));
          const total = query.count === 'true' ? count() : null;
          return { ...pageOf(rows, query.limit, shownRun, (row) => row.run_id), total };
        }),
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
      async ({ params }, reply) => {
        const row = requireRun(ports, params.run_id);
        // What a run does right now is not in the database alone.
        if (row.ended_at === null) return detailOf(row);
        return kept.send(reply, row.run_id, () => detailOf(row));
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
        const uploads = new Map(ports.uploadStore.ofRun(run_id).map((upload) => [upload.path, upload]));
        return {
          items: ports.runs
            .artifacts(run_id)
            .map((row) => shownArtifact(run_id, row, uploads.get(row.path) ?? null)),
        };
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

function shownArtifact(
  id: string,
  row: ArtifactRow,
  upload: SentUpload | null,
): z.infer<typeof artifactSchema> {
  const { artifact_id, kind, key, content_type, size_bytes, sha256, masked, step_number } = row;
  const known = isArtifactKind(kind) ? traitsOf(kind) : undefined;
  return {
    artifact_id,
    kind,
    title: known?.title ?? key,
    opens_with: known?.opensWith ?? null,
    key,
    content_type,
    size_bytes,
    sha256,
    uploads: row.upload === 1,
    kept: row.keep === 1,
    masked,
    step_number,
    href: `/api/v1/runs/${id}/artifacts/${artifact_id}`,
    upload: upload && {
      state: upload.state,
      s3_uri: `s3://${upload.bucket}/${upload.key}`,
      sent_bytes: upload.sent_bytes,
      last_error: upload.last_error,
    },
  };
}
