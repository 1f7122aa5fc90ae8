import { createInterface } from 'node:readline/promises';
import { homePaths } from '../../base/paths.ts';
import { createClients, type AwsCredentials } from '../../aws/clients.ts';
import { tradeSetupCode } from '../../config/invitation.ts';
import { readSetupCode, type SetupCode } from '../../config/setup-code.ts';
import { setup as setUp } from '../../config/setup.ts';
import { loadConfig } from '../../config/load.ts';
import { readStoredKeys } from '../../config/stored-keys.ts';
import { openFileVault, type Vault } from '../../config/vault.ts';
import { openDatabase } from '../../store/database.ts';
import { AuditLog } from '../../audit/index.ts';
import { cliActor } from '../audit.ts';
import { Failed, WrongUse, type VerbOptions } from '../main-types.ts';
import { note, printJson } from '../output.ts';

interface SetupVerbOptions extends VerbOptions {
  env?: string;
  code?: string;
  awsProfile?: string;
  region?: string;
  yes?: boolean;
  /** Start the agent right afterwards. */
  run?: boolean;
}

/** Fetches the configuration from AWS, stores it, and proves that it works; then, if asked to, works with it. */
export async function setup(options: SetupVerbOptions): Promise<void> {
  await configure(options);
  if (options.run !== true) {
    note('Ready. Start the agent with: local-browser-agent run');
    return;
  }
  note('Ready. The agent starts.');
  const { run } = await import('./run.ts');
  await run({ home: options.home });
}

async function configure(given: SetupVerbOptions): Promise<void> {
  const code = given.code === undefined ? undefined : readSetupCode(await codeText(given.code));
  const environment = code?.environment ?? given.env;
  if (environment === undefined) {
    throw new WrongUse('name the environment with --env, or give the setup code with --code');
  }
  if (code && given.env !== undefined && given.env !== code.environment) {
    throw new WrongUse(`the setup code is for environment ${code.environment}, not for ${given.env}`);
  }
  const region = given.region ?? code?.region;
  const options = { ...given, env: environment, ...(region === undefined ? {} : { region }) };
  const db = openDatabase(homePaths(options.home).database);
  try {
    if (options.yes !== true && !(await mayReplace(options))) throw new Failed('Nothing was changed.');
    const vault = openFileVault(options.home, process.env);
    const traded = code && (await tradeSetupCode(code, { vault, connect: connectTo(code, options.home) }));
    const own = traded ?? (await ownKeys(vault, options));
    if (traded) note(`✓ Setup code: traded for keys of this machine's own; the code is worthless now`);
    const result = await setUp({
      home: options.home,
      env: process.env,
      db,
      vault,
      ...(own ? { signIn: { kind: 'machine', credentials: own } } : {}),
      environment: options.env,
      ...(options.awsProfile === undefined ? {} : { awsProfile: options.awsProfile }),
      ...(options.region === undefined ? {} : { region: options.region }),
      onStep: (step) => {
        const mark = { ok: '✓', warn: '!', fail: '✗' }[step.status];
        note(`${mark} ${step.title}: ${step.detail}${step.fix ? `\n    fix: ${step.fix}` : ''}`);
      },
    });
    const failed = result.steps.find((step) => step.status === 'fail');
    new AuditLog({ db }).append({
      by: cliActor(),
      action: 'setup',
      target: `environment/${options.env}`,
      result: result.ok ? 'ok' : 'failed',
      details: {
        aws_profile: options.awsProfile ?? null,
        ...(code ? { machine: code.userName } : {}),
        ...(failed ? { failed_at: failed.title, why: failed.detail } : {}),
      },
    });
    if (options.json === true) printJson({ ok: result.ok, steps: result.steps });
    if (!result.ok) throw new Failed('The setup is not complete: see the fixes above.');
  } finally {
    db.close();
  }
}

/** A machine that was set up with a code reads its configuration anew with its own keys, unless told otherwise. */
async function ownKeys(
  vault: Vault,
  { env, awsProfile }: { env: string; awsProfile?: string },
): Promise<AwsCredentials | undefined> {
  const { AWS_PROFILE: profile, AWS_ACCESS_KEY_ID: keyId } = process.env;
  if (awsProfile !== undefined || profile || keyId) return undefined;
  const stored = await readStoredKeys(vault, env);
  if (stored?.from !== 'machine') return undefined;
  return { accessKeyId: stored.accessKeyId, secretAccessKey: stored.secretAccessKey };
}

function connectTo({ region }: SetupCode, home: string) {
  const { endpoint } = loadConfig({ home, env: process.env }).settings.aws;
  return (credentials: AwsCredentials) =>
    createClients({ region, credentials, ...(endpoint === null ? {} : { endpoint }) });
}

/** Other users of this machine can see the arguments of a command: `-` keeps the code out of them. */
async function codeText(given: string): Promise<string> {
  if (given !== '-') return given;
  const { text } = await import('node:stream/consumers');
  return text(process.stdin);
}

/** An agent that is set up for another environment is not turned round without a question. */
async function mayReplace(options: { home: string; env: string }): Promise<boolean> {
  const { settings } = loadConfig({ home: options.home, env: {} });
  if (settings.aws.activity_arn === null || settings.aws.env === options.env) return true;
  const what = `This agent is set up for environment "${settings.aws.env}" (${settings.aws.activity_arn}).`;
  if (!process.stdin.isTTY) {
    note(`${what} Add --yes to replace that by "${options.env}".`);
    return false;
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question(`${what}\nReplace it by "${options.env}"? [y/N] `);
  prompt.close();
  return /^y(es)?$/i.test(answer.trim());
}
