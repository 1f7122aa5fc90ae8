/** What the API acts through: the services of an open agent. */
import type { AuditLog } from '../audit/index.ts';
import type { Clock } from '../base/clock.ts';
import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import type { HomePaths } from '../base/paths.ts';
import type { JsonObject } from '../base/words.ts';
import type { ProfileDesk } from '../browser/profile-desk.ts';
import type { ProfileService } from '../browser/profiles.ts';
import type { ClientOptions } from '../aws/clients.ts';
import type { TemporaryFolders } from '../browser/temporary.ts';
import type { LiveConfig } from '../config/live.ts';
import type { Vault } from '../config/vault.ts';
import type { EventJournal } from '../journal/index.ts';
import type { Resilience } from '../aws/resilience.ts';
import type { OwnSandbox } from '../setup/own-sandbox.ts';
import type { LiveView } from '../live/live-view.ts';
import type { LiveTickets } from '../live/tickets.ts';
import type { Metrics } from '../metrics/index.ts';
import type { ActiveRuns } from '../runs/active-runs.ts';
import type { BrowserSessions } from '../runs/browser-sessions.ts';
import type { HumanDesk } from '../runs/human-desk.ts';
import type { WatchableRuns } from '../runs/watchable.ts';
import type { Database } from '../store/database.ts';
import type { RunStore } from '../store/runs.ts';
import type { UploadStore } from '../store/uploads.ts';
import type { UploadQueue } from '../uploads/queue.ts';
import type { EventFeed } from './events/feed.ts';
import type { Caller, KeyRing } from './keys.ts';
import type { RateLimits } from './limits.ts';
import type { ApiScope } from '../store/api-keys.ts';

/** What the activity worker is doing. */
export interface AgentStatus {
  state: string;
  /** In words, e.g. why it failed; may be empty. */
  detail: string;
  startedAt: number;
  activityArn: string | null;
  runs: { runId: string; taskId: string; scriptName: string }[];
}

/** The activity worker, as far as the API may steer it. */
export interface WorkerPort {
  status(): AgentStatus;
  pause(): void;
  resume(): void;
  drain(): void;
}

/** Starts the agent anew in the same process. */
export interface RestartPort {
  /** In words what it is busy with; null: it is idle. */
  busy(): string | null;
  /** Ends what is at hand, begins nothing new, and starts anew. */
  begin(reason: string): void;
}

/** What of an open agent the API needs; `Agent` has all of it. */
export interface AgentPorts {
  config: LiveConfig;
  paths: HomePaths;
  db: Database;
  events: EventBus;
  log: Logger;
  profiles: ProfileService;
  /** What a person does with profiles outside of runs. */
  desk: ProfileDesk;
  temporary: TemporaryFolders;
  runs: RunStore;
  uploads: UploadQueue;
  uploadStore: UploadStore;
  humans: HumanDesk;
  engine: ActiveRuns;
  sessions: BrowserSessions;
  watchable: WatchableRuns;
  audit: AuditLog;
  journal: EventJournal;
  metrics: Metrics;
  /** Of the desktop's window, which may use the API; null: there is none. */
  windowOrigin: string | null;
  /** The stand-in for AWS inside this agent; null: it works on AWS. */
  sandbox: OwnSandbox | null;
  /** What else must have ended before the database is closed. */
  closers: (() => Promise<void>)[];
  vault: Vault;
  env: NodeJS.ProcessEnv;
  /** How AWS is reached, and in words where the identity comes from. */
  aws: { options: ClientOptions; identity: string };
  /** How the AWS services are, as far as this process has asked them. */
  resilience: Pick<Resilience, 'health' | 'reset'>;
}

export interface ApiPorts extends AgentPorts {
  /** Of the program. */
  version: string;
  /** Null: no worker in this process. */
  worker: WorkerPort | null;
  /** Null: whoever opened this agent does not start it anew. */
  restart: RestartPort | null;
  keys: KeyRing;
  limits: RateLimits;
  /** For the live view of runs. */
  tickets: LiveTickets;
  /** Loaded with the first viewer: an agent that nobody watches does not carry it. */
  liveView: () => Promise<LiveView>;
  feed: EventFeed;
  clock: Clock;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a key must be allowed to do; `none`: no key is asked for. Every route names it. */
    scope?: ApiScope | 'none';
    /** Answered for as long as the client likes: how long says nothing. */
    isStream?: boolean;
    /** The key may also come as a WebSocket's subprotocol: a browser cannot send it otherwise. */
    keyInProtocol?: boolean;
  }
  interface FastifyRequest {
    /** Null only where the scope is `none`. */
    caller: Caller | null;
    /** What the audit log says of a change beside its status: names and values, never credentials. */
    auditDetails: JsonObject | null;
  }
}
