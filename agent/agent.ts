/**
 * The agent, put together: the one place that knows every folder. The command line opens it, and so does
 * the desktop's agent process.
 */
import { hostname } from 'node:os';
import { sfnActivityService, type ActivityService } from './activity/service.ts';
import { NoWorker, type AnyWorker } from './activity/no-worker.ts';
import { Worker, type WorkerEnd } from './activity/worker.ts';
import { OWNER_ID } from './api/keys.ts';
import type { AgentPorts, AgentStatus, RestartPort, WorkerPort } from './api/ports.ts';
import type { KeptAddress, RunningApi } from './api/start.ts';
import { auditRuns, AuditLog } from './audit/index.ts';
import { announcing } from './aws/announce.ts';
import { createClients, type AwsClients } from './aws/clients.ts';
import { Resilience, ServiceUnavailable } from './aws/resilience.ts';
import { systemActor, type Actor } from './base/actor.ts';
import { systemClock, type Clock } from './base/clock.ts';
import { drop } from './base/drop.ts';
import { AgentError, messageOf } from './base/errors.ts';
import { EventBus } from './base/events.ts';
import type { Logger } from './base/log.ts';
import { homePaths } from './base/paths.ts';
import { programVersion } from './base/version.ts';
import type { JsonObject } from './base/words.ts';
import { findFfmpeg } from './browser/detect.ts';
import { Processes, type TrackedProcess } from './browser/processes.ts';
import { ProfileDesk } from './browser/profile-desk.ts';
import { ProfileService } from './browser/profiles.ts';
import { TemporaryFolders } from './browser/temporary.ts';
import { WarmBrowser } from './browser/warm.ts';
import { browserChoice } from './config/browser-choice.ts';
import { clientOptions } from './config/credentials.ts';
import { LiveConfig } from './config/live.ts';
import { openOwnSandbox, SANDBOX_BUCKET, type OwnSandbox } from './setup/own-sandbox.ts';
import type { LoadedConfig } from './config/load.ts';
import { ScriptSecrets } from './config/script-secrets.ts';
import { openFileVault, type Vault } from './config/vault.ts';
import { ActiveRuns } from './runs/active-runs.ts';
import { createMetrics } from './metrics/index.ts';
import { EventJournal } from './journal/index.ts';
import { BrowserSessions } from './runs/browser-sessions.ts';
import { BrowserSource } from './runs/browser-source.ts';
import { HumanDesk } from './runs/human-desk.ts';
import { notePauses } from './runs/note-pauses.ts';
import { sweepRuns } from './runs/retention.ts';
import { ScriptLibrary } from './runs/script-library.ts';
import type { RunSettings } from './runs/settings.ts';
import type { RunEngineOptions } from './runs/engine-options.ts';
import type { RunExecutor } from './runs/types.ts';
import { ApiKeyStore } from './store/api-keys.ts';
import { AgentStateStore, LAST_POLL_KEY, type LastPoll } from './store/agent-state.ts';
import { openDatabase, type Database } from './store/database.ts';
import { EventStore } from './store/events.ts';
import { ProcessRepository } from './store/processes.ts';
import { ProfileRepository } from './store/profiles.ts';
import { RunStore } from './store/runs.ts';
import { SessionStore } from './store/sessions.ts';
import { WatchableRuns } from './runs/watchable.ts';
import { UploadStore } from './store/uploads.ts';
import { startTelemetry } from './telemetry/index.ts';
import { offloadOutput } from './uploads/offload.ts';
import { UploadQueue } from './uploads/queue.ts';

const DAY_MS = 86_400_000;
/** How often past runs are looked through for what may go. */
const SWEEP_MS = 60 * 60_000;
/** So many of the runs that were removed together are named in the audit log. */
const NAMED_RUNS = 100;
/** What traces and metrics get when the agent ends; what is not sent then is lost. */
const TELEMETRY_STOP_MS = 3_000;
/** What uploads get when the agent ends; the rest goes on at the next start. */
const UPLOAD_STOP_MS = 5_000;

export interface OpenOptions {
  home: string;
  env: NodeJS.ProcessEnv;
  /** Settings from the command line, by key. */
  flags?: Record<string, unknown>;
  log: Logger;
  clock?: Clock;
  vault?: Vault;
  /** Of the desktop's window, which may use the API; absent: there is none. */
  windowOrigin?: string;
  /** `none`: nothing is uploaded; `onlyRun`: only that run's evidence. Default: everything in the queue. */
  uploads?: 'none' | { onlyRun: string };
  /** Keep a browser ready between runs; default: as the setting says. */
  keepWarm?: boolean;
  /** Who opens it, for the audit log; default: the agent itself. */
  by?: Actor;
}

/** Everything of one data directory, open. Playwright is loaded with the first run of its `engine`. */
export interface Agent extends AgentPorts {
  clients: AwsClients;
  resilience: Resilience;
  /** In words, where the AWS identity comes from. */
  identity: string;
  processes: Processes;
  warm: WarmBrowser | null;
  temporary: TemporaryFolders;
  /** Ends browsers, uploads and connections. What is not done goes on at the next start. */
  close(): Promise<void>;
}

export async function openAgent(options: OpenOptions): Promise<Agent> {
  const { home, env, log } = options;
  const clock = options.clock ?? systemClock;
  const paths = homePaths(home);
  const db = openDatabase(paths.database);
  const loading = { home, env, db, ...(options.flags ? { flags: options.flags } : {}) };
  let config = new LiveConfig(loading);
  const sandbox = config.settings.sandbox.enabled ? await openOwnSandbox({ log }) : null;
  if (sandbox) config = new LiveConfig({ ...loading, given: sandbox.given });
  for (const problem of config.problems) log.warn(problem, problem.message);
  const settings = config.settings;
  const vault = options.vault ?? openFileVault(home, env);
  const aws = sandbox
    ? { options: sandbox.clients, identity: 'the built-in sandbox' }
    : await clientOptions(config, vault, env, { clock, log });
  const { identity } = aws;
  const events = new EventBus(log, clock);
  const resilience: Resilience = new Resilience({
    now: () => clock.now(),
    onChange: announcing(events, log),
    onCall: (call) => metrics.awsCall(call),
  });
  const clients = createClients({ ...aws.options, resilience });

  const runs = new RunStore(db);
  const audit = new AuditLog({ db, clock });
  auditRuns({ events, audit, runs, log, ...(options.by ? { by: options.by } : {}) });
  const journal = new EventJournal({
    events,
    store: new EventStore(db),
    clock,
    log,
    keep: () => ({ rows: config.settings.api.event_rows, days: config.settings.api.event_days }),
  });
  const uploadStore = new UploadStore(db);
  const metrics = createMetrics({
    events,
    runs,
    uploads: uploadStore,
    services: () => resilience.health(),
    version: programVersion(),
  });
  const processes = await Processes.open({
    repository: new ProcessRepository(db),
    home,
    log,
    onBrowser: (pid) => events.emit({ type: 'browser.started', pid }),
  });
  const temporary = new TemporaryFolders(paths.temporary, processes, log);
  const profiles = new ProfileService({
    repository: new ProfileRepository(db),
    processes,
    temporary,
    folder: paths.profiles,
    log,
  });
  const warm =
    (options.keepWarm ?? settings.browser.keep_warm)
      ? new WarmBrowser({
          ...browserChoice(settings.browser),
          args: settings.browser.args,
          temporary,
          processes,
          log,
        })
      : null;
  const uploads = new UploadQueue({
    store: uploadStore,
    s3: () => clients.s3(),
    events,
    log,
    clock,
    skipBuckets: bucketsOfOthers(uploadStore, sandbox, options),
    ...(typeof options.uploads === 'object' ? options.uploads : {}),
  });
  const humans = new HumanDesk({ clock, events });
  const secrets = new ScriptSecrets({ vault, client: () => clients.secrets() });
  const telemetry = await startTelemetry({
    endpoint: settings.telemetry.otlp_endpoint,
    headers: settings.telemetry.otlp_headers,
    metricsMs: settings.telemetry.metrics_seconds * 1_000,
    secret: (name) => secrets.get(name),
    events,
    metrics,
    log,
    instance: settings.worker.name ?? hostname(),
    version: programVersion(),
  });
  const watchable = new WatchableRuns();
  const engineOptions: RunEngineOptions = {
    watchable,
    runs,
    browsers: new BrowserSource({ profiles, processes, temporary, warm, log }),
    uploads: options.uploads === 'none' ? null : uploads,
    library: new ScriptLibrary(paths.scripts),
    humans,
    events,
    clock,
    log,
    paths,
    self: processes.self,
    ffmpegs: ffmpegRegistry(processes, log),
    ffmpeg: findFfmpeg(),
    secret: (name) => secrets.get(name),
    env,
    settings: () => {
      config.refresh();
      return runSettings(config);
    },
    auditHead: () => audit.head(),
  };
  const closers: Agent['closers'] = [];
  let loaded: Promise<RunExecutor> | null = null;
  const lazyEngine: RunExecutor = {
    execute: async (request, control) => {
      loaded ??= import('./runs/engine.ts').then(({ RunEngine }) => new RunEngine(engineOptions));
      return (await loaded).execute(request, control);
    },
  };
  const engine = new ActiveRuns(lazyEngine, clock, {
    maxPauseMs: () => config.settings.run.max_pause_seconds * 1_000,
    onPause: notePauses({ runs, events, log }),
  });
  const desk = new ProfileDesk({
    profiles,
    processes,
    temporary,
    browser: () => {
      const { browser } = config.settings;
      return { ...browserChoice(browser), args: browser.args };
    },
    clock,
    log,
  });
  const keys = new ApiKeyStore(db);
  const sessions = new BrowserSessions({
    store: new SessionStore(db),
    browsers: engineOptions.browsers,
    executor: engine,
    library: engineOptions.library,
    settings: engineOptions.settings,
    maxOpen: () => config.settings.api.max_sessions,
    isKeyGood: (keyId) => keyId === OWNER_ID || keys.isGood(keyId, clock.now()),
    self: processes.self,
    clock,
    log,
  });
  if (options.uploads !== 'none') uploads.start();

  return {
    config,
    paths,
    db,
    events,
    log,
    clients,
    resilience,
    identity,
    processes,
    profiles,
    runs,
    uploads,
    uploadStore,
    humans,
    engine,
    sessions,
    desk,
    watchable,
    closers,
    warm,
    temporary,
    audit,
    journal,
    metrics,
    windowOrigin: options.windowOrigin ?? null,
    sandbox,
    vault,
    env,
    aws,
    close: async () => {
      await Promise.all([
        sessions.stop({ deadlineMs: 0 }),
        desk.close(),
        engine.stop({ deadlineMs: 0 }),
        ...closers.map((end) => end()),
      ]);
      await uploads.stop({ deadlineMs: UPLOAD_STOP_MS });
      await telemetry?.close({ deadlineMs: TELEMETRY_STOP_MS });
      await warm?.close();
      await processes.endAll();
      clients.destroy();
      await sandbox?.close();
      journal.close();
      db.close();
    },
  };
}

/** Evidence for AWS never goes to the sandbox, and what was meant for a sandbox that is gone goes nowhere. */
function bucketsOfOthers(
  store: UploadStore,
  sandbox: OwnSandbox | null,
  { uploads }: OpenOptions,
): readonly string[] {
  if (sandbox) return store.pendingBuckets().filter((bucket) => bucket !== SANDBOX_BUCKET);
  // Not beside another process, which may be the one with the sandbox.
  if (uploads === undefined) store.forget(SANDBOX_BUCKET);
  return [SANDBOX_BUCKET];
}

/** What a dead agent left: browsers, folders, and runs that nobody executes any more. */
export async function recover(agent: Agent, clock: Clock = systemClock): Promise<void> {
  await agent.processes.reapOrphans();
  await agent.temporary.removeAbandoned();
  await agent.sessions.recover((owner) => agent.processes.isAlive(owner));
  for (const run of agent.runs.unfinished()) {
    const owner = { pid: run.owner_pid, started: run.owner_started };
    if (await agent.processes.isAlive(owner)) continue;
    const { finished, inDoubt } = agent.runs.lastSteps(run.run_id);
    const where = inDoubt ? ` inside step ${inDoubt.step_number} "${inDoubt.name}"` : '';
    const last = finished ? `; the last finished step is ${finished.step_number} "${finished.name}"` : '';
    const now = clock.now();
    const errorName = 'BrowserAgent.Interrupted';
    const message = `the agent stopped${where}${last}`;
    agent.runs.transition(run.run_id, 'failed', { now, errorName, errorMessage: message });
    agent.events.emit({
      type: 'run.finished',
      runId: run.run_id,
      state: 'failed',
      errorName,
      message,
      durationMs: Math.max(0, now - (run.started_at ?? run.queued_at)),
    });
  }
}

export interface ServeOptions {
  /** End after one task. */
  once?: boolean;
  clock?: Clock;
  /** Where the API of the life before was, in the same process. */
  address?: KeptAddress;
  /** Told that it is to be opened anew once it has ended. Absent: that cannot be asked for. */
  onRestart?: () => void;
}

/** The agent at work: recovery, the activity worker, and what goes on beside it. */
export async function serve(agent: Agent, options: ServeOptions = {}): Promise<ServingAgent> {
  const { config, events, log, runs } = agent;
  const { settings } = config;
  const clock = options.clock ?? systemClock;
  const activityArn = settings.aws.activity_arn;
  const worker =
    activityArn === null ? noWorker(agent, options) : activityWorker(agent, activityArn, options);
  const noteAgent = (action: string, details: JsonObject): void =>
    shownOnly(log, 'writing the audit log', () => {
      const target = activityArn === null ? 'api' : `activity/${activityArn}`;
      agent.audit.append({ by: systemActor, action, target, details });
    });
  const over = new AbortController();
  const startedAt = clock.now();
  let detail = '';
  const status = (): AgentStatus => {
    const now = worker.status();
    return {
      startedAt,
      state: now.state,
      detail,
      activityArn,
      runs: now.tasks.map((task) => ({
        runId: task.runId,
        taskId: task.taskId,
        scriptName: runs.get(task.runId)?.script_name ?? '',
      })),
    };
  };
  const restart: RestartPort | null = options.onRestart
    ? {
        busy: () => busyWith(agent, worker),
        begin: (reason) => {
          options.onRestart?.();
          log.info({ reason }, 'the agent ends what it does and starts anew');
          events.emit({ type: 'agent.restarting', reason });
          drop(worker.drain(), log, 'draining');
        },
      }
    : null;
  // Open before the first poll: an address or certificate that is wrong must not cost a task.
  const api = settings.api.enabled
    ? await openApi(
        agent,
        clock,
        activityArn === null
          ? null
          : {
              status,
              pause: () => worker.pause(),
              resume: () => worker.resume(),
              drain: () => drop(worker.drain(), log, 'draining'),
            },
        { restart, ...(options.address ? { address: options.address } : {}) },
      )
    : null;
  try {
    worker.start();
  } catch (thrown) {
    await api?.close();
    throw thrown;
  }
  noteAgent('agent.start', { worker: settings.worker.name ?? hostname() });
  api?.announce();
  await recover(agent, clock);

  const unsubscribe = events.on('worker detail', (event) => {
    if (event.type === 'agent.state') detail = event.detail ?? '';
  });
  drop(
    every(SWEEP_MS, async () => {
      try {
        config.refresh();
        const { removed, overBytes } = await sweepRuns({
          runs,
          uploads: (runId) => agent.uploadStore.counts(runId),
          folder: agent.paths.runs,
          keepDays: config.settings.recording.keep_days,
          keepGb: config.settings.recording.keep_gb,
          clock,
        });
        agent.sessions.store.removeEndedBefore(clock.now() - config.settings.recording.keep_days * DAY_MS);
        const count = removed.length;
        if (count > 0) {
          const named = removed.slice(0, NAMED_RUNS).map(({ runId, reason, sizeBytes, isInS3 }) => ({
            run_id: runId,
            reason,
            size_bytes: sizeBytes,
            in_s3: isInS3,
          }));
          noteAgent('runs.remove', { count, runs: named });
        }
        if (count > 0 || overBytes > 0) {
          const sizeBytes = removed.reduce((sum, run) => sum + run.sizeBytes, 0);
          const notInS3 = removed.filter(({ isInS3 }) => !isInS3).length;
          const report = { count, sizeBytes, notInS3, overBytes };
          events.emit({ type: 'runs.removed', ...report });
          if (overBytes > 0) log.warn(report, 'past runs take more than recording.keep_gb and cannot go yet');
          else log.info(report, 'past runs were removed');
        }
      } catch (thrown) {
        log.warn({ err: thrown }, 'removing past runs failed; tried again');
      }
    }),
    log,
    'removing past runs',
  );
  const drainMs = settings.worker.drain_deadline_seconds * 1_000;
  const done = worker.done.then(async (end) => {
    // Runs that the API began are work at hand too.
    const deadlineMs = end.reason === 'drained' ? drainMs : 0;
    await Promise.all([agent.sessions.stop({ deadlineMs }), agent.engine.stop({ deadlineMs })]);
    await api?.close();
    over.abort();
    unsubscribe();
    noteAgent('agent.stop', { reason: end.reason });
    return end;
  });
  const stop = async ({ deadlineMs }: { deadlineMs: number }): Promise<void> => {
    await Promise.all([
      worker.stop({ deadlineMs }),
      agent.sessions.stop({ deadlineMs }),
      agent.engine.stop({ deadlineMs }),
    ]);
  };
  return { worker, done, api, stop };

  async function every(ms: number, work: () => unknown): Promise<void> {
    while (!over.signal.aborted) {
      await work();
      await clock.sleep(ms, over.signal).catch(() => undefined);
    }
  }
}

/** In words; null: nothing would be broken off. */
function busyWith(agent: Agent, worker: AnyWorker): string | null {
  const { tasks } = worker.status();
  const counts: [number, string, string][] = [
    [tasks.length, 'task', 'tasks'],
    [agent.engine.detached, 'run', 'runs'],
    [agent.sessions.size, 'open session', 'open sessions'],
  ];
  const words = counts
    .filter(([count]) => count > 0)
    .map(([count, one, more]) => `${count} ${count === 1 ? one : more}`);
  return words.length === 0 ? null : words.join(', ');
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

function activityWorker(agent: Agent, activityArn: string, options: ServeOptions): Worker {
  const { config, events, log, db, runs } = agent;
  const { settings } = config;
  const clock = options.clock ?? systemClock;
  const bucket = settings.aws.s3_bucket;
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
    workerName: settings.worker.name ?? hostname(),
    concurrency: settings.worker.concurrency,
    heartbeatMs: settings.worker.heartbeat_seconds * 1_000,
    ...(options.once === true ? { once: true } : {}),
    events,
    log,
  });
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

/** Fastify is loaded only here: verbs that serve nothing do not pay for it. */
async function openApi(
  agent: Agent,
  clock: Clock,
  worker: WorkerPort | null,
  more: { restart: RestartPort | null; address?: KeptAddress },
): Promise<RunningApi> {
  const { startApi } = await import('./api/start.ts');
  const api = await startApi({ agent, worker, version: programVersion(), clock, ...more });
  agent.closers.push(() => api.close());
  return api;
}

/** Does what is only for showing: a full disk must not stop the work itself. */
function shownOnly(log: Logger, what: string, work: () => void): void {
  try {
    work();
  } catch (thrown) {
    log.warn({ err: thrown }, `${what} failed`);
  }
}

/** Writes down how each poll was answered: `doctor` reads it, because asking for itself could take a task. */
function noteLastPoll(
  service: ActivityService,
  { db, clock, log, events }: { db: Database; clock: Clock; log: Logger; events: EventBus },
): ActivityService {
  const state = new AgentStateStore(db);
  const write = (answer: LastPoll): void => {
    // A poll is never aborted: its answer may come when everything else has ended.
    if (!db.open) return;
    shownOnly(log, 'noting the last poll', () => {
      state.set(LAST_POLL_KEY, { ...answer } as JsonObject, clock.now());
    });
  };
  return {
    ...service,
    getActivityTask: async (request) => {
      const { activityArn } = request;
      try {
        const task = await service.getActivityTask(request);
        write({ activityArn, ok: true });
        events.emit({ type: 'poll.answered', outcome: task === null ? 'empty' : 'task' });
        return task;
      } catch (thrown) {
        // Not asked, so not answered.
        if (thrown instanceof ServiceUnavailable) throw thrown;
        const code = thrown instanceof Error ? thrown.name : 'unknown';
        write({ activityArn, ok: false, code, message: messageOf(thrown) });
        events.emit({ type: 'poll.answered', outcome: 'failed' });
        throw thrown;
      }
    },
  };
}

function runSettings(config: LoadedConfig): RunSettings {
  const { aws, recording, worker, browser, run, script } = config.settings;
  return {
    recording: {
      override: recording.level_override,
      levelByAgent: recording.level_by_agent,
      levelByEnv: recording.level_by_env,
      // The default of the setting is the fallback of the resolver: only what somebody set is a reason.
      defaultLevel: config.sourceOf('recording.default_level') === 'default' ? null : recording.default_level,
      maxLevel: recording.max_level,
      keepLevel: recording.keep_level,
      keepDays: recording.keep_days,
      keepGb: recording.keep_gb,
      waitForUploads: recording.wait_for_uploads,
      maskSelectors: recording.mask_selectors,
    },
    agentName: worker.name ?? hostname(),
    env: aws.env,
    bucket: aws.s3_bucket,
    browser: {
      channel: browser.channel,
      executablePath: browser.executable_path,
      headless: browser.headless,
      args: browser.args,
    },
    run: {
      timeoutMs: run.default_timeout_ms,
      stepTimeoutMs: run.default_step_timeout_ms,
      maxSteps: run.max_steps,
      maxVisits: run.max_visits,
    },
    script: { allowedEnv: script.allowed_env, allowedDomains: script.allowed_domains },
  };
}

/** Puts the encoder of a run on record, so that it cannot outlive the agent. */
function ffmpegRegistry(
  processes: Processes,
  log: Logger,
): { add(pid: number): void; remove(pid: number): void } {
  const tracked = new Map<number, Promise<TrackedProcess>>();
  return {
    add: (pid) => {
      const tracking = processes.track({ kind: 'ffmpeg', pid });
      tracked.set(pid, tracking);
      drop(tracking, log, 'putting ffmpeg on record');
    },
    remove: (pid) => {
      const tracking = tracked.get(pid);
      tracked.delete(pid);
      if (tracking)
        drop(
          tracking.then((process) => process.end()),
          log,
          'striking ffmpeg off the record',
        );
    },
  };
}
