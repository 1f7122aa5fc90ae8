/** Labels of the settings, and the section of the screen that shows each. */
import type { SettingGroup, SettingKey } from '../../../../agent/config/schema.ts';

/** Settings that have a place of their own on the screen; all others are under "Advanced". */
export const PLACED = {
  recording: [
    'recording.default_level',
    'recording.max_level',
    'recording.level_by_env',
    'recording.level_by_agent',
    'recording.keep_level',
    'recording.keep_days',
    'recording.keep_gb',
  ],
  work: ['worker.concurrency', 'worker.name', 'worker.drain_deadline_seconds'],
  browser: ['browser.headless', 'browser.channel', 'browser.keep_warm'],
  machine: ['live.tcp_port', 'log.level'],
  aws: ['aws.env', 'aws.region', 'aws.profile', 'aws.activity_arn', 'aws.s3_bucket'],
} as const satisfies Record<string, readonly SettingKey[]>;

const placed: ReadonlySet<string> = new Set(Object.values(PLACED).flat());

export function isPlaced(key: string): boolean {
  return placed.has(key);
}

const NAMES: { [Key in SettingKey]?: string } = {
  'recording.default_level': 'Recording level',
  'recording.max_level': 'Most that may leave this machine',
  'recording.level_by_env': 'Level by environment',
  'recording.level_by_agent': 'Level by agent',
  'recording.keep_level': 'Kept on this machine',
  'recording.keep_days': 'Keep runs for (days)',
  'recording.keep_gb': 'Space for kept runs (GB)',
  'recording.level_override': 'Level that overrides all others',
  'recording.wait_for_uploads': 'Report a task only when its evidence is uploaded',
  'recording.mask_selectors': 'Elements to mask',
  'worker.concurrency': 'Tasks at a time',
  'worker.name': 'Name of this worker',
  'worker.heartbeat_seconds': 'Time between signs of life (seconds)',
  'worker.drain_deadline_seconds': 'Time to finish before stopping (seconds)',
  'browser.headless': 'Run without a window',
  'browser.channel': 'Browser',
  'browser.keep_warm': 'Keep a browser ready',
  'browser.executable_path': 'Path of the browser',
  'browser.args': 'Further arguments of the browser',
  'live.tcp_port': 'Port for VNC viewers',
  'log.level': 'How much is logged',
  'aws.env': 'Environment',
  'aws.region': 'Region',
  'aws.profile': 'AWS profile',
  'aws.activity_arn': 'Where tasks come from (activity ARN)',
  'aws.s3_bucket': 'Where evidence goes (bucket)',
  'aws.endpoint': 'Address of all AWS services',
  'api.host': 'Address of the local API',
  'api.port': 'Port of the local API',
  'sandbox.enabled': 'Work without AWS (sandbox)',
};

const GROUPS: Record<SettingGroup, string> = {
  aws: 'AWS',
  recording: 'Recording',
  worker: 'Tasks',
  browser: 'Browser',
  run: 'Limits of a run',
  script: 'What scripts may reach',
  api: 'Local API',
  live: 'Live view',
  log: 'Log',
  telemetry: 'Telemetry',
  sandbox: 'Sandbox',
};

/** e.g. `Tasks at a time`; for settings that have no name of their own made from the key. */
export function nameOf(key: string): string {
  const known = NAMES[key as SettingKey];
  if (known !== undefined) return known;
  const words = (key.split('.')[1] ?? key).replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function groupOf(key: string): string {
  const group = key.split('.')[0] ?? key;
  return GROUPS[group as SettingGroup] ?? group;
}

const DESCRIPTIONS: { [Key in SettingKey]?: string } = {
  'recording.max_level':
    'Nothing above this level is uploaded, whoever asks for it: a task, a script or the settings here.',
  'recording.level_by_env':
    'For runs of one environment, e.g. prod. Counts unless the task or the script says another level.',
  'recording.level_by_agent':
    'For tasks of one agent or state machine, by its name. Stronger than the level by environment.',
  'recording.keep_level': 'What this machine keeps of each run for its history, whatever is uploaded.',
  'recording.keep_days': 'After so many days the pictures and files of a run are removed from this machine.',
  'recording.keep_gb':
    'Above it the oldest are removed first, those that are uploaded already before the others.',
  'worker.concurrency':
    'How many tasks it works on side by side; each is a browser that takes memory. Two never run in one profile.',
  'worker.name': 'The name that AWS shows for this worker. Empty: the name of this computer.',
  'worker.drain_deadline_seconds':
    'When the agent is to stop, running tasks have so long to finish before they are cancelled.',
  'browser.headless': 'For runs whose script does not say whether they want a window.',
  'browser.channel':
    'Which installed browser is used: chrome, msedge, chrome-beta. Empty: the first that is found.',
  'browser.keep_warm': 'Runs without a profile then start at once; it takes memory all the time.',
  'live.tcp_port':
    'Where VNC programs on this computer can watch the newest run; 0: nowhere. The password is what the command “live” shows.',
  'log.level': 'For the log on this computer. More than “info” is for looking into a problem.',
};

/** For settings that stand on the page itself, in the words of an operator; others have the reference’s. */
export function descriptionOf(key: string): string | undefined {
  return DESCRIPTIONS[key as SettingKey];
}
