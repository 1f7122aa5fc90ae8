/**
 * How the client of each service is made: its SDK package, loaded on first use, and its limits. Facts about the
 * services are in base/services.ts.
 */
import type { ServiceId } from '../base/services.ts';
import { isAwsEndpoint } from './endpoint.ts';

/** A service has more than one client where one kind of call must not wait behind another. */
export interface ClientDefinition {
  limits: ClientLimits;
  /** Imports the SDK only here: an idle agent holds the Step Functions client and nothing else. */
  make: (config: ClientConfig) => Promise<object>;
}

export interface ClientLimits {
  /** Time for the whole answer; absent: as long as bytes move. */
  answerMs?: number;
  /** Time without any byte; absent: no limit of its own. */
  idleMs?: number;
  /** Attempts inside the SDK. */
  attempts: number;
  /** Connections of its own, kept open between calls; absent: those of the SDK. */
  sockets?: number;
}

/** What every client of the SDK takes, made of the options and the limits. */
export interface ClientConfig {
  region?: string;
  profile?: string;
  credentials?: AwsCredentials | (() => Promise<AwsCredentials>);
  endpoint?: string;
  maxAttempts: number;
  requestHandler: object;
}

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** The SDK asks again five minutes before. */
  expiration?: Date;
}

/**
 * Short calls. A heartbeat or report that takes longer is better sent again: heartbeats are due every few seconds.
 * The SDK repeats a call here; everything longer is repeated by the caller that knows why.
 */
const CALLS: ClientLimits = { answerMs: 15_000, attempts: 3 };

/**
 * The service holds `GetActivityTask` for up to 60 s and asks for a client socket timeout of at least
 * 65 s (https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetActivityTask.html).
 */
const POLL_MS = 75_000;

/** More polls at once than any machine runs browsers. */
const POLLS: ClientLimits = { answerMs: POLL_MS, idleMs: POLL_MS, attempts: 1, sockets: 16 };

/**
 * An upload that moves no byte for a minute is dead; a slow one that moves is left alone. The upload queue repeats,
 * durably. Sockets for 24 small files and three large ones, each of those with three parts in flight, and some spare.
 */
const UPLOADS: ClientLimits = { idleMs: 60_000, attempts: 1, sockets: 36 };

/**
 * Smaller bodies go out at once, without first asking whether they may: that would cost the time of one answer.
 * Nothing that the uploads send is larger; above 8 MiB it is parts, and the first request asks for all.
 */
const ASK_FIRST_BYTES = 16 * 1_048_576;

export const CLIENTS = {
  sfn: {
    /** For heartbeats, reports and descriptions: short timeouts, its own connections. */
    sfn: {
      limits: CALLS,
      make: async (config: ClientConfig) => {
        const { SFNClient } = await import('@aws-sdk/client-sfn');
        return new SFNClient(config);
      },
    },
    /** For `GetActivityTask` alone: long timeout, its own connections, never repeated inside the SDK. */
    sfnPoll: {
      limits: POLLS,
      make: async (config: ClientConfig) => {
        const { SFNClient } = await import('@aws-sdk/client-sfn');
        return new SFNClient(config);
      },
    },
  },
  s3: {
    s3: {
      limits: UPLOADS,
      make: async (config: ClientConfig) => {
        const { S3Client } = await import('@aws-sdk/client-s3');
        const isElsewhere = config.endpoint !== undefined && !isAwsEndpoint(config.endpoint);
        return new S3Client({
          ...config,
          expectContinueHeader: ASK_FIRST_BYTES,
          ...(isElsewhere ? { forcePathStyle: true } : {}),
        });
      },
    },
  },
  ssm: {
    ssm: {
      limits: CALLS,
      make: async (config: ClientConfig) => {
        const { SSMClient } = await import('@aws-sdk/client-ssm');
        return new SSMClient(config);
      },
    },
  },
  secretsmanager: {
    secrets: {
      limits: CALLS,
      make: async (config: ClientConfig) => {
        const { SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
        return new SecretsManagerClient(config);
      },
    },
  },
  sts: {
    sts: {
      limits: CALLS,
      make: async (config: ClientConfig) => {
        const { STSClient } = await import('@aws-sdk/client-sts');
        return new STSClient(config);
      },
    },
  },
  iam: {
    /** For invitations alone. */
    iam: {
      limits: CALLS,
      make: async (config: ClientConfig) => {
        const { IAMClient } = await import('@aws-sdk/client-iam');
        return new IAMClient(config);
      },
    },
  },
} satisfies Record<ServiceId, Record<string, ClientDefinition>>;

/** The same by service, for going through all of them. */
export const CLIENTS_BY_SERVICE: Record<ServiceId, Record<string, ClientDefinition>> = CLIENTS;

type Intersection<Union> = (Union extends unknown ? (each: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;

/** Every client of every service, by its name. */
type Definitions = Intersection<(typeof CLIENTS)[keyof typeof CLIENTS]>;

/** One method for each client: makes it at the first call, and returns the same one afterwards. */
export type ClientMethods = {
  [Name in keyof Definitions]: () => ReturnType<Definitions[Name]['make']>;
};
