/**
 * The AWS services that this program calls: one row each, and the only place for these facts. Add a service with the
 * recipe of CONTRIBUTING.md. What needs more than facts is keyed by service as well, so that a service without it
 * does not compile: clients (aws/service-clients.ts), checks (config/aws-checks.ts), the stack's policy
 * (resources/aws/agents.ts), the sandbox (sandbox/services.ts).
 */

/** An action that the stack's policy allows agents, explained for docs/iam-permissions.md. */
export interface Permission {
  /** Commands of the SDK that need it. Empty for what a service does in the agent's name, e.g. with a KMS key. */
  commands: readonly string[];
  /** What it is allowed on. */
  on: string;
  why: string;
  /** What happens where it is missing. */
  without: string;
}

export interface ServiceRow {
  /** AWS's own name, as a person reads it. */
  name: string;
  /** What the agent uses the service for; continues "The agent …". */
  use: string;
  /** Variable by which the SDK finds another endpoint for this service alone. */
  endpointVariable: `AWS_ENDPOINT_URL_${Uppercase<string>}`;
  /** What IAM puts before the colon of its actions. Requests are signed for the same name. */
  iamPrefix: string;
  /**
   * `agent`: a running agent calls it. A circuit breaker guards its calls, health and metrics show it, and a refused
   * access key is renewed. `commands`: only commands that a person waits for call it. It has none of these: the
   * person reads the error and decides (docs/decisions/008-one-model-of-aws.md).
   */
  calledBy: 'agent' | 'commands';
  /** By action of IAM. */
  permissions: Readonly<Record<string, Permission>>;
  /** Commands of agents that need no permission, or that `setup` and `doctor` try and do without. */
  otherCommands: readonly string[];
}

const ACTIVITY = 'the activity';
const EVIDENCE = '`browser-sessions/*` in the bucket';
const BUCKET_KEY = 'the bucket’s KMS key, through S3 alone';

export const SERVICES = {
  sfn: {
    name: 'AWS Step Functions',
    use: 'takes tasks from it and reports their results to it',
    endpointVariable: 'AWS_ENDPOINT_URL_SFN',
    iamPrefix: 'states',
    calledBy: 'agent',
    permissions: {
      'states:GetActivityTask': {
        commands: ['GetActivityTask'],
        on: ACTIVITY,
        why: 'asks for tasks',
        without: 'the agent gets no tasks',
      },
      'states:SendTaskHeartbeat': {
        commands: ['SendTaskHeartbeat'],
        on: ACTIVITY,
        why: 'keeps the task while the agent works on it',
        without: 'the service gives the task up after `HeartbeatSeconds`',
      },
      'states:SendTaskSuccess': {
        commands: ['SendTaskSuccess'],
        on: ACTIVITY,
        why: 'reports results',
        without: 'no task succeeds',
      },
      'states:SendTaskFailure': {
        commands: ['SendTaskFailure'],
        on: ACTIVITY,
        why: 'reports errors, and returns tasks that arrive while the agent drains',
        without: 'failed tasks end only by their time-out',
      },
    },
    otherCommands: ['DescribeActivity'],
  },
  s3: {
    name: 'Amazon S3',
    use: 'uploads evidence and large outputs to it',
    endpointVariable: 'AWS_ENDPOINT_URL_S3',
    iamPrefix: 's3',
    calledBy: 'agent',
    permissions: {
      's3:PutObject': {
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
        commands: ['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'],
        on: EVIDENCE,
        why: 'uploads evidence and large outputs; begins, fills and completes uploads in parts',
        without: 'evidence stays on the machine',
      },
      's3:AbortMultipartUpload': {
        commands: ['AbortMultipartUpload'],
        on: EVIDENCE,
        why: 'removes the parts of an upload that the agent does not resume',
        without: 'they cost storage until the bucket’s rule removes them',
      },
      'kms:GenerateDataKey': {
        commands: [],
        on: BUCKET_KEY,
        why: 'S3 encrypts an upload with that key on behalf of the uploading identity',
        without: 'every upload is refused',
      },
      'kms:Decrypt': {
        commands: [],
        on: BUCKET_KEY,
        why: 'S3 opens an upload’s data key again for each of its parts',
        without: 'large uploads are refused',
      },
    },
    otherCommands: ['DeleteObject', 'GetObject'],
  },
  ssm: {
    name: 'AWS Systems Manager',
    use: 'reads its configuration from the parameter store',
    endpointVariable: 'AWS_ENDPOINT_URL_SSM',
    iamPrefix: 'ssm',
    calledBy: 'agent',
    permissions: {
      'ssm:GetParametersByPath': {
        commands: ['GetParametersByPath'],
        on: 'the path `/browser-agent/{env}` and what is below it',
        why: '`setup` reads activity, bucket, levels and limits',
        without: '`setup` needs the secret instead, and levels and limits are those of the machine',
      },
    },
    otherCommands: [],
  },
  secretsmanager: {
    name: 'AWS Secrets Manager',
    use: 'reads its configuration and the secrets of scripts from it',
    endpointVariable: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
    iamPrefix: 'secretsmanager',
    calledBy: 'agent',
    permissions: {
      'secretsmanager:GetSecretValue': {
        commands: ['GetSecretValue'],
        on: 'the secret `browser-agent-credentials-{env}`; with `ScriptSecrets`, also secrets whose names begin with `browser-agent/{env}/`',
        why: '`setup` reads activity, bucket, region and, where there is a shared user, its key; running agents look there for a changed key; `{{secret:NAME}}` in scripts',
        without:
          '`setup` needs the parameters instead, and brings no keys; a changed key is not followed; scripts take secrets from this machine alone',
      },
    },
    otherCommands: [],
  },
  sts: {
    name: 'AWS STS',
    use: 'asks it which identity the credentials belong to',
    endpointVariable: 'AWS_ENDPOINT_URL_STS',
    iamPrefix: 'sts',
    calledBy: 'agent',
    permissions: {},
    otherCommands: ['GetCallerIdentity'],
  },
  iam: {
    name: 'AWS IAM',
    use: 'gives invited machines an identity of their own (`invite`, `setup --code`)',
    endpointVariable: 'AWS_ENDPOINT_URL_IAM',
    iamPrefix: 'iam',
    calledBy: 'commands',
    permissions: {},
    otherCommands: [],
  },
} as const satisfies Record<string, ServiceRow>;

export type ServiceId = keyof typeof SERVICES;

export const SERVICE_IDS = Object.keys(SERVICES) as ServiceId[];

/** A service that a running agent calls: the ones with a circuit breaker, in health, events and metrics. */
export type AwsService = {
  [Id in ServiceId]: (typeof SERVICES)[Id]['calledBy'] extends 'agent' ? Id : never;
}[ServiceId];

export const AWS_SERVICES: readonly AwsService[] = SERVICE_IDS.filter(isAgentService);

/** Whether a running agent calls the service. */
export function isAgentService(id: ServiceId): id is AwsService {
  return SERVICES[id].calledBy === 'agent';
}

/** What IAM, signatures and the sandbox call a service. */
export type IamPrefix = (typeof SERVICES)[ServiceId]['iamPrefix'];

/** The service of an action such as `s3:PutObject`; undefined for what is no action of one of ours. */
export function serviceOfAction(action: string): ServiceId | undefined {
  const prefix = action.split(':', 1)[0];
  return SERVICE_IDS.find((id) => SERVICES[id].iamPrefix === prefix);
}

/** `closed`: calls go through. `half_open`: one does, as a probe. `open`: none does for a while. */
export const SERVICE_STATES = ['closed', 'half_open', 'open'] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];
