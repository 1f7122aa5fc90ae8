/**
 * AWS clients, each loaded and created on first use (service-clients.ts): an idle agent only polls, so it holds the
 * Step Functions client and nothing else (about 22 MB resident less than with S3, SSM, Secrets Manager, STS).
 *
 * The SDK's own environment stays in force: `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL`,
 * `AWS_ENDPOINT_URL_S3`, `AWS_CA_BUNDLE` and the rest
 * (https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html).
 */
import { isAgentService, SERVICE_IDS, SERVICES, type AwsService, type ServiceId } from '../base/services.ts';
import { describeAwsFailure } from './errors.ts';
import type { Resilience } from './resilience.ts';
import {
  CLIENTS_BY_SERVICE,
  type AwsCredentials,
  type ClientConfig,
  type ClientDefinition,
  type ClientLimits,
  type ClientMethods,
} from './service-clients.ts';

export type { AwsCredentials };

/** Reaching a host takes less, or the network is down. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Of credentials that can change while the clients live. */
export interface CredentialRenewal {
  /** Another number when they have changed. */
  generation(): number;
  /** After AWS refused them: whether there are others now. What it throws takes the refusal's place. */
  renew(): Promise<boolean>;
}

export interface ClientOptions {
  /** Absent: the SDK's own search (environment, then the profile's region). */
  region?: string;
  /** Fixed credentials, or a function that fetches them. Absent: the SDK's own chain. */
  credentials?: AwsCredentials | (() => Promise<AwsCredentials>);
  /** Asked when AWS does not know the credentials, or they have expired; the call is then made again. */
  renewal?: CredentialRenewal;
  /** A profile of `~/.aws`. Ignored when `credentials` are given. */
  profile?: string;
  /** One endpoint for every service. The SDK's endpoint variables, where set, win over it. */
  endpoint?: string;
  /** Every call of a service that running agents call goes through it; absent: through nothing, for single commands. */
  resilience?: Resilience;
  /** Where the endpoint variables are read from; default `process.env`, which the SDK itself reads. */
  env?: NodeJS.ProcessEnv;
}

export interface AwsClients extends ClientMethods {
  /** The options they were made with, without credentials. */
  readonly options: { region?: string; profile?: string; endpoint?: string };
  /** Closes every connection. Clients asked for afterwards are new ones. */
  destroy(): void;
}

/** What all clients of the SDK have in common here. */
interface SdkClient {
  middlewareStack: { add(middleware: unknown, options: object): void };
  destroy(): void;
}

export function createClients(options: ClientOptions = {}): AwsClients {
  const made = new Map<string, Promise<SdkClient>>();
  const methods: Record<string, () => Promise<SdkClient>> = {};
  for (const service of SERVICE_IDS) {
    for (const [name, definition] of Object.entries(CLIENTS_BY_SERVICE[service])) {
      methods[name] = () => {
        const existing = made.get(name);
        if (existing) return existing;
        const client = makeClient(service, definition, options);
        made.set(name, client);
        // A failed import (disk trouble) must not be remembered.
        client.catch(() => made.delete(name));
        return client;
      };
    }
  }
  return {
    ...(methods as unknown as ClientMethods),
    options: {
      ...(options.region === undefined ? {} : { region: options.region }),
      ...(options.profile === undefined ? {} : { profile: options.profile }),
      ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    },
    destroy: () => {
      for (const client of made.values()) {
        client.then(
          (ready) => ready.destroy(),
          () => undefined,
        );
      }
      made.clear();
    },
  };
}

async function makeClient(
  service: ServiceId,
  { limits, make }: ClientDefinition,
  options: ClientOptions,
): Promise<SdkClient> {
  const client = (await make(configOf(service, limits, options))) as SdkClient;
  // Calls of commands are neither guarded nor renewed: see ServiceRow.calledBy.
  if (isAgentService(service)) guard(service, client, options);
  return client;
}

/** Outermost of all middleware: one call is one, however often the SDK sends it. */
function guard(service: AwsService, { middlewareStack: stack }: SdkClient, options: ClientOptions): void {
  const { renewal, resilience } = options;
  if (renewal) {
    const middleware = (next: Next) => (args: { input: object }) => withRenewal(service, renewal, next, args);
    stack.add(middleware, { step: 'initialize', name: 'credentialRenewal' });
  }
  if (resilience) {
    const middleware =
      (next: (args: unknown) => Promise<unknown>, context: { commandName?: string }) => (args: unknown) =>
        resilience.call(service, context.commandName ?? '', () => next(args));
    stack.add(middleware, { step: 'initialize', priority: 'high', name: 'circuitBreaker' });
  }
}

function configOf(service: ServiceId, limits: ClientLimits, options: ClientOptions): ClientConfig {
  const { region, credentials, profile, env = process.env } = options;
  const endpoint = env[SERVICES[service].endpointVariable] ?? env['AWS_ENDPOINT_URL'] ?? options.endpoint;
  const agent = limits.sockets === undefined ? undefined : { keepAlive: true, maxSockets: limits.sockets };
  return {
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? (profile === undefined ? {} : { profile }) : { credentials }),
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: limits.attempts,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      ...(limits.answerMs === undefined
        ? {}
        : { requestTimeout: limits.answerMs, throwOnRequestTimeout: true }),
      ...(limits.idleMs === undefined ? {} : { socketTimeout: limits.idleMs }),
      ...(agent ? { httpAgent: agent, httpsAgent: agent } : {}),
    },
  };
}

type Next = (args: { input: object }) => Promise<unknown>;

async function withRenewal(
  service: AwsService,
  renewal: CredentialRenewal,
  next: Next,
  args: { input: object },
): Promise<unknown> {
  const generation = renewal.generation();
  try {
    return await next(args);
  } catch (thrown) {
    const { refusesKey } = describeAwsFailure(thrown, { call: '', resource: '' }, service);
    if (!refusesKey) throw thrown;
    const areOthers = renewal.generation() !== generation || (await renewal.renew());
    // A stream that has been read cannot be sent again here; the caller can open it again.
    const { Body: body } = args.input as { Body?: unknown };
    const canRepeat = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    if (!areOthers || !canRepeat) throw thrown;
    return next(args);
  }
}
