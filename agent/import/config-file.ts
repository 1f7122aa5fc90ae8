/** The earlier program's `config.yaml`: each key becomes a setting, a profile, or a word about why not. */
import { isMap, isScalar, LineCounter, parseDocument, type Node } from 'yaml';
import { readSetting, showable } from '../config/load.ts';
import { nearest } from '../config/settings-file.ts';
import type { Finding, ImportItem, ImportStatus, MeaningChange, Place } from './report.ts';

export interface ConfigContext {
  platform: NodeJS.Platform;
  /** A setting as it is here, and where from; `default` when nobody set it. */
  current: (key: string) => { value: unknown; source: string };
  set: (key: string, value: unknown) => void;
  /** Profiles of the shared AWS configuration files (`~/.aws`). */
  awsProfiles: readonly string[];
  /** What this import takes: of two files the first counts, in a dry run too. Filled while files are read. */
  planned: Map<string, unknown>;
}

export interface EarlierConfig {
  findings: Finding[];
  /** The browser profile that its runs worked in, unless they named another. */
  userDataDir?: { dir: string; place: Place };
}

/** A value as its setting here takes it, with what changes by that. */
interface Translated {
  value: unknown;
  changes?: MeaningChange[];
}

interface Rule {
  key: string;
  translate?: (value: unknown, context: ConfigContext) => Translated;
}

const RULES: Readonly<Record<string, Rule>> = {
  activity_arn: { key: 'aws.activity_arn' },
  aws_profile: {
    key: 'aws.profile',
    translate: (value) => ({
      value,
      changes: [
        {
          was: 'AWS_ACCESS_KEY_ID in the environment won over the profile',
          now: 'the profile wins; remove aws.profile from settings.yaml to work with keys of the environment',
        },
      ],
    }),
  },
  aws_region: { key: 'aws.region' },
  s3_bucket: { key: 'aws.s3_bucket', translate: renamedBucket },
  headless: { key: 'browser.headless' },
  heartbeat_interval: { key: 'worker.heartbeat_seconds' },
  browser_channel: { key: 'browser.channel', translate: channel },
};

const NO_MODEL =
  'no model is connected here, so steps that need one fail when they are reached. Nothing is taken over.';
const NO_KEY =
  'no model is connected here, so the key is not taken over and not shown. Withdraw it where nothing else uses it.';

/** Keys with nothing here that does the same. */
const NOT_NEEDED: Readonly<Record<string, string>> = {
  ui_port:
    'the window needs no port of its own. The local API, which the earlier program did not have, has the setting api.port.',
  browser_engine: NO_MODEL,
  nova_act_api_key: NO_KEY,
  openai_api_key: NO_KEY,
  openai_model: NO_MODEL,
  enable_replanning: NO_MODEL,
  max_replans: NO_MODEL,
};

/** What to know about a value once it is here. */
const ADVICE: Readonly<Record<string, string>> = {
  'worker.heartbeat_seconds': ' Keep it below half of HeartbeatSeconds in the state machine.',
};

/** The earlier program showed the browser unless told otherwise; here it stays hidden unless told. */
const HEADLESS_THERE = false;

export function readEarlierConfig(file: string, text: string, context: ConfigContext): EarlierConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (node: unknown): Place => {
    const { line, col } = lines.linePos((node as Node | null)?.range?.[0] ?? 0);
    return { file, line, column: col };
  };
  if (document.errors.length > 0 || !isMap(document.contents)) {
    const error = document.errors[0];
    const { line, col } = lines.linePos(error?.pos[0] ?? 0);
    const message = `${error ? `not YAML: ${error.message}` : 'not a list of settings (key: value)'}. Nothing in it was taken over; mend it and import again.`;
    const item = settingItem('config.yaml', { file, line, column: col }, 'failed', message);
    return { findings: [{ item: { ...item, kind: 'file' } }] };
  }
  const config: EarlierConfig = { findings: [] };
  const seen = new Set<string>();
  for (const { key: keyNode, value: valueNode } of document.contents.items) {
    const key = String(isScalar(keyNode) ? keyNode.value : keyNode);
    const value: unknown = (valueNode as Node | null)?.toJS(document) ?? null;
    const place = at(keyNode);
    seen.add(key);
    if (key === 'user_data_dir') {
      if (typeof value === 'string' && value !== '') config.userDataDir = { dir: value, place };
    } else if (key in NOT_NEEDED) {
      if (value !== null && value !== '') {
        config.findings.push({ item: settingItem(key, place, 'not_needed', NOT_NEEDED[key]!) });
      }
    } else if (RULES[key]) {
      config.findings.push(...settingsOf(key, value, place, context));
    } else {
      config.findings.push({ item: unknownKey(key, place) });
    }
  }
  if (!seen.has('headless') && [...seen].some((key) => RULES[key])) {
    config.findings.push(...settingsOf('headless', HEADLESS_THERE, { file }, context));
  }
  return config;
}

function settingsOf(what: string, value: unknown, place: Place, context: ConfigContext): Finding[] {
  const rule = RULES[what]!;
  if (value === '' || (value === null && what !== 'browser_channel')) return [];
  if (what === 'aws_profile' && !context.awsProfiles.includes(String(value)))
    return [{ item: noSuchAwsProfile(String(value), place) }];
  const translated = rule.translate?.(value, context) ?? { value };
  if (translated.value === null) return [];
  const finding = settingFinding(what, rule.key, translated, place, context);
  if (what !== 'activity_arn') return [finding];
  // With another environment, what was fetched for the one here would count no more.
  if (finding.item.status === 'failed' || finding.item.status === 'kept') return [finding];
  // Every name in AWS is made from the environment, which the earlier program had only in its names.
  const env = /:activity:browser-remote-([A-Za-z0-9][A-Za-z0-9_-]{0,62})$/.exec(String(value))?.[1];
  if (env === undefined) return [finding];
  return [
    finding,
    settingFinding('activity_arn (its environment)', 'aws.env', { value: env }, place, context),
  ];
}

function settingFinding(
  what: string,
  key: string,
  { value, changes = [] }: Translated,
  place: Place,
  context: ConfigContext,
): Finding {
  const item = (status: ImportStatus, message: string): ImportItem => ({
    ...settingItem(what, place, status, message),
    as: key,
  });
  const read = readSetting(key, value);
  if (!read.ok) {
    return { item: item('failed', `${read.message}. Correct it and import again.`) };
  }
  const shown = JSON.stringify(showable(key, read.value));
  const current = context.planned.has(key)
    ? { value: context.planned.get(key), source: 'from the config.yaml before this one' }
    : context.current(key);
  if (isSame(current.value, read.value)) {
    return { item: item('same', `${key} is ${shown} already (${current.source}).`) };
  }
  if (current.source !== 'default') {
    const message = `${key} is ${JSON.stringify(showable(key, current.value))} here (${current.source}) and stays so. To take the earlier value: config set ${key} ${shown}`;
    return { item: item('kept', message) };
  }
  context.planned.set(key, read.value);
  return {
    item: { ...item('taken', `${key} = ${shown}.${ADVICE[key] ?? ''}`), changes },
    take: {
      action: 'settings.change',
      target: `setting/${key}`,
      details: { value: shown, imported_from: place.file },
      work: () => context.set(key, read.value),
    },
  };
}

/** It named one always, and worked with keys of the environment all the same. */
function noSuchAwsProfile(name: string, place: Place): ImportItem {
  const message = `there is no AWS profile "${name}" on this machine, so the earlier program worked with keys of its environment (AWS_ACCESS_KEY_ID). They are used here too, where they are set when the agent starts; or fetch what the agent needs: setup --env E. Once there is the profile: config set aws.profile ${JSON.stringify(name)}`;
  return settingItem('aws_profile', place, 'by_hand', message);
}

/** The earlier program itself read buckets of its first naming as those of the second. */
function renamedBucket(value: unknown): Translated {
  const account = /^nova-act-browser-results.*-(\d+)$/.exec(String(value))?.[1];
  if (account === undefined) return { value };
  const bucket = `browser-agent-recordings-prod-${account}`;
  return {
    value: bucket,
    changes: [
      {
        was: `${String(value)} was read as ${bucket}`,
        now: `${bucket} is written down; check that it is there`,
      },
    ],
  };
}

/** The earlier program corrected the channel by platform whenever it started; profiles belong to that browser. */
function channel(value: unknown, { platform }: ConfigContext): Translated {
  const windows = platform === 'win32';
  if (windows && (value === null || value === 'chrome' || value === 'chromium')) {
    const was = `${value ?? 'no channel'} on Windows meant Edge, and profiles were made by Edge`;
    return { value: 'msedge', changes: [{ was, now: 'msedge is written down' }] };
  }
  if (!windows && value === 'msedge') {
    const was = 'msedge on macOS and Linux meant Chrome, and profiles were made by Chrome';
    return {
      value: 'chrome',
      changes: [{ was, now: 'chrome is written down; a channel is never replaced here' }],
    };
  }
  return { value };
}

function unknownKey(key: string, place: Place): ImportItem {
  const near = nearest(key, [...Object.keys(RULES), 'user_data_dir', ...Object.keys(NOT_NEEDED)]);
  const hint = near ? ` Did you mean ${near}? Correct it and import again.` : '';
  return settingItem(
    key,
    place,
    'by_hand',
    `the earlier program had no such key, so it did nothing.${hint} If it was meant for something, look for a setting in docs/configuration.md.`,
  );
}

function settingItem(what: string, from: Place, status: ImportStatus, message: string): ImportItem {
  return { kind: 'setting', what, from, as: null, status, message, changes: [] };
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
