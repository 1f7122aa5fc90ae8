/** The agent at work: the local API, the activity worker, recovery, and the removal of past runs. */
import { NoWorker, type AnyWorker } from './activity/no-worker.ts';
import { noteLastPoll } from './activity/last-poll.ts';
import { sfnActivityService } from './activity/service.ts';
import { Worker, type WorkerEnd } from './activity/worker.ts';
import type { Agent } from './agent.ts';
import type { AgentStatus, RestartPort, WorkerPort } from './api/ports.ts';
import type { KeptAddress, RunningApi } from './api/start.ts';
import { AgentTrail } from './audit/index.ts';
import { systemClock, type Clock } from './base/clock.ts';
import { drop } from './base/drop.ts';
import { AgentError } from './base/errors.ts';
import { programVersion } from './base/version.ts';
import { agentName } from './config/agent-name.ts';
import { recoverRuns } from './runs/recovery.ts';
import { RetentionSweep } from './runs/retention-sweep.ts';
import { offloadOutput } from './uploads/offload.ts';

export interface ServeOptions {
  /** End after one task. */
  once?: boolean;
  clock?: Clock;
  /** Address and owner's key of the API before a restart in the same process, to be used again. */
  address?: KeptAddress;
  /** Called when a restart was asked for: the caller opens the agent again once it has ended. Absent: no restart. */
  onRestart?: () => void;
}

export interface ServingAgent {
  worker: AnyWorker;
  /** Null when it is not enabled. */
  api: RunningApi | null;
  /** Drains until the deadline, then cancels: tasks, and runs that the API began. */
  stop(options: { deadlineMs: number }): Promise<void>;
  /** Resolves when the worker has ended. */
  done: Promise<WorkerEnd>;
}

/** @throws AgentError BrowserAgent.InvalidInput when nothing is configured that the agent could do */
export async function serve(agent: Agent, options: ServeOptions = {}): Promise<ServingAgent> {
  const { config, log } = agent;
  const { aws, worker: workerSettings, api: apiSettings } = config.settings;
  const clock = options.clock ?? systemClock;
  const activityArn = aws.activity_arn;
  const worker =
    activityArn === null
      ? noWorker(agent, options)
      : activityWorker(agent, { ...options, activityArn, clock });
  const trail = new AgentTrail({ audit: agent.audit, activityArn, log });
  const status = statusOf(agent, worker, clock);
  // Opened before the first poll: a wrong address or certificate must not cost a task.
  const api = apiSettings.enabled
    ? await openApi(agent, {
        clock,
        worker: activityArn === null ? null : workerPort(agent, worker, status.get),
        restart: restartPort(agent, worker, options.onRestart),
        ...(options.address ? { address: options.address } : {}),
      })
    : null;
  try {
    worker.start();
  } catch (thrown) {
    status.close();
    await api?.close();
    throw thrown;
  }
  trail.started(agentName(workerSettings));
  api?.announce();
  await recoverRuns({ ...agent, clock });
  const sweep = retentionSweep(agent, { trail, clock });
  sweep.start();

  const stopRuns = async (deadlineMs: number): Promise<void> => {
    await Promise.all([agent.sessions.stop({ deadlineMs }), agent.engine.stop({ deadlineMs })]);
  };
  const drainMs = workerSettings.drain_deadline_seconds * 1_000;
  const done = worker.done.then(async (end) => {
    // A drain also waits for the runs that the API began.
    await stopRuns(end.reason === 'drained' ? drainMs : 0);
    await api?.close();
    sweep.stop();
    status.close();
    trail.stopped(end.reason);
    return end;
  });
  const stop = async ({ deadlineMs }: { deadlineMs: number }): Promise<void> => {
    await Promise.all([worker.stop({ deadlineMs }), stopRuns(deadlineMs)]);
  };
  return { worker, done, api, stop };
}

/** @throws AgentError BrowserAgent.InvalidInput when nothing is left for the agent to do */
function noWorker({ config, db, log }: Agent, { once }: ServeOptions): NoWorker {
  if (!config.settings.api.enabled || once === true) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      'no activity is configured. Run "local-browser-agent setup --env NAME", or set aws.activity_arn (environment: ACTIVITY_ARN).',
    );
  }
  log.warn(
    'no activity is configured: the agent takes no tasks and serves its API alone. "local-browser-agent setup --env NAME" configures one, for the next start',
  );
  return new NoWorker(db);
}

function activityWorker(
  agent: Agent,
  { activityArn, clock, once }: ServeOptions & { activityArn: string; clock: Clock },
): Worker {
  const { config, events, log, db, runs } = agent;
  const { aws, worker } = config.settings;
  const bucket = aws.s3_bucket;
  return new Worker({
    db,
    service: noteLastPoll(sfnActivityService(agent.clients), { db, clock, log, events }),
    executor: agent.engine,
    journal: runs,
    ...(bucket === null
      ? {}
      : {
          offload: (runId, json) =>
            agent.resilience.unguarded(async () =>
              offloadOutput(await agent.clients.s3(), { bucket, runId, json }),
            ),
        }),
    activityArn,
    workerName: agentName(worker),
    concurrency: worker.concurrency,
    heartbeatMs: worker.heartbeat_seconds * 1_000,
    ...(once === true ? { once: true } : {}),
    events,
    log,
  });
}

/** Fastify is loaded only here: verbs that do not serve the API do not pay for it. */
async function openApi(
  agent: Agent,
  options: {
    clock: Clock;
    worker: WorkerPort | null;
    restart: RestartPort | null;
    address?: KeptAddress;
  },
): Promise<RunningApi> {
  const { startApi } = await import('./api/start.ts');
  const api = await startApi({ agent, version: programVersion(), ...options });
  agent.closers.push(() => api.close());
  return api;
}

/** What the API shows of the worker. `detail` comes with the worker's last change of state. */
function statusOf(
  { config, runs, events }: Agent,
  worker: AnyWorker,
  clock: Clock,
): { get: () => AgentStatus; close: () => void } {
  const startedAt = clock.now();
  const activityArn = config.settings.aws.activity_arn;
  let detail = '';
  const close = events.on('worker detail', (event) => {
    if (event.type === 'agent.state') detail = event.detail ?? '';
  });
  const get = (): AgentStatus => {
    const { state, tasks } = worker.status();
    return {
      startedAt,
      state,
      detail,
      activityArn,
      runs: tasks.map(({ runId, taskId }) => ({
        runId,
        taskId,
        scriptName: runs.get(runId)?.script_name ?? '',
      })),
    };
  };
  return { get, close };
}

function workerPort({ log }: Agent, worker: AnyWorker, status: () => AgentStatus): WorkerPort {
  return {
    status,
    pause: () => worker.pause(),
    resume: () => worker.resume(),
    drain: () => drop(worker.drain(), log, 'draining'),
  };
}

function restartPort(
  agent: Agent,
  worker: AnyWorker,
  onRestart: ServeOptions['onRestart'],
): RestartPort | null {
  if (!onRestart) return null;
  const { events, log } = agent;
  return {
    busy: () => busyWith(agent, worker),
    begin: (reason) => {
      onRestart();
      log.info({ reason }, 'the agent finishes its work and restarts');
      events.emit({ type: 'agent.restarting', reason });
      drop(worker.drain(), log, 'draining');
    },
  };
}

/** Human-readable summary of the work in progress; null when there is none. */
function busyWith({ engine, sessions }: Agent, worker: AnyWorker): string | null {
  const counts: [number, string, string][] = [
    [worker.status().tasks.length, 'task', 'tasks'],
    [engine.detached, 'run', 'runs'],
    [sessions.size, 'open session', 'open sessions'],
  ];
  const words = counts
    .filter(([count]) => count > 0)
    .map(([count, one, more]) => `${count} ${count === 1 ? one : more}`);
  return words.length === 0 ? null : words.join(', ');
}

function retentionSweep(
  { config, paths, runs, uploadStore, sessions, events, log }: Agent,
  { trail, clock }: { trail: AgentTrail; clock: Clock },
): RetentionSweep {
  return new RetentionSweep({
    runs,
    uploads: (runId) => uploadStore.counts(runId),
    sessions: sessions.store,
    folder: paths.runs,
    limits: () => {
      const { keep_days: keepDays, keep_gb: keepGb } = config.settings.recording;
      return { keepDays, keepGb };
    },
    onRemoved: (removed) => trail.runsRemoved(removed),
    clock,
    events,
    log,
  });
}
