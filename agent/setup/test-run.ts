/**
 * The test run of the setup, on the built-in demo portal. On the sandbox it is a task of a real execution, so
 * that poll, run, report and upload are proven together; on AWS, where nothing may be started uninvited, a
 * run through the same engine.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { Actor } from '../base/actor.ts';
import { drop } from '../base/drop.ts';
import { AgentError } from '../base/errors.ts';
import type { EventBus } from '../base/events.ts';
import { newRunId } from '../base/ids.ts';
import { readJsonFile } from '../base/json.ts';
import type { Logger } from '../base/log.ts';
import { resourceFolder } from '../base/resources.ts';
import type { JsonObject, RecordingLevel } from '../base/words.ts';
import type { ActiveRuns } from '../runs/active-runs.ts';
import type { Database } from '../store/database.ts';
import { TaskStore } from '../store/tasks.ts';
import type { OwnSandbox } from './own-sandbox.ts';

/** A poll is open nearly always; what takes longer waits for another task. In milliseconds. */
const TASK_WAIT_MS = 20_000;

export interface TestRunOptions {
  sandbox: OwnSandbox | null;
  engine: ActiveRuns;
  events: EventBus;
  db: Database;
  log: Logger;
  by: Actor;
  /** Default: as the settings say. */
  level?: RecordingLevel;
  /** What must have ended before the agent closes. */
  closers: (() => Promise<void>)[];
}

/**
 * @returns the run's id, once it is on record
 * @throws AgentError BrowserAgent.Draining when no worker takes it
 */
export async function startTestRun(options: TestRunOptions): Promise<string> {
  const { sandbox, log, closers, events } = options;
  const script = readJsonFile(join(resourceFolder('demo'), 'first-run.json'), z.record(z.string(), z.json()));
  const { startPortal } = await import('../sandbox/index.ts');
  const portal = await startPortal();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => (closing ??= portal.close());
  closers.push(close);
  let runId: string | undefined;
  /** Ended before its id was known here. */
  const ended = new Set<string>();
  const over = (): void => {
    forget();
    closers.splice(closers.indexOf(close), 1);
    drop(close(), log, 'closing the demo portal');
  };
  const forget = events.on('demo portal', (event) => {
    if (event.type !== 'run.finished') return;
    if (event.runId === runId) over();
    else ended.add(event.runId);
  });
  try {
    const input = { script, variables: { portal: portal.url } };
    runId = await (sandbox ? asTask(sandbox, input, options) : asRun(input, options));
    if (ended.has(runId)) over();
    return runId;
  } catch (thrown) {
    over();
    throw thrown;
  }
}

interface TestInput {
  script: JsonObject;
  variables: JsonObject;
}

/** Through Step Functions, as work comes in later. */
async function asTask(
  sandbox: OwnSandbox,
  input: TestInput,
  { events, db, level }: TestRunOptions,
): Promise<string> {
  const id = `setup-${randomUUID()}`;
  const tasks = new TaskStore(db);
  const received = Promise.withResolvers<string>();
  const forget = events.on('test task', (event) => {
    if (event.type === 'run.queued' && event.taskId !== undefined) {
      if (tasks.runOfToolUse(id) === event.runId) received.resolve(event.runId);
    }
  });
  const late = setTimeout(
    () =>
      received.reject(
        new AgentError(
          'BrowserAgent.Draining',
          `The agent did not take the test task within ${TASK_WAIT_MS / 1_000} s: it is paused, or at work on another one. Let it go on, then try again.`,
        ),
      ),
    TASK_WAIT_MS,
  );
  try {
    await sandbox.startExecution({
      tool_name: 'browser_remote',
      tool_use_id: id,
      tool_input: { ...input },
      ...(level === undefined ? {} : { recording_level: level }),
    });
    return await received.promise;
  } finally {
    clearTimeout(late);
    forget();
  }
}

async function asRun(
  { script, variables }: TestInput,
  { engine, events, by, level }: TestRunOptions,
): Promise<string> {
  const runId = newRunId();
  const onRecord = Promise.withResolvers<void>();
  const forget = events.on('test run', (event) => {
    if (event.type === 'run.queued' && event.runId === runId) onRecord.resolve();
  });
  engine
    .start({
      runId,
      by,
      input: { kind: 'script', script, variables },
      ...(level === undefined ? {} : { level: { level, reason: 'asked for with the test run' } }),
    })
    .then(
      () => onRecord.resolve(),
      (thrown: unknown) => onRecord.reject(thrown as Error),
    );
  try {
    await onRecord.promise;
    return runId;
  } finally {
    forget();
  }
}
