/** One run with all that its page shows. */
import { join } from 'node:path';
import { z } from 'zod';
import { isAwsEndpoint } from '../aws/endpoint.ts';
import { adviceFor } from '../base/error-advice.ts';
import type { JsonObject } from '../base/words.ts';
import { readKeptRequest } from '../runs/kept-request.ts';
import type { RunRow } from '../store/run-rows.ts';
import type { StepRow } from '../store/step-journal.ts';
import type { ApiPorts } from './ports.ts';
import { progressOf, type RunProgress } from './run-progress.ts';
import { runSchema, shownRun } from './run-shapes.ts';
import { isoTime, time } from './shapes.ts';

const adviceSchema = z
  .object({
    title: z.string().describe('A few words, in place of the name.'),
    meaning: z.string(),
    steps: z.array(z.string()).describe('What to try, most likely help first.'),
  })
  .meta({ id: 'Advice' });

const stepSchema = z.object({
  number: z.int(),
  name: z.string(),
  action: z.string(),
  path: z.string().describe('Where it stands in the script.'),
  state: z.enum(['intent', 'done']),
  success: z.boolean().nullable(),
  started_at: time,
  ended_at: time.nullable(),
  duration_ms: z.int().nullable(),
  attempts: z.int().nullable().describe('When it took more than one.'),
  url: z.string().nullable().describe('Of the page, where the step says it.'),
  error: z
    .object({ name: z.string(), message: z.string(), advice: adviceSchema })
    .nullable()
    .describe('Why it failed.'),
});

export const runDetailSchema = runSchema
  .extend({
    steps: z.array(stepSchema),
    step: z.int().nullable().describe('Which of the script’s own list of steps it is at, from 1.'),
    of_steps: z.int().nullable().describe('How many that list has; null where the script cannot be read.'),
    waiting_for_person: z.string().nullable().describe('What the person is asked to do, while it waits.'),
    result: z.record(z.string(), z.unknown()).nullable().describe('As the script format documents it.'),
    advice: adviceSchema.nullable().describe('What its error means, and what to do.'),
    uploads: z.object({
      files: z.int(),
      bytes: z.int(),
      sent_bytes: z.int().describe('That S3 has: of large files part by part.'),
      done: z.int(),
      waiting: z.int(),
      failed: z.int(),
      last_error: z.string().nullable().describe('Why something still waits, or has failed.'),
    }),
    s3_uri: z.string().nullable().describe('Where its evidence is in S3; null: nowhere.'),
    s3_console_url: z
      .string()
      .nullable()
      .describe('The same as a page of the AWS console; null where it is not AWS.'),
    folder: z.string().nullable().describe('What of it stays on this machine; null: nothing.'),
    again: z
      .object({
        variables: z.record(z.string(), z.unknown()),
        needs_variables: z.array(z.string()).describe('Secrets, which are not kept: to be given anew.'),
      })
      .nullable()
      .describe('With what it can be run again; null: its script is not kept whole.'),
  })
  .meta({ id: 'RunDetail' });

export type RunDetail = z.infer<typeof runDetailSchema>;

/** @returns a function that knows how far runs have come without reading their scripts each time */
export function detailsOf(ports: ApiPorts): (row: RunRow) => RunDetail {
  const progress = progressOf(ports.runs);
  return (row) => detailOf(ports, row, progress(row));
}

function detailOf(ports: ApiPorts, row: RunRow, { step, ofSteps }: RunProgress): RunDetail {
  const { runs, humans, paths } = ports;
  const waits = humans.pending().find((request) => request.runId === row.run_id);
  const results = runs.stepResults(row.run_id);
  const isKept = runs.artifacts(row.run_id).some(({ keep }) => keep === 1);
  return {
    ...shownRun(row),
    steps: runs.steps(row.run_id).map((step) => shownStep(step, results.get(step.step_number))),
    step,
    of_steps: ofSteps,
    waiting_for_person: waits?.message ?? null,
    result: runs.result(row.run_id) ?? null,
    advice: row.error_name === null ? null : shownAdvice(row.error_name),
    ...uploadsOf(ports, row.run_id),
    folder: isKept ? join(paths.runs, row.run_id) : null,
    again: ofSteps === null ? null : againOf(ports, row.run_id),
  };
}

function shownStep(row: StepRow, result: JsonObject | undefined): z.infer<typeof stepSchema> {
  const { attempts, url } = result ?? {};
  const error = errorOf(result);
  return {
    number: row.step_number,
    name: row.name,
    action: row.action,
    path: row.path,
    state: row.state,
    success: row.success === null ? null : row.success === 1,
    started_at: isoTime(row.started_at),
    ended_at: isoTime(row.ended_at),
    duration_ms: row.ended_at === null ? null : row.ended_at - row.started_at,
    attempts: typeof attempts === 'number' ? attempts : null,
    url: typeof url === 'string' ? url : null,
    error: error && { ...error, advice: shownAdvice(error.name) },
  };
}

function errorOf(result: JsonObject | undefined): { name: string; message: string } | null {
  const error = z.object({ name: z.string(), message: z.string() }).safeParse(result?.['error']);
  return error.success ? error.data : null;
}

function shownAdvice(errorName: string): z.infer<typeof adviceSchema> {
  const { title, meaning, steps } = adviceFor(errorName);
  return { title, meaning, steps: [...steps] };
}

function uploadsOf(ports: ApiPorts, runId: string): Pick<RunDetail, 'uploads' | 's3_uri' | 's3_console_url'> {
  const rows = ports.uploadStore.ofRun(runId);
  const of = (state: string): number => rows.filter((row) => row.state === state).length;
  const bucket = rows[0]?.bucket;
  const prefix = `browser-sessions/${runId}/`;
  return {
    uploads: {
      files: rows.length,
      bytes: rows.reduce((sum, row) => sum + row.size_bytes, 0),
      sent_bytes: rows.reduce((sum, row) => sum + row.sent_bytes, 0),
      done: of('done'),
      waiting: of('pending'),
      failed: of('failed'),
      last_error: rows.find((row) => row.state !== 'done' && row.last_error !== null)?.last_error ?? null,
    },
    s3_uri: bucket === undefined ? null : `s3://${bucket}/${prefix}`,
    s3_console_url: bucket === undefined ? null : consoleUrl(ports, bucket, prefix),
  };
}

/** Where the console of each partition of AWS is. */
function consoleHost(region: string): string {
  if (region.startsWith('cn-')) return 'console.amazonaws.cn';
  if (region.startsWith('us-gov-')) return 'console.amazonaws-us-gov.com';
  return `${region}.console.aws.amazon.com`;
}

/** Null: the bucket is not in AWS, or nobody says where in it. */
function consoleUrl({ aws, env, config, sandbox }: ApiPorts, bucket: string, prefix: string): string | null {
  const endpoint = env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] ?? aws.options.endpoint;
  if (sandbox !== null || (endpoint !== undefined && !isAwsEndpoint(endpoint))) return null;
  const region = aws.options.region ?? config.settings.aws.activity_arn?.split(':')[3];
  if (region === undefined) return null;
  const query = new URLSearchParams({ region, prefix });
  return `https://${consoleHost(region)}/s3/buckets/${encodeURIComponent(bucket)}?${query.toString()}`;
}

function againOf({ runs }: ApiPorts, runId: string): RunDetail['again'] {
  const kept = runs.request(runId);
  if (kept === undefined) return null;
  const { variables, withheld } = readKeptRequest(kept);
  return { variables, needs_variables: withheld };
}
