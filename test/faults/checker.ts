/**
 * Judges a fault run: what the service's history says of each task, what the portal counted, what the line
 * saw and what the agent's own database says must be one and the same story.
 */
import { z } from 'zod';
import type { Execution } from '../../agent/sandbox/index.ts';
import { manifestSchema } from '../../agent/recording/manifest.ts';
import type { FaultRun } from './driver.ts';
import type { TaskOnLine } from './proxy.ts';
import { OWN_ERROR, type PlannedTask } from './workload.ts';

/** What a browser had sent before the fence may still arrive; milliseconds. */
const ON_ITS_WAY_MS = 500;

export interface Verdict {
  /** How the tasks ended. */
  ends: Record<'succeeded' | 'failed' | 'interrupted' | 'timedOut', number>;
  /** Problems in words, by what must not be. Each list is to be empty. */
  problems: Record<
    'lost' | 'doubleReports' | 'contradictions' | 'missingArtifacts' | 'processesLeft' | 'actionsAfterFence',
    string[]
  >;
  artifacts: number;
  tokensRejected: number;
  /** From the answer that said so to the fence, milliseconds; null when no run met one. */
  longestFenceMs: number | null;
}

const stepFacts = z.object({ step: z.number() }).nullable();
const interruptedCause = z.object({ last_finished_step: stepFacts, step_in_doubt: stepFacts });
const taskRow = z.object({
  task_id: z.string(),
  run_id: z.string(),
  state: z.string(),
  lost_reason: z.string().nullable(),
});
type TaskRow = z.infer<typeof taskRow>;

/** All that is known of one task. */
interface Case {
  task: PlannedTask;
  execution: Execution;
  line: TaskOnLine | undefined;
  row: TaskRow | undefined;
  /** Steps that asked the portal, in order. */
  seen: { step: number; time: number }[];
  fencedAt: number | undefined;
  /** When the agent noted each step as begun, on disk and before it acted; milliseconds since the epoch. */
  begun: ReadonlyMap<number, number>;
}

/** What a verdict is made from. */
export type Seen = Pick<
  FaultRun,
  | 'planned'
  | 'executions'
  | 'line'
  | 'portal'
  | 'fences'
  | 'db'
  | 'object'
  | 'bucket'
  | 'processesLeft'
  | 'unsettled'
>;

export async function judge(run: Seen): Promise<Verdict> {
  const verdict: Verdict = {
    ends: { succeeded: 0, failed: 0, interrupted: 0, timedOut: 0 },
    problems: {
      lost: [...run.unsettled],
      doubleReports: [],
      contradictions: [],
      missingArtifacts: [],
      processesLeft: run.processesLeft,
      actionsAfterFence: [],
    },
    artifacts: 0,
    tokensRejected: 0,
    longestFenceMs: null,
  };
  for (const one of casesOf(run, verdict)) {
    judgeEnd(one, verdict);
    judgeReports(one, verdict);
    judgeFence(one, verdict);
  }
  await judgeArtifacts(run, verdict);
  return verdict;
}

function casesOf(run: Seen, { problems }: Verdict): Case[] {
  const lines = new Map([...run.line].map(([id, line]) => [line.script, { id, line }]));
  const rows = new Map(
    z
      .array(taskRow)
      .parse(run.db.prepare('SELECT task_id, run_id, state, lost_reason FROM tasks').all())
      .map((row) => [row.task_id, row]),
  );
  const begunSteps = beginnings(run.db);
  const seen = new Map<string, Case['seen']>();
  for (const { query, time } of run.portal) {
    const asked = new URLSearchParams(query);
    const name = asked.get('task') ?? '';
    seen.set(name, [...(seen.get(name) ?? []), { step: Number(asked.get('step')), time }]);
  }
  return run.planned.flatMap((task) => {
    const execution = run.executions.get(task.name);
    const { id, line } = lines.get(task.name) ?? { id: '', line: undefined };
    if (!execution) {
      problems.lost.push(`${task.name} has not ended`);
      return [];
    }
    const found = { task, execution, line, row: rows.get(id), seen: seen.get(task.name) ?? [] };
    const begun = begunSteps.get(found.row?.run_id ?? '') ?? new Map<number, number>();
    return [{ ...found, fencedAt: run.fences.get(id), begun }];
  });
}

const stepRow = z.object({ run_id: z.string(), step_number: z.number(), started_at: z.number() });

/** When each step of each run was noted as begun, milliseconds since the epoch. */
function beginnings(db: Seen['db']): Map<string, Map<number, number>> {
  const runs = new Map<string, Map<number, number>>();
  const rows = db.prepare('SELECT run_id, step_number, started_at FROM steps').all();
  for (const { run_id, step_number, started_at } of z.array(stepRow).parse(rows)) {
    const steps = runs.get(run_id) ?? new Map<number, number>();
    runs.set(run_id, steps.set(step_number, started_at));
  }
  return runs;
}

/** The end that the service knows against what was done, and against the agent's own database. */
function judgeEnd(one: Case, { ends, problems }: Verdict): void {
  const { task, execution, row, seen } = one;
  const wrong = (what: string): void => {
    problems.contradictions.push(`${describe(one)}: ${what}`);
  };
  const asked = seen.map(({ step }) => step);
  if (new Set(asked).size !== asked.length) wrong('a step was done twice');
  const all = task.asks.flatMap((isAsking, index) => (isAsking ? [index + 1] : []));
  const missing = (upTo: number): number[] => all.filter((step) => step <= upTo && !asked.includes(step));

  if (execution.status === 'SUCCEEDED') {
    ends.succeeded += 1;
    if (task.kind === 'fails') wrong('a script that fails was reported as a success');
    if (missing(Infinity).length > 0) wrong(`a success, without steps ${missing(Infinity).join(', ')}`);
  } else if (execution.error === OWN_ERROR) {
    ends.failed += 1;
    if (task.kind !== 'fails') wrong('an error that the script does not have');
    if (missing(Infinity).length > 0) wrong(`its own error, without steps ${missing(Infinity).join(', ')}`);
  } else if (execution.error === 'BrowserAgent.Interrupted') {
    ends.interrupted += 1;
    const cause = interruptedCause.parse(JSON.parse(execution.cause ?? '{}'));
    const finished = cause.last_finished_step?.step ?? 0;
    const reached = cause.step_in_doubt?.step ?? finished;
    if (missing(finished).length > 0)
      wrong(`says ${finished} finished, without ${missing(finished).join(', ')}`);
    const beyond = asked.filter((step) => step > reached);
    if (beyond.length > 0) wrong(`says it came to ${reached}, and did ${beyond.join(', ')}`);
  } else if (isTimeout(execution)) {
    ends.timedOut += 1;
    if (row?.state === 'reported') wrong('timed out, and the agent says that it was reported');
    if (!row && asked.length > 0) wrong('acted upon, and not in the database');
  } else {
    wrong('an end that nobody planned');
  }
  if (row && row.state !== 'reported' && row.state !== 'lost')
    problems.lost.push(`${describe(one)}: is open`);
  if (isTimeout(execution) || !row) return;
  if (row.state === 'lost' && !row.lost_reason?.includes('may have been taken')) {
    wrong(`its report was taken, and the agent says that it is lost: ${row.lost_reason}`);
  }
}

function judgeReports(one: Case, { problems }: Verdict): void {
  const { line, execution } = one;
  if (!line) return;
  if (line.reports.size > 1)
    problems.doubleReports.push(`${describe(one)}: ${line.reports.size} different reports`);
  if (line.taken > 1) problems.doubleReports.push(`${describe(one)}: ${line.taken} reports were taken`);
  if (line.taken === 0 && !isTimeout(execution)) {
    problems.contradictions.push(`${describe(one)}: ended without a report of the agent`);
  }
}

/**
 * Nothing is begun after the agent knew that the lease is gone, nor after the service had ended the task. What
 * had begun before may still ask the portal: a click that waits for its page is not taken back.
 */
function judgeFence(one: Case, verdict: Verdict): void {
  const { line, execution, seen, fencedAt, begun } = one;
  const rejectedAt = line?.rejectedAt ?? null;
  if (rejectedAt !== null) verdict.tokensRejected += 1;
  if (rejectedAt !== null && fencedAt !== undefined) {
    verdict.longestFenceMs = Math.max(verdict.longestFenceMs ?? 0, fencedAt - rejectedAt);
  }
  const endedAt = (execution.stopDate ?? Infinity) * 1_000;
  const fence = Math.min(fencedAt ?? Infinity, rejectedAt ?? Infinity, endedAt);
  for (const { step, time } of seen) {
    const begunAt = begun.get(step) ?? time;
    if (time <= fence + ON_ITS_WAY_MS || begunAt <= fence) continue;
    verdict.problems.actionsAfterFence.push(
      `${describe(one)}: step ${step} came ${time - fence} ms after the fence, begun ${begunAt - fence} ms after it`,
    );
  }
}

const outputSchema = z.object({ recording: z.object({ manifest_s3_uri: z.string().nullable() }) });
const causeSchema = z.object({ evidence: z.array(z.string()).optional() });

/** Each file that a report or a manifest names is in S3, as long as it was said to be. */
async function judgeArtifacts(run: Seen, verdict: Verdict): Promise<void> {
  const missing = verdict.problems.missingArtifacts;
  const prefix = `s3://${run.bucket}/`;
  const manifests = new Set(
    z
      .array(z.object({ key: z.string() }))
      .parse(run.db.prepare("SELECT key FROM uploads WHERE key LIKE '%/manifest.json'").all())
      .map(({ key }) => key),
  );
  for (const { name, status, output, cause } of run.executions.values()) {
    if (status === 'SUCCEEDED') {
      const uri = outputSchema.parse(JSON.parse(output ?? '{}')).recording.manifest_s3_uri;
      if (uri !== null) manifests.add(uri.slice(prefix.length));
    } else if (cause !== undefined && cause.startsWith('{')) {
      for (const uri of causeSchema.parse(JSON.parse(cause)).evidence ?? []) {
        verdict.artifacts += 1;
        if (!(await run.object(uri.slice(prefix.length)))) missing.push(`${name}: ${uri}`);
      }
    }
  }
  for (const key of manifests) {
    const bytes = await run.object(key);
    verdict.artifacts += 1;
    if (!bytes) {
      missing.push(key);
      continue;
    }
    for (const artifact of manifestSchema.parse(JSON.parse(bytes.toString())).artifacts) {
      if (!artifact.uploaded) continue;
      verdict.artifacts += 1;
      const found = await run.object(key.replace(/manifest\.json$/, artifact.key));
      if (found?.length !== artifact.size_bytes) missing.push(`${key}: ${artifact.key}`);
    }
  }
}

function isTimeout({ error }: Execution): boolean {
  return error === 'States.HeartbeatTimeout' || error === 'States.Timeout';
}

function describe({ task, execution, row, line }: Case): string {
  const { status, error = '', cause = '' } = execution;
  const told = line
    ? `${line.handedOver ? '' : 'not '}handed over${line.dead ? ', token killed' : ''}`
    : 'never polled';
  return `${task.name} (${task.kind}; ${told}; ${status} ${error} ${cause.slice(0, 300)}; agent: ${row?.state ?? 'unknown'})`;
}
