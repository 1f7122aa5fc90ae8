/** What somebody wants to know at a glance: what it does now, how the day was, what needs a person. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RunRow } from '../../store/run-rows.ts';
import { SummaryStore } from '../../store/summary.ts';
import { needSchema, needsOf } from '../needs-person.ts';
import type { ApiPorts } from '../ports.ts';
import { answers } from '../problem.ts';
import { progressOf } from '../run-progress.ts';
import { runSchema, shownRun } from '../run-shapes.ts';
import { isoTime, time } from '../shapes.ts';

/** More runs at once than any machine bears. */
const MAX_CURRENT = 50;

const count = z.int();

const currentSchema = runSchema.extend({
  step: count
    .nullable()
    .describe(
      'Which of the script’s own list of steps it is at, from 1: best effort, branches and loops are one step.',
    ),
  of_steps: count.nullable().describe('How many that list has; null where the script cannot be read.'),
  step_name: z.string().nullable().describe('Of the step that was begun last, also inside others.'),
  waiting_for_person: z.string().nullable().describe('What a person is asked to do.'),
});

const summarySchema = z
  .object({
    since: time.describe('What is counted began then.'),
    runs: z.object({
      total: count,
      queued: count,
      waiting: count,
      running: count,
      succeeded: count,
      failed: count,
      cancelled: count,
      lost: count,
    }),
    median_duration_ms: count.nullable().describe('Of the runs that have ended.'),
    tasks: z.object({ received: count, reported: count, lost: count }),
    uploads: z.object({
      files: count.describe('That came to S3 since then.'),
      bytes: count,
      waiting: count.describe('That are still here, from whenever they are.'),
      waiting_bytes: count,
      failed: count.describe('That are not tried again by themselves.'),
    }),
    current: z.array(currentSchema).describe('What it does now, oldest first.'),
    needs_person: z.array(needSchema).describe('What cannot go on without a person, most urgent first.'),
  })
  .meta({ id: 'Summary' });

export type Summary = z.infer<typeof summarySchema>;

export function summaryRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const store = new SummaryStore(ports.db);
  const needs = needsOf(ports);
  const progress = progressOf(ports.runs);
  const current = (run: RunRow): z.infer<typeof currentSchema> => {
    const { step, ofSteps, stepName } = progress(run);
    const waits = ports.humans.pending().find(({ runId }) => runId === run.run_id);
    return {
      ...shownRun(run),
      step,
      of_steps: ofSteps,
      step_name: stepName,
      waiting_for_person: waits?.message ?? null,
    };
  };
  return async (app) => {
    app.get(
      '/summary',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getSummary',
          summary: 'What it does now, the numbers of the day, and what needs a person',
          tags: ['system'],
          querystring: z.object({
            since: time.optional().describe('RFC 3339, UTC. Default: the last midnight of this machine.'),
          }),
          response: answers({ 200: summarySchema }),
        },
      },
      async ({ query }) => {
        const since = query.since === undefined ? midnight(ports.clock.now()) : Date.parse(query.since);
        const runs = store.runs(since);
        const uploads = store.uploads(since);
        return {
          since: isoTime(since),
          runs: { total: Object.values(runs).reduce((sum, n) => sum + n, 0), ...runs },
          median_duration_ms: store.medianDurationMs(since),
          tasks: store.tasks(since),
          uploads: {
            files: uploads.done,
            bytes: uploads.done_bytes,
            waiting: uploads.waiting,
            waiting_bytes: uploads.waiting_bytes,
            failed: uploads.failed,
          },
          current: ports.runs.unfinished().slice(0, MAX_CURRENT).map(current),
          needs_person: await needs(),
        };
      },
    );
  };
}

/** The day of the person at this machine, not that of Greenwich. */
function midnight(now: number): number {
  return new Date(now).setHours(0, 0, 0, 0);
}
