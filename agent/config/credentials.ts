/** Which AWS identity the agent uses, decided by the same order as every setting. */
import type { ClientOptions } from '../aws/clients.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { LoadedConfig } from './load.ts';
import { followStoredKeys } from './stored-keys.ts';
import type { Vault } from './vault.ts';

export { storeCredentials, vaultName } from './stored-keys.ts';

const HOUR_MS = 3_600_000;

/** Variables by which the SDK's own chain finds credentials: where one is set, the person meant it. */
const CHAIN_VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
];

/**
 * Options for `createClients`, and in words where the identity comes from: `aws.profile`, else credentials in
 * the environment, else those that `setup` stored for this environment, else the SDK's own search.
 *
 * @param follow of an agent that goes on for long: stored keys are then followed when they change in AWS
 */
export async function clientOptions(
  config: LoadedConfig,
  vault: Vault,
  env: NodeJS.ProcessEnv,
  follow?: { clock?: Clock; log: Logger },
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
  const followed = await followStoredKeys({
    vault,
    environment: aws.env,
    clients: options,
    lookMs: follow ? aws.key_check_hours * HOUR_MS : 0,
    ...follow,
  });
  if (followed) {
    const { credentials, renewal } = followed;
    const whose = followed.from === 'machine' ? 'this machine’s own keys' : 'keys stored by setup';
    return { options: { ...options, credentials, renewal }, identity: `${whose} for ${aws.env}` };
  }
  return { options, identity: 'the AWS SDK’s own search' };
}
