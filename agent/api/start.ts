/** Starts the local API on what the settings say, and ends it. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import { isLoopback } from '../base/loopback.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { LiveView } from '../live/live-view.ts';
import { LiveTickets } from '../live/tickets.ts';
import { ApiKeyStore } from '../store/api-keys.ts';
import { EventFeed } from './events/feed.ts';
import { KeyRing, OWNER_ID } from './keys.ts';
import { listen, type Listener, type ListenOptions } from './listener.ts';
import { RateLimits, type TierLimits } from './limits.ts';
import { removeOwnerFile, writeOwnerFile, type OwnerFile } from './owner-file.ts';
import type { AgentPorts, ApiPorts, RestartPort, WorkerPort } from './ports.ts';
import type { AppOptions } from './server.ts';

export interface StartOptions {
  agent: AgentPorts;
  /** Null: no worker in this process. */
  worker: WorkerPort | null;
  /** Of the program. */
  version: string;
  clock: Clock;
  /** Null: it cannot be started anew from here. */
  restart?: RestartPort | null;
  /** Of the life before, in the same process. */
  address?: KeptAddress;
}

/** Where the API was and who its owner is, for one that takes its place. */
export interface KeptAddress {
  token: string;
  port: number;
}

export interface RunningApi {
  /** e.g. `http://127.0.0.1:4590`, without the prefix. */
  url: string;
  port: number;
  /** The owner's key, which is also in `api.json`. */
  token: string;
  /** Writes `api.json`: once it is sure that no other agent serves this data directory. */
  announce(): void;
  /** Open requests are cut off. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * @throws AgentError BrowserAgent.InvalidInput when it would be open to the network without TLS, when the
 * certificate cannot be read, or when the port that was set is taken
 */
export async function startApi({
  agent,
  worker,
  version,
  clock,
  restart = null,
  address,
}: StartOptions): Promise<RunningApi> {
  const { config, log, paths } = agent;
  const { host, allowed_origins: ofOthers } = config.settings.api;
  const allowedOrigins = agent.windowOrigin === null ? ofOthers : [...ofOthers, agent.windowOrigin];
  const tls = readTls(config);
  if (!tls && !isLoopback(host)) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `api.host is ${host}, which other machines can reach, and there is no TLS. Set api.tls_cert_file and api.tls_key_file, or api.host to 127.0.0.1.`,
    );
  }
  const store = new ApiKeyStore(agent.db);
  const keys = new KeyRing({
    store,
    clock,
    withOwner: true,
    ...(address ? { owner: address.token } : {}),
  });
  const limits = new RateLimits({ store, clock, limits: () => tierLimits(config) });
  const feed = new EventFeed({
    journal: agent.journal,
    keys,
    clock,
    log,
    streams: (tier) => config.settings.api[`${tier}_streams`],
  });
  const tickets = new LiveTickets({
    clock,
    lifeMs: () => config.settings.api.live_ticket_seconds * 1_000,
    isKeyGood: (keyId) => keyId === OWNER_ID || store.isGood(keyId, clock.now()),
  });
  let madeView: Promise<LiveView> | undefined;
  const liveView = (): Promise<LiveView> => {
    madeView ??= import('../live/live-view.ts').then(
      ({ LiveView }) => new LiveView({ ...agent, runs: agent.watchable, tickets }),
    );
    return madeView;
  };
  const ports: ApiPorts = {
    ...agent,
    worker,
    restart,
    version,
    clock,
    keys,
    limits,
    feed,
    tickets,
    liveView,
  };
  const listener = await listenAsSet({ ports, host, tls, allowedOrigins, log }, address?.port);
  const { port } = listener;
  const url = `${tls ? 'https' : 'http'}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const token = keys.ownerToken ?? '';
  const vnc = await openVncPort(ports);
  const announce = (): void =>
    writeOwnerFile(paths.api, {
      url,
      token,
      pid: process.pid,
      ...(tls ? { certificate: tls.cert.toString('utf8') } : {}),
      ...(vnc ? { vnc: vnc.announced } : {}),
    });
  log.info({ url: `${url}/api/v1`, docs: `${url}/api/v1/docs` }, 'the local API is open');

  const close = async (): Promise<void> => {
    removeOwnerFile(paths.api, token);
    await feed.close();
    await vnc?.close();
    await listener.close();
    (await madeView)?.close();
    if (agent.db.open) limits.flush();
  };
  let closing: Promise<void> | undefined;
  return { url, port, token, announce, close: () => (closing ??= close()) };
}

/** @param before where it was until now: kept when the settings leave the choice */
async function listenAsSet(
  options: Omit<ListenOptions, 'port'>,
  before: number | undefined,
): Promise<Listener> {
  const { config, log } = options.ports;
  const { host, port } = config.settings.api;
  const isFree = port === 0 || config.sourceOf('api.port') === 'default';
  if (before !== undefined && isFree) {
    try {
      return await listen({ ...options, port: before });
    } catch (thrown) {
      if (!isTaken(thrown)) throw thrown;
    }
  }
  try {
    try {
      return await listen({ ...options, port });
    } catch (thrown) {
      if (!isTaken(thrown) || config.sourceOf('api.port') !== 'default') throw thrown;
      log.warn(
        { port },
        'the port of the local API is taken; a free one is used. Set api.port for one of your own',
      );
      return await listen({ ...options, port: 0 });
    }
  } catch (thrown) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `the local API cannot listen on ${host}:${port}: ${messageOf(thrown)}. Set api.host and api.port to what is free on this machine, or api.enabled to false.`,
      { cause: thrown },
    );
  }
}

/** Null: no port was asked for. One that cannot be had is said, and the agent goes on without it. */
async function openVncPort(
  ports: ApiPorts,
): Promise<{ announced: OwnerFile['vnc']; close(): Promise<void> } | null> {
  const { config, log, audit, clock } = ports;
  const port = config.settings.live.tcp_port;
  if (port === 0) return null;
  const { listenTcp, makePassword } = await import('../live/tcp-server.ts');
  const password = makePassword();
  try {
    const server = await listenTcp({ port, password, view: ports.liveView, audit, log, clock });
    log.info(
      { port },
      'VNC clients on this machine may watch; "local-browser-agent live" shows the password',
    );
    return { announced: { port, password }, close: () => server.close() };
  } catch (thrown) {
    const problem = `VNC clients cannot connect: port ${port} of 127.0.0.1 cannot be listened on (${messageOf(thrown)}). Set live.tcp_port to a free one, and start the agent again.`;
    log.error({ err: thrown, port }, problem);
    return { announced: { problem }, close: async () => {} };
  }
}

function isTaken(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException).code === 'EADDRINUSE';
}

function readTls({ settings }: LoadedConfig): AppOptions['tls'] {
  const { tls_cert_file: certFile, tls_key_file: keyFile } = settings.api;
  if (certFile === null && keyFile === null) return null;
  if (certFile === null || keyFile === null) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      'TLS needs both api.tls_cert_file and api.tls_key_file; one of them is not set.',
    );
  }
  try {
    return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  } catch (thrown) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `the certificate of the API cannot be read: ${messageOf(thrown)}. Correct api.tls_cert_file and api.tls_key_file.`,
      { cause: thrown },
    );
  }
}

function tierLimits({ settings: { api } }: LoadedConfig): TierLimits {
  return {
    basic: { perMinute: api.basic_per_minute, perDay: api.basic_per_day },
    standard: { perMinute: api.standard_per_minute, perDay: api.standard_per_day },
    premium: { perMinute: api.premium_per_minute, perDay: api.premium_per_day },
  };
}
