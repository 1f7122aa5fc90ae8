/**
 * Puts the agent together: this file and serve.ts know every folder, and do no work of their own. The command
 * line opens an agent, and so does the desktop's agent process.
 */
import { OWNER_ID } from './api/keys.ts';
import type { AgentPorts } from './api/ports.ts';
import { auditRuns, AuditLog } from './audit/index.ts';
import { announcing } from './aws/announce.ts';
import { createClients, type AwsClients } from './aws/clients.ts';
import { Resilience } from './aws/resilience.ts';
import type { Actor } from './base/actor.ts';
import { systemClock, type Clock } from './base/clock.ts';
import { EventBus } from './base/events.ts';
import type { Logger } from './base/log.ts';
import { addMissingGlobals } from './base/missing-globals.ts';
import { homePaths } from './base/paths.ts';
import { programVersion } from './base/version.ts';
import { findFfmpeg } from './browser/detect.ts';
import { Processes } from './browser/processes.ts';
import { ProfileDesk } from './browser/profile-desk.ts';
import { ProfileService } from './browser/profiles.ts';
import { TemporaryFolders } from './browser/temporary.ts';
import { WarmBrowser } from './browser/warm.ts';
import { agentName } from './config/agent-name.ts';
import { browserChoice } from './config/browser-choice.ts';
import { clientOptions } from './config/credentials.ts';
import { LiveConfig } from './config/live.ts';
import { runSettings } from './config/run-settings.ts';
import { ScriptSecrets } from './config/script-secrets.ts';
import { openFileVault, type Vault } from './config/vault.ts';
import { ActiveRuns } from './runs/active-runs.ts';
import { createMetrics } from './metrics/index.ts';
import { EventJournal } from './journal/index.ts';
import { BrowserSessions } from './runs/browser-sessions.ts';
import { BrowserSource } from './runs/browser-source.ts';
import { ffmpegRegistry } from './runs/ffmpeg-registry.ts';
import { HumanDesk } from './runs/human-desk.ts';
import { lazyEngine } from './runs/lazy-engine.ts';
import { notePauses } from './runs/note-pauses.ts';
import { ScriptLibrary } from './runs/script-library.ts';
import type { RunEngineOptions } from './runs/engine-options.ts';
import type { ReadVariable } from './script/variables.ts';
import { ApiKeyStore } from './store/api-keys.ts';
import { openDatabase } from './store/database.ts';
import { EventStore } from './store/events.ts';
import { ProcessRepository } from './store/processes.ts';
import { ProfileRepository } from './store/profiles.ts';
import { RunStore } from './store/runs.ts';
import { SessionStore } from './store/sessions.ts';
import { WatchableRuns } from './runs/watchable.ts';
import { UploadStore } from './store/uploads.ts';
import { foreignBuckets, openOwnSandbox } from './setup/own-sandbox.ts';
import { startTelemetry } from './telemetry/index.ts';
import { UploadQueue } from './uploads/queue.ts';

/** Time for traces and metrics when the agent ends; what is not sent by then is lost. */
const TELEMETRY_STOP_MS = 3_000;
/** Time for uploads when the agent ends; the next start continues with the rest. */
const UPLOAD_STOP_MS = 5_000;

export interface OpenOptions {
  home: string;
  env: NodeJS.ProcessEnv;
  /** Where scripts read variables of the environment; default: `env`. */
  variable?: ReadVariable;
  /** Settings from the command line, by key. */
  flags?: Record<string, unknown>;
  log: Logger;
  clock?: Clock;
  vault?: Vault;
  /** Origin of the desktop's window, which may use the API; absent: there is no window. */
  windowOrigin?: string;
  /** `none`: nothing is uploaded; `onlyRun`: only that run's evidence. Default: everything in the queue. */
  uploads?: 'none' | { onlyRun: string };
  /** Keep a browser ready between runs; default: as the setting says. */
  keepWarm?: boolean;
  /** For the audit log: who opens the agent. Default: the agent itself. */
  by?: Actor;
}

/** Everything of one data directory, open. Playwright is loaded with the first run of its `engine`. */
export interface Agent extends AgentPorts {
  clients: AwsClients;
  resilience: Resilience;
  /** Where the AWS identity comes from, as text for people. */
  identity: string;
  processes: Processes;
  warm: WarmBrowser | null;
  temporary: TemporaryFolders;
  /** Ends browsers, uploads and connections. The next start continues with what is not done. */
  close(): Promise<void>;
}

export async function openAgent(options: OpenOptions): Promise<Agent> {
  const { home, env, log } = options;
  await addMissingGlobals();
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
    skipBuckets: foreignBuckets(uploadStore, { sandbox, isAlone: options.uploads === undefined }),
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
    instance: agentName(settings.worker),
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
    variable: options.variable ?? ((name) => env[name]),
    settings: () => runSettings(config),
    auditHead: () => audit.head(),
  };
  const closers: Agent['closers'] = [];
  const engine = new ActiveRuns(lazyEngine(engineOptions), clock, {
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
