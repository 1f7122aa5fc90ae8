/**
 * The built-in stand-in for the AWS services the agent uses, on one loopback port: Step Functions
 * (activities, state machines, executions), S3, SSM parameters, Secrets Manager and STS. Real SDK clients
 * and the AWS command line talk to it unchanged. See docs/sandbox.md for what is and is not there.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { drop } from '../base/drop.ts';
import { silentLogger, type Logger } from '../base/log.ts';
import { ServiceError } from './errors.ts';
import { Faults } from './faults.ts';
import { createIam, type IamOptions, type SandboxIam } from './iam/iam.ts';
import type { PolicyText } from './iam/policy.ts';
import { Records } from './records.ts';
import { RequestLog } from './requests.ts';
import { Router } from './router.ts';
import { createS3 } from './s3.ts';
import { createSecrets } from './secrets.ts';
import { operationsOf, type OperationServiceName } from './services.ts';
import type { Execution } from './sfn/executions.ts';
import { createStepFunctions } from './sfn/service.ts';
import { createSts, type AccessKey } from './sts.ts';

export interface SandboxOptions {
  /** Default 0: any free port. */
  port?: number;
  /** Default 127.0.0.1. Nothing checks signatures here: no other machine should reach it. */
  host?: string;
  /** Keeps activities, machines, ended executions, parameters, secrets and objects; absent: in memory. */
  dataDir?: string;
  /** Region of what the sandbox makes itself; a request's own region is the one its signature names. */
  region?: string;
  accountId?: string;
  log?: Logger;
  /** How long GetActivityTask waits; default 60,000 as the service. */
  pollMs?: number;
  /** Requests are decided by policies, and unknown keys refused; absent: anybody may do anything. */
  iam?: IamOptions;
}

export interface Sandbox {
  url: string;
  region: string;
  accountId: string;
  /** Environment of a process that is to use the sandbox instead of AWS. */
  env: Record<string, string>;
  requests: RequestLog;
  faults: Faults;
  iam: SandboxIam;
  createBucket(name: string): void;
  /** Removes a bucket and all in it: later requests meet NoSuchBucket. */
  removeBucket(name: string): void;
  /** A user with an access key, the same each time it is asked for. */
  createUser(name: string): AccessKey;
  /** Performs an operation directly: nothing in the request log, no fault rule. Throws {@link ServiceError}. */
  call(service: OperationServiceName, operation: string, input: object): Promise<Record<string, unknown>>;
  /** Resolves when an execution is over. */
  executionEnded(executionArn: string, signal?: AbortSignal): Promise<Execution>;
  /** Tasks of an activity that wait for a worker. */
  tasksWaiting(activityArn: string): number;
  close(): Promise<void>;
}

export const SANDBOX_ACCOUNT_ID = '000000000000';
const DEFAULT_REGION = 'us-east-1';

/** What the sandbox's own user may do. */
const EVERYTHING: PolicyText = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
};

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const host = options.host ?? '127.0.0.1';
  const region = options.region ?? DEFAULT_REGION;
  const accountId = options.accountId ?? SANDBOX_ACCOUNT_ID;
  const log = options.log ?? silentLogger;
  const records = new Records(options.dataDir);
  const s3 = await createS3(options.dataDir);
  const sts = createSts(records, accountId);
  const iam = createIam(records, { accountId, sts, options: options.iam });
  const sfn = createStepFunctions({
    records,
    accountId,
    tokenKey: tokenKey(records),
    ...(options.pollMs === undefined ? {} : { pollMs: options.pollMs }),
  });
  const requests = new RequestLog();
  const faults = new Faults();
  const closing = new AbortController();
  const secrets = createSecrets(records, accountId);
  const operations = operationsOf({ records, accountId, sfn, secrets, sts, iam });
  const router = new Router({
    s3,
    sts,
    iam,
    operations,
    accountId,
    activityOfToken: (token) => sfn.tasks.activityOf(token),
    secretArn: (id) => secrets.arnOf(id),
    requests,
    faults,
    region,
    closing: closing.signal,
    log,
    loopbackOnly: options.host === undefined,
  });
  const server = createServer((request, response) => {
    drop(router.handle(request, response), log, 'sandbox request');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const user = sts.createUser('sandbox');
  iam.setPolicy(user.arn, EVERYTHING);
  log.info({ url }, 'sandbox listening');

  return {
    url,
    region,
    accountId,
    env: clientEnvironment(url, region, user),
    requests,
    faults,
    iam,
    createBucket: (name) => s3.createBucket(name),
    removeBucket: (name) => s3.removeBucket(name),
    createUser: (name) => sts.createUser(name),
    call: async (service, operation, input) => {
      const found = operations[service][operation];
      if (!found)
        throw new ServiceError('UnknownOperationException', `The sandbox has no ${service}:${operation}`);
      const caller = { accessKeyId: user.accessKeyId, region };
      return ((await found.handle(input, { caller, signal: closing.signal })) ?? {}) as Record<
        string,
        unknown
      >;
    },
    executionEnded: (arn, signal) => sfn.executions.ended(arn, signal),
    tasksWaiting: (arn) => sfn.tasks.waiting(arn),
    close: async () => {
      closing.abort();
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      server.closeAllConnections();
      await closed;
      sfn.close();
      await s3.close();
      records.close();
    },
  };
}

function clientEnvironment(url: string, region: string, user: AccessKey): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: user.accessKeyId,
    AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

function tokenKey(records: Records): Buffer {
  const keys = records.collection<string>('token-key');
  const stored = keys.get('key') ?? randomBytes(32).toString('base64');
  keys.put('key', stored);
  return Buffer.from(stored, 'base64');
}
