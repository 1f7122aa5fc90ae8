/**
 * What `doctor` checks in AWS: the identity and the clock first, then each service (base/services.ts). Every
 * permission of the stack's policy has a check here; the probes change and take nothing (aws/probes.ts).
 */
import { namesInAws, parseArn } from '../aws/arn.ts';
import { createClients, type AwsClients } from '../aws/clients.ts';
import type { AwsFailure } from '../aws/errors.ts';
import {
  probeActivity,
  probeIdentity,
  probeParameters,
  probeParts,
  probePoll,
  probeReport,
  probeSecret,
  probeSecretsBelow,
  probeUpload,
  REPORT_CALLS,
  type Probe,
  type ReadBack,
} from '../aws/probes.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { ServiceId } from '../base/services.ts';
import { AgentStateStore, LAST_POLL_KEY, lastPollSchema } from '../store/agent-state.ts';
import type { Database } from '../store/database.ts';
import type { CheckStatus, Report } from './check.ts';
import { clientOptions } from './credentials.ts';
import type { LoadedConfig } from './load.ts';
import type { Vault } from './vault.ts';

export interface AwsCheckOptions {
  config: LoadedConfig;
  env: NodeJS.ProcessEnv;
  vault: Vault;
  db?: Database;
  /** How AWS is reached; default: as the configuration says. */
  working?: Awaited<ReturnType<typeof clientOptions>>;
  clock?: Clock;
}

/** What the check of a service works with. */
interface Checking {
  clients: AwsClients;
  /** Of the identity. */
  account: string;
  config: LoadedConfig;
  db: Database | undefined;
  clock: Clock;
  /** Secret and parameters of the environment; asked once. */
  sources: () => Promise<Sources>;
  report: Report;
}

interface Sources {
  secret: Probe;
  parameters: Probe;
}

/** In the order in which they are reported. Null: nothing to check. */
const CHECKS: Record<ServiceId, ((at: Checking) => Promise<void>) | null> = {
  sfn: checkActivity,
  s3: checkBucket,
  secretsmanager: checkSecrets,
  ssm: checkParameters,
  sts: null, // asked first of all: without an identity nothing else can be checked
  iam: null, // for administrators who invite machines; the agent's identity has no right there
};

/** AWS refuses requests that are five minutes off; a clock that drifts is better seen before. */
const SKEW_WARN_MS = 60_000;
const SKEW_FAIL_MS = 240_000;

/** A poll takes at most a minute, so a working agent has had an answer within this time. */
const LAST_POLL_FRESH_MS = 600_000;

export async function checkAws(options: AwsCheckOptions, report: Report): Promise<void> {
  const { config, db, clock = systemClock } = options;
  let working: Awaited<ReturnType<typeof clientOptions>>;
  try {
    working = options.working ?? (await clientOptions(config, options.vault, options.env));
  } catch (thrown) {
    report({ id: 'identity', title: 'AWS identity', status: 'fail', detail: messageOf(thrown) });
    return;
  }
  const clients = createClients(working.options);
  try {
    const account = await checkIdentity(clients, working.identity, clock, report);
    if (account === undefined) return;
    let asked: Promise<Sources> | undefined;
    const sources = (): Promise<Sources> => (asked ??= probeSources(clients, account, config));
    for (const check of Object.values(CHECKS)) {
      await check?.({ clients, account, config, db, clock, sources, report });
    }
  } finally {
    clients.destroy();
  }
}

/** @returns the account of the identity; undefined when AWS does not know it */
async function checkIdentity(
  clients: AwsClients,
  source: string,
  clock: Clock,
  report: Report,
): Promise<string | undefined> {
  const identity = await probeIdentity(clients, () => clock.now());
  const about = { id: 'identity', title: 'AWS identity' };
  if (identity.ok) report({ ...about, status: 'ok', detail: `${identity.arn} (${source})` });
  else reportFailure(report, about, identity.failure, 'fail', `${source}: `);
  checkClock(identity.skewMs, report);
  if (identity.ok) return identity.account;
  report({
    id: 'permissions',
    title: 'Permissions',
    status: 'skip',
    detail: 'not checked: AWS does not know this identity',
  });
  return undefined;
}

function checkClock(skewMs: number | null, report: Report): void {
  const about = { id: 'clock', title: 'Clock' };
  if (skewMs === null) {
    report({ ...about, status: 'skip', detail: 'not checked: nothing answered' });
    return;
  }
  const off = Math.abs(skewMs);
  const seconds = `${(off / 1000).toFixed(0)} s ${skewMs > 0 ? 'ahead of' : 'behind'} AWS`;
  report({
    ...about,
    status: off > SKEW_FAIL_MS ? 'fail' : off > SKEW_WARN_MS ? 'warn' : 'ok',
    detail: off < 2_000 ? 'right to about a second' : seconds,
    fix:
      off > SKEW_WARN_MS
        ? 'Turn on automatic time on this machine; AWS refuses requests from a wrong clock.'
        : '',
  });
}

async function checkActivity(at: Checking): Promise<void> {
  const { clients, account, config, report } = at;
  const { activity_arn: arn, env } = config.settings.aws;
  const activity = { id: 'activity', title: 'Activity' };
  if (arn === null) {
    const fix = `Run \`local-browser-agent setup --env ${env}\`, or set aws.activity_arn. \`exec\` works without.`;
    report({ ...activity, status: 'fail', detail: 'aws.activity_arn is not set', fix });
    return;
  }
  const described = await probeActivity(clients, arn);
  const elsewhere = parseArn(arn)?.account !== account;
  if (elsewhere) {
    const fix = 'Activities cannot be polled from another account: check aws.env and the AWS profile.';
    report({ ...activity, status: 'fail', detail: `${arn} is not in account ${account}`, fix });
  } else if (described.ok) report({ ...activity, status: 'ok', detail: arn });
  else if (described.failure.kind === 'denied') {
    report({ ...activity, status: 'skip', detail: 'states:DescribeActivity is not allowed, and not needed' });
  } else reportFailure(report, activity, described.failure, 'fail');

  await checkPoll(at, arn);
  for (const call of REPORT_CALLS) {
    const probe = await probeReport(clients, call, arn);
    reportProbe(report, { id: `permission.states:${call}`, title: `states:${call}` }, probe, 'fail');
  }
}

async function checkPoll(at: Checking, activityArn: string): Promise<void> {
  const { clients, config, db, clock, report } = at;
  const about = { id: 'permission.states:GetActivityTask', title: 'states:GetActivityTask' };
  const last = db && new AgentStateStore(db).get(LAST_POLL_KEY, lastPollSchema);
  if (last?.value.activityArn === activityArn && clock.now() - last.updatedAt < LAST_POLL_FRESH_MS) {
    const when = new Date(last.updatedAt).toISOString();
    report({
      ...about,
      status: last.value.ok ? 'ok' : 'fail',
      detail: last.value.ok
        ? `the agent polled at ${when}`
        : `the agent's poll of ${when} failed: ${last.value.message ?? last.value.code ?? 'unknown error'}`,
      fix: last.value.ok
        ? ''
        : `Ask for the permission states:GetActivityTask on ${activityArn}, unless the message says otherwise.`,
    });
    return;
  }
  const ofStack = config.settings.aws.stack_permissions !== null;
  const probe = await probePoll(clients, activityArn, { ofStack });
  if (probe.ok) {
    report({
      ...about,
      status: 'ok',
      detail: 'allowed (asked of a name that does not exist, so that no task is taken)',
    });
  } else if (probe.failure.kind === 'denied' && !ofStack) {
    report({
      ...about,
      status: 'warn',
      detail: `denied beside ${activityArn}; a policy that names this one activity allows it all the same, and asking would take a task`,
      fix: `See that the policy allows states:GetActivityTask on ${activityArn}. The first poll of \`run\` proves it; \`doctor\` then shows its answer.`,
    });
  } else reportFailure(report, about, probe.failure, 'fail');
}

async function checkBucket({ clients, config, report }: Checking): Promise<void> {
  const { s3_bucket: bucket, stack_permissions: stack } = config.settings.aws;
  const about = { id: 'permission.s3:PutObject', title: 's3:PutObject' };
  if (config.settings.recording.max_level === 'NONE') {
    const detail = 'not checked: recording.max_level is NONE, so nothing is uploaded';
    report({ ...about, status: 'skip', detail });
    return;
  }
  if (bucket === null) {
    const fix =
      'Run `local-browser-agent setup --env ENV`, or set aws.s3_bucket. Without it evidence stays here.';
    report({ ...about, status: 'fail', detail: 'aws.s3_bucket is not set', fix });
    return;
  }
  const upload = await probeUpload(clients, bucket);
  if (!upload.ok) {
    reportFailure(report, about, upload.failure, 'fail');
    return;
  }
  const { key, leftBehind } = upload;
  report({
    ...about,
    status: 'ok',
    detail: leftBehind
      ? `put s3://${bucket}/${key}; it stays there, because s3:DeleteObject is not allowed (and not needed)`
      : `put and removed an object in ${bucket}`,
  });
  report({ id: 'read_back', title: 'Read back', ...READ_BACK[upload.readBack] });
  const { parts, abort } = await probeParts(clients, bucket);
  if (!parts.ok) {
    reportFailure(report, { id: 'permission.s3:parts', title: 'Upload in parts' }, parts.failure, 'fail');
  }
  if (abort === null) return;
  const aborting = { id: 'permission.s3:AbortMultipartUpload', title: 's3:AbortMultipartUpload' };
  // Only removing the parts of a failed large upload needs it; a lifecycle rule of the bucket removes them too.
  reportProbe(report, aborting, abort, stack === null ? 'warn' : 'fail');
}

const READ_BACK: Record<ReadBack, { status: CheckStatus; detail: string; fix?: string }> = {
  same: { status: 'ok', detail: 'what was put is what is there' },
  confirmed: {
    status: 'ok',
    detail: 'S3 confirmed the digest of what arrived; reading it is not allowed, and not needed',
  },
  unconfirmed: {
    status: 'skip',
    detail: 'not checked: reading is not allowed (and not needed), and the service names no digest',
  },
  different: {
    status: 'fail',
    detail: 'what is there is not what was put',
    fix: 'Something between this machine and S3 changes what is sent: look at proxies and gateways.',
  },
};

async function checkSecrets(at: Checking): Promise<void> {
  const { clients, account, config, report } = at;
  const title = 'secretsmanager:GetSecretValue';
  const sources = await at.sources();
  reportProbe(report, { id: `permission.${title}`, title }, sources.secret, sourceStatus(config, sources));
  if (config.settings.aws.stack_permissions?.includes('script-secrets') !== true) return;
  const prefix = namesInAws.scriptSecrets(config.settings.aws.env);
  const scripts = await probeSecretsBelow(clients, prefix, placeOf(config, account).secret(`${prefix}*`));
  reportProbe(report, { id: 'permission.script-secrets', title: 'Secrets of scripts' }, scripts, 'fail');
}

async function checkParameters(at: Checking): Promise<void> {
  const { config, report } = at;
  const title = 'ssm:GetParametersByPath';
  const sources = await at.sources();
  reportProbe(
    report,
    { id: `permission.${title}`, title },
    sources.parameters,
    sourceStatus(config, sources),
  );
}

async function probeSources(clients: AwsClients, account: string, config: LoadedConfig): Promise<Sources> {
  const place = placeOf(config, account);
  const secret = namesInAws.secret(config.settings.aws.env);
  const path = namesInAws.parameterPath(config.settings.aws.env);
  const pathArn = place.parameter(path);
  return {
    secret: await probeSecret(clients, secret, place.secret(`${secret}-??????`)),
    parameters: await probeParameters(clients, path, `${pathArn.slice(0, -1)} and ${pathArn}*`),
  };
}

/**
 * What a denied source is worth. Only `setup` and following a changed key need the sources: with activity and
 * bucket known, a denial costs nothing today. A policy of the stack allows both, so there it was changed by hand;
 * with any other policy one of the two is enough.
 */
function sourceStatus({ settings }: LoadedConfig, { secret, parameters }: Sources): CheckStatus {
  const { activity_arn: arn, s3_bucket: bucket, stack_permissions: stack } = settings.aws;
  if (stack !== null) return 'fail';
  if (secret.ok || parameters.ok) return 'skip';
  return arn === null || bucket === null ? 'fail' : 'warn';
}

/** ARNs of what belongs to the environment. */
function placeOf({ settings }: LoadedConfig, account: string) {
  const { activity_arn: arn, region } = settings.aws;
  const { partition = 'aws', region: activityRegion } = (arn === null ? undefined : parseArn(arn)) ?? {};
  const place = `${region ?? activityRegion ?? '*'}:${account}`;
  return {
    secret: (name: string) => `arn:${partition}:secretsmanager:${place}:secret:${name}`,
    parameter: (path: string) => `arn:${partition}:ssm:${place}:parameter${path}`,
  };
}

function reportProbe(
  report: Report,
  about: { id: string; title: string },
  probe: Probe,
  whenFailed: CheckStatus,
): void {
  if (probe.ok) report({ ...about, status: 'ok', detail: 'allowed' });
  else reportFailure(report, about, probe.failure, whenFailed);
}

function reportFailure(
  report: Report,
  about: { id: string; title: string },
  failure: AwsFailure,
  status: CheckStatus,
  prefix = '',
): void {
  report({ ...about, status, detail: prefix + failure.message, fix: failure.fix });
}
