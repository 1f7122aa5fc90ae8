/**
 * Who may do what in the sandbox. Without `iam` in the sandbox's options anybody may do anything, with any
 * key; with it each request is decided by the policies of whoever its signature names. The signature itself is not
 * verified.
 */
import { ServiceError } from '../errors.ts';
import type { Operation } from '../operation.ts';
import type { Records } from '../records.ts';
import type { ServiceName } from '../requests.ts';
import { speaksJson } from '../services.ts';
import type { AccessKey, Sts } from '../sts.ts';
import type { Needed } from './needed.ts';
import { decide, policyDocument, type Policy, type PolicyText } from './policy.ts';
import { createUsers, parsePolicy, type User } from './users.ts';

/** Somebody with an access key and a policy of their own. */
export interface Identity {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of a user, a role or a role's session. */
  arn: string;
  policy: PolicyText;
}

export interface IamOptions {
  identities?: readonly Identity[];
}

export interface SandboxIam {
  /** Whether requests are decided by policies. */
  readonly isOn: boolean;
  /** A further identity, or a further key of one: the policy then replaces the one it had. */
  add(identity: Identity): void;
  /** What a user or role may do, in the place of what they might. @param arn of a user or role */
  setPolicy(arn: string, policy: PolicyText): void;
  /** A managed policy that users can have. @param arn such as `arn:aws:iam::ACCOUNT:policy/NAME` */
  addManagedPolicy(arn: string, policy: PolicyText): void;
  /** From now on AWS does not know the key. */
  revoke(accessKeyId: string): void;
  /** Requests on the bucket's objects then also need rights on this KMS key. */
  encrypt(bucket: string, keyArn: string): void;
}

export interface Iam extends SandboxIam {
  operations: Record<string, Operation>;
  keyOf(bucket: string): string | undefined;
  userArn(name: string): string | undefined;
  /** User name behind a key; undefined for a role. */
  nameOf(accessKeyId: string): string | undefined;
  /** @throws ServiceError in the words of the service when the key is unknown */
  authenticate(service: ServiceName, accessKeyId: string): void;
  /** @throws ServiceError in the words of the service for the first that is not allowed */
  authorize(service: ServiceName, accessKeyId: string, needed: readonly Needed[]): void;
}

export function createIam(
  records: Records,
  { accountId, sts, options }: { accountId: string; sts: Sts; options: IamOptions | undefined },
): Iam {
  const isOn = options !== undefined;
  const own = new Map<string, Policy>();
  const managed = new Map<string, Policy>();
  const bucketKeys = new Map<string, string>();
  const users = createUsers(records, { accountId, sts, managed });

  const policiesOf = (arn: string): Policy[] => {
    const inline = own.get(roleOf(arn) ?? arn);
    const user = users.byArn(arn);
    return [...(inline === undefined ? [] : [inline]), ...(user ? policiesOfUser(user, managed) : [])];
  };
  const iam: Iam = {
    isOn,
    operations: users.operations,
    add: ({ policy, ...key }) => {
      sts.keys.put(key.accessKeyId, { ...key, userId: key.accessKeyId.replace(/^A[KS]IA/, 'AIDA') });
      iam.setPolicy(key.arn, policy);
    },
    setPolicy: (arn, policy) => own.set(roleOf(arn) ?? arn, policyDocument.parse(policy)),
    addManagedPolicy: (arn, policy) => managed.set(arn, policyDocument.parse(policy)),
    revoke: (accessKeyId) => void sts.keys.delete(accessKeyId),
    encrypt: (bucket, keyArn) => bucketKeys.set(bucket, keyArn),
    keyOf: (bucket) => bucketKeys.get(bucket),
    userArn: (name) => users.find(name)?.arn,
    nameOf: (accessKeyId) => userNameOf(sts.keys.get(accessKeyId)),
    authenticate: (service, accessKeyId) => {
      if (!isOn) return;
      const key = sts.keys.get(accessKeyId);
      if (!key || key.status === 'Inactive') throw unknownKey(service);
      if (key.expires !== undefined && key.expires <= Date.now()) throw expired(service);
    },
    authorize: (service, accessKeyId, needed) => {
      if (!isOn) return;
      const { arn } = sts.identityOf(accessKeyId);
      const policies = policiesOf(arn);
      const name = userNameOf(sts.keys.get(accessKeyId));
      for (const { action, resource, context } of needed) {
        const decision = decide(policies, {
          action,
          resource,
          context: {
            'aws:CurrentTime': new Date().toISOString(),
            'aws:PrincipalArn': arn,
            ...(name === undefined ? {} : { 'aws:username': name }),
            ...context,
          },
        });
        if (decision === 'allowed') continue;
        const because =
          decision === 'denied explicitly'
            ? 'with an explicit deny in an identity-based policy'
            : `because no identity-based policy allows the ${action} action`;
        const on = resource === null ? '' : ` on resource: ${resource}`;
        throw denied(service, `User: ${arn} is not authorized to perform: ${action}${on} ${because}`);
      }
    },
  };
  for (const identity of options?.identities ?? []) iam.add(identity);
  return iam;
}

function policiesOfUser(user: User, managed: ReadonlyMap<string, Policy>): Policy[] {
  return [
    ...Object.values(user.inline).map(parsePolicy),
    ...user.attached.flatMap((arn) => managed.get(arn) ?? []),
  ];
}

/** The role behind a session of it. */
function roleOf(arn: string): string | undefined {
  const session = /^arn:(aws[a-z-]*):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn);
  return session ? `arn:${session[1]}:iam::${session[2]}:role/${session[3]}` : undefined;
}

function userNameOf(key: AccessKey | undefined): string | undefined {
  return /:user\/(?:.*\/)?([^/]+)$/.exec(key?.arn ?? '')?.[1];
}

const FORBIDDEN_STATUS = 403;

function denied(service: ServiceName, message: string): ServiceError {
  return speaksJson(service)
    ? new ServiceError('AccessDeniedException', message)
    : new ServiceError('AccessDenied', message, FORBIDDEN_STATUS);
}

function unknownKey(service: ServiceName): ServiceError {
  const invalid = 'The security token included in the request is invalid.';
  if (speaksJson(service)) return new ServiceError('UnrecognizedClientException', invalid);
  if (service !== 's3') return new ServiceError('InvalidClientTokenId', invalid, FORBIDDEN_STATUS);
  const unknown = 'The AWS Access Key Id you provided does not exist in our records.';
  return new ServiceError('InvalidAccessKeyId', unknown, FORBIDDEN_STATUS);
}

function expired(service: ServiceName): ServiceError {
  const message = 'The security token included in the request is expired';
  return speaksJson(service)
    ? new ServiceError('ExpiredTokenException', message)
    : new ServiceError('ExpiredToken', message, service === 's3' ? 400 : FORBIDDEN_STATUS);
}
