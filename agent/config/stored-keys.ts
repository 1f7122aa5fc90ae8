/**
 * The access key that an agent keeps in its vault, followed while it runs.
 *
 * - Keys out of the environment's secret (`setup`): the secret is looked at every few hours, with the key
 *   itself. A new one that works takes the place of the old one, in the vault too: whoever rotates leaves the
 *   old one for some time, so no call fails. Where AWS already refuses the old one, the secret is read through
 *   the profile that `setup` was run with, if there was one.
 * - Keys of this machine's own user (`setup --code`): nothing but another code replaces them. When AWS does not know
 *   them any more, the machine's access was taken back: nothing is sent until they change, but for one call an hour.
 *
 * Whatever another process puts into the vault is taken up within five minutes.
 */
import { z } from 'zod';
import {
  createClients,
  type AwsCredentials,
  type ClientOptions,
  type CredentialRenewal,
} from '../aws/clients.ts';
import { MACHINE_REVOKED } from '../aws/failure-codes.ts';
import { probeIdentity } from '../aws/probes.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { drop } from '../base/drop.ts';
import { parseJson } from '../base/json.ts';
import { silentLogger, type Logger } from '../base/log.ts';
import { fetchSecret } from './fetch.ts';
import type { Vault } from './vault.ts';

const storedKeys = z.object({
  accessKeyId: z.string().min(1),
  secretAccessKey: z.string().min(1),
  sessionToken: z.string().optional(),
  /** `secret`: of the environment, for whoever may read it; `machine`: of a user that only this machine is. */
  from: z.enum(['secret', 'machine']).default('secret'),
  /** AWS profile that could read the secret when it was stored. */
  readerProfile: z.string().optional(),
  /** Milliseconds since the epoch. */
  storedAt: z.number().default(0),
});

type StoredKeys = z.output<typeof storedKeys>;

/** Another process may have stored others: looked at so often, in milliseconds. */
const REREAD_MS = 5 * 60_000;

/** The SDK asks again when less than five minutes are left: so it asks each time, and a change counts at once. */
const ASK_EACH_TIME_MS = 60_000;

/** Between two attempts to find others after a refusal, in milliseconds: polls and uploads ask all the time. */
const RENEW_PAUSE_MS = 30_000;

/** A machine that was refused asks so often whether that still holds, in milliseconds. */
const REFUSED_PAUSE_MS = 60 * 60_000;

/** How soon a look into the secret that failed, or found a key that does not work yet, is made again, in milliseconds. */
const LOOK_AGAIN_MS = 10 * 60_000;

/** What `createClients` takes, beside region and endpoint. */
export interface FollowedKeys {
  from: StoredKeys['from'];
  credentials: () => Promise<AwsCredentials>;
  renewal: CredentialRenewal;
}

export interface FollowOptions {
  vault: Vault;
  environment: string;
  /** Of the clients that read the secret: all but credentials. */
  clients: ClientOptions;
  /** Between two looks into the secret, in milliseconds; 0: never. */
  lookMs: number;
  clock?: Clock;
  log?: Logger;
}

/** AWS does not know the key of this machine any more. The name is how it is told from other failures. */
export class MachineRevoked extends Error {
  override readonly name = MACHINE_REVOKED;

  constructor(environment: string) {
    super(
      `AWS does not know this machine's access key any more: its access to environment ${environment} was taken back, or it was removed. Nothing is asked of AWS until there is another.`,
    );
  }
}

/** Name of an environment's keys in the vault. */
export function vaultName(environment: string): string {
  return `aws:${environment}`;
}

export async function storeCredentials(
  vault: Vault,
  environment: string,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  more: { from?: StoredKeys['from']; readerProfile?: string; storedAt?: number } = {},
): Promise<void> {
  const keys: z.input<typeof storedKeys> = {
    accessKeyId,
    secretAccessKey,
    sessionToken,
    storedAt: Date.now(),
    ...more,
  };
  await vault.set(vaultName(environment), JSON.stringify(keys));
}

/** @returns undefined when none are stored */
export async function readStoredKeys(vault: Vault, environment: string): Promise<StoredKeys | undefined> {
  const text = await vault.get(vaultName(environment));
  return text === undefined
    ? undefined
    : parseJson(text, storedKeys, `the keys of environment ${environment} in the vault`);
}

/** @returns undefined when none are stored */
export async function followStoredKeys(options: FollowOptions): Promise<FollowedKeys | undefined> {
  const { vault, environment, clients, lookMs, clock = systemClock, log = silentLogger } = options;
  const first = await readStoredKeys(vault, environment);
  if (!first) return undefined;
  let keys: StoredKeys = first;
  let readAt = clock.now();
  let lookAt = keys.storedAt + lookMs;
  let refused: { accessKeyId: string; until: number } | undefined;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let renewing: Promise<boolean> | undefined;
  let generation = 0;

  const reread = async (): Promise<void> => {
    readAt = clock.now();
    const stored = await readStoredKeys(vault, environment);
    if (!stored) throw new Error(`the credentials of environment ${environment} were removed from the vault`);
    if (stored.accessKeyId !== keys.accessKeyId) generation += 1;
    keys = stored;
  };

  /** Takes what is in the secret, if it is another key and works. @returns whether it did */
  const look = async (reader: ClientOptions): Promise<boolean> => {
    lookAt = clock.now() + LOOK_AGAIN_MS;
    const reading = createClients(reader);
    const found = await fetchSecret(environment, reading).finally(() => reading.destroy());
    if (found.attempt.failure) {
      const { kind, message } = found.attempt.failure;
      log.warn({ environment }, `looking for a changed access key failed: ${message}`);
      // A policy made by hand may not allow it: said a few times a day, not every ten minutes.
      if (kind === 'denied' || kind === 'missing') lookAt = clock.now() + lookMs;
      return false;
    }
    const { credentials } = found;
    if (!credentials || credentials.accessKeyId === keys.accessKeyId) {
      lookAt = clock.now() + lookMs;
      return false;
    }
    const trying = createClients({ ...clients, credentials });
    const who = await probeIdentity(trying, () => clock.now()).finally(() => trying.destroy());
    if (!who.ok) {
      log.warn(
        { environment },
        `the secret has another access key that does not work: ${who.failure.message}`,
      );
      return false;
    }
    const { readerProfile } = keys;
    const storedAt = clock.now();
    await storeCredentials(vault, environment, credentials, {
      storedAt,
      ...(readerProfile === undefined ? {} : { readerProfile }),
    });
    await reread();
    lookAt = storedAt + lookMs;
    log.info(
      { environment, identity: who.arn },
      'the access key was changed in AWS: going on with the new one',
    );
    return true;
  };

  const renewOnce = async (): Promise<boolean> => {
    renewedAt = clock.now();
    const before = keys.accessKeyId;
    await reread();
    if (keys.accessKeyId !== before) return true;
    if (keys.from === 'machine') {
      refused = { accessKeyId: before, until: clock.now() + REFUSED_PAUSE_MS };
      throw new MachineRevoked(environment);
    }
    return keys.readerProfile === undefined ? false : look({ ...clients, profile: keys.readerProfile });
  };

  return {
    from: first.from,
    credentials: async () => {
      const now = clock.now();
      if (now - readAt >= REREAD_MS) await reread();
      if (refused && refused.accessKeyId === keys.accessKeyId && now < refused.until) {
        if (now - renewedAt >= RENEW_PAUSE_MS) {
          renewedAt = now;
          await reread();
        }
        if (refused.accessKeyId === keys.accessKeyId) throw new MachineRevoked(environment);
      }
      if (keys.from === 'secret' && lookMs > 0 && now >= lookAt) {
        lookAt = now + LOOK_AGAIN_MS;
        // Beside the call that asked, which goes on with the old key.
        drop(look({ ...clients, credentials: credentialsOf(keys) }), log, 'looking for a changed access key');
      }
      return { ...credentialsOf(keys), expiration: new Date(Date.now() + ASK_EACH_TIME_MS) };
    },
    renewal: {
      generation: () => generation,
      renew: async () => {
        if (clock.now() - renewedAt < RENEW_PAUSE_MS && !renewing) return false;
        renewing ??= renewOnce().finally(() => {
          renewing = undefined;
        });
        return renewing;
      },
    },
  };
}

function credentialsOf({ accessKeyId, secretAccessKey, sessionToken }: StoredKeys): AwsCredentials {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
