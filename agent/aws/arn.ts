/** `arn:partition:service:region:account:resource` taken apart; `undefined` when it is not one. */
export function parseArn(
  text: string,
): { partition: string; service: string; region: string; account: string; resource: string } | undefined {
  const match = /^arn:([^:]+):([^:]+):([^:]*):([^:]*):(.+)$/.exec(text);
  if (!match) return undefined;
  const [, partition = '', service = '', region = '', account = '', resource = ''] = match;
  return { partition, service, region, account, resource };
}

/** The names that the stack gives things, by environment and account. */
export const namesInAws = {
  secret: (env: string) => `browser-agent-credentials-${env}`,
  parameterPath: (env: string) => `/browser-agent/${env}/`,
  activityArn: (env: string, region: string, account: string, partition = 'aws') =>
    `arn:${partition}:states:${region}:${account}:activity:browser-remote-${env}`,
  /**
   * An activity that there never is, on which the stack allows polling so that the permission can be asked
   * for without taking a task. No environment's name has an underscore, so no environment's activity has it.
   */
  pollCheckArn: (activityArn: string) => `${activityArn}_doctor`,
  /** The managed policy of the stack that agents have. */
  policyArn: (env: string, account: string, partition = 'aws') =>
    `arn:${partition}:iam::${account}:policy/browser-agent-${env}`,
  /** Path of the users that machines have of their own, in IAM. */
  userPath: (env: string) => `/browser-agent/${env}/`,
  /** What the names of secrets for scripts begin with, where the stack allows agents to read them. */
  scriptSecrets: (env: string) => `browser-agent/${env}/`,
  bucket: (env: string, account: string) => `browser-agent-recordings-${env}-${account}`,
};
