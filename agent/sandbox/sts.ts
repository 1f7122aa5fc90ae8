/** STS (query protocol): who somebody is, and the role somebody takes. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ServiceError } from './errors.ts';
import { operation, type Operation } from './operation.ts';
import type { Collection, Records } from './records.ts';

/** An access key the sandbox has given out. */
export interface AccessKey {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  arn: string;
  userId: string;
  /** Absent: Active. */
  status?: 'Active' | 'Inactive';
  /** Milliseconds since the epoch. */
  created?: number;
  /** Of a role's session, milliseconds since the epoch. */
  expires?: number;
}

export interface Sts {
  operations: Record<string, Operation>;
  /** Every access key there is, by its id. */
  keys: Collection<AccessKey>;
  /** The identity behind an access key; keys nobody was given belong to the user `sandbox`. */
  identityOf(accessKeyId: string): { arn: string; userId: string };
  /** A user with an access key, the same each time it is asked for, as `aws iam create-user` and `create-access-key` would make it. */
  createUser(name: string): AccessKey;
}

const DEFAULT_SESSION_SECONDS = 3600;
const MIN_SESSION_SECONDS = 900;
const MAX_SESSION_SECONDS = 43_200;
const ROLE_ARN = /^arn:aws[a-z-]*:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/;

export function createSts(records: Records, accountId: string): Sts {
  const keys = records.collection<AccessKey>('access-key');
  const identityOf = (accessKeyId: string): { arn: string; userId: string } =>
    keys.get(accessKeyId) ?? {
      arn: `arn:aws:iam::${accountId}:user/sandbox`,
      userId: 'AIDASANDBOXSANDBOXSB',
    };

  return {
    keys,
    identityOf,
    createUser: (name) => {
      const arn = `arn:aws:iam::${accountId}:user/${name}`;
      const existing = keys.all().find((each) => each.arn === arn);
      if (existing) return existing;
      const key = newAccessKey({ arn, userId: newId('AIDA') });
      keys.put(key.accessKeyId, key);
      return key;
    },
    operations: {
      GetCallerIdentity: operation(z.object({}), (_input, { caller }) => {
        const { arn, userId } = identityOf(caller.accessKeyId);
        return { Arn: arn, UserId: userId, Account: accountId };
      }),
      AssumeRole: operation(
        z.object({
          RoleArn: z.string().min(20).max(2048),
          RoleSessionName: z.string().min(2).max(64),
          DurationSeconds: z.coerce
            .number()
            .int()
            .min(MIN_SESSION_SECONDS)
            .max(MAX_SESSION_SECONDS)
            .default(DEFAULT_SESSION_SECONDS),
        }),
        (input) => {
          const role = ROLE_ARN.exec(input.RoleArn);
          if (!role) throw new ServiceError('ValidationError', `${input.RoleArn} is invalid`);
          const roleId = newId('AROA');
          const expires = Date.now() + input.DurationSeconds * 1000;
          const key: AccessKey = {
            accessKeyId: newId('ASIA'),
            secretAccessKey: randomBytes(30).toString('base64'),
            sessionToken: randomBytes(96).toString('base64'),
            arn: `arn:aws:sts::${role[1]}:assumed-role/${role[2]}/${input.RoleSessionName}`,
            userId: `${roleId}:${input.RoleSessionName}`,
            expires,
          };
          keys.put(key.accessKeyId, key);
          return {
            AssumedRoleUser: { AssumedRoleId: key.userId, Arn: key.arn },
            Credentials: {
              AccessKeyId: key.accessKeyId,
              SecretAccessKey: key.secretAccessKey,
              SessionToken: key.sessionToken,
              Expiration: new Date(expires).toISOString(),
            },
          };
        },
        'RoleArn',
      ),
    },
  };
}

/** A key that never was, for somebody. */
export function newAccessKey(of: Pick<AccessKey, 'arn' | 'userId'>): AccessKey {
  const secretAccessKey = randomBytes(30).toString('base64');
  return { accessKeyId: newId('AKIA'), secretAccessKey, ...of, created: Date.now() };
}

/** Ids of IAM are a four-letter prefix and capitals and digits, 20 characters in all. */
export function newId(prefix: 'AKIA' | 'ASIA' | 'AIDA' | 'AROA'): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return prefix + [...randomBytes(16)].map((byte) => alphabet[byte % alphabet.length]).join('');
}
