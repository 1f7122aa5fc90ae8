/** First-time configuration: fetch it, store it, prove that it works with the identity the agent will use. */
import { systemClock, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { homePaths } from '../base/paths.ts';
import { namesInAws, parseArn } from '../aws/arn.ts';
import { createClients, type AwsClients, type ClientOptions } from '../aws/clients.ts';
import { probeActivity, probeIdentity, probePoll, probeUpload } from '../aws/probes.ts';
import { AwsValuesStore } from '../store/aws-values.ts';
import type { Database } from '../store/database.ts';
import { clientOptions, storeCredentials } from './credentials.ts';
import { fetchConfig, type FetchResult } from './fetch.ts';
import { loadConfig, type LoadedConfig } from './load.ts';
import { writeSettings } from './settings-file.ts';
import type { Vault } from './vault.ts';

export interface SetupOptions {
  home: string;
  env: NodeJS.ProcessEnv;
  db: Database;
  vault: Vault;
  /** `--env`. */
  environment: string;
  /** `--aws-profile`: reads the configuration; also works for it when the secret holds no keys. */
  awsProfile?: string;
  region?: string;
  /** Told as each step ends, for progress. */
  onStep?: (step: SetupStep) => void;
  clock?: Clock;
}

export interface SetupStep {
  title: string;
  status: 'ok' | 'warn' | 'fail';
  detail: string;
  /** Empty when there is nothing to do. */
  fix: string;
}

export interface SetupResult {
  ok: boolean;
  steps: SetupStep[];
  /** As it is after storing. */
  config: LoadedConfig;
}

export async function setup(options: SetupOptions): Promise<SetupResult> {
  const clock = options.clock ?? systemClock;
  const steps: SetupStep[] = [];
  const step = (title: string, status: SetupStep['status'], detail: string, fix = '') => {
    steps.push({ title, status, detail, fix });
    options.onStep?.(steps.at(-1)!);
  };
  const flags = {
    'aws.env': options.environment,
    'aws.profile': options.awsProfile,
    'aws.region': options.region,
  };
  const load = (given: Record<string, unknown>) =>
    loadConfig({ home: options.home, env: options.env, db: options.db, flags: given });
  const finish = (): SetupResult => ({
    ok: steps.every(({ status }) => status !== 'fail'),
    steps,
    config: load({ 'aws.env': options.environment }),
  });

  const first = load(flags);
  for (const problem of first.problems.filter(({ severity }) => severity === 'error')) {
    step('Settings', problem.key === 'aws.env' ? 'fail' : 'warn', `${problem.where}: ${problem.message}`);
  }
  if (steps.some(({ status }) => status === 'fail')) return finish();

  const fetching = await withClients(fetchOptions(first, options), async (clients) => {
    const who = await probeIdentity(clients, () => clock.now());
    if (who.ok) step('Signed in', 'ok', who.arn);
    else step('Signed in', 'fail', who.failure.message, who.failure.fix);
    const fetched = who.ok
      ? await fetchConfig({ env: options.environment, clients, now: clock.now() })
      : undefined;
    return { fetched, account: who.ok ? who.account : undefined };
  });
  if (!fetching.fetched) return finish();
  reportFetch(fetching.fetched, { environment: options.environment, account: fetching.account, step });
  if (!fetching.fetched.ok) return finish();

  try {
    await storeFetched(fetching.fetched, options, first.settings.aws.profile);
  } catch (thrown) {
    step('Stored', 'fail', messageOf(thrown));
    return finish();
  }
  const kept = fetching.fetched.credentials ? `; keys in ${options.vault.protection}` : '';
  step('Stored', 'ok', `${fetching.fetched.values.length} values${kept}`);

  const config = load({ 'aws.env': options.environment });
  const { options: working, identity } = await workingOptions(config, fetching.fetched, options, step);
  await withClients(working, (clients) => prove(clients, config, identity, clock, step));
  return { ...finish(), config };
}

type AddStep = (title: string, status: SetupStep['status'], detail: string, fix?: string) => void;

/** Fetching uses what was named for it, else the SDK's own search: keys stored earlier may be the old ones. */
function fetchOptions(config: LoadedConfig, options: SetupOptions): ClientOptions {
  const { profile, endpoint, region } = config.settings.aws;
  return {
    env: options.env,
    ...(region === null ? {} : { region }),
    ...(profile === null ? {} : { profile }),
    ...(endpoint === null ? {} : { endpoint }),
  };
}

/** What the agent will use: fetched keys, where there are any, whatever this shell's environment holds. */
async function workingOptions(
  config: LoadedConfig,
  fetched: FetchResult,
  options: SetupOptions,
  step: AddStep,
): Promise<{ options: ClientOptions; identity: string }> {
  const usual = await clientOptions(config, options.vault, options.env);
  if (!fetched.credentials) return usual;
  if (usual.options.profile !== undefined || usual.options.credentials === undefined) {
    step(
      'Environment',
      'warn',
      `in this environment the agent uses ${usual.identity} instead of the stored keys`,
      'Unset it where the agent is to use the stored keys.',
    );
  }
  const { profile: _profile, ...rest } = usual.options;
  return {
    options: { ...rest, credentials: fetched.credentials },
    identity: `keys stored for ${options.environment}`,
  };
}

async function withClients<T>(options: ClientOptions, work: (clients: AwsClients) => Promise<T>): Promise<T> {
  const clients = createClients(options);
  try {
    return await work(clients);
  } finally {
    clients.destroy();
  }
}

function reportFetch(
  fetched: FetchResult,
  about: { environment: string; account: string | undefined; step: AddStep },
): void {
  const { step } = about;
  for (const { call, resource, failure } of fetched.attempts) {
    if (!failure) step(`Read ${resource}`, 'ok', call);
    // One of the two sources is enough.
    else step(`Read ${resource}`, fetched.ok ? 'warn' : 'fail', failure.message, failure.fix);
  }
  for (const warning of fetched.warnings) step('Fetched values', 'warn', warning);
  if (fetched.ok) return;
  const { environment, account = 'ACCOUNT' } = about;
  const guesses: Record<string, string> = {
    'aws.activity_arn': namesInAws.activityArn(environment, 'REGION', account),
    'aws.s3_bucket': namesInAws.bucket(environment, account),
  };
  for (const key of fetched.missing) {
    step(
      `Find ${key}`,
      'fail',
      `neither secret nor parameters of environment ${environment} gave it`,
      `Check the name of the environment and ask for one of the permissions above; or set it by hand, by the stack's naming: local-browser-agent config set ${key} ${guesses[key]}`,
    );
  }
}

async function storeFetched(
  fetched: FetchResult,
  options: SetupOptions,
  profile: string | null,
): Promise<void> {
  new AwsValuesStore(options.db).replace(options.environment, fetched.values);
  const changes = new Map<string, unknown>([['aws.env', options.environment]]);
  // Keys of the secret take the profile's place; without them the agent works as that profile.
  if (fetched.credentials) {
    await storeCredentials(options.vault, options.environment, fetched.credentials);
    changes.set('aws.profile', undefined);
  } else if (profile !== null) {
    changes.set('aws.profile', profile); // also when AWS_PROFILE named it: a service will not have that
  }
  if (options.region !== undefined) changes.set('aws.region', options.region);
  writeSettings(homePaths(options.home).settings, changes);
}

async function prove(
  clients: AwsClients,
  config: LoadedConfig,
  identity: string,
  clock: Clock,
  step: AddStep,
): Promise<void> {
  const { activity_arn: activityArn, s3_bucket: bucket } = config.settings.aws;
  const who = await probeIdentity(clients, () => clock.now());
  if (!who.ok) {
    step('Identity', 'fail', `${identity}: ${who.failure.message}`, who.failure.fix);
    return;
  }
  step('Identity', 'ok', `${who.arn} (${identity})`);
  if (activityArn !== null) await proveActivity(clients, activityArn, who.account, step);
  if (bucket === null) return;
  if (config.settings.recording.max_level === 'NONE') {
    step('Upload', 'ok', 'not tried: recording.max_level is NONE, so nothing is uploaded');
    return;
  }
  const upload = await probeUpload(clients, bucket);
  if (!upload.ok) step('Upload', 'fail', upload.failure.message, upload.failure.fix);
  else if (upload.leftBehind)
    step('Upload', 'ok', `put s3://${bucket}/${upload.key}; removing it is not allowed`);
  else step('Upload', 'ok', `put and removed an object in ${bucket}`);
}

async function proveActivity(
  clients: AwsClients,
  activityArn: string,
  account: string,
  step: AddStep,
): Promise<void> {
  const other = parseArn(activityArn)?.account;
  if (other !== account) {
    step(
      'Activity',
      'warn',
      `${activityArn} is in account ${other ?? '?'}, the identity in ${account}`,
      'Step Functions activities cannot be polled from another account: check the environment.',
    );
  }
  const described = await probeActivity(clients, activityArn);
  if (described.ok) {
    step('Activity', 'ok', `${activityArn} exists`);
    return;
  }
  if (described.failure.kind !== 'denied') {
    step('Activity', 'fail', described.failure.message, described.failure.fix);
    return;
  }
  const poll = await probePoll(clients, activityArn);
  if (poll.ok) step('Activity', 'ok', 'states:GetActivityTask is allowed');
  else if (poll.failure.kind !== 'denied') step('Activity', 'fail', poll.failure.message, poll.failure.fix);
  else {
    step(
      'Activity',
      'warn',
      'neither states:DescribeActivity nor states:GetActivityTask beside the one activity is allowed, so it could not be checked without taking a task',
      'The first poll of `local-browser-agent run` shows whether the permission is there.',
    );
  }
}
