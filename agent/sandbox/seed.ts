/** What one environment's stack makes in AWS, made in the sandbox: by the names the agent expects. */
import type { Sandbox } from './sandbox.ts';
import type { AccessKey } from './sts.ts';

export interface SeededEnvironment {
  env: string;
  activityArn: string;
  bucket: string;
  /** The access key in the secret: user `browser-agent-local-{env}`. */
  accessKey: AccessKey;
  secretName: string;
  /** Names and values below `/browser-agent/{env}/`. */
  parameters: Record<string, string>;
  /** A role to create state machines with. */
  roleArn: string;
}

/**
 * Activity, bucket, user, secret and parameters of an environment. What is there already is kept, except
 * the secret's and parameters' values, which are written anew.
 */
export async function seedEnvironment(
  sandbox: Sandbox,
  options: { env: string; parameters?: Record<string, string> },
): Promise<SeededEnvironment> {
  const { env } = options;
  const created = await sandbox.call('states', 'CreateActivity', { name: `browser-remote-${env}` });
  const activityArn = String(created['activityArn']);
  const bucket = `browser-agent-recordings-${env}-${sandbox.accountId}`;
  sandbox.createBucket(bucket);
  const accessKey = sandbox.createUser(`browser-agent-local-${env}`);

  const secretName = `browser-agent-credentials-${env}`;
  const secretString = JSON.stringify({
    AWS_ACCESS_KEY_ID: accessKey.accessKeyId,
    AWS_SECRET_ACCESS_KEY: accessKey.secretAccessKey,
    AWS_DEFAULT_REGION: sandbox.region,
    ACTIVITY_ARN: activityArn,
    S3_BUCKET: bucket,
  });
  const { SecretList: secrets } = await sandbox.call('secretsmanager', 'ListSecrets', {
    Filters: [{ Key: 'name', Values: [secretName] }],
  });
  const exists = (secrets as { Name: string }[]).some((secret) => secret.Name === secretName);
  await (exists
    ? sandbox.call('secretsmanager', 'PutSecretValue', { SecretId: secretName, SecretString: secretString })
    : sandbox.call('secretsmanager', 'CreateSecret', { Name: secretName, SecretString: secretString }));

  const parameters: Record<string, string> = {};
  const values = { 'activity-arn': activityArn, 's3-bucket': bucket, ...options.parameters };
  for (const [name, value] of Object.entries(values)) {
    const fullName = `/browser-agent/${env}/${name}`;
    parameters[fullName] = value;
    await sandbox.call('ssm', 'PutParameter', {
      Name: fullName,
      Value: value,
      Type: 'String',
      Overwrite: true,
    });
  }
  return {
    env,
    activityArn,
    bucket,
    accessKey,
    secretName,
    parameters,
    roleArn: `arn:aws:iam::${sandbox.accountId}:role/browser-agent-workflow-${env}`,
  };
}
