import { z } from 'zod';
import { optionalText, settingDocs, settingGroup } from './group.ts';

/** `work`: always. The others as the stack's parameters decide. */
export const STACK_PERMISSIONS = ['work', 'uploads', 'script-secrets'] as const;

export const aws = settingGroup({
  doc: 'Where in AWS the agent works.',
  applies: 'restart',
  schema: z.strictObject({
    env: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)
      .default('dev')
      .register(settingDocs, {
        doc: 'Name of the environment; every name in AWS is made from it.',
        allowed: 'letters, digits, `-` and `_`, up to 63',
        env: ['BROWSER_AGENT_ENV'],
      }),
    region: optionalText().register(settingDocs, {
      doc: 'AWS region. When it is not set: the region of the activity ARN, then that of the AWS profile.',
      env: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
      fromAws: true,
    }),
    profile: optionalText().register(settingDocs, {
      doc: 'Profile of the shared AWS configuration files (`~/.aws`), SSO profiles included. When it is not set: the credentials that `setup` stored, then the SDK’s own search.',
      env: ['AWS_PROFILE'],
    }),
    endpoint: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null)
      .register(settingDocs, {
        doc: 'One endpoint for all AWS services, for compatible services and the sandbox. Variables for one service, such as `AWS_ENDPOINT_URL_S3`, win for that service.',
        allowed: 'an http or https URL',
        env: ['AWS_ENDPOINT_URL'],
      }),
    activity_arn: z
      .string()
      .regex(/^arn:[^:]+:states:[^:]+:[^:]+:activity:\S+$/)
      .nullable()
      .default(null)
      .register(settingDocs, {
        doc: 'The Step Functions activity that this agent works for.',
        allowed: 'an ARN `arn:aws:states:REGION:ACCOUNT:activity:NAME`',
        env: ['ACTIVITY_ARN'],
        fromAws: true,
      }),
    s3_bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)
      .nullable()
      .default(null)
      .register(settingDocs, {
        doc: 'The bucket that evidence is uploaded to.',
        allowed: 'a bucket name, without `s3://` and without a path',
        env: ['S3_BUCKET'],
        fromAws: true,
      }),
    key_check_hours: z.number().min(0).max(720).default(6).register(settingDocs, {
      doc: 'How often a running agent looks whether the access key in the environment’s secret was changed, in hours, and then uses the new one; 0: never. Only for keys that `setup` took out of the secret.',
      fromAws: true,
    }),
    stack_permissions: z.array(z.enum(STACK_PERMISSIONS)).nullable().default(null).register(settingDocs, {
      doc: 'What the policy of the stack allows agents, written down by the stack itself: `doctor` then holds the identity to it, to the last permission. When it is not set: the policy is taken to be made by hand, and what work does not need may be missing.',
      fromAws: true,
    }),
  }),
});
