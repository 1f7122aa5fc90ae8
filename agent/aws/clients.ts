/**
 * AWS clients, each loaded and created on first use: an idle agent only polls, so it holds the Step
 * Functions client and nothing else (about 22 MB resident less than with S3, SSM, Secrets Manager, STS).
 *
 * The SDK's own environment stays in force: `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL`,
 * `AWS_ENDPOINT_URL_S3`, `AWS_CA_BUNDLE` and the rest
 * (https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html).
 */
import type { IAMClient } from '@aws-sdk/client-iam';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient } from '@aws-sdk/client-sts';
import type { AwsService } from '../base/services.ts';
import { describeAwsFailure } from './errors.ts';
import type { Resilience } from './resilience.ts';

/**
 * The service holds `GetActivityTask` for up to 60 s and asks for a client socket timeout of at least
 * 65 s (https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetActivityTask.html).
 */
export const POLL_TIMEOUT_MS = 75_000;

/** A heartbeat or report that takes longer is better sent again: heartbeats are due every few seconds. */
const CALL_TIMEOUT_MS = 15_000;

/** Reaching a host takes less, or the network is down. */
const CONNECT_TIMEOUT_MS = 5_000;

/** An upload that moves no byte for this long is dead; a slow one that moves is left alone. */
const UPLOAD_IDLE_TIMEOUT_MS = 60_000;

/** Attempts inside the SDK for short calls; everything longer is retried by the caller that knows why. */
const CALL_ATTEMPTS = 3;

/** More polls at once than any one machine runs browsers. */
const POLL_SOCKETS = 16;

/** 24 small files and three large ones at a time, each of those with three parts in flight, and some air. */
const UPLOAD_SOCKETS = 36;

/**
 * Smaller bodies go out at once, without asking first whether they may: that costs the time of one answer.
 * Nothing that the uploads send is larger; above 8 MiB it is parts, and the first request asks for all.
 */
const ASK_FIRST_BYTES = 16 * 1_048_576;

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** When the SDK asks again, five minutes before. */
  expiration?: Date;
}

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
  /** Every call goes through it; absent: through nothing, for single commands. */
  resilience?: Resilience;
  /** Where the endpoint variables are read from; default `process.env`, which the SDK itself reads. */
  env?: NodeJS.ProcessEnv;
}

export interface AwsClients {
  /** For heartbeats, reports and descriptions: short timeouts, its own connections. */
  sfn(): Promise<SFNClient>;
  /** For `GetActivityTask` alone: long timeout, its own connections, never retried inside the SDK. */
  sfnPoll(): Promise<SFNClient>;
  s3(): Promise<S3Client>;
  ssm(): Promise<SSMClient>;
  secrets(): Promise<SecretsManagerClient>;
  sts(): Promise<STSClient>;
  /** For invitations alone; no agent at work asks it anything. */
  iam(): Promise<IAMClient>;
  /** The options they were made with, without credentials. */
  readonly options: { region?: string; profile?: string; endpoint?: string };
  /** Closes every connection. Clients asked for afterwards are made anew. */
  destroy(): void;
}

type ServiceVariable =
  | 'AWS_ENDPOINT_URL_SFN'
  | 'AWS_ENDPOINT_URL_S3'
  | 'AWS_ENDPOINT_URL_SSM'
  | 'AWS_ENDPOINT_URL_SECRETS_MANAGER'
  | 'AWS_ENDPOINT_URL_STS'
  | 'AWS_ENDPOINT_URL_IAM';

export function createClients(options: ClientOptions = {}): AwsClients {
  const env = options.env ?? process.env;
  const made = new Map<string, Promise<{ destroy(): void }>>();

  function once<T extends { destroy(): void }>(name: string, make: () => Promise<T>): Promise<T> {
    const existing = made.get(name) as Promise<T> | undefined;
    if (existing) return existing;
    const client = make();
    made.set(name, client);
    // A failed import (disk trouble) must not be remembered.
    client.catch(() => made.delete(name));
    return client;
  }

  /** Outermost of all middleware: one call is one, however often the SDK sends it. */
  function guarded<T>(service: AwsService, client: T & { middlewareStack: { add: unknown } }): T {
    const { resilience, renewal } = options;
    const stack = client.middlewareStack as { add(middleware: unknown, options: object): void };
    if (renewal) {
      const middleware = (next: Next) => (args: { input: object }) =>
        withRenewal(service, renewal, next, args);
      stack.add(middleware, { step: 'initialize', name: 'credentialRenewal' });
    }
    if (!resilience) return client;
    const middleware =
      (next: (args: unknown) => Promise<unknown>, context: { commandName?: string }) => (args: unknown) =>
        resilience.call(service, context.commandName ?? '', () => next(args));
    stack.add(middleware, { step: 'initialize', priority: 'high', name: 'circuitBreaker' });
    return client;
  }

  function shared(variable: ServiceVariable) {
    const endpoint = env[variable] ?? env['AWS_ENDPOINT_URL'] ?? options.endpoint;
    return {
      ...(options.region === undefined ? {} : { region: options.region }),
      ...(options.credentials === undefined
        ? options.profile === undefined
          ? {}
          : { profile: options.profile }
        : { credentials: options.credentials }),
      ...(endpoint === undefined ? {} : { endpoint }),
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: CALL_TIMEOUT_MS,
        throwOnRequestTimeout: true,
      },
      maxAttempts: CALL_ATTEMPTS,
    };
  }

  return {
    sfn: () =>
      once('sfn', async () => {
        const { SFNClient } = await import('@aws-sdk/client-sfn');
        return guarded('sfn', new SFNClient(shared('AWS_ENDPOINT_URL_SFN')));
      }),
    sfnPoll: () =>
      once('sfnPoll', async () => {
        const { SFNClient } = await import('@aws-sdk/client-sfn');
        const agent = { keepAlive: true, maxSockets: POLL_SOCKETS };
        const client = new SFNClient({
          ...shared('AWS_ENDPOINT_URL_SFN'),
          maxAttempts: 1,
          requestHandler: {
            connectionTimeout: CONNECT_TIMEOUT_MS,
            requestTimeout: POLL_TIMEOUT_MS,
            socketTimeout: POLL_TIMEOUT_MS,
            throwOnRequestTimeout: true,
            httpAgent: agent,
            httpsAgent: agent,
          },
        });
        return guarded('sfn', client);
      }),
    s3: () =>
      once('s3', async () => {
        const { S3Client } = await import('@aws-sdk/client-s3');
        const config = shared('AWS_ENDPOINT_URL_S3');
        const agent = { keepAlive: true, maxSockets: UPLOAD_SOCKETS };
        const client = new S3Client({
          ...config,
          maxAttempts: 1, // the upload queue retries, durably
          expectContinueHeader: ASK_FIRST_BYTES,
          ...('endpoint' in config && !isAwsEndpoint(config.endpoint) ? { forcePathStyle: true } : {}),
          requestHandler: {
            connectionTimeout: CONNECT_TIMEOUT_MS,
            socketTimeout: UPLOAD_IDLE_TIMEOUT_MS,
            httpAgent: agent,
            httpsAgent: agent,
          },
        });
        return guarded('s3', client);
      }),
    ssm: () =>
      once('ssm', async () => {
        const { SSMClient } = await import('@aws-sdk/client-ssm');
        return guarded('ssm', new SSMClient(shared('AWS_ENDPOINT_URL_SSM')));
      }),
    secrets: () =>
      once('secrets', async () => {
        const { SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
        return guarded(
          'secretsmanager',
          new SecretsManagerClient(shared('AWS_ENDPOINT_URL_SECRETS_MANAGER')),
        );
      }),
    sts: () =>
      once('sts', async () => {
        const { STSClient } = await import('@aws-sdk/client-sts');
        return guarded('sts', new STSClient(shared('AWS_ENDPOINT_URL_STS')));
      }),
    iam: () =>
      once('iam', async () => {
        const { IAMClient } = await import('@aws-sdk/client-iam');
        return new IAMClient(shared('AWS_ENDPOINT_URL_IAM'));
      }),
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
    // What has been read from a stream cannot be sent again here; whoever made it can.
    const { Body: body } = args.input as { Body?: unknown };
    const canRepeat = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    if (!areOthers || !canRepeat) throw thrown;
    return next(args);
  }
}

/** Whether an endpoint is AWS's own, where a bucket is a host name; elsewhere it is the path's first part. */
export function isAwsEndpoint(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false;
  const { hostname } = new URL(endpoint);
  return /(^|\.)(amazonaws\.com(\.cn)?|api\.aws)$/.test(hostname);
}
