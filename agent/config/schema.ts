/**
 * Every setting: its type, its default and its purpose. `config show`, docs/configuration.md and the messages
 * about wrong values are derived from it (definitions.ts).
 */
import { z } from 'zod';
import { RECORDING_LEVELS } from '../base/words.ts';

export interface SettingMeta {
  /** One or two sentences for the person who sets it. */
  doc: string;
  /** What is allowed, in words, where the type does not say it all. */
  allowed?: string;
  /** Further environment variables, weaker than `LBA_…`, strongest first. */
  env?: readonly string[];
  /** May come from a parameter in AWS; never for what decides which program runs or what it may read. */
  fromAws?: boolean;
  /** Only the environment can set it. */
  envOnly?: boolean;
  /** What a value that cannot be read counts as; absent: as not set. For limits, which must not fall open. */
  whenInvalid?: unknown;
  /** When a change reaches a running agent; default: that of its group (definitions.ts). */
  applies?: Applies;
  /** Its value is a credential: never shown, logged, or kept anywhere but where it was set. */
  secret?: boolean;
  /** Decides which program runs or which file is read: through the API only the owner sets it. */
  ownerOnly?: boolean;
}

/** When a changed setting counts: at once, for runs that start after it, or when the agent starts again. */
export const APPLIES = ['now', 'next run', 'restart'] as const;
export type Applies = (typeof APPLIES)[number];

export const settingDocs = z.registry<SettingMeta>();

/** Longest wait a timer can hold (2^31 − 1 ms, about 24 days). */
const MAX_TIMER_MS = 2_147_483_647;

const level = z.enum(RECORDING_LEVELS);
/** A new one each time: the registry knows a setting by its schema object. */
const text = () => z.string().min(1).nullable().default(null);
const timeMs = z.int().min(1).max(MAX_TIMER_MS);

/** `work`: always. The others as the stack's parameters decide. */
export const STACK_PERMISSIONS = ['work', 'uploads', 'script-secrets'] as const;

const aws = z.strictObject({
  env: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)
    .default('dev')
    .register(settingDocs, {
      doc: 'Name of the environment; every name in AWS is made from it.',
      allowed: 'letters, digits, `-` and `_`, up to 63',
      env: ['BROWSER_AGENT_ENV'],
    }),
  region: text().register(settingDocs, {
    doc: 'AWS region. When it is not set: the region of the activity ARN, then that of the AWS profile.',
    env: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
    fromAws: true,
  }),
  profile: text().register(settingDocs, {
    doc: 'Profile of the shared AWS configuration files (`~/.aws`), SSO profiles included. When it is not set: the credentials that `setup` stored, then the SDK’s own search.',
    env: ['AWS_PROFILE'],
  }),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null)
    .register(settingDocs, {
      doc: 'One endpoint for all AWS services, for compatible services and the sandbox. Variables for one service, such as `AWS_ENDPOINT_URL_S3`, win for that service.',
      allowed: 'an http or https URL',
      env: ['AWS_ENDPOINT_URL'],
    }),
  activity_arn: z
    .string()
    .regex(/^arn:[^:]+:states:[^:]+:[^:]+:activity:\S+$/)
    .nullable()
    .default(null)
    .register(settingDocs, {
      doc: 'The Step Functions activity that this agent works for.',
      allowed: 'an ARN `arn:aws:states:REGION:ACCOUNT:activity:NAME`',
      env: ['ACTIVITY_ARN'],
      fromAws: true,
    }),
  s3_bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)
    .nullable()
    .default(null)
    .register(settingDocs, {
      doc: 'The bucket that evidence is uploaded to.',
      allowed: 'a bucket name, without `s3://` and without a path',
      env: ['S3_BUCKET'],
      fromAws: true,
    }),
  key_check_hours: z.number().min(0).max(720).default(6).register(settingDocs, {
    doc: 'How often a running agent looks whether the access key in the environment’s secret was changed, in hours, and goes on with the new one; 0: never. Only for keys that `setup` took out of the secret.',
    fromAws: true,
  }),
  stack_permissions: z.array(z.enum(STACK_PERMISSIONS)).nullable().default(null).register(settingDocs, {
    doc: 'What the policy of the stack allows agents, written down by the stack itself: `doctor` then holds the identity to it, to the last permission. When it is not set: the policy is taken to be made by hand, and what work does not need may be missing.',
    fromAws: true,
  }),
});

const recording = z.strictObject({
  level_override: level
    .nullable()
    .default(null)
    .register(settingDocs, {
      doc: 'Wins over the level of task, script and settings; only `recording.max_level` is stronger. A value that cannot be read counts as NONE.',
      env: ['RECORDING_LEVEL_OVERRIDE'],
      envOnly: true,
      applies: 'restart',
      whenInvalid: 'NONE',
    }),
  default_level: level.default('INFO').register(settingDocs, {
    doc: 'Level of runs for which neither task nor script nor the two settings below say one.',
    fromAws: true,
  }),
  level_by_agent: z
    .record(z.string(), level)
    .default({})
    .register(settingDocs, {
      doc: 'Level by the name of the agent or state machine that asks.',
      allowed: `names with one of ${RECORDING_LEVELS.join(', ')} each`,
    }),
  level_by_env: z
    .record(z.string(), level)
    .default({})
    .register(settingDocs, {
      doc: 'Level by environment.',
      allowed: `names with one of ${RECORDING_LEVELS.join(', ')} each`,
    }),
  max_level: level.default('TRACE').register(settingDocs, {
    doc: 'The owner’s cap: nothing above it is uploaded, whoever asks. A value that cannot be read counts as NONE.',
    fromAws: true,
    whenInvalid: 'NONE',
  }),
  keep_level: level.default('INFO').register(settingDocs, {
    doc: 'What is kept on this machine for the history, whatever is uploaded.',
  }),
  keep_days: z.number().min(0).max(3_650).default(30).register(settingDocs, {
    doc: 'Days after which kept runs are removed.',
    applies: 'now',
  }),
  keep_gb: z.number().min(0).max(10_000).default(5).register(settingDocs, {
    doc: 'Size that kept runs may take together, in GB. Above it the oldest of those that are in S3 as well are removed first, then of those that succeeded, then of the others; never what is still on its way to S3.',
    applies: 'now',
  }),
  wait_for_uploads: z.boolean().default(false).register(settingDocs, {
    doc: 'Whether a task is reported only when its evidence is in S3 (waiting two minutes at the most); otherwise its result names what is pending.',
    fromAws: true,
  }),
  mask_selectors: z.array(z.string().min(1)).default([]).register(settingDocs, {
    doc: 'CSS selectors of elements that are masked in every screenshot, page, trace and video.',
    fromAws: true,
  }),
});

const worker = z.strictObject({
  name: z.string().min(1).max(80).nullable().default(null).register(settingDocs, {
    doc: 'Name that Step Functions shows for this worker. When it is not set: the name of the machine.',
  }),
  concurrency: z.int().min(1).max(16).default(1).register(settingDocs, {
    doc: 'Tasks at a time. Two never run in one profile: the second waits.',
    fromAws: true,
  }),
  heartbeat_seconds: z.number().min(1).max(3_600).default(20).register(settingDocs, {
    doc: 'Time between heartbeats. Keep it below half of `HeartbeatSeconds` in the state machine.',
    fromAws: true,
  }),
  drain_deadline_seconds: z.number().min(0).max(86_400).default(600).register(settingDocs, {
    doc: 'How long `drain` and SIGTERM wait for running tasks before they are cancelled.',
  }),
});

const browser = z.strictObject({
  channel: text().register(settingDocs, {
    doc: 'Which installed browser to use, as Playwright names it: `chrome`, `msedge`, `chrome-beta`… When it is not set: Chrome, Edge, Playwright’s Chromium, the system’s Chromium, whichever is there first.',
  }),
  executable_path: text().register(settingDocs, {
    doc: 'Path of a Chromium-based browser; wins over `browser.channel`.',
    ownerOnly: true,
  }),
  headless: z.boolean().default(true).register(settingDocs, {
    doc: 'Whether runs go without a window when script and command line do not say.',
    applies: 'next run',
  }),
  keep_warm: z.boolean().default(true).register(settingDocs, {
    doc: 'Whether one headless browser stays open between runs without a profile: they start at once, and it takes memory.',
  }),
  download_url: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null)
    .register(settingDocs, {
      doc: 'Where a browser is fetched from when the setup is asked to: a mirror of Chrome for Testing, in closed networks. When it is not set: Google’s own place.',
      allowed: 'an http or https URL',
      applies: 'now',
      ownerOnly: true,
    }),
  args: z.array(z.string().min(1)).default([]).register(settingDocs, {
    doc: 'Further command-line arguments for the browser.',
    ownerOnly: true,
  }),
  // 4,000 MB is what the ZIP format in a profile file can hold.
  max_profile_mb: z.int().min(10).max(4_000).default(2_000).register(settingDocs, {
    doc: 'Maximum size of a profile file, and of the data in it, when a profile is exported or imported, in MB. Importing needs up to three times as much space on disk for a moment.',
    applies: 'now',
  }),
});

const run = z.strictObject({
  default_timeout_ms: timeMs.default(1_800_000).register(settingDocs, {
    doc: 'Time for a whole run whose script sets no `timeout`, in milliseconds.',
    fromAws: true,
  }),
  default_step_timeout_ms: timeMs.default(30_000).register(settingDocs, {
    doc: 'Time for a step that sets no `timeout`, in milliseconds.',
    fromAws: true,
  }),
  max_steps: z.int().min(1).max(1_000_000).nullable().default(null).register(settingDocs, {
    doc: 'Steps that one run may execute. Where it is not set: what the script’s own `limits` say, or 1,000; where it is, a script can lower it and never raise it.',
    fromAws: true,
  }),
  max_visits: z.int().min(1).max(1_000_000).nullable().default(null).register(settingDocs, {
    doc: 'Times that one step may be visited by `goto` and `next`. Where it is not set: what the script’s own `limits` say, or 10; where it is, a script can lower it and never raise it.',
    fromAws: true,
  }),
  max_pause_seconds: z.int().min(1).max(604_800).default(3_600).register(settingDocs, {
    doc: 'How long a run may stand still at a stretch because somebody paused it or took it over, in seconds; then it fails with `BrowserAgent.HumanTimeout`.',
    fromAws: true,
    applies: 'next run',
  }),
});

const script = z.strictObject({
  allowed_env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/))
    .default([])
    .register(settingDocs, {
      doc: 'Environment variables that scripts may read with `{{env.NAME}}`.',
      ownerOnly: true,
      allowed: 'a list of variable names',
    }),
  allowed_domains: z.array(z.string().min(1)).nullable().default(null).register(settingDocs, {
    doc: 'Domains that scripts may visit, whatever their own policy says; subdomains with `*.example.com`. When it is not set: all.',
  }),
});

const log = z.strictObject({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .register(settingDocs, { doc: 'How much the agent logs.' }),
  file: z.boolean().default(true).register(settingDocs, {
    doc: 'Whether `run` writes its log, beside standard error, to `logs/agent.log` in the data directory.',
  }),
  max_size_mb: z.number().min(0.1).max(10_000).default(10).register(settingDocs, {
    doc: 'Size at which that file is put aside as `agent.log.1` and a new one begun, in MB.',
  }),
  max_files: z.int().min(2).max(1_000).default(5).register(settingDocs, {
    doc: 'Log files that are kept, the current one included; the oldest is removed.',
  }),
});

const perMinute = z.int().min(1).max(1_000_000);
const streams = z.int().min(0).max(1_000);
const perDay = z.int().min(1).max(1_000_000_000);
const sessions = z.int().min(0).max(1_000);

const api = z.strictObject({
  enabled: z.boolean().default(true).register(settingDocs, {
    doc: 'Whether the agent answers on its local API.',
  }),
  host: z.string().min(1).max(255).default('127.0.0.1').register(settingDocs, {
    doc: 'Address that the local API listens on. Anything that is not this machine alone needs `api.tls_cert_file`.',
  }),
  port: z.int().min(0).max(65_535).default(4_590).register(settingDocs, {
    doc: 'Port of the local API; 0 picks a free one. When the default is taken, a free one is picked; when a port that was set here is taken, the agent does not start. `api.json` in the data directory has the address.',
  }),
  allowed_origins: z
    .array(z.url({ protocol: /^https?$/ }))
    .default([])
    .register(settingDocs, {
      doc: 'Origins of web pages that may use the API, beside its own; each also counts as a name for this machine in `Host`.',
      allowed: 'a list of origins such as `https://tools.example.com`',
    }),
  tls_cert_file: text().register(settingDocs, {
    doc: 'Certificate chain of the API (PEM), for https.',
    ownerOnly: true,
  }),
  tls_key_file: text().register(settingDocs, {
    doc: 'Private key of that certificate (PEM).',
    ownerOnly: true,
  }),
  basic_per_minute: perMinute.default(60).register(settingDocs, {
    doc: 'Requests that a key of the tier basic may make in a minute.',
    applies: 'now',
  }),
  basic_per_day: perDay.default(1_000).register(settingDocs, {
    doc: 'Requests that a key of the tier basic may make in a day (UTC).',
    applies: 'now',
  }),
  standard_per_minute: perMinute.default(300).register(settingDocs, {
    doc: 'Requests that a key of the tier standard may make in a minute.',
    applies: 'now',
  }),
  standard_per_day: perDay.default(10_000).register(settingDocs, {
    doc: 'Requests that a key of the tier standard may make in a day (UTC).',
    applies: 'now',
  }),
  premium_per_minute: perMinute.default(1_500).register(settingDocs, {
    doc: 'Requests that a key of the tier premium may make in a minute.',
    applies: 'now',
  }),
  premium_per_day: perDay.default(100_000).register(settingDocs, {
    doc: 'Requests that a key of the tier premium may make in a day (UTC).',
    applies: 'now',
  }),
  basic_streams: streams.default(10).register(settingDocs, {
    doc: 'Streams of events that a key of the tier basic may have open at a time.',
    applies: 'now',
  }),
  standard_streams: streams.default(50).register(settingDocs, {
    doc: 'Streams of events that a key of the tier standard may have open at a time.',
    applies: 'now',
  }),
  premium_streams: streams.default(500).register(settingDocs, {
    doc: 'Streams of events that a key of the tier premium may have open at a time.',
    applies: 'now',
  }),
  event_rows: z.int().min(100).max(100_000).default(10_000).register(settingDocs, {
    doc: 'About how many events the history keeps; the oldest go first.',
    applies: 'now',
  }),
  event_days: z.number().min(0).max(3_650).default(7).register(settingDocs, {
    doc: 'Days after which events are removed from the history.',
    applies: 'now',
  }),
  max_runs: z.int().min(1).max(1_000).default(4).register(settingDocs, {
    doc: 'Runs of the API at a time, beside those of tasks and sessions; each is a browser that takes memory.',
    applies: 'now',
  }),
  basic_sessions: sessions.default(1).register(settingDocs, {
    doc: 'Sessions that a key of the tier basic may have open at a time.',
    applies: 'now',
  }),
  standard_sessions: sessions.default(3).register(settingDocs, {
    doc: 'Sessions that a key of the tier standard may have open at a time.',
    applies: 'now',
  }),
  premium_sessions: sessions.default(10).register(settingDocs, {
    doc: 'Sessions that a key of the tier premium may have open at a time.',
    applies: 'now',
  }),
  max_sessions: sessions.default(16).register(settingDocs, {
    doc: 'Sessions that may be open on this machine at a time, whoever opened them, the owner too.',
    applies: 'now',
  }),
  session_idle_seconds: z.int().min(1).max(86_400).default(600).register(settingDocs, {
    doc: 'How long a session stays open with nothing to do when it names no `idle_timeout_seconds`.',
    applies: 'now',
  }),
  live_ticket_seconds: z.int().min(1).max(3_600).default(60).register(settingDocs, {
    doc: 'How long a ticket of the live view can be used, in seconds.',
    applies: 'now',
  }),
});

const live = z.strictObject({
  tcp_port: z.int().min(0).max(65_535).default(0).register(settingDocs, {
    doc: 'Port on 127.0.0.1 where ordinary VNC clients watch the newest run; 0: none. They need the password that `local-browser-agent live` shows, a new one at each start.',
  }),
});

const telemetry = z.strictObject({
  otlp_endpoint: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null)
    .register(settingDocs, {
      doc: 'OpenTelemetry collector that traces and metrics are sent to, over OTLP/HTTP (JSON): `/v1/traces` and `/v1/metrics` are added. When it is not set, nothing is sent and nothing is loaded.',
      env: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    }),
  otlp_headers: z
    .string()
    .min(1)
    .max(4_096)
    .nullable()
    .default(null)
    .register(settingDocs, {
      doc: 'Headers for that collector, as `name=value,name=value` (values percent-encoded where needed). `{{secret:NAME}}` in a value is replaced by what `config secret NAME` stored, so that no credential stands in a file of settings.',
      allowed: 'a text of up to 4096 characters; never shown',
      env: ['OTEL_EXPORTER_OTLP_HEADERS'],
      secret: true,
    }),
  metrics_seconds: z.number().min(1).max(86_400).default(60).register(settingDocs, {
    doc: 'Time between two exports of the metrics.',
  }),
});

const sandbox = z.strictObject({
  enabled: z.boolean().default(false).register(settingDocs, {
    doc: 'Whether the agent works on a stand-in for AWS that it starts inside itself, to try it without an AWS account. Nothing then goes to AWS or comes from it. What is in the stand-in (uploaded evidence, executions) is gone when the agent stops or restarts; the history on this machine stays.',
  }),
});

export const settingsSchema = z.strictObject({
  aws,
  recording,
  worker,
  browser,
  run,
  script,
  api,
  live,
  log,
  telemetry,
  sandbox,
});

export type Settings = z.infer<typeof settingsSchema>;
export type SettingGroup = keyof Settings;
/** e.g. `recording.max_level`. */
export type SettingKey = {
  [Group in SettingGroup]: `${Group}.${keyof Settings[Group] & string}`;
}[SettingGroup];
