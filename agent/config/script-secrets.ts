/**
 * The values behind `{{secret:NAME}}`: what is stored on this machine under that name, else the secret of
 * that name in Secrets Manager (`NAME#key` picks one key of a JSON secret). Values are fetched once per
 * process and never written anywhere.
 */
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AgentError, messageOf } from '../base/errors.ts';
import type { Vault } from './vault.ts';

export class ScriptSecrets {
  readonly #vault: Vault;
  readonly #client: () => Promise<SecretsManagerClient>;
  readonly #fetched = new Map<string, Promise<string>>();

  constructor(options: { vault: Vault; client: () => Promise<SecretsManagerClient> }) {
    this.#vault = options.vault;
    this.#client = options.client;
  }

  /** @throws AgentError BrowserAgent.InvalidInput when there is none, or it may not be read */
  async get(name: string): Promise<string> {
    const own = await this.#vault.get(vaultNameOf(name));
    if (own !== undefined) return own;
    let value = this.#fetched.get(name);
    if (!value) {
      value = this.#fetch(name);
      this.#fetched.set(name, value);
      // A failure is not kept: the next run asks again.
      value.catch(() => this.#fetched.delete(name));
    }
    return value;
  }

  async #fetch(name: string): Promise<string> {
    const [id = name, key] = name.split('#', 2);
    let text: string;
    try {
      const [client, { GetSecretValueCommand }] = await Promise.all([
        this.#client(),
        import('@aws-sdk/client-secrets-manager'),
      ]);
      const answer = await client.send(new GetSecretValueCommand({ SecretId: id }));
      text = answer.SecretString ?? Buffer.from(answer.SecretBinary ?? []).toString('utf8');
    } catch (thrown) {
      throw new AgentError(
        'BrowserAgent.InvalidInput',
        `there is no value for {{secret:${name}}}: it is not stored on this machine, and Secrets Manager answered: ${messageOf(thrown)}. Store it with "local-browser-agent config secret ${name}", or create the secret ${JSON.stringify(id)} and allow secretsmanager:GetSecretValue on it.`,
        { cause: thrown, data: { secret: name } },
      );
    }
    return key === undefined ? text : keyOf(text, id, key);
  }
}

/** The vault's name of a secret for scripts; the vault also holds the agent's own credentials. */
export function vaultNameOf(secret: string): string {
  return `script:${secret}`;
}

function keyOf(text: string, id: string, key: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = null;
  }
  const value =
    typeof parsed === 'object' && parsed !== null && Object.hasOwn(parsed, key)
      ? (parsed as Record<string, unknown>)[key]
      : undefined;
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new AgentError(
    'BrowserAgent.InvalidInput',
    `the secret ${JSON.stringify(id)} has no text under the key ${JSON.stringify(key)}; it must be a JSON object with that key`,
    { data: { secret: `${id}#${key}` } },
  );
}
