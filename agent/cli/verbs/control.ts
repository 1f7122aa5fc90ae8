/** The verbs that speak with the running agent, through its local API. */
import { existsSync } from 'node:fs';
import { homePaths } from '../../base/paths.ts';
import { answerOf, type ApiClient, type Shapes } from '../../client/client.ts';
import { connect, reach } from '../../client/connect.ts';
import { openDatabase } from '../../store/database.ts';
import { UploadStore } from '../../store/uploads.ts';
import { Failed, type VerbOptions } from '../main-types.ts';
import { formatTime, note, print, printJson } from '../output.ts';

interface UploadCounts {
  pending: number;
  done: number;
  failed: number;
}

/** What the agent on this data directory is doing; exit code 1 when none runs. */
export async function status(options: VerbOptions): Promise<void> {
  const { home, json } = options;
  const reached = reach(home);
  if (reached.state === 'none') {
    const uploads = countUploads(home);
    if (json === true) printJson({ running: false, ...(uploads ? { uploads } : {}) });
    throw new Failed(
      uploads
        ? `No agent runs on ${home}. Start one with: local-browser-agent run`
        : `No agent has run on ${home} yet.`,
    );
  }
  if (reached.state === 'silent') {
    if (json === true) printJson({ running: true, api: false, uploads: countUploads(home) });
    else {
      print('state      at work');
      note(
        'More is not known: its local API is off (api.enabled: false), or it is just starting or ending. "local-browser-agent runs" lists its runs.',
      );
    }
    return;
  }
  const now = await answerOf(reached.client.GET('/api/v1/agent'));
  const uploads = await answerOf(reached.client.GET('/api/v1/uploads/counts'));
  if (json === true) printJson({ running: true, api: true, ...asJson(now), uploads });
  else {
    show(now, uploads, reached.file.url);
    const { checks } = await answerOf(reached.client.GET('/api/v1/health'));
    if (!checks.services.ok) print(`aws        failing: ${checks.services.detail}`);
  }
}

export async function pause({ home }: VerbOptions): Promise<void> {
  await answerOf(reachable(home).POST('/api/v1/agent/pause'));
  note('The agent takes no new tasks until: local-browser-agent resume');
}

export async function resume({ home }: VerbOptions, args: string[]): Promise<void> {
  const [runId] = args;
  const client = reachable(home);
  if (runId === undefined) {
    await answerOf(client.POST('/api/v1/agent/resume'));
    note('The agent takes tasks again.');
    return;
  }
  const params = { path: { run_id: runId } };
  await answerOf(client.POST('/api/v1/runs/{run_id}/resume', { params }));
  note(`Run ${runId} goes on.`);
}

export async function drain({ home }: VerbOptions): Promise<void> {
  await answerOf(reachable(home).POST('/api/v1/agent/drain'));
  note('The agent finishes what it has begun, then ends.');
}

/** @throws Failed where there was never an agent, AgentError where there is none to speak to now */
export function reachable(home: string): ApiClient {
  if (!existsSync(homePaths(home).database)) throw new Failed(`No agent has run on ${home} yet.`);
  return connect({ home });
}

function show(
  now: Shapes['AgentStatus'],
  uploads: UploadCounts & { last_error: string | null },
  url: string,
): void {
  print(`state      ${now.state}${now.detail ? ` (${now.detail})` : ''}`);
  print(`process    ${now.pid}, since ${formatTime(startedAt(now))}`);
  print(`activity   ${now.activity_arn ?? 'none'}`);
  print(`api        ${url}/api/v1`);
  for (const task of now.tasks) print(`run        ${task.run_id} ${task.script_name}`);
  for (const wait of now.waiting_for_person) print(`waits      ${wait.run_id} for a person: ${wait.message}`);
  print(`uploads    ${uploads.pending} pending, ${uploads.failed} failed`);
  if (uploads.last_error !== null) print(`           waiting: ${uploads.last_error}`);
}

/** As this verb has always printed it. */
function asJson(now: Shapes['AgentStatus']): object {
  return {
    pid: now.pid,
    startedAt: startedAt(now),
    state: now.state,
    detail: now.detail,
    activityArn: now.activity_arn,
    runs: now.tasks.map((task) => ({
      runId: task.run_id,
      taskId: task.task_id,
      scriptName: task.script_name,
    })),
    waitingForPerson: now.waiting_for_person.map(({ run_id: runId, message }) => ({ runId, message })),
  };
}

function startedAt({ started_at: time }: Shapes['AgentStatus']): number | null {
  return time === null ? null : Date.parse(time);
}

/** From the database; undefined where there is none. */
function countUploads(home: string): UploadCounts | undefined {
  const { database } = homePaths(home);
  if (!existsSync(database)) return undefined;
  const db = openDatabase(database);
  try {
    return new UploadStore(db).counts();
  } finally {
    db.close();
  }
}
