/**
 * The main job on the sandbox, for real: real AWS clients against the built-in stand-in, a real browser on a
 * real site, and every expectation checked against what is in S3 at the end.
 */
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { S3Client } from '@aws-sdk/client-s3';
import { openAgent, type Agent } from '../../agent.ts';
import { serve } from '../../serve.ts';
import type { AgentEvent } from '../../base/events.ts';
import { createLogger } from '../../base/log.ts';
import { homePaths } from '../../base/paths.ts';
import { resourceFolder } from '../../base/resources.ts';
import type { RecordingLevel } from '../../base/words.ts';
import { setup } from '../../config/setup.ts';
import { FileVault } from '../../config/vault.ts';
import { seedEnvironment, startPortal, startSandbox, type Sandbox } from '../../sandbox/index.ts';
import { openDatabase } from '../../store/database.ts';
import { Failed, type VerbOptions } from '../main-types.ts';
import { formatBytes, formatDuration, formatRows, note, print, printJson } from '../output.ts';

interface Planned {
  title: string;
  script: string;
  level: RecordingLevel;
  /** How the execution ends. */
  status: 'SUCCEEDED' | 'FAILED';
  /** Runs it takes: more than one when the state machine retries. */
  runs: number;
  /** Keys that must be among the last run's objects; an empty list means that there must be none at all. */
  keys: RegExp[];
}

const EVERYTHING = [/\/manifest\.json$/, /\/final\/.+\.html$/, /\/steps\/\d{3}-.+\.(jpg|png)$/];

const PLAN: readonly Planned[] = [
  {
    title: 'report, nothing recorded',
    script: 'order-report',
    level: 'NONE',
    status: 'SUCCEEDED',
    runs: 1,
    keys: [],
  },
  {
    title: 'report, only failures recorded',
    script: 'order-report',
    level: 'ERROR',
    status: 'SUCCEEDED',
    runs: 1,
    keys: [],
  },
  {
    title: 'report, results recorded',
    script: 'order-report',
    level: 'INFO',
    status: 'SUCCEEDED',
    runs: 1,
    keys: EVERYTHING,
  },
  {
    title: 'report, key steps and trace',
    script: 'order-report',
    level: 'DEBUG',
    status: 'SUCCEEDED',
    runs: 1,
    keys: [...EVERYTHING, /\/trace\.zip$/],
  },
  {
    title: 'report, everything',
    script: 'order-report',
    level: 'TRACE',
    status: 'SUCCEEDED',
    runs: 1,
    keys: [...EVERYTHING, /\/trace\.zip$/],
  },
  {
    title: 'a page that fails now and then',
    script: 'stock-report',
    level: 'INFO',
    status: 'SUCCEEDED',
    runs: 2,
    keys: EVERYTHING.slice(0, 2),
  },
  {
    title: 'an order that is not there',
    script: 'missing-order',
    level: 'ERROR',
    status: 'FAILED',
    runs: 1,
    keys: [/\/failure\/.+\.html$/, /\/failure\/.+\.(jpg|png)$/, /\/manifest\.json$/],
  },
];

/** In the state machine's file, where the activity's ARN belongs. */
const PLACEHOLDER = '${ActivityArn}';
/** Nothing runs any more by then, so this is for what is closing. */
const STOP_MS = 10_000;
/** Short polls, so that draining is not a minute of waiting. */
const POLL_MS = 2_000;
/** All executions together; the machine is given up on after this. */
const DEADLINE_MS = 5 * 60_000;

interface Row {
  execution: string;
  title: string;
  status: string;
  error: string | null;
  level: string;
  reason: string;
  runs: number;
  files: number;
  sizeBytes: number;
  durationMs: number;
  keys: string[];
  /** Expectations that did not hold. */
  problems: string[];
}

export async function demo(options: VerbOptions): Promise<void> {
  const startedMs = performance.now();
  const home = await mkdtemp(join(tmpdir(), 'local-browser-agent-demo-'));
  const portal = await startPortal();
  const sandbox = await startSandbox({ pollMs: POLL_MS });
  try {
    const seeded = await seedEnvironment(sandbox, { env: 'demo' });
    note(`sandbox ${sandbox.url}, portal ${portal.url}, data directory ${home}`);
    // The SDK looks for credentials in the environment of the process.
    const env = Object.assign(process.env, sandbox.env);
    await prepareHome(home, env);

    const agent = await openAgent({ home, env, log: createLogger({ level: 'warn' }) });
    const forget = agent.events.on('demo', showEvent);
    let rows: Row[];
    try {
      const { worker } = await serve(agent);
      try {
        rows = await runPlan({ agent, sandbox, portal: portal.url, ...seeded });
        note('\ndraining the agent');
      } finally {
        await worker.stop({ deadlineMs: STOP_MS });
      }
    } finally {
      forget();
      await agent.close();
    }
    report(rows, options.json === true, performance.now() - startedMs);
    if (rows.some((row) => row.problems.length > 0)) throw new Failed('Not every expectation held.');
  } finally {
    await sandbox.close();
    await portal.close();
    await rm(home, { recursive: true, force: true });
  }
}

/** As a person would: the one-click setup, and the scripts that tasks name put into the library. */
async function prepareHome(home: string, env: NodeJS.ProcessEnv): Promise<void> {
  const paths = homePaths(home);
  const db = openDatabase(paths.database);
  try {
    const result = await setup({
      home,
      env,
      db,
      vault: new FileVault(home),
      environment: 'demo',
      onStep: (step) => note(`  ${step.status === 'fail' ? '✗' : '✓'} setup: ${step.title}: ${step.detail}`),
    });
    if (!result.ok) throw new Failed('The setup on the sandbox failed.');
  } finally {
    db.close();
  }
  for (const name of new Set(PLAN.map((planned) => planned.script))) {
    await cp(join(resourceFolder('demo'), `${name}.json`), join(paths.scripts, `${name}.json`));
  }
}

interface Stage {
  agent: Agent;
  sandbox: Sandbox;
  portal: string;
  activityArn: string;
  roleArn: string;
}

async function runPlan(stage: Stage): Promise<Row[]> {
  const [sfn, s3] = await Promise.all([stage.agent.clients.sfn(), stage.agent.clients.s3()]);
  const { CreateStateMachineCommand, StartExecutionCommand } = await import('@aws-sdk/client-sfn');
  const definition = (await readFile(join(resourceFolder('demo'), 'state-machine.json'), 'utf8')).replaceAll(
    PLACEHOLDER,
    stage.activityArn,
  );
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({ name: 'demo', definition, roleArn: stage.roleArn }),
  );
  note(`state machine ${stateMachineArn}`);
  const started = [];
  for (const [index, planned] of PLAN.entries()) {
    const input = {
      tool_name: 'browser_remote',
      tool_use_id: `toolu_${index + 1}`,
      tool_input: { script: planned.script, variables: { portal: stage.portal } },
      recording_level: planned.level,
    };
    const { executionArn } = await sfn.send(
      new StartExecutionCommand({
        stateMachineArn,
        name: `${index + 1}-${planned.script}-${planned.level}`,
        input: JSON.stringify(input),
      }),
    );
    note(`started execution ${index + 1}: ${planned.title} (${planned.level})`);
    started.push({ planned, executionArn: executionArn ?? '', startedMs: performance.now() });
  }
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const ended = await Promise.all(
    started.map(async (execution) => {
      await stage.sandbox.executionEnded(execution.executionArn, signal);
      return execution;
    }),
  );
  for (const run of stage.agent.runs.list({ limit: 100 })) {
    await stage.agent.uploads.settle(run.run_id, { deadlineMs: 60_000 });
  }
  const rows: Row[] = [];
  for (const { planned, executionArn } of ended)
    rows.push(await check(stage, { sfn, s3 }, planned, executionArn));
  return rows;
}

/** Holds one execution against its plan, by what the services say, not by what the agent says. */
async function check(
  stage: Stage,
  clients: { sfn: SFNClient; s3: S3Client },
  planned: Planned,
  executionArn: string,
): Promise<Row> {
  const { DescribeExecutionCommand } = await import('@aws-sdk/client-sfn');
  const execution = await clients.sfn.send(new DescribeExecutionCommand({ executionArn }));
  const name = execution.name ?? '';
  const problems: string[] = [];
  const expect = (held: boolean, what: string): void => {
    if (!held) problems.push(what);
  };
  const index = Number(name.split('-')[0]);
  const runs = runsOf(stage, index);
  const objects = await objectsOf(clients.s3, stage, runs);
  const keys = objects.map((object) => object.key);
  const last = runs.at(-1);

  expect(execution.status === planned.status, `status ${execution.status}, expected ${planned.status}`);
  expect(runs.length === planned.runs, `${runs.length} runs, expected ${planned.runs}`);
  expect(
    runs.every((run) => run.level === planned.level),
    `not every run is at ${planned.level}`,
  );
  if (planned.keys.length === 0) {
    expect(objects.length === 0, `${objects.length} objects in S3, expected none`);
    const asked = stage.sandbox.requests
      .all({ service: 's3' })
      .filter((request) => runs.some((run) => request.key?.includes(run.run_id)));
    expect(asked.length === 0, `${asked.length} requests to S3, expected none`);
  }
  for (const pattern of planned.keys)
    expect(
      keys.some((key) => pattern.test(key)),
      `nothing in S3 matches ${pattern}`,
    );
  if (last && planned.keys.length > 0)
    problems.push(...(await checkManifest(clients.s3, stage, last.run_id, objects)));
  const output = JSON.parse(execution.output ?? '{}') as {
    tool_input?: { script_output?: { recording?: { reason?: string } } };
  };
  return {
    execution: name,
    title: planned.title,
    status: execution.status ?? '?',
    error: execution.error ?? null,
    level: last?.level ?? '?',
    reason: output.tool_input?.script_output?.recording?.reason ?? last?.level_reason ?? '?',
    runs: runs.length,
    files: objects.length,
    sizeBytes: objects.reduce((sum, object) => sum + object.sizeBytes, 0),
    durationMs: runs.reduce((sum, run) => sum + ((run.ended_at ?? 0) - (run.started_at ?? run.queued_at)), 0),
    keys,
    problems,
  };
}

/** The runs of one execution, oldest first, found through the tasks that the agent wrote down. */
function runsOf(stage: Stage, index: number) {
  const ids = stage.agent.db
    .prepare(`SELECT run_id FROM tasks WHERE json_extract(input, '$.tool_use_id') = ? ORDER BY run_id`)
    .pluck()
    .all(`toolu_${index}`) as string[];
  return ids.flatMap((id) => stage.agent.runs.get(id) ?? []);
}

interface StoredObject {
  key: string;
  sizeBytes: number;
}

async function objectsOf(
  s3: S3Client,
  stage: Stage,
  runs: readonly { run_id: string }[],
): Promise<StoredObject[]> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const bucket = stage.agent.config.settings.aws.s3_bucket ?? '';
  const found: StoredObject[] = [];
  for (const run of runs) {
    const listed = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: `browser-sessions/${run.run_id}/` }),
    );
    for (const object of listed.Contents ?? [])
      found.push({ key: object.Key ?? '', sizeBytes: object.Size ?? 0 });
  }
  return found;
}

/** Every artifact that the manifest promises is there, with the size and the digest it promises. */
async function checkManifest(
  s3: S3Client,
  stage: Stage,
  runId: string,
  objects: StoredObject[],
): Promise<string[]> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const bucket = stage.agent.config.settings.aws.s3_bucket ?? '';
  const prefix = `browser-sessions/${runId}/`;
  const read = async (key: string): Promise<Buffer> => {
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: prefix + key }));
    return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  };
  if (!objects.some((object) => object.key === `${prefix}manifest.json`))
    return ['there is no manifest.json'];
  const manifest = JSON.parse((await read('manifest.json')).toString('utf8')) as {
    artifacts: { key: string; sizeBytes?: number; size_bytes?: number; sha256: string; uploaded?: boolean }[];
  };
  const problems: string[] = [];
  for (const artifact of manifest.artifacts) {
    if (artifact.uploaded === false) continue;
    if (!objects.some((object) => object.key === prefix + artifact.key)) {
      problems.push(`the manifest promises ${artifact.key}, which is not in S3`);
      continue;
    }
    const body = await read(artifact.key);
    const sizeBytes = artifact.size_bytes ?? artifact.sizeBytes;
    if (body.length !== sizeBytes)
      problems.push(`${artifact.key} has ${body.length} bytes, promised ${sizeBytes}`);
    if (createHash('sha256').update(body).digest('hex') !== artifact.sha256)
      problems.push(`${artifact.key} has another digest`);
  }
  return problems;
}

function showEvent(event: AgentEvent): void {
  const short = (runId: string): string => runId.slice(-6);
  switch (event.type) {
    case 'task.received':
      note(`\n[${short(event.runId)}] task received`);
      break;
    case 'run.started':
      note(`[${short(event.runId)}] ${event.scriptName} at ${event.level.level}: ${event.level.reason}`);
      break;
    case 'step.finished':
      note(
        `[${short(event.runId)}]   ${event.success ? '✓' : '✗'} ${event.stepNumber} ${event.name} (${formatDuration(event.durationMs)})${event.error ? `: ${event.error.message.split('\n')[0]}` : ''}`,
      );
      break;
    case 'run.finished':
      note(
        `[${short(event.runId)}] ${event.state} after ${formatDuration(event.durationMs)}${event.errorName ? `, ${event.errorName}` : ''}`,
      );
      break;
    case 'upload.finished':
      note(
        `[${short(event.runId)}]   ↑ ${event.key.split('/').slice(2).join('/')} ${formatBytes(event.sizeBytes)}`,
      );
      break;
    case 'upload.failed':
      note(`[${short(event.runId)}]   ↑ ${event.key}: ${event.message}`);
      break;
    case 'task.reported':
      note(
        `[${short(event.runId)}] reported: ${event.outcome}${event.errorName ? ` ${event.errorName}` : ''}`,
      );
      break;
    default:
      break;
  }
}

function report(rows: Row[], json: boolean, tookMs: number): void {
  if (json) {
    printJson(rows);
    return;
  }
  print('');
  print(
    formatRows(rows, [
      { title: 'execution', value: (row) => row.execution },
      { title: 'status', value: (row) => row.status + (row.error ? ` ${row.error}` : '') },
      { title: 'level', value: (row) => row.level },
      { title: 'why', value: (row) => row.reason },
      { title: 'runs', align: 'right', value: (row) => row.runs },
      { title: 'files', align: 'right', value: (row) => row.files },
      { title: 'bytes', align: 'right', value: (row) => formatBytes(row.sizeBytes) },
      { title: 'took', align: 'right', value: (row) => formatDuration(row.durationMs) },
      { title: 'as expected', value: (row) => (row.problems.length === 0 ? 'yes' : 'NO') },
    ]),
  );
  for (const row of rows) {
    if (row.keys.length === 0) continue;
    print(`\n${row.execution}: in S3 below browser-sessions/`);
    for (const key of row.keys) print(`  ${key.replace('browser-sessions/', '')}`);
  }
  for (const row of rows) for (const problem of row.problems) print(`\n✗ ${row.execution}: ${problem}`);
  print(
    `\n${rows.filter((row) => row.problems.length === 0).length} of ${rows.length} executions as expected, in ${formatDuration(tookMs)}`,
  );
}
