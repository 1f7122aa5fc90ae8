/** The AWS services that the agent calls, each with a circuit breaker of its own (aws/resilience.ts). */
export const AWS_SERVICES = ['sfn', 's3', 'ssm', 'secretsmanager', 'sts'] as const;
export type AwsService = (typeof AWS_SERVICES)[number];

/** `closed`: calls go through. `half_open`: one does, as a probe. `open`: none does for a while. */
export const SERVICE_STATES = ['closed', 'half_open', 'open'] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];
