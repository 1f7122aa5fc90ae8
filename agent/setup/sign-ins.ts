/** The ways to sign in to AWS that this machine has, in plain words. Nothing here reads, shows or keeps a key. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { vaultName } from '../config/credentials.ts';
import type { Vault } from '../config/vault.ts';

export const SIGN_IN_KINDS = ['profile', 'environment', 'instance', 'stored', 'sandbox'] as const;

/** How a profile gets its credentials. */
export const PROFILE_SOURCES = [
  'sso',
  'keys',
  'role',
  'process',
  'web_identity',
  'login',
  'unknown',
] as const;
type ProfileSource = (typeof PROFILE_SOURCES)[number];

export interface FoundSignIn {
  kind: (typeof SIGN_IN_KINDS)[number];
  /** Of the profile, or of the environment whose keys are stored. */
  name: string | null;
  /** Of profiles alone. */
  source: ProfileSource | null;
  region: string | null;
  ssoSession: string | null;
  /** For a person who has never heard of any of it. */
  words: string;
  /** As far as one can tell without asking AWS. */
  usable: boolean;
  /** What is missing, when it is not usable or a person must do something first; else empty. */
  fix: string;
}

export interface SignInOptions {
  env: NodeJS.ProcessEnv;
  vault: Vault;
  /** The environment whose stored keys would be used. */
  environment: string;
  /** Ask the metadata service too: a second, where there is none. */
  probeInstance: boolean;
}

/** The metadata service is on this machine or it is not there, in milliseconds. */
const INSTANCE_TIMEOUT_MS = 1_000;

/** In the order in which a person would try them. */
export async function findSignIns(options: SignInOptions): Promise<{
  items: FoundSignIn[];
  /** What of the shared files could not be read. */
  problems: string[];
}> {
  const problems: string[] = [];
  const profiles = await fromProfiles(options.env, problems);
  const instance = options.probeInstance ? [await fromInstance()] : [];
  const found = [...fromEnvironment(options.env), ...profiles, ...(await fromVault(options)), ...instance];
  return { items: [...found, SANDBOX], problems };
}

const NONE = { name: null, source: null, region: null, ssoSession: null } as const;

const SANDBOX: FoundSignIn = {
  ...NONE,
  kind: 'sandbox',
  words: 'Try it without AWS: on a stand-in inside this program. Nothing leaves this machine.',
  usable: true,
  fix: '',
};

function fromEnvironment(env: NodeJS.ProcessEnv): FoundSignIn[] {
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? null;
  const about = { ...NONE, kind: 'environment' as const, region };
  if (env['AWS_ACCESS_KEY_ID']) {
    const usable = Boolean(env['AWS_SECRET_ACCESS_KEY']);
    return [
      {
        ...about,
        words: 'An access key in the environment of this program (AWS_ACCESS_KEY_ID).',
        usable,
        fix: usable
          ? ''
          : 'AWS_SECRET_ACCESS_KEY is missing: set it too, then start the program again from there.',
      },
    ];
  }
  if (env['AWS_WEB_IDENTITY_TOKEN_FILE']) {
    const words = 'A role given to this program by its surroundings (AWS_WEB_IDENTITY_TOKEN_FILE).';
    return [{ ...about, words, usable: true, fix: '' }];
  }
  if (env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] || env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']) {
    return [
      { ...about, words: 'The role of the container that this program runs in.', usable: true, fix: '' },
    ];
  }
  return [];
}

type Section = Partial<Record<string, string>>;

async function fromProfiles(env: NodeJS.ProcessEnv, problems: string[]): Promise<FoundSignIn[]> {
  try {
    // The SDK's own reader of ~/.aws, so that what is listed is what it will find.
    const { loadSharedConfigFiles } = await import('@smithy/core/config');
    const folder = join(env['HOME'] || env['USERPROFILE'] || homedir(), '.aws');
    const { configFile, credentialsFile } = await loadSharedConfigFiles({
      ignoreCache: true,
      configFilepath: env['AWS_CONFIG_FILE'] || join(folder, 'config'),
      filepath: env['AWS_SHARED_CREDENTIALS_FILE'] || join(folder, 'credentials'),
    });
    const sessions = Object.entries(configFile).filter(([name]) => name.startsWith(SESSION_PREFIX));
    const bySession = new Map<string, Section>(
      sessions.map(([name, section]) => [name.slice(SESSION_PREFIX.length), section]),
    );
    const names = new Set([...Object.keys(credentialsFile), ...Object.keys(configFile)]);
    return [...names]
      .filter((name) => !OTHER_SECTIONS.some((prefix) => name.startsWith(prefix)))
      .map((name) => profile(name, { ...configFile[name], ...credentialsFile[name] }, bySession))
      .filter((found) => found !== null);
  } catch (thrown) {
    problems.push(`The AWS profiles of this machine (~/.aws) cannot be read: ${messageOf(thrown)}`);
    return [];
  }
}

/** How the SDK's reader names sections that are no profiles. */
const SESSION_PREFIX = 'sso-session.';
const OTHER_SECTIONS = [SESSION_PREFIX, 'services.'];

/** Null: it says nothing of credentials, so nobody can sign in with it. */
function profile(name: string, section: Section, sessions: ReadonlyMap<string, Section>): FoundSignIn | null {
  const source = sourceOf(section);
  if (source === null) return null;
  const sessionName = section['sso_session'] ?? null;
  const session = sessionName === null ? undefined : sessions.get(sessionName);
  const region = section['region'] ?? null;
  const about = { kind: 'profile' as const, name, source, region, ssoSession: sessionName };
  switch (source) {
    case 'sso': {
      const lost = sessionName !== null && session === undefined;
      const account = section['sso_account_id'];
      const role = section['sso_role_name'];
      return {
        ...about,
        words: `Single sign-on${account ? `, account ${account}` : ''}${role ? ` as ${role}` : ''}: you sign in in the browser, for some hours.`,
        usable: !lost,
        fix: lost
          ? `The file names the session "${sessionName}", which is not in it: run "aws configure sso --profile ${name}".`
          : `When it says that the sign-in has expired: run "aws sso login --profile ${name}".`,
      };
    }
    case 'login':
      return {
        ...about,
        words: 'Signed in to the AWS console in the browser, for some hours.',
        usable: true,
        fix: `When it says that the sign-in has expired: run "aws login --profile ${name}".`,
      };
    case 'role': {
      const from = section['source_profile'] ?? section['credential_source'];
      const role = section['role_arn']?.split('/').at(-1) ?? '';
      return {
        ...about,
        words: `Acts as the role ${role}, reached through ${from ?? 'nothing'}.`,
        usable: from !== undefined,
        fix: from === undefined ? 'The profile names no source_profile: add one.' : '',
      };
    }
    case 'web_identity':
      return { ...about, words: 'A role, reached with a token file.', usable: true, fix: '' };
    case 'process':
      return { ...about, words: 'Asks a program on this machine for keys.', usable: true, fix: '' };
    case 'keys': {
      const usable = Boolean(section['aws_secret_access_key']);
      return {
        ...about,
        words: 'An access key that is stored on this machine.',
        usable,
        fix: usable ? '' : 'Only half of the key is there: run "aws configure" for this profile.',
      };
    }
    case 'unknown':
    default:
      return { ...about, words: 'An AWS profile of this machine.', usable: true, fix: '' };
  }
}

function sourceOf(section: Section): ProfileSource | null {
  if (section['role_arn']) return section['web_identity_token_file'] ? 'web_identity' : 'role';
  if (section['sso_session'] ?? section['sso_start_url']) return 'sso';
  if (section['aws_access_key_id']) return 'keys';
  if (section['credential_process']) return 'process';
  if (section['login_session']) return 'login';
  return Object.keys(section).some((key) => /credential/.test(key)) ? 'unknown' : null;
}

async function fromVault({ vault, environment }: SignInOptions): Promise<FoundSignIn[]> {
  if ((await vault.get(vaultName(environment))) === undefined) return [];
  return [
    {
      ...NONE,
      kind: 'stored',
      name: environment,
      words: `Keys that an earlier setup fetched for the environment "${environment}", kept in ${vault.protection}. They are for work; the configuration is fetched with another way to sign in.`,
      usable: true,
      fix: '',
    },
  ];
}

async function fromInstance(): Promise<FoundSignIn> {
  const about = { ...NONE, kind: 'instance' as const };
  try {
    const { fromInstanceMetadata } = await import('@aws-sdk/credential-providers');
    await fromInstanceMetadata({ timeout: INSTANCE_TIMEOUT_MS, maxRetries: 0 })();
    return { ...about, words: 'The role of this virtual machine in AWS.', usable: true, fix: '' };
  } catch {
    return {
      ...about,
      words: 'The role of this virtual machine in AWS.',
      usable: false,
      fix: 'This machine has none, or is not in AWS: choose another way.',
    };
  }
}
