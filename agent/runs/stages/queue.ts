/** From the request to a script that is ready to run, and a row on disk for the run. */
import type { RunEngineOptions } from '../engine-options.ts';
import { keepRequest } from '../kept-request.ts';
import { levelOf, prepareScript, type Prepared } from '../prepare.ts';
import type { RunRequest } from '../types.ts';
import type { Asked, Queued } from './types.ts';

/** Name of a script that could not be read, in the run's row and result. */
export const UNREADABLE_SCRIPT = '(not readable)';

/** Characters of an unreadable script that its row keeps. */
const RECORDED_CHARACTERS = 10_000;

type Row = Pick<Asked, 'request' | 'level'> & Partial<Pick<Queued, 'script' | 'keptRequest'>>;

/**
 * Writes the row also for a script that cannot be read, so that its failure is in the history.
 *
 * @throws AgentError BrowserAgent.InvalidInput or BrowserAgent.InvalidScript
 */
export async function queueRun(asked: Asked, options: RunEngineOptions): Promise<Queued> {
  const { request, settings, log } = asked;
  let prepared: Prepared;
  try {
    prepared = await prepareScript(request, options.library);
  } catch (caught) {
    createRow(asked, { name: UNREADABLE_SCRIPT, source: sourceForRecord(request) }, options);
    throw caught;
  }
  const { script, variables, source, warnings } = prepared;
  const queued: Queued = {
    ...asked,
    stage: 'queued',
    level: levelOf(request, script, settings),
    script,
    variables,
    keptRequest: keepRequest(request, script),
  };
  createRow(queued, { name: script.name, source }, options);
  for (const warning of warnings) log.warn({ at: warning.path }, warning.message);
  return queued;
}

function createRow(
  { request, level, script, keptRequest }: Row,
  { name, source }: { name: string; source: string },
  { runs, clock, events, self }: RunEngineOptions,
): void {
  runs.create({
    runId: request.runId,
    taskId: request.taskId ?? null,
    scriptName: name,
    script: source,
    level,
    profile: null,
    ...(script ? { onFailure: script.on_failure } : {}),
    ...(keptRequest ? { request: keptRequest } : {}),
    owner: self,
    now: clock.now(),
  });
  events.emit({
    type: 'run.queued',
    runId: request.runId,
    scriptName: name,
    ...(request.taskId === undefined ? {} : { taskId: request.taskId }),
    ...(request.by === undefined ? {} : { by: request.by }),
  });
}

function sourceForRecord({ input }: RunRequest): string {
  const text =
    input.kind === 'script' && typeof input.script === 'string' ? input.script : JSON.stringify(input);
  return text.slice(0, RECORDED_CHARACTERS);
}
