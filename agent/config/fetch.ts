/**
 * The configuration of one environment out of AWS: a secret and the parameters below a path. Either may be
 * missing or denied, as long as activity and bucket are known at the end; each failure says which call on
 * which resource it was and which permission to ask for.
 */
import { z } from 'zod';
import { namesInAws } from '../aws/arn.ts';
import type { AwsClients, AwsCredentials } from '../aws/clients.ts';
import { describeAwsFailure, type AwsFailure } from '../aws/errors.ts';
import type { AwsValue } from '../store/aws-values.ts';
import { readSetting } from './load.ts';
import { settingDefinition, settingDefinitions } from './definitions.ts';
import { nearest } from './settings-file.ts';

/** Ten parameters a page; an environment has a dozen. More means a wrong path. */
const MAX_PAGES = 50;

export interface FetchAttempt {
  /** IAM's name of the call, which is the permission it needs. */
  call: string;
  resource: string;
  /** Of the failure; absent when the call worked. */
  failure?: AwsFailure;
}

export interface FetchResult {
  /** Whether activity and bucket are known. */
  ok: boolean;
  values: AwsValue[];
  /** Of the secret. Never printed, never logged. */
  credentials?: AwsCredentials;
  attempts: FetchAttempt[];
  /** Required keys that nothing gave. */
  missing: string[];
  /** Values that were there and could not be used. */
  warnings: string[];
}

/** The keys of the secret. Others in it are ignored, as the earlier program did. */
const secretSchema = z.looseObject({
  AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
  AWS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  AWS_SESSION_TOKEN: z.string().min(1).optional(),
  AWS_DEFAULT_REGION: z.string().min(1).optional(),
  ACTIVITY_ARN: z.string().min(1).optional(),
  S3_BUCKET: z.string().min(1).optional(),
});

const REQUIRED = ['aws.activity_arn', 'aws.s3_bucket'] as const;

interface Part {
  attempt: FetchAttempt;
  found: { key: string; value: string; source: string }[];
  credentials?: AwsCredentials;
  warnings: string[];
}

export async function fetchConfig(options: {
  env: string;
  clients: Pick<AwsClients, 'secrets' | 'ssm'>;
  now: number;
}): Promise<FetchResult> {
  const [secret, parameters] = await Promise.all([
    fetchSecret(options.env, options.clients),
    fetchParameters(options.env, options.clients),
  ]);
  const warnings = [...secret.warnings, ...parameters.warnings];
  const values = new Map<string, AwsValue>();
  // Parameters come last and win: they are what an administrator changes day by day.
  for (const { key, value, source } of [...secret.found, ...parameters.found]) {
    const read = readSetting(key, value);
    if (read.ok) values.set(key, { key, value, source, fetchedAt: options.now });
    else warnings.push(`${source}: ${read.message}`);
  }
  const missing = REQUIRED.filter((key) => !values.has(key));
  return {
    ok: missing.length === 0,
    values: [...values.values()],
    ...(secret.credentials === undefined ? {} : { credentials: secret.credentials }),
    attempts: [secret.attempt, parameters.attempt],
    missing,
    warnings,
  };
}

/** What the environment's secret says; a failure is in `attempt`. */
export async function fetchSecret(env: string, clients: Pick<AwsClients, 'secrets'>): Promise<Part> {
  const name = namesInAws.secret(env);
  const source = `secret ${name}`;
  const attempt: FetchAttempt = { call: 'secretsmanager:GetSecretValue', resource: name };
  let text: string | undefined;
  try {
    const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
    const client = await clients.secrets();
    text = (await client.send(new GetSecretValueCommand({ SecretId: name }))).SecretString;
  } catch (thrown) {
    return { attempt: { ...attempt, failure: describeAwsFailure(thrown, attempt) }, found: [], warnings: [] };
  }
  const parsed = secretSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    // Without quoting any of it.
    return { attempt, found: [], warnings: [`${source} is not a JSON object of texts; it is ignored`] };
  }
  const secret = parsed.data;
  const found = (
    [
      ['aws.activity_arn', secret.ACTIVITY_ARN],
      ['aws.s3_bucket', secret.S3_BUCKET],
      ['aws.region', secret.AWS_DEFAULT_REGION],
    ] as const
  ).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value, source }]));
  const half = (secret.AWS_ACCESS_KEY_ID === undefined) !== (secret.AWS_SECRET_ACCESS_KEY === undefined);
  return {
    attempt,
    found,
    ...(secret.AWS_ACCESS_KEY_ID && secret.AWS_SECRET_ACCESS_KEY
      ? {
          credentials: {
            accessKeyId: secret.AWS_ACCESS_KEY_ID,
            secretAccessKey: secret.AWS_SECRET_ACCESS_KEY,
            ...(secret.AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: secret.AWS_SESSION_TOKEN }),
          },
        }
      : {}),
    warnings: half ? [`${source} has only one of the two halves of an access key; it is ignored`] : [],
  };
}

async function fetchParameters(env: string, clients: Pick<AwsClients, 'ssm'>): Promise<Part> {
  const path = namesInAws.parameterPath(env);
  const attempt: FetchAttempt = { call: 'ssm:GetParametersByPath', resource: path };
  const found: Part['found'] = [];
  const warnings: string[] = [];
  try {
    const { GetParametersByPathCommand } = await import('@aws-sdk/client-ssm');
    const client = await clients.ssm();
    let nextToken: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await client.send(
        new GetParametersByPathCommand({
          Path: path,
          Recursive: true,
          WithDecryption: true,
          ...(nextToken === undefined ? {} : { NextToken: nextToken }),
        }),
      );
      for (const { Name: name, Value: value } of answer.Parameters ?? []) {
        if (name === undefined || value === undefined) continue;
        const key = settingKeyOf(name.slice(path.length));
        if (key) found.push({ key, value, source: `parameter ${name}` });
        else warnings.push(unknownParameter(name, name.slice(path.length)));
      }
      nextToken = answer.NextToken;
      if (!nextToken) break;
    }
  } catch (thrown) {
    return { attempt: { ...attempt, failure: describeAwsFailure(thrown, attempt) }, found, warnings };
  }
  return { attempt, found, warnings };
}

/** `activity-arn`, `recording/max-level`, `recording-max-level` → a key that may come from AWS. */
export function settingKeyOf(name: string): string | undefined {
  const words = name.replaceAll('-', '_').toLowerCase();
  const candidates = [words.replaceAll('/', '.'), words.replace('_', '.'), `aws.${words}`];
  return candidates.find((key) => settingDefinition(key)?.meta.fromAws);
}

function unknownParameter(full: string, name: string): string {
  const key = name.replaceAll('-', '_').replace('/', '.');
  if (settingDefinition(key)) {
    return `parameter ${full}: \`${key}\` cannot be set from AWS, only on this machine; it is ignored`;
  }
  const suggestion = nearest(
    key,
    settingDefinitions.filter(({ meta }) => meta.fromAws).map((definition) => definition.key),
  );
  return `parameter ${full} is no setting; it is ignored${suggestion ? `. Did you mean \`${suggestion}\`?` : ''}`;
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
