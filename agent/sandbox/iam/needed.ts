/**
 * Which permissions a request needs, by service: IAM's name of the action and the ARN it is about, as the
 * Service Authorization Reference has them
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
 */
export interface Needed {
  action: string;
  /** Null: nobody knows (see Asked of policy.ts). */
  resource: string | null;
  context?: Record<string, string>;
}

export interface Place {
  region: string;
  accountId: string;
  /** ARN of the activity that a task token is of; undefined for a token nobody knows. */
  activityOfToken: (token: string) => string | undefined;
  /** ARN of a secret by its name or ARN. */
  secretArn: (id: string) => string | undefined;
  /** ARN of the KMS key that encrypts a bucket. */
  keyOf: (bucket: string) => string | undefined;
  /** ARN of a user of IAM; undefined when there is none. */
  userArn: (name: string) => string | undefined;
  /** User name of the caller, whom IAM means where a request names no user. */
  callerName: string | undefined;
}

/** Of these anybody may ask. */
const FREE = new Set(['sts:GetCallerIdentity']);

type Input = Record<string, unknown>;

/** The ARNs that an operation is about: `*` for no particular resource, null for an unknown one. */
export type ResourcesOf = (operation: string, input: Input, place: Place) => (string | null)[];

/** @param service as IAM names it */
export function neededFor(
  service: string,
  operation: string,
  resourcesOf: () => (string | null)[],
): Needed[] {
  const action = `${service}:${operation}`;
  if (FREE.has(action)) return [];
  return resourcesOf().map((resource) => ({ action, resource }));
}

export const stepFunctionsResources: ResourcesOf = (operation, input, place) => {
  const token = text(input, 'taskToken');
  if (token !== undefined) return [place.activityOfToken(token) ?? null];
  const arn = ['activityArn', 'stateMachineArn', 'executionArn', 'resourceArn']
    .map((name) => text(input, name))
    .find((value) => value !== undefined);
  const name = text(input, 'name');
  const kind = operation === 'CreateActivity' ? 'activity' : 'stateMachine';
  if (arn !== undefined) return [arn];
  return [name === undefined ? '*' : `arn:aws:states:${place.region}:${place.accountId}:${kind}:${name}`];
};

export const parameterResources: ResourcesOf = (_operation, input, { region, accountId }) => {
  const names = [text(input, 'Name') ?? text(input, 'Path') ?? (input['Names'] as string[] | undefined)];
  const given = names.flat().filter((name) => name !== undefined);
  if (given.length === 0) return ['*'];
  return given.map(
    (name) => `arn:aws:ssm:${region}:${accountId}:parameter${name.startsWith('/') ? '' : '/'}${name}`,
  );
};

export const secretResources: ResourcesOf = (_operation, input, place) => {
  const id = text(input, 'SecretId') ?? text(input, 'Name');
  if (id === undefined) return ['*'];
  if (id.startsWith('arn:')) return [id];
  const unknown = `arn:aws:secretsmanager:${place.region}:${place.accountId}:secret:${id}`;
  return [place.secretArn(id) ?? unknown];
};

export const roleResources: ResourcesOf = (_operation, input) => [text(input, 'RoleArn') ?? '*'];

export const userResources: ResourcesOf = (operation, input, { accountId, userArn, callerName }) => {
  const name = text(input, 'UserName') ?? callerName;
  if (operation === 'ListUsers') {
    return [`arn:aws:iam::${accountId}:user${text(input, 'PathPrefix') ?? '/'}`];
  }
  if (name === undefined) return ['*'];
  const path = text(input, 'Path') ?? '/';
  return [userArn(name) ?? `arn:aws:iam::${accountId}:user${path}${name}`];
};

/** The permission behind each operation of S3 that does not have its own name, and on what it is. */
const S3_ACTIONS: Record<string, [action: string, on: 'bucket' | 'object' | 'nothing']> = {
  ListBuckets: ['ListAllMyBuckets', 'nothing'],
  HeadBucket: ['ListBucket', 'bucket'],
  ListObjects: ['ListBucket', 'bucket'],
  ListObjectsV2: ['ListBucket', 'bucket'],
  CreateBucket: ['CreateBucket', 'bucket'],
  DeleteBucket: ['DeleteBucket', 'bucket'],
  GetBucketLocation: ['GetBucketLocation', 'bucket'],
  PutBucketLifecycleConfiguration: ['PutLifecycleConfiguration', 'bucket'],
  DeleteBucketLifecycle: ['PutLifecycleConfiguration', 'bucket'],
  GetBucketLifecycleConfiguration: ['GetLifecycleConfiguration', 'bucket'],
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
  CreateMultipartUpload: ['PutObject', 'object'],
  UploadPart: ['PutObject', 'object'],
  UploadPartCopy: ['PutObject', 'object'],
  CompleteMultipartUpload: ['PutObject', 'object'],
  CopyObject: ['PutObject', 'object'],
  HeadObject: ['GetObject', 'object'],
  DeleteObjects: ['DeleteObject', 'object'],
};

/** What S3 does with the key of the bucket, for whoever asks. */
const KEY_ACTIONS: Record<string, string> = {
  PutObject: 'kms:GenerateDataKey',
  CreateMultipartUpload: 'kms:GenerateDataKey',
  UploadPart: 'kms:Decrypt',
  CompleteMultipartUpload: 'kms:Decrypt',
  GetObject: 'kms:Decrypt',
};

export function neededForS3(
  { operation, bucket = '', key = '*' }: { operation: string; bucket?: string; key?: string },
  { region, keyOf }: Pick<Place, 'region' | 'keyOf'>,
): Needed[] {
  const [name, on] = S3_ACTIONS[operation] ?? [operation, 'object'];
  const arn = `arn:aws:s3:::${bucket}`;
  const resource = on === 'nothing' ? '*' : on === 'bucket' ? arn : `${arn}/${key}`;
  const keyArn = keyOf(bucket);
  const keyAction = KEY_ACTIONS[operation];
  return [
    { action: `s3:${name}`, resource },
    ...(keyArn === undefined || keyAction === undefined
      ? []
      : [
          {
            action: keyAction,
            resource: keyArn,
            context: { 'kms:ViaService': `s3.${region}.amazonaws.com` },
          },
        ]),
  ];
}

function text(input: Input, name: string): string | undefined {
  const value = input[name];
  return typeof value === 'string' ? value : undefined;
}
