import { existsSync } from 'node:fs';
import { homePaths } from '../../base/paths.ts';
import { answerOf } from '../../client/client.ts';
import { openDatabase } from '../../store/database.ts';
import { RUN_STATES, type RunState } from '../../store/run-state.ts';
import { RunStore } from '../../store/runs.ts';
import { UploadStore } from '../../store/uploads.ts';
import { Failed, WrongUse, type VerbOptions } from '../main-types.ts';
import { formatBytes, formatDuration, formatTime, note, print, printJson, printRows } from '../output.ts';
import { reachable } from './control.ts';

interface RunsOptions extends VerbOptions {
  state?: string;
  limit: string;
}

/** What follows `runs`; an id alone is short for `show ID`. */
const VERBS = ['list', 'show', 'cancel'];

/** `list` and `show` read the database, whether an agent runs or not; `cancel` asks the one that runs. */
export async function runs(options: RunsOptions, given: string[]): Promise<void> {
  const [verb = 'list', ...args] = VERBS.includes(given[0] ?? 'list') ? given : ['show', ...given];
  const [runId] = args;
  if (verb !== 'list' && runId === undefined)
    throw new WrongUse(`usage: local-browser-agent runs ${verb} ID`);
  if (args.length > (verb === 'list' ? 0 : 1)) {
    throw new WrongUse(`runs ${given.join(' ')}: use list, show ID or cancel ID`);
  }
  if (verb === 'cancel') await cancel(options.home, runId!);
  else show(options, runId);
}

async function cancel(home: string, runId: string): Promise<void> {
  const client = reachable(home);
  const params = { path: { run_id: runId } };
  await answerOf(client.POST('/api/v1/runs/{run_id}/cancel', { params }));
  note(`Run ${runId} is cancelled; it ends in a moment.`);
}

function show(options: RunsOptions, runId: string | undefined): void {
  const filter = readFilter(options);
  const { database } = homePaths(options.home);
  if (!existsSync(database)) {
    if (runId !== undefined) throw noSuchRun(runId);
    if (options.json === true) printJson([]);
    else note(`No runs yet in ${options.home}.`);
    return;
  }
  const db = openDatabase(database);
  try {
    const store = new RunStore(db);
    if (runId !== undefined) showOne(store, new UploadStore(db), runId, options.json === true);
    else showList(store, filter, options.json === true);
  } finally {
    db.close();
  }
}

function readFilter(options: RunsOptions): { limit: number; state?: RunState } {
  const state = RUN_STATES.find((known) => known === options.state);
  if (options.state !== undefined && state === undefined) {
    throw new WrongUse(`--state ${options.state}: use one of ${RUN_STATES.join(', ')}`);
  }
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1)
    throw new WrongUse(`--limit ${options.limit}: use a whole number above 0`);
  return { limit, ...(state ? { state } : {}) };
}

function noSuchRun(runId: string): Failed {
  return new Failed(`there is no run ${runId} here; "local-browser-agent runs" lists them`);
}

function showList(store: RunStore, filter: { limit: number; state?: RunState }, json: boolean): void {
  const rows = store.list(filter);
  if (rows.length === 0 && !json) {
    note('No runs.');
    return;
  }
  printRows(
    rows,
    [
      { title: 'run', value: (run) => run.run_id },
      { title: 'started', value: (run) => formatTime(run.started_at ?? run.queued_at) },
      { title: 'script', value: (run) => run.script_name },
      { title: 'state', value: (run) => run.state },
      { title: 'level', value: (run) => run.level },
      {
        title: 'took',
        align: 'right',
        value: (run) =>
          formatDuration(run.ended_at === null ? null : run.ended_at - (run.started_at ?? run.queued_at)),
      },
      { title: 'error', value: (run) => run.error_name },
    ],
    json,
  );
}

function showOne(store: RunStore, uploads: UploadStore, runId: string, json: boolean): void {
  const run = store.get(runId);
  if (!run) throw noSuchRun(runId);
  const steps = store.steps(runId);
  const artifacts = store.artifacts(runId);
  const counts = uploads.counts(runId);
  if (json) {
    printJson({ ...run, steps, artifacts, uploads: counts, result: store.result(runId) ?? null });
    return;
  }
  print(`${run.script_name}: ${run.state}, level ${run.level} (${run.level_reason})`);
  if (run.error_name) print(`${run.error_name}: ${run.error_message}`);
  print('');
  printRows(
    steps,
    [
      { title: 'step', align: 'right', value: (step) => step.step_number },
      { title: 'name', value: (step) => step.name },
      { title: 'action', value: (step) => step.action },
      {
        title: 'result',
        value: (step) => (step.state === 'intent' ? 'in doubt' : step.success ? 'ok' : 'failed'),
      },
      {
        title: 'took',
        align: 'right',
        value: (step) => formatDuration(step.ended_at === null ? null : step.ended_at - step.started_at),
      },
    ],
    false,
  );
  if (artifacts.length === 0) return;
  print('');
  printRows(
    artifacts,
    [
      { title: 'artifact', value: (artifact) => artifact.key },
      { title: 'size', align: 'right', value: (artifact) => formatBytes(artifact.size_bytes) },
      { title: 'goes to s3', value: (artifact) => (artifact.upload ? 'yes' : 'no') },
      { title: 'kept here', value: (artifact) => (artifact.keep ? artifact.path : 'no') },
    ],
    false,
  );
  print(`\nuploads: ${counts.done} done, ${counts.pending} pending, ${counts.failed} failed`);
}
