/**
 * Whether AWS lets this identity do what the agent does, asked in ways that change and take nothing (or
 * clean up after themselves). Answers are data; only bugs throw.
 */
import { createHash, randomUUID } from 'node:crypto';
import { namesInAws, parseArn } from './arn.ts';
import type { AwsClients } from './clients.ts';
import { describeAwsFailure, type AwsFailure } from './errors.ts';

export type Probe<T = object> = ({ ok: true } & T) | { ok: false; failure: AwsFailure };

/** Where `doctor` and `setup` put their test object. */
const PROBE_PREFIX = 'browser-sessions/_doctor/';

const PROBE_BODY = 'Written by local-browser-agent to see that it may. It can be removed.\n';

/**
 * Whether what was put is what is there: read back and the `same`, or `different`; reading is not allowed, and
 * S3 has `confirmed` the digest of what arrived, or not even that.
 */
export type ReadBack = 'same' | 'different' | 'confirmed' | 'unconfirmed';

/** A token that no execution has; too short to be one. */
const NO_TOKEN = 'local-browser-agent-permission-check';

/**
 * Who we are, and how far this machine's clock is from AWS's, by the Date header of the answer (which an
 * error has too). `skewMs` > 0: this machine is ahead; good to about a second.
 */
export async function probeIdentity(
  clients: Pick<AwsClients, 'sts'>,
  now: () => number,
): Promise<Probe<{ arn: string; account: string }> & { skewMs: number | null }> {
  let skewMs: number | null = null;
  const name = `date-${randomUUID()}`;
  const about = { call: 'sts:GetCallerIdentity', resource: 'the AWS account' };
  try {
    const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
    const client = await clients.sts();
    client.middlewareStack.add(
      (next) => async (args) => {
        const sentAt = now();
        const result = await next(args);
        const date = Date.parse(
          (result.response as { headers?: Record<string, string> }).headers?.['date'] ?? '',
        );
        // The header has whole seconds, made some time between sending and now.
        if (!Number.isNaN(date)) skewMs = Math.round((sentAt + now()) / 2 - (date + 500));
        return result;
      },
      { step: 'deserialize', priority: 'low', name },
    );
    try {
      const { Arn: arn = '', Account: account = '' } = await client.send(new GetCallerIdentityCommand({}));
      return { ok: true, arn, account, skewMs };
    } finally {
      client.middlewareStack.remove(name);
    }
  } catch (thrown) {
    return { ok: false, failure: describeAwsFailure(thrown, about), skewMs };
  }
}

/** Whether the activity exists. The permission is not needed for work: `denied` says nothing about that. */
export async function probeActivity(clients: Pick<AwsClients, 'sfn'>, activityArn: string): Promise<Probe> {
  try {
    const { DescribeActivityCommand } = await import('@aws-sdk/client-sfn');
    await (await clients.sfn()).send(new DescribeActivityCommand({ activityArn }));
    return { ok: true };
  } catch (thrown) {
    return failed(thrown, 'states:DescribeActivity', activityArn);
  }
}

/**
 * Whether tasks may be asked for, without asking for one: a real poll could be handed a task, and a poll
 * broken off loses it. So the call goes to an activity that does not exist, named after the real one.
 *
 * - `ok`: AWS said that it does not exist, which it says only to those who may ask
 * - denied: proves nothing when the policy names the one activity; the caller says so. The stack's policy
 *   allows it on one name for this purpose (`ofStack`): there a denial is a denial.
 *
 * Should the name exist after all and hand over a task, that task is left to its heartbeat timeout: nobody
 * creates an activity of that name.
 */
export async function probePoll(
  clients: Pick<AwsClients, 'sfn'>,
  activityArn: string,
  { ofStack = false } = {},
): Promise<Probe> {
  const sibling = ofStack
    ? namesInAws.pollCheckArn(activityArn)
    : `${activityArn}-permission-check-${randomUUID().slice(0, 8)}`;
  // 80 characters is the limit of an activity's name.
  const { resource = '' } = parseArn(activityArn) ?? {};
  const arn = sibling.slice(0, activityArn.length - resource.length + 'activity:'.length + 80);
  try {
    const { GetActivityTaskCommand } = await import('@aws-sdk/client-sfn');
    await (await clients.sfn()).send(new GetActivityTaskCommand({ activityArn: arn, workerName: 'doctor' }));
    return { ok: true };
  } catch (thrown) {
    const probe = failed(thrown, 'states:GetActivityTask', activityArn);
    return !probe.ok && probe.failure.code === 'ActivityDoesNotExist' ? { ok: true } : probe;
  }
}

export const REPORT_CALLS = ['SendTaskHeartbeat', 'SendTaskSuccess', 'SendTaskFailure'] as const;

/** Whether results may be sent: with a token that never was one, which is all that the service objects to. */
export async function probeReport(
  clients: Pick<AwsClients, 'sfn'>,
  call: (typeof REPORT_CALLS)[number],
  activityArn: string,
): Promise<Probe> {
  try {
    const sdk = await import('@aws-sdk/client-sfn');
    const client = await clients.sfn();
    switch (call) {
      case 'SendTaskHeartbeat':
        await client.send(new sdk.SendTaskHeartbeatCommand({ taskToken: NO_TOKEN }));
        break;
      case 'SendTaskSuccess':
        await client.send(new sdk.SendTaskSuccessCommand({ taskToken: NO_TOKEN, output: '{}' }));
        break;
      case 'SendTaskFailure':
        await client.send(new sdk.SendTaskFailureCommand({ taskToken: NO_TOKEN }));
        break;
    }
    return { ok: true };
  } catch (thrown) {
    const probe = failed(thrown, `states:${call}`, activityArn);
    const objectsToToken =
      !probe.ok && ['InvalidToken', 'TaskDoesNotExist', 'TaskTimedOut'].includes(probe.failure.code);
    return objectsToToken ? { ok: true } : probe;
  }
}

/** Puts a few bytes and removes them again. `leftBehind`: removing was refused, which work does not need. */
export async function probeUpload(
  clients: Pick<AwsClients, 's3'>,
  bucket: string,
): Promise<Probe<{ key: string; readBack: ReadBack; leftBehind: AwsFailure | null }>> {
  const key = `${PROBE_PREFIX}${randomUUID()}.txt`;
  const resource = `arn:aws:s3:::${bucket}/browser-sessions/*`;
  try {
    const { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } = await import('@aws-sdk/client-s3');
    const client = await clients.s3();
    const put = await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: PROBE_BODY,
        ContentType: 'text/plain; charset=utf-8',
        ChecksumAlgorithm: 'SHA256',
      }),
    );
    const sha256 = createHash('sha256').update(PROBE_BODY).digest('base64');
    let readBack: ReadBack = put.ChecksumSHA256 === sha256 ? 'confirmed' : 'unconfirmed';
    try {
      const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      readBack = (await got.Body?.transformToString()) === PROBE_BODY ? 'same' : 'different';
    } catch {
      // Agents need not read, and their policy does not let them.
    }
    try {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    } catch (thrown) {
      const about = { call: 's3:DeleteObject', resource };
      return { ok: true, key, readBack, leftBehind: describeAwsFailure(thrown, about) };
    }
    return { ok: true, key, readBack, leftBehind: null };
  } catch (thrown) {
    return failed(thrown, 's3:PutObject', resource);
  }
}

/**
 * Whether a large upload, which goes up in parts, works as far as its end: one is begun, given a part of a few
 * bytes, and broken off, which removes the part. With a KMS key on the bucket a part needs other rights on it
 * than a whole object.
 */
export async function probeParts(
  clients: Pick<AwsClients, 's3'>,
  bucket: string,
): Promise<{ parts: Probe; abort: Probe | null }> {
  const resource = `arn:aws:s3:::${bucket}/browser-sessions/*`;
  const { AbortMultipartUploadCommand, CreateMultipartUploadCommand, UploadPartCommand } =
    await import('@aws-sdk/client-s3');
  const client = await clients.s3();
  const object = { Bucket: bucket, Key: `${PROBE_PREFIX}${randomUUID()}.parts` };
  let uploadId: string | undefined;
  let parts: Probe = { ok: true };
  try {
    ({ UploadId: uploadId } = await client.send(new CreateMultipartUploadCommand(object)));
    await client.send(
      new UploadPartCommand({
        ...object,
        UploadId: uploadId,
        PartNumber: 1,
        Body: 'Only to see that it may.\n',
      }),
    );
  } catch (thrown) {
    parts = failed(thrown, 's3:PutObject', resource);
  }
  if (uploadId === undefined) return { parts, abort: null };
  try {
    await client.send(new AbortMultipartUploadCommand({ ...object, UploadId: uploadId }));
    return { parts, abort: { ok: true } };
  } catch (thrown) {
    return { parts, abort: failed(thrown, 's3:AbortMultipartUpload', resource) };
  }
}

/** Whether the secret may be read. Its value is not kept. @param resource of the failure, in its words */
export async function probeSecret(
  clients: Pick<AwsClients, 'secrets'>,
  name: string,
  resource = name,
): Promise<Probe> {
  try {
    const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
    await (await clients.secrets()).send(new GetSecretValueCommand({ SecretId: name }));
    return { ok: true };
  } catch (thrown) {
    return failed(thrown, 'secretsmanager:GetSecretValue', resource);
  }
}

/** Whether secrets below a name may be read: asked of one that is not there, which only who may is told. */
export async function probeSecretsBelow(
  clients: Pick<AwsClients, 'secrets'>,
  prefix: string,
  resource: string,
): Promise<Probe> {
  const probe = await probeSecret(clients, `${prefix}_doctor`, resource);
  return !probe.ok && probe.failure.code === 'ResourceNotFoundException' ? { ok: true } : probe;
}

export async function probeParameters(
  clients: Pick<AwsClients, 'ssm'>,
  path: string,
  resource = path,
): Promise<Probe> {
  try {
    const { GetParametersByPathCommand } = await import('@aws-sdk/client-ssm');
    const input = { Path: path, Recursive: true, WithDecryption: true, MaxResults: 1 };
    await (await clients.ssm()).send(new GetParametersByPathCommand(input));
    return { ok: true };
  } catch (thrown) {
    return failed(thrown, 'ssm:GetParametersByPath', resource);
  }
}

function failed(thrown: unknown, call: string, resource: string): { ok: false; failure: AwsFailure } {
  return { ok: false, failure: describeAwsFailure(thrown, { call, resource }) };
}
