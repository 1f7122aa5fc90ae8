/** The setup with a code that an administrator made for this machine: traded for keys of its own, then fetched with those. */
import { createClients, type AwsClients, type AwsCredentials } from '../aws/clients.ts';
import { probeIdentity } from '../aws/probes.ts';
import { systemClock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { tradeSetupCode } from '../config/invitation.ts';
import { loadConfig } from '../config/load.ts';
import { readSetupCode, type SetupCode } from '../config/setup-code.ts';
import { fetchAndStore, type SetupOptions, type SetupStep } from '../config/setup.ts';
import { readStoredKeys } from '../config/stored-keys.ts';

const NEW_CODE = 'Ask your administrator for a new code.';

/** A code that is no good is a step that failed. */
export async function setupByCode(
  text: string,
  options: Omit<SetupOptions, 'environment' | 'signIn' | 'region'>,
): ReturnType<typeof fetchAndStore> {
  const title = 'Setup code';
  const over = (status: 'ok' | 'fail', detail: string, fix = ''): SetupStep => {
    const step = { title, status, detail, fix };
    options.onStep?.(step);
    return step;
  };
  let code: SetupCode;
  let credentials: AwsCredentials;
  let step: SetupStep;
  try {
    code = readSetupCode(text);
  } catch (thrown) {
    const fix = `Copy the whole code, from the first to the last character. ${NEW_CODE}`;
    return { ok: false, steps: [over('fail', messageOf(thrown), fix)], values: [] };
  }
  try {
    credentials = await trade(code, options);
    step = over('ok', 'traded for keys of this machine’s own; the code is worthless now');
  } catch (thrown) {
    return { ok: false, steps: [over('fail', messageOf(thrown), NEW_CODE)], values: [] };
  }
  const { environment, region } = code;
  const rest = await fetchAndStore({
    ...options,
    environment,
    region,
    signIn: { kind: 'machine', credentials },
  });
  return { ...rest, steps: [step, ...rest.steps] };
}

async function trade(
  code: SetupCode,
  { home, env, db, vault, clock }: Omit<SetupOptions, 'environment'>,
): Promise<AwsCredentials> {
  const { endpoint } = loadConfig({ home, env, db }).settings.aws;
  const connect = (credentials: AwsCredentials): AwsClients =>
    createClients({ region: code.region, credentials, env, ...(endpoint === null ? {} : { endpoint }) });
  try {
    return await tradeSetupCode(code, { vault, connect, ...(clock ? { clock } : {}) });
  } catch (thrown) {
    // This machine traded it before, and what came after failed: its keys are there.
    const kept = await readStoredKeys(vault, code.environment);
    if (!kept) throw thrown;
    const { accessKeyId, secretAccessKey } = kept;
    const clients = connect({ accessKeyId, secretAccessKey });
    try {
      const who = await probeIdentity(clients, () => (clock ?? systemClock).now());
      if (who.ok && who.arn.endsWith(`/${code.userName}`)) return { accessKeyId, secretAccessKey };
      throw thrown;
    } finally {
      clients.destroy();
    }
  }
}
