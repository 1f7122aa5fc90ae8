/**
 * Machines with an identity of their own, without a server of ours: each is a user of IAM
 * (docs/decisions/007-setup-codes.md).
 *
 * An administrator's `invite` makes the user with the stack's policy, and an inline policy beside it that leaves nothing
 * of that but to trade its key, until the code expires. `setup --code` trades: it makes the user's second
 * key, with it removes the first, which is the one in the code, and then the inline policy. IAM allows a user two keys,
 * so of two machines with one code only one gets a key, and afterwards the code holds a key that does not exist.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { namesInAws, parseArn } from '../aws/arn.ts';
import type { AwsClients, AwsCredentials } from '../aws/clients.ts';
import { describeAwsFailure } from '../aws/errors.ts';
import { probeIdentity } from '../aws/probes.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { writeSetupCode, type SetupCode } from './setup-code.ts';
import { storeCredentials } from './stored-keys.ts';
import type { Vault } from './vault.ts';

/** The inline policy of a user whose code was not traded yet. */
const INVITATION = 'invitation';

/** What a code is for, and all that it is for. */
const TRADE_ACTIONS = ['iam:CreateAccessKey', 'iam:DeleteAccessKey', 'iam:DeleteUserPolicy'];

/** A user's name has at most 64 characters; environment, words around it and the random end take 50. */
const MAX_LABEL_CHARS = 14;

/** What IAM was told is known everywhere within seconds, rarely within a minute. */
const TRADE_PATIENCE_MS = 60_000;
const TRADE_PAUSE_MS = 2_000;

export type MachineState =
  /** Its code can be used. */
  | 'invited'
  /** Its code was not used in time. */
  | 'expired'
  /** It has a key of its own. */
  | 'active'
  /** All of its keys were deactivated or removed by hand. */
  | 'blocked';

export interface Machine {
  name: string;
  state: MachineState;
  /** When it was invited, milliseconds since the epoch. */
  invitedAt: number;
  /** Until when its code can be used; null when that is over. */
  expiresAt: number | null;
}

export interface Invitation {
  machine: string;
  code: string;
  expiresAt: number;
}

/** What IAM says when there is no such user, key or policy. */
const NO_SUCH = 'NoSuchEntityException';

/** @throws AgentError with what is missing; nothing is left behind then, or the message says what */
export async function invite(
  clients: Pick<AwsClients, 'iam' | 'sts'>,
  options: { environment: string; region: string; label?: string; forMs: number; clock?: Clock },
): Promise<Invitation> {
  const { environment, region, label = '', forMs, clock = systemClock } = options;
  const { account, partition } = await whoAmI(clients, clock);
  const machine = ['browser-agent', environment, slug(label), randomBytes(4).toString('hex')]
    .filter((part) => part !== '')
    .join('-');
  const path = namesInAws.userPath(environment);
  const arn = `arn:${partition}:iam::${account}:user${path}${machine}`;
  const policyArn = namesInAws.policyArn(environment, account, partition);
  // Whole seconds: that is what IAM compares.
  const expiresAt = Math.floor((clock.now() + forMs) / 1000) * 1000;
  const sdk = await import('@aws-sdk/client-iam');
  const iam = await clients.iam();
  let isMade = false;
  try {
    await iam.send(new sdk.CreateUserCommand({ UserName: machine, Path: path }));
    isMade = true;
    await iam.send(
      new sdk.PutUserPolicyCommand({
        UserName: machine,
        PolicyName: INVITATION,
        PolicyDocument: JSON.stringify(invitationPolicy(arn, expiresAt)),
      }),
    );
    await iam.send(new sdk.AttachUserPolicyCommand({ UserName: machine, PolicyArn: policyArn }));
    const { AccessKey: key } = await iam.send(new sdk.CreateAccessKeyCommand({ UserName: machine }));
    const code = writeSetupCode({ environment, region, userName: machine, ...keyOf(key), expiresAt });
    return { machine, code, expiresAt };
  } catch (thrown) {
    const left = isMade ? await removeHalfMade(clients, machine) : '';
    if (thrown instanceof Error && thrown.name === NO_SUCH) {
      throw new AgentError(
        'BrowserAgent.InvalidInput',
        `there is no policy ${policyArn}: deploy the stack of environment ${environment} first (docs/aws-setup.md), or check the name and the account.${left}`,
        { cause: thrown },
      );
    }
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `the invitation could not be made: ${messageOf(thrown)}. Inviting is for administrators of the account; docs/iam-permissions.md lists what it takes.${left}`,
      { cause: thrown },
    );
  }
}

/** Removes a user that was made in part. @returns what to tell the administrator when that fails, else nothing */
async function removeHalfMade(clients: Pick<AwsClients, 'iam'>, machine: string): Promise<string> {
  try {
    await revoke(clients, machine);
    return '';
  } catch (thrown) {
    return ` The IAM user ${machine} may have been left behind (${messageOf(thrown)}): remove it with local-browser-agent invite revoke ${machine}`;
  }
}

/** Whoever holds the code can do this and nothing else, until it expires. */
function invitationPolicy(userArn: string, expiresAt: number): object {
  const until = new Date(expiresAt).toISOString().replace('.000Z', 'Z');
  return {
    Version: '2012-10-17',
    Statement: [
      { Sid: 'Trade', Effect: 'Allow', Action: TRADE_ACTIONS, Resource: userArn },
      { Sid: 'NothingElse', Effect: 'Deny', NotAction: TRADE_ACTIONS, Resource: '*' },
      {
        Sid: 'Until',
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { DateGreaterThan: { 'aws:CurrentTime': until } },
      },
    ],
  };
}

const until = z.looseObject({
  Statement: z.array(
    z.looseObject({
      Condition: z
        .looseObject({ DateGreaterThan: z.looseObject({ 'aws:CurrentTime': z.string() }).optional() })
        .optional(),
    }),
  ),
});

/** Machines of an environment, those invited last first. */
export async function listMachines(
  clients: Pick<AwsClients, 'iam'>,
  environment: string,
  clock: Clock = systemClock,
): Promise<Machine[]> {
  const sdk = await import('@aws-sdk/client-iam');
  const iam = await clients.iam();
  const machines: Machine[] = [];
  const pages = sdk.paginateListUsers({ client: iam }, { PathPrefix: namesInAws.userPath(environment) });
  for await (const { Users: users = [] } of pages) {
    for (const { UserName: name = '', CreateDate: created } of users) {
      const { AccessKeyMetadata: keys = [] } = await iam.send(
        new sdk.ListAccessKeysCommand({ UserName: name }),
      );
      const expiresAt = await invitedUntil(name);
      const isBlocked = keys.every(({ Status: status }) => status !== 'Active');
      machines.push({
        name,
        state:
          expiresAt === null
            ? isBlocked
              ? 'blocked'
              : 'active'
            : expiresAt <= clock.now()
              ? 'expired'
              : 'invited',
        invitedAt: created?.getTime() ?? 0,
        expiresAt,
      });
    }
  }
  return machines.sort((one, other) => other.invitedAt - one.invitedAt);

  async function invitedUntil(UserName: string): Promise<number | null> {
    try {
      const { PolicyDocument: document = '' } = await iam.send(
        new sdk.GetUserPolicyCommand({ UserName, PolicyName: INVITATION }),
      );
      const { Statement: statements } = parseJson(
        decodeURIComponent(document),
        until,
        `policy ${INVITATION} of user ${UserName}`,
      );
      const time = statements
        .map(({ Condition }) => Condition?.DateGreaterThan?.['aws:CurrentTime'])
        .find((each) => each !== undefined);
      return time === undefined ? null : Date.parse(time);
    } catch (thrown) {
      if (thrown instanceof Error && thrown.name === NO_SUCH) return null;
      throw thrown;
    }
  }
}

/**
 * Removes the machine's user with its keys: its code is worthless, and an agent that works with it stops.
 *
 * @returns false when there is no such machine
 */
export async function revoke(clients: Pick<AwsClients, 'iam'>, machine: string): Promise<boolean> {
  const sdk = await import('@aws-sdk/client-iam');
  const iam = await clients.iam();
  const UserName = machine;
  try {
    // Keys first: from then on it can do nothing, whatever comes after.
    const { AccessKeyMetadata: keys = [] } = await iam.send(new sdk.ListAccessKeysCommand({ UserName }));
    for (const { AccessKeyId: id } of keys) {
      await iam.send(new sdk.DeleteAccessKeyCommand({ UserName, AccessKeyId: id }));
    }
    const { PolicyNames: names = [] } = await iam.send(new sdk.ListUserPoliciesCommand({ UserName }));
    for (const PolicyName of names) {
      await iam.send(new sdk.DeleteUserPolicyCommand({ UserName, PolicyName }));
    }
    const { AttachedPolicies: attached = [] } = await iam.send(
      new sdk.ListAttachedUserPoliciesCommand({ UserName }),
    );
    for (const { PolicyArn } of attached) {
      await iam.send(new sdk.DetachUserPolicyCommand({ UserName, PolicyArn }));
    }
    await iam.send(new sdk.DeleteUserCommand({ UserName }));
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === NO_SUCH) return false;
    throw thrown;
  }
}

/** A trade that was begun: kept in the vault, so that a machine that loses its connection in the middle can go on. */
const begun = z.object({
  /** Of the code. */
  traded: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});

/**
 * Trades the code for keys of this machine's own, and puts them into the vault.
 *
 * @param connect clients that sign with these keys
 * @throws AgentError BrowserAgent.InvalidInput when the code was used, has expired or was taken back
 */
export async function tradeSetupCode(
  code: SetupCode,
  options: {
    vault: Vault;
    connect: (credentials: AwsCredentials) => AwsClients;
    clock?: Clock;
  },
): Promise<AwsCredentials> {
  const { vault, connect, clock = systemClock } = options;
  const name = `invitation:${code.environment}`;
  const before = await vault.get(name);
  const earlier = before === undefined ? undefined : parseJson(before, begun, `${name} in the vault`);
  const resumed = earlier?.traded === code.accessKeyId ? earlier : undefined;
  const { accessKeyId, secretAccessKey } = resumed ?? (await firstKey(code, connect));
  await vault.set(name, JSON.stringify({ traded: code.accessKeyId, accessKeyId, secretAccessKey }));

  const credentials = { accessKeyId, secretAccessKey };
  const clients = connect(credentials);
  try {
    const sdk = await import('@aws-sdk/client-iam');
    const iam = await clients.iam();
    const { userName: UserName } = code;
    const remove = new sdk.DeleteAccessKeyCommand({ UserName, AccessKeyId: code.accessKeyId });
    await untilKnown(() => iam.send(remove), clock);
    // The last: with it goes the right to do any of this.
    const finish = new sdk.DeleteUserPolicyCommand({ UserName, PolicyName: INVITATION });
    await untilKnown(() => iam.send(finish), clock);
  } catch (thrown) {
    // The earlier attempt had come to its end, and lost the answer.
    if (!resumed || !isDenied(thrown)) throw thrown;
  } finally {
    clients.destroy();
  }
  await storeCredentials(vault, code.environment, credentials, { from: 'machine' });
  await vault.delete(name);
  return credentials;
}

async function firstKey(
  code: SetupCode,
  connect: (credentials: AwsCredentials) => AwsClients,
): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const { accessKeyId, secretAccessKey } = code;
  const clients = connect({ accessKeyId, secretAccessKey });
  try {
    const { CreateAccessKeyCommand } = await import('@aws-sdk/client-iam');
    const iam = await clients.iam();
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: code.userName }));
    return keyOf(key);
  } catch (thrown) {
    switch (thrown instanceof Error ? thrown.name : '') {
      case 'InvalidClientTokenId':
        throw refused('was used already, or taken back', code, thrown);
      case 'LimitExceededException':
        throw refused('is being used by another machine, or its use was broken off there', code, thrown);
    }
    if (!isDenied(thrown)) throw thrown;
    const until = new Date(code.expiresAt).toISOString();
    throw refused(`has expired (it was good until ${until}), or is not good any more`, code, thrown);
  } finally {
    clients.destroy();
  }
}

/** IAM needs a moment until a new key is known everywhere; what is gone already was removed by an earlier attempt. */
async function untilKnown(work: () => Promise<unknown>, clock: Clock): Promise<void> {
  const deadline = clock.now() + TRADE_PATIENCE_MS;
  for (;;) {
    try {
      await work();
      return;
    } catch (thrown) {
      const name = thrown instanceof Error ? thrown.name : '';
      if (name === NO_SUCH) return;
      if (name !== 'InvalidClientTokenId' || clock.now() >= deadline) throw thrown;
      await clock.sleep(TRADE_PAUSE_MS);
    }
  }
}

function isDenied(thrown: unknown): boolean {
  return describeAwsFailure(thrown, { call: 'iam:CreateAccessKey', resource: 'the user' }).kind === 'denied';
}

function refused(why: string, { environment, userName }: SetupCode, cause?: unknown): AgentError {
  return new AgentError(
    'BrowserAgent.InvalidInput',
    `this setup code ${why}. A code is for one machine, once: ask an administrator for another ("local-browser-agent invite --env ${environment}"). If nobody of yours has used it, tell them to revoke ${userName}.`,
    { cause },
  );
}

async function whoAmI(
  clients: Pick<AwsClients, 'sts'>,
  clock: Clock,
): Promise<{ account: string; partition: string }> {
  const who = await probeIdentity(clients, () => clock.now());
  if (!who.ok) throw new AgentError('BrowserAgent.InvalidInput', `${who.failure.message} ${who.failure.fix}`);
  return { account: who.account, partition: parseArn(who.arn)?.partition ?? 'aws' };
}

function keyOf(key: { AccessKeyId?: string | undefined; SecretAccessKey?: string | undefined } | undefined): {
  accessKeyId: string;
  secretAccessKey: string;
} {
  return { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' };
}

/** Words for a person, as part of a name of IAM. */
function slug(label: string): string {
  return label
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_LABEL_CHARS)
    .replaceAll(/^-+|-+$/g, '');
}
