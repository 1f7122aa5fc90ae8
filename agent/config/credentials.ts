/** Which AWS identity the agent uses, decided by the same order as every setting. */
import { z } from 'zod';
import type { AwsCredentials, ClientOptions } from '../aws/clients.ts';
import type { LoadedConfig } from './load.ts';
import type { Vault } from './vault.ts';

const storedCredentials = z.object({
  accessKeyId: z.string().min(1),
  secretAccessKey: z.string().min(1),
  sessionToken: z.string().optional(),
});

/**
 * The SDK keeps what it was given until five minutes before it expires; so keys that `setup` stored anew
 * reach a running agent within five minutes.
 */
const REREAD_MS = 10 * 60 * 1000;

/** Variables by which the SDK's own chain finds credentials: where one is set, the person meant it. */
const CHAIN_VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
];

/** Name of an environment's keys in the vault. */
export function vaultName(environment: string): string {
  return `aws:${environment}`;
}

export async function storeCredentials(
  vault: Vault,
  environment: string,
  credentials: AwsCredentials,
): Promise<void> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  await vault.set(vaultName(environment), JSON.stringify({ accessKeyId, secretAccessKey, sessionToken }));
}

/**
 * Options for `createClients`, and in words where the identity comes from: `aws.profile`, else credentials in
 * the environment, else those that `setup` stored for this environment, else the SDK's own search.
 */
export async function clientOptions(
  config: LoadedConfig,
  vault: Vault,
  env: NodeJS.ProcessEnv,
): Promise<{ options: ClientOptions; identity: string }> {
  const { aws } = config.settings;
  const options: ClientOptions = {
    env,
    ...(aws.region === null ? {} : { region: aws.region }),
    ...(aws.endpoint === null ? {} : { endpoint: aws.endpoint }),
  };
  if (aws.profile !== null) {
    return {
      options: { ...options, profile: aws.profile },
      identity: `AWS profile ${aws.profile} (${config.sourceOf('aws.profile')})`,
    };
  }
  const variable = CHAIN_VARIABLES.find((name) => env[name]);
  if (variable) return { options, identity: `environment ${variable}` };
  if (await readCredentials(vault, aws.env)) {
    const credentials = async () => {
      const stored = await readCredentials(vault, aws.env);
      if (!stored) throw new Error(`the credentials of environment ${aws.env} were removed from the vault`);
      return { ...stored, expiration: new Date(Date.now() + REREAD_MS) };
    };
    return { options: { ...options, credentials }, identity: `keys stored by setup for ${aws.env}` };
  }
  return { options, identity: 'the AWS SDK’s own search' };
}

async function readCredentials(vault: Vault, environment: string): Promise<AwsCredentials | undefined> {
  const text = await vault.get(vaultName(environment));
  if (text === undefined) return undefined;
  const { accessKeyId, secretAccessKey, sessionToken } = storedCredentials.parse(JSON.parse(text));
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
