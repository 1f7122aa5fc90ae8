/** First-time configuration: fetch it, store it, prove that it works with the identity the agent will use. */
import { systemClock, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { homePaths } from '../base/paths.ts';
import { namesInAws, parseArn } from '../aws/arn.ts';
import { createClients, type AwsClients, type AwsCredentials, type ClientOptions } from '../aws/clients.ts';
import { probeActivity, probeIdentity, probePoll, probeUpload } from '../aws/probes.ts';
import { AwsValuesStore } from '../store/aws-values.ts';
import type { Database } from '../store/database.ts';
import { clientOptions, storeCredentials, vaultName } from './credentials.ts';
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
  /** Through which identity it is read; default: `awsProfile`, else as the settings say. */
  signIn?: SignIn;
  region?: string;
  /** Told as each step ends, for progress. */
  onStep?: (step: SetupStep) => void;
  clock?: Clock;
}

/** A way to sign in to AWS. `instance`: the role of the machine's place in AWS. */
export type SignIn =
  | { kind: 'profile'; profile: string }
  | { kind: 'environment' }
  | { kind: 'instance' }
  /** Keys of this machine's own user, in the vault already (invitation.ts): those of the secret are left there. */
  | { kind: 'machine'; credentials: AwsCredentials };

/** The metadata service is on this machine or it is not there, in milliseconds. */
const INSTANCE_TIMEOUT_MS = 1_000;

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

/** Fetches, stores and proves. */
export async function setup(options: SetupOptions): Promise<SetupResult> {
  const clock = options.clock ?? systemClock;
  const { steps, step } = record(options);
  const fetched = await fetchInto(options, step);
  const config = loadAfter(options);
  if (fetched) {
    const { options: working, identity } = await workingOptions(config, fetched, options, step);
    await withClients(working, (clients) => prove(clients, config, identity, clock, step));
  }
  return { ok: isOk(steps), steps, config };
}

/** What was fetched, fit to be shown: never a credential. */
export interface FetchedValue {
  key: string;
  value: string;
  source: string;
}

/** The first half of {@link setup}: fetches and stores. */
export async function fetchAndStore(
  options: SetupOptions,
): Promise<Omit<SetupResult, 'config'> & { values: FetchedValue[] }> {
  const { steps, step } = record(options);
  const fetched = await fetchInto(options, step);
  const values = (fetched?.values ?? []).map(({ key, value, source }) => ({ key, value, source }));
  return { ok: isOk(steps), steps, values };
}

type AddStep = (title: string, status: SetupStep['status'], detail: string, fix?: string) => void;

function record({ onStep }: SetupOptions): { steps: SetupStep[]; step: AddStep } {
  const steps: SetupStep[] = [];
  const step: AddStep = (title, status, detail, fix = '') => {
    steps.push({ title, status, detail, fix });
    onStep?.(steps.at(-1)!);
  };
  return { steps, step };
}

function isOk(steps: readonly SetupStep[]): boolean {
  return steps.every(({ status }) => status !== 'fail');
}

function loadAfter(options: SetupOptions): LoadedConfig {
  const flags = { 'aws.env': options.environment };
  return loadConfig({ home: options.home, env: options.env, db: options.db, flags });
}

/** @returns undefined when it was not enough to work with; the steps say why */
async function fetchInto(options: SetupOptions, step: AddStep): Promise<FetchResult | undefined> {
  const clock = options.clock ?? systemClock;
  const chosen = options.signIn;
  const first = loadConfig({
    home: options.home,
    env: options.env,
    db: options.db,
    flags: {
      'aws.env': options.environment,
      'aws.profile': chosen?.kind === 'profile' ? chosen.profile : options.awsProfile,
      'aws.region': options.region,
    },
    // Whatever profile is set: another way was chosen.
    ...(chosen === undefined || chosen.kind === 'profile'
      ? {}
      : { given: { source: 'the way to sign in that was chosen', values: { 'aws.profile': null } } }),
  });
  let isWrong = false;
  for (const problem of first.problems.filter(({ severity }) => severity === 'error')) {
    if (problem.key === 'aws.env') isWrong = true;
    step('Settings', problem.key === 'aws.env' ? 'fail' : 'warn', `${problem.where}: ${problem.message}`);
  }
  if (isWrong) return undefined;

  const { fetched: found, account } = await withClients(
    await fetchOptions(first, options),
    async (clients) => {
      const who = await probeIdentity(clients, () => clock.now());
      if (who.ok) step('Signed in', 'ok', who.arn);
      else step('Signed in', 'fail', who.failure.message, who.failure.fix);
      const fetched = who.ok
        ? await fetchConfig({ env: options.environment, clients, now: clock.now() })
        : undefined;
      return { fetched, account: who.ok ? who.account : undefined };
    },
  );
  if (!found) return undefined;
  const { credentials: ofSecret, ...values } = found;
  const fetched: FetchResult = chosen?.kind === 'machine' || ofSecret === undefined ? values : found;
  reportFetch(fetched, { environment: options.environment, account, step });
  if (!fetched.ok) return undefined;

  try {
    await storeFetched(fetched, options, first);
  } catch (thrown) {
    step('Stored', 'fail', messageOf(thrown));
    return undefined;
  }
  const kept = fetched.credentials ? `; keys in ${options.vault.protection}` : '';
  step('Stored', 'ok', `${fetched.values.length} values${kept}`);
  return fetched;
}

/** Fetching uses what was named for it, else the SDK's own search: keys stored earlier may be the old ones. */
async function fetchOptions(config: LoadedConfig, { env, signIn }: SetupOptions): Promise<ClientOptions> {
  const { profile, endpoint, region } = config.settings.aws;
  const common: ClientOptions = {
    env,
    ...(region === null ? {} : { region }),
    ...(endpoint === null ? {} : { endpoint }),
  };
  if (signIn?.kind === 'machine') return { ...common, credentials: signIn.credentials };
  if (signIn?.kind === 'instance') return { ...common, credentials: await instanceCredentials() };
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  // Named, because AWS_PROFILE would take their place in the SDK's own search.
  if (signIn?.kind === 'environment' && accessKeyId && secretAccessKey) {
    const sessionToken = env['AWS_SESSION_TOKEN'];
    return {
      ...common,
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
    };
  }
  return { ...common, ...(profile === null ? {} : { profile }) };
}

/** Of the role of this machine or container. */
async function instanceCredentials(): Promise<() => Promise<AwsCredentials>> {
  const { fromInstanceMetadata } = await import('@aws-sdk/credential-providers');
  return fromInstanceMetadata({ timeout: INSTANCE_TIMEOUT_MS, maxRetries: 0 });
}

/** What the agent will use: fetched keys, where there are any, whatever this shell's environment holds. */
async function workingOptions(
  config: LoadedConfig,
  fetched: FetchResult,
  options: SetupOptions,
  step: AddStep,
): Promise<{ options: ClientOptions; identity: string }> {
  const usual = await clientOptions(config, options.vault, options.env);
  const credentials = options.signIn?.kind === 'machine' ? options.signIn.credentials : fetched.credentials;
  if (!credentials) return usual;
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
    options: { ...rest, credentials },
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
  { settings }: LoadedConfig,
): Promise<void> {
  const { profile } = settings.aws;
  new AwsValuesStore(options.db).replace(options.environment, fetched.values);
  const changes = new Map<string, unknown>([['aws.env', options.environment]]);
  // Keys of the secret take the profile's place; without them the agent works as that profile.
  if (fetched.credentials) {
    await storeCredentials(
      options.vault,
      options.environment,
      fetched.credentials,
      profile === null ? {} : { readerProfile: profile },
    );
    changes.set('aws.profile', undefined);
  } else if (profile !== null) {
    changes.set('aws.profile', profile); // also when AWS_PROFILE named it: a service will not have that
  } else if (options.signIn?.kind === 'machine') {
    changes.set('aws.profile', undefined);
  } else if (options.signIn) {
    changes.set('aws.profile', undefined);
    await options.vault.delete(vaultName(options.environment)); // those of another way, which would win
  }
  if (settings.sandbox.enabled) changes.set('sandbox.enabled', undefined);
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
  if (activityArn !== null) {
    const ofStack = config.settings.aws.stack_permissions !== null;
    await proveActivity(clients, { activityArn, account: who.account, ofStack }, step);
  }
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
  { activityArn, account, ofStack }: { activityArn: string; account: string; ofStack: boolean },
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
  const poll = await probePoll(clients, activityArn, { ofStack });
  if (poll.ok) step('Activity', 'ok', 'states:GetActivityTask is allowed');
  else if (ofStack || poll.failure.kind !== 'denied')
    step('Activity', 'fail', poll.failure.message, poll.failure.fix);
  else {
    step(
      'Activity',
      'warn',
      'neither states:DescribeActivity nor states:GetActivityTask beside the one activity is allowed, so it could not be checked without taking a task',
      'The first poll of `local-browser-agent run` shows whether the permission is there.',
    );
  }
}
