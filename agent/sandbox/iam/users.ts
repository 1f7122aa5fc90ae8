/** Users of IAM with their access keys and policies: as many of IAM's operations as `invite` and rotation need. */
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { operation, type Operation } from '../operation.ts';
import type { Collection, Records } from '../records.ts';
import { newAccessKey, newId, type AccessKey, type Sts } from '../sts.ts';
import { policyDocument, type Policy } from './policy.ts';

export interface User {
  name: string;
  path: string;
  arn: string;
  userId: string;
  /** Milliseconds since the epoch. */
  created: number;
  /** ARNs of managed policies. */
  attached: string[];
  /** Documents by name, as JSON text. */
  inline: Record<string, string>;
}

/** IAM allows a user no more. */
const MAX_KEYS = 2;

const name = z.string().regex(/^[\w+=,.@-]{1,64}$/);
const path = z
  .string()
  .regex(/^\/(?:[\w+=,.@-]+\/)*$/)
  .default('/');

export interface Users {
  operations: Record<string, Operation>;
  find(name: string): User | undefined;
  /** The user behind an ARN of theirs. */
  byArn(arn: string): User | undefined;
}

export function createUsers(
  records: Records,
  { accountId, sts, managed }: { accountId: string; sts: Sts; managed: ReadonlyMap<string, Policy> },
): Users {
  const users = records.collection<User>('iam-user');
  const { keys } = sts;
  const noSuch = (what: string) =>
    new ServiceError('NoSuchEntity', `The ${what} cannot be found.`, NOT_FOUND_STATUS);
  const byArn = (arn: string): User | undefined => users.all().find((each) => each.arn === arn);
  const find = (userName: string): User | undefined => users.get(userName);
  const user = (userName: string | undefined, accessKeyId: string): User => {
    const found = userName === undefined ? byArn(sts.identityOf(accessKeyId).arn) : find(userName);
    if (!found) throw noSuch(`user with name ${userName ?? '(yours)'}`);
    return found;
  };
  const keysOf = ({ arn }: User): AccessKey[] => keys.all().filter((each) => each.arn === arn);
  const key = (of: User, accessKeyId: string): AccessKey => {
    const found = keysOf(of).find((each) => each.accessKeyId === accessKeyId);
    if (!found) throw noSuch(`Access Key with id ${accessKeyId}`);
    return found;
  };

  return {
    find,
    byArn,
    operations: {
      CreateUser: operation(
        z.object({ UserName: name, Path: path }),
        (input) => {
          if (find(input.UserName)) {
            throw new ServiceError(
              'EntityAlreadyExists',
              `User with name ${input.UserName} already exists.`,
              CONFLICT_STATUS,
            );
          }
          const made: User = {
            name: input.UserName,
            path: input.Path,
            arn: `arn:aws:iam::${accountId}:user${input.Path}${input.UserName}`,
            userId: newId('AIDA'),
            created: Date.now(),
            attached: [],
            inline: {},
          };
          users.put(made.name, made);
          return { User: shown(made) };
        },
        'UserName',
      ),
      DeleteUser: operation(
        z.object({ UserName: name }),
        (input, { caller }) => {
          const of = user(input.UserName, caller.accessKeyId);
          if (keysOf(of).length > 0 || of.attached.length > 0 || Object.keys(of.inline).length > 0) {
            throw new ServiceError(
              'DeleteConflict',
              'Cannot delete entity, must remove access keys, login profile and policies first.',
              CONFLICT_STATUS,
            );
          }
          users.delete(of.name);
          return undefined;
        },
        'UserName',
      ),
      ListUsers: operation(z.object({ PathPrefix: z.string().default('/') }), (input) => ({
        Users: users
          .all()
          .filter((each) => each.path.startsWith(input.PathPrefix))
          .map(shown),
        IsTruncated: false,
      })),
      AttachUserPolicy: operation(
        z.object({ UserName: name, PolicyArn: z.string() }),
        (input, { caller }) => {
          const of = user(input.UserName, caller.accessKeyId);
          if (!managed.has(input.PolicyArn)) throw noSuch(`policy ${input.PolicyArn}`);
          of.attached = [...new Set([...of.attached, input.PolicyArn])];
          users.put(of.name, of);
          return undefined;
        },
        'UserName',
      ),
      DetachUserPolicy: operation(
        z.object({ UserName: name, PolicyArn: z.string() }),
        (input, { caller }) => {
          const of = user(input.UserName, caller.accessKeyId);
          if (!of.attached.includes(input.PolicyArn)) throw noSuch(`policy ${input.PolicyArn}`);
          of.attached = of.attached.filter((each) => each !== input.PolicyArn);
          users.put(of.name, of);
          return undefined;
        },
        'UserName',
      ),
      ListAttachedUserPolicies: operation(
        z.object({ UserName: name }),
        (input, { caller }) => ({
          AttachedPolicies: user(input.UserName, caller.accessKeyId).attached.map((arn) => ({
            PolicyName: arn.split('/').at(-1),
            PolicyArn: arn,
          })),
          IsTruncated: false,
        }),
        'UserName',
      ),
      PutUserPolicy: operation(
        z.object({ UserName: name, PolicyName: name, PolicyDocument: z.string() }),
        (input, { caller }) => {
          const of = user(input.UserName, caller.accessKeyId);
          parsePolicy(input.PolicyDocument);
          of.inline[input.PolicyName] = input.PolicyDocument;
          users.put(of.name, of);
          return undefined;
        },
        'UserName',
      ),
      GetUserPolicy: operation(
        z.object({ UserName: name, PolicyName: name }),
        (input, { caller }) => {
          const document = user(input.UserName, caller.accessKeyId).inline[input.PolicyName];
          if (document === undefined) throw noSuch(`user policy with name ${input.PolicyName}`);
          return {
            UserName: input.UserName,
            PolicyName: input.PolicyName,
            PolicyDocument: encodeURIComponent(document),
          };
        },
        'UserName',
      ),
      ListUserPolicies: operation(
        z.object({ UserName: name }),
        (input, { caller }) => ({
          PolicyNames: Object.keys(user(input.UserName, caller.accessKeyId).inline),
          IsTruncated: false,
        }),
        'UserName',
      ),
      DeleteUserPolicy: operation(
        z.object({ UserName: name, PolicyName: name }),
        (input, { caller }) => {
          const of = user(input.UserName, caller.accessKeyId);
          if (of.inline[input.PolicyName] === undefined) {
            throw noSuch(`user policy with name ${input.PolicyName}`);
          }
          delete of.inline[input.PolicyName];
          users.put(of.name, of);
          return undefined;
        },
        'UserName',
      ),
      ...accessKeyOperations(keys, { user, keysOf, key }),
    },
  };
}

function accessKeyOperations(
  keys: Collection<AccessKey>,
  {
    user,
    keysOf,
    key,
  }: {
    user: (name: string | undefined, accessKeyId: string) => User;
    keysOf: (of: User) => AccessKey[];
    key: (of: User, accessKeyId: string) => AccessKey;
  },
): Record<string, Operation> {
  const ofUser = z.object({ UserName: name.optional() });
  const ofKey = z.object({ UserName: name.optional(), AccessKeyId: z.string() });
  return {
    CreateAccessKey: operation(
      ofUser,
      (input, { caller }) => {
        const of = user(input.UserName, caller.accessKeyId);
        if (keysOf(of).length >= MAX_KEYS) {
          throw new ServiceError(
            'LimitExceeded',
            `Cannot exceed quota for AccessKeysPerUser: ${MAX_KEYS}`,
            CONFLICT_STATUS,
          );
        }
        const made = newAccessKey({ arn: of.arn, userId: of.userId });
        keys.put(made.accessKeyId, made);
        return { AccessKey: { ...shownKey(of, made), SecretAccessKey: made.secretAccessKey } };
      },
      'UserName',
    ),
    DeleteAccessKey: operation(
      ofKey,
      (input, { caller }) => {
        const found = key(user(input.UserName, caller.accessKeyId), input.AccessKeyId);
        keys.delete(found.accessKeyId);
        return undefined;
      },
      'UserName',
    ),
    UpdateAccessKey: operation(
      ofKey.extend({ Status: z.enum(['Active', 'Inactive']) }),
      (input, { caller }) => {
        const found = key(user(input.UserName, caller.accessKeyId), input.AccessKeyId);
        keys.put(found.accessKeyId, { ...found, status: input.Status });
        return undefined;
      },
      'UserName',
    ),
    ListAccessKeys: operation(
      ofUser,
      (input, { caller }) => {
        const of = user(input.UserName, caller.accessKeyId);
        return { AccessKeyMetadata: keysOf(of).map((each) => shownKey(of, each)), IsTruncated: false };
      },
      'UserName',
    ),
  };
}

/** @throws ServiceError for what is no policy, or has more than is understood here */
export function parsePolicy(text: string): Policy {
  try {
    return policyDocument.parse(JSON.parse(text));
  } catch {
    throw new ServiceError('MalformedPolicyDocument', 'Syntax errors in policy.');
  }
}

const NOT_FOUND_STATUS = 404;
const CONFLICT_STATUS = 409;

function shown(user: User): object {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.userId,
    Arn: user.arn,
    CreateDate: new Date(user.created).toISOString(),
  };
}

function shownKey(user: User, key: AccessKey): object {
  return {
    UserName: user.name,
    AccessKeyId: key.accessKeyId,
    Status: key.status ?? 'Active',
    CreateDate: new Date(key.created ?? user.created).toISOString(),
  };
}
