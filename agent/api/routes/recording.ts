/** The recording levels, for the person who chooses one. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { RECORDING_LEVELS, type RecordingLevel } from '../../base/words.ts';
import {
  DAYS_OF_MONTH,
  estimateLevels,
  LEVEL_WORDS,
  type LevelEstimate,
} from '../../recording/level-words.ts';
import { ARTIFACT_KINDS } from '../../recording/artifact-kinds.ts';
import { artifactWanted } from '../../recording/levels.ts';
import { resolveLevel } from '../../recording/resolve-level.ts';
import { EvidenceSizes } from '../../store/evidence-sizes.ts';
import type { ApiPorts } from '../ports.ts';
import { answers } from '../problem.ts';
import { level } from '../shapes.ts';

const DAY_MS = 86_400_000;

const estimateSchema = z.object({
  sessions_per_month: z.int(),
  bytes_per_session: z
    .int()
    .describe('The middle one of this machine’s runs; at ERROR, where most have none, the mean.'),
  bytes_per_month: z.int(),
  dollars_per_month: z
    .number()
    .describe(
      'For what a month brings, each month that it is kept: US dollars in S3 Standard, US East, without requests.',
    ),
  from: z
    .enum(['runs', 'default'])
    .describe(
      '`default`: fewer than five of the last 30 days recorded that much; ERROR: of a failed session.',
    ),
  runs: z.int().describe('That it is made from.'),
});

const levelSchema = z
  .object({
    level,
    title: z.string(),
    uploads: z.string().describe('What is uploaded, in plain words.'),
    kinds: z.array(z.string()).describe('Kinds of artifacts of every run.'),
    kinds_of_failures: z.array(z.string()).describe('Further kinds of runs that fail.'),
    allowed: z.boolean().describe('Not above the owner’s cap.'),
    estimate: estimateSchema,
  })
  .meta({ id: 'RecordingLevel' });

const levelsSchema = z
  .object({
    items: z.array(levelSchema).describe('Weakest first.'),
    current: z
      .object({ level, reason: z.string() })
      .describe('Of a run for which neither task nor script nor the agent that asks names one.'),
    default_level: level.describe('`recording.default_level`, as it is set.'),
    cap: z
      .object({ level, source: z.string() })
      .describe('`recording.max_level`: nothing above it is uploaded, whoever asks.'),
    kept_bytes: z.int().describe('What past runs take on this machine; `recording.keep_gb` bounds it.'),
    override: level.nullable().describe('`RECORDING_LEVEL_OVERRIDE`, stronger than everything but the cap.'),
  })
  .meta({ id: 'RecordingLevels' });

export function recordingRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/recording/levels',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listRecordingLevels',
          summary:
            'What each recording level uploads, what that would cost, which one counts, and what is kept',
          tags: ['settings'],
          response: answers({ 200: levelsSchema }),
        },
      },
      async () => levelsOf(ports),
    );
  };
}

function levelsOf({ config, db, clock }: ApiPorts): z.infer<typeof levelsSchema> {
  const { recording, aws } = config.settings;
  const now = clock.now();
  const since = now - DAYS_OF_MONTH * DAY_MS;
  const sizes = new EvidenceSizes(db);
  const { count, firstAt } = sizes.count(since);
  const days = firstAt === null ? 0 : (now - firstAt) / DAY_MS;
  const estimates = estimateLevels(sizes.since(since), { count, days });
  return {
    items: RECORDING_LEVELS.map((each) => ({
      level: each,
      ...LEVEL_WORDS[each],
      ...kindsOf(each),
      allowed: RECORDING_LEVELS.indexOf(each) <= RECORDING_LEVELS.indexOf(recording.max_level),
      estimate: shownEstimate(estimates[each]),
    })),
    current: resolveLevel({
      env: recording.level_override,
      byEnv: recording.level_by_env,
      default: config.sourceOf('recording.default_level') === 'default' ? null : recording.default_level,
      max: recording.max_level,
      envName: aws.env,
    }),
    default_level: recording.default_level,
    cap: { level: recording.max_level, source: config.sourceOf('recording.max_level') },
    kept_bytes: sizes.kept(),
    override: recording.level_override,
  };
}

function kindsOf(level: RecordingLevel): { kinds: string[]; kinds_of_failures: string[] } {
  const always = ARTIFACT_KINDS.filter((kind) => artifactWanted(kind, level, { failed: false }));
  const failed = ARTIFACT_KINDS.filter((kind) => artifactWanted(kind, level, { failed: true }));
  return { kinds: always, kinds_of_failures: failed.filter((kind) => !always.includes(kind)) };
}

function shownEstimate(estimate: LevelEstimate): z.infer<typeof estimateSchema> {
  return {
    sessions_per_month: estimate.sessionsPerMonth,
    bytes_per_session: estimate.bytesPerSession,
    bytes_per_month: estimate.bytesPerMonth,
    dollars_per_month: Math.round(estimate.dollarsPerMonth * 10_000) / 10_000,
    from: estimate.from,
    runs: estimate.runs,
  };
}
