/**
 * Everything the agent needs, checked one by one, as data: what is wrong, and what to do. What belongs to
 * the browser is handed in, because configuration knows nothing of browsers.
 */
import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import { arch, freemem, platform, release, totalmem } from 'node:os';
import { systemClock, type Clock } from '../base/clock.ts';
import { LOW_DISK_BYTES } from '../base/disk.ts';
import { messageOf } from '../base/errors.ts';
import { isNodeNewEnough, LEAST_NODE } from '../base/least-node.ts';
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
import { AgentStateStore, LAST_POLL_KEY, lastPollSchema } from '../store/agent-state.ts';
import type { Database } from '../store/database.ts';
import { clientOptions } from './credentials.ts';
import type { LoadedConfig } from './load.ts';
import { formatConfigProblem } from './settings-file.ts';
import type { Vault } from './vault.ts';

export type CheckStatus = 'ok' | 'warn' | 'fail' | 'skip';

export interface Check {
  id: string;
  title: string;
  status: CheckStatus;
  detail: string;
  /** What to do; empty when nothing is. */
  fix: string;
}

/** A check of another part, e.g. of the browser. It may throw: that is a failed check. */
export interface ExtraCheck {
  id: string;
  title: string;
  run(): Promise<{ status: CheckStatus; detail: string; fix?: string }>;
}

/** `machine`: Node.js, memory, data directory, settings; `browser`: what the caller hands in; `aws`: the rest. */
export const CHECK_GROUPS = ['machine', 'browser', 'aws'] as const;
export type CheckGroup = (typeof CHECK_GROUPS)[number];

export interface DoctorOptions {
  config: LoadedConfig;
  env: NodeJS.ProcessEnv;
  vault: Vault;
  db?: Database;
  /** How AWS is reached; default: as the configuration says. */
  working?: Awaited<ReturnType<typeof clientOptions>>;
  /** Default: all. */
  groups?: readonly CheckGroup[];
  /** Browser, ffmpeg and what else the caller knows; they come after the machine, before AWS. */
  extra?: readonly ExtraCheck[];
  onCheck?: (check: Check) => void;
  clock?: Clock;
}

/** A browser with a few pages takes about this much. */
const MIN_MEMORY_BYTES = 1_000_000_000;

/** AWS refuses requests that are five minutes off; a clock that drifts is better seen before. */
const SKEW_WARN_MS = 60_000;
const SKEW_FAIL_MS = 240_000;

/** A poll takes a minute at the most, so a working agent has had an answer within this time. */
const LAST_POLL_FRESH_MS = 600_000;

type Report = (check: Omit<Check, 'fix'> & { fix?: string }) => void;

export async function doctor(options: DoctorOptions): Promise<Check[]> {
  const checks: Check[] = [];
  const report: Report = (check) => {
    checks.push({ ...check, fix: check.fix ?? '' });
    options.onCheck?.(checks.at(-1)!);
  };
  const wanted = new Set(options.groups ?? CHECK_GROUPS);
  if (wanted.has('machine')) {
    checkNode(report);
    checkMachine(report);
    await checkHome(options.config.home, report);
    checkSettings(options.config, report);
  }
  for (const extra of wanted.has('browser') ? (options.extra ?? []) : []) {
    const { id, title } = extra;
    try {
      report({ id, title, ...(await extra.run()) });
    } catch (thrown) {
      report({ id, title, status: 'fail', detail: messageOf(thrown) });
    }
  }
  if (!wanted.has('aws')) return checks;
  if (options.config.settings.sandbox.enabled && !options.working) {
    report({
      id: 'sandbox',
      title: 'Stand-in for AWS',
      status: 'skip',
      detail: 'not checked: it is inside the running agent (sandbox.enabled), and AWS is not used',
    });
  } else await checkAws(options, report);
  return checks;
}

function checkNode(report: Report): void {
  const { node } = process.versions;
  const isGood = isNodeNewEnough(node);
  report({
    id: 'node',
    title: 'Node.js',
    status: isGood ? 'ok' : 'fail',
    detail: node,
    fix: isGood ? '' : `Install Node.js ${LEAST_NODE} or later.`,
  });
}

function checkMachine(report: Report): void {
  const little = totalmem() < MIN_MEMORY_BYTES;
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  report({
    id: 'machine',
    title: 'Machine',
    status: little ? 'warn' : 'ok',
    detail: `${platform()} ${release()} ${arch()}, ${gb(freemem())} of ${gb(totalmem())} memory free`,
    fix: little ? 'A browser needs about 1 GB: use a machine with more memory.' : '',
  });
}

async function checkHome(home: string, report: Report): Promise<void> {
  const about = { id: 'home', title: 'Data directory' };
  try {
    await mkdir(home, { recursive: true });
    await access(home, constants.R_OK | constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(home);
    const freeBytes = bavail * bsize;
    const little = freeBytes < LOW_DISK_BYTES;
    report({
      ...about,
      status: little ? 'fail' : 'ok',
      detail: `${home}, ${(freeBytes / 1e9).toFixed(1)} GB free`,
      fix: little ? 'Free some disk space, or lower recording.keep_gb.' : '',
    });
  } catch (thrown) {
    const fix =
      'Give the user of the agent read and write permission there, or set LBA_HOME to another folder.';
    report({ ...about, status: 'fail', detail: messageOf(thrown), fix });
  }
}

function checkSettings(config: LoadedConfig, report: Report): void {
  const about = { id: 'settings', title: 'Settings' };
  if (config.problems.length === 0) report({ ...about, status: 'ok', detail: 'no problems' });
  for (const problem of config.problems) {
    report({
      ...about,
      status: problem.severity === 'error' ? 'fail' : 'warn',
      detail: formatConfigProblem(problem),
      fix: 'Correct it there; docs/configuration.md lists every setting.',
    });
  }
}

async function checkAws(options: DoctorOptions, report: Report): Promise<void> {
  const { config } = options;
  const { aws } = config.settings;
  const clock = options.clock ?? systemClock;
  let working: Awaited<ReturnType<typeof clientOptions>>;
  try {
    working = options.working ?? (await clientOptions(config, options.vault, options.env));
  } catch (thrown) {
    report({ id: 'identity', title: 'AWS identity', status: 'fail', detail: messageOf(thrown) });
    return;
  }
  const clients = createClients(working.options);
  try {
    const identity = await probeIdentity(clients, () => clock.now());
    const about = { id: 'identity', title: 'AWS identity' };
    if (identity.ok) report({ ...about, status: 'ok', detail: `${identity.arn} (${working.identity})` });
    else reportFailure(report, about, identity.failure, 'fail', `${working.identity}: `);
    checkClock(identity.skewMs, report);
    if (!identity.ok) {
      report({
        id: 'permissions',
        title: 'Permissions',
        status: 'skip',
        detail: 'not checked: AWS does not know this identity',
      });
      return;
    }
    await checkActivity(clients, identity.account, options, clock, report);
    if (config.settings.recording.max_level === 'NONE') {
      const detail = 'not checked: recording.max_level is NONE, so nothing is uploaded';
      report({ id: 'permission.s3:PutObject', title: 's3:PutObject', status: 'skip', detail });
    } else await checkBucket(clients, aws.s3_bucket, config, report);
    await checkSources(clients, identity.account, config, report);
  } finally {
    clients.destroy();
  }
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

async function checkActivity(
  clients: AwsClients,
  account: string,
  options: DoctorOptions,
  clock: Clock,
  report: Report,
): Promise<void> {
  const { activity_arn: arn, env } = options.config.settings.aws;
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

  await checkPoll(clients, arn, options, clock, report);
  for (const call of REPORT_CALLS) {
    const probe = await probeReport(clients, call, arn);
    reportProbe(report, { id: `permission.states:${call}`, title: `states:${call}` }, probe, 'fail');
  }
}

async function checkPoll(
  clients: AwsClients,
  activityArn: string,
  options: DoctorOptions,
  clock: Clock,
  report: Report,
): Promise<void> {
  const about = { id: 'permission.states:GetActivityTask', title: 'states:GetActivityTask' };
  const last = options.db && new AgentStateStore(options.db).get(LAST_POLL_KEY, lastPollSchema);
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
  const ofStack = options.config.settings.aws.stack_permissions !== null;
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

async function checkBucket(
  clients: AwsClients,
  bucket: string | null,
  config: LoadedConfig,
  report: Report,
): Promise<void> {
  const about = { id: 'permission.s3:PutObject', title: 's3:PutObject' };
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
  // Only sweeping up after a broken large upload needs it; a lifecycle rule of the bucket does too.
  reportProbe(report, aborting, abort, config.settings.aws.stack_permissions === null ? 'warn' : 'fail');
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

/**
 * Only `setup` and the following of changed keys need these: with activity and bucket known, a denial costs
 * nothing today. Where the stack made the policy, it is not the stack's any more.
 */
async function checkSources(
  clients: AwsClients,
  account: string,
  config: LoadedConfig,
  report: Report,
): Promise<void> {
  const { activity_arn: arn, s3_bucket: bucket, env, stack_permissions: stack, region } = config.settings.aws;
  const weight = stack !== null || arn === null || bucket === null ? 'fail' : 'warn';
  const { partition = 'aws', region: activityRegion } = (arn === null ? undefined : parseArn(arn)) ?? {};
  const place = `${region ?? activityRegion ?? '*'}:${account}`;
  const secretArn = (name: string) => `arn:${partition}:secretsmanager:${place}:secret:${name}`;
  const path = namesInAws.parameterPath(env);
  const pathArn = `arn:${partition}:ssm:${place}:parameter${path}`;
  const secretName = namesInAws.secret(env);
  const secret = await probeSecret(clients, secretName, secretArn(`${secretName}-??????`));
  const parameters = await probeParameters(clients, path, `${pathArn.slice(0, -1)} and ${pathArn}*`);
  // One of the two is enough, for all that is not the stack's.
  const either = stack === null && (secret.ok || parameters.ok) ? 'skip' : weight;
  const secretTitle = 'secretsmanager:GetSecretValue';
  reportProbe(report, { id: `permission.${secretTitle}`, title: secretTitle }, secret, either);
  const parametersTitle = 'ssm:GetParametersByPath';
  reportProbe(report, { id: `permission.${parametersTitle}`, title: parametersTitle }, parameters, either);
  if (stack?.includes('script-secrets') !== true) return;
  const prefix = namesInAws.scriptSecrets(env);
  const scripts = await probeSecretsBelow(clients, prefix, secretArn(`${prefix}*`));
  reportProbe(report, { id: 'permission.script-secrets', title: 'Secrets of scripts' }, scripts, 'fail');
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
