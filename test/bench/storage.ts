/**
 * What each level stores: one run of fifteen steps at each, about a minute long, on pages with pictures.
 * What grows with time (video) is extrapolated to five minutes. Writes the table of docs/recording-levels.md.
 */
import { newRunId } from '../../agent/base/ids.ts';
import { RECORDING_LEVELS, type RecordingLevel } from '../../agent/base/words.ts';
import { writeTable } from './docs-table.ts';
import { fifteenSteps } from './steps.ts';
import { withStage, type Stage } from './stage.ts';

/** The design's promise for a 15-step run of five minutes, MB. */
const PROMISED_MB: Record<RecordingLevel, number> = { NONE: 0, ERROR: 0, INFO: 0.6, DEBUG: 20, TRACE: 59 };
const PROMISED_FAILURE_MB = 1;
const STEP_DELAY_MS = 4_000;
const FIVE_MINUTES_MS = 300_000;

interface Stored {
  name: string;
  files: number;
  sizeBytes: number;
  fiveMinuteBytes: number;
  promisedMb: number;
  s3Requests: number;
  durationMs: number;
}

export async function benchStorage(): Promise<void> {
  const rows = await withStage(
    { keepWarm: false, flags: { 'recording.keep_level': 'NONE' } },
    async (stage) => {
      const runs = RECORDING_LEVELS.map((level) => store(stage, level, false));
      runs.push(store(stage, 'ERROR', true));
      return Promise.all(runs);
    },
  );
  const none = rows[0]!;
  if (none.s3Requests !== 0) throw new Error(`NONE made ${none.s3Requests} requests to S3`);
  const table = [
    '| level | files | bytes measured | for five minutes | promised | requests to S3 |',
    '|---|---:|---:|---:|---:|---:|',
    ...rows.map(
      (row) =>
        `| ${row.name} | ${row.files} | ${row.sizeBytes.toLocaleString('en')} | ${(row.fiveMinuteBytes / 1e6).toFixed(2)} MB${row.fiveMinuteBytes === row.sizeBytes ? '' : ' (video extrapolated)'} | ${row.promisedMb} MB | ${row.s3Requests} |`,
    ),
  ].join('\n');
  console.log(`\nStored by runs of 15 steps, ${(none.durationMs / 1000).toFixed(0)} s each\n${table}`);
  writeTable('storage', table);
  const broken = rows.filter((row) => row.fiveMinuteBytes > row.promisedMb * 1e6);
  for (const row of broken) console.log(`ABOVE THE PROMISE: ${row.name}`);
  if (broken.length > 0) process.exitCode = 1;
}

async function store(stage: Stage, level: RecordingLevel, fail: boolean): Promise<Stored> {
  const runId = newRunId();
  const script = fifteenSteps(stage.portal.url, STEP_DELAY_MS) as { steps: object[] };
  if (fail) script.steps.push({ action: 'fail', name: 'Give up', message: 'for the bench' });
  const outcome = await stage.agent.engine.execute(
    { runId, input: { kind: 'script', script }, level: { level, reason: 'bench' } },
    { signal: new AbortController().signal },
  );
  if (outcome.state !== (fail ? 'failed' : 'succeeded'))
    throw new Error(`${level}: ${outcome.error?.message}`);
  await stage.agent.uploads.settle(runId, { deadlineMs: 60_000 });
  const uploaded = stage.agent.runs.artifacts(runId).filter((artifact) => artifact.upload === 1);
  const sizeBytes = sum(uploaded.map((artifact) => artifact.size_bytes));
  const durationMs = outcome.result['duration_ms'] as number;
  const videoBytes = sum(
    uploaded.filter((artifact) => artifact.key === 'video.webm').map((artifact) => artifact.size_bytes),
  );
  return {
    name: fail ? `${level}, failed` : level,
    files: uploaded.length,
    sizeBytes,
    fiveMinuteBytes: Math.round(sizeBytes + videoBytes * (FIVE_MINUTES_MS / durationMs - 1)),
    promisedMb: fail ? PROMISED_FAILURE_MB : PROMISED_MB[level],
    s3Requests: stage.sandbox.requests
      .all({ service: 's3' })
      .filter((request) => request.key?.includes(runId)).length,
    durationMs,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
