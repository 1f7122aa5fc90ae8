#!/usr/bin/env node
/**
 * The command line. Each verb lives in a file of its own and is loaded only when it is called, so that
 * `--help` and small verbs start fast. Exit code 0: done, 1: failed, 2: wrong use.
 */
import { Command, CommanderError, Option } from 'commander';
import { defaultHome } from '../base/paths.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import { keepHeapSmall } from '../base/memory.ts';
import { programVersion } from '../base/version.ts';
import { Failed, WrongUse } from './main-types.ts';
import { note } from './output.ts';

type Verb = (options: never, args: string[]) => Promise<void>;

const program = new Command('local-browser-agent')
  .description(
    'Runs AWS Step Functions tasks in your own browser profiles, and keeps the evidence you asked for.',
  )
  .version(programVersion())
  .enablePositionalOptions()
  .showHelpAfterError('(add --help for the ways to use it)')
  .exitOverride()
  .configureOutput({ outputError: (text) => note(text.trimEnd()) });

verb(
  'run',
  'the agent, headless: polls the activity, runs tasks, uploads evidence. SIGTERM drains',
  async () => {
    keepHeapSmall();
    return (await import('./verbs/run.ts')).run;
  },
)
  .option('--once', 'end after one task')
  .option('--env <name>', 'environment, e.g. dev or prod')
  .option('--aws-profile <name>', 'AWS profile of the shared configuration files')
  .option('--activity-arn <arn>', 'activity to poll')
  .option('--bucket <name>', 'S3 bucket for recordings')
  .addOption(logLevel());

verb(
  'setup',
  'fetches the configuration from AWS, stores it, and proves that it works',
  async () => (await import('./verbs/setup.ts')).setup,
)
  .option('--env <name>', 'environment, e.g. dev or prod')
  .option('--code <code>', 'the setup code that an administrator gave you; - reads it from standard input')
  .option('--aws-profile <name>', 'AWS profile that may read the configuration')
  .option('--region <name>', 'AWS region')
  .option('--yes', 'do not ask before replacing an earlier configuration')
  .option('--run', 'start the agent right afterwards')
  .option('--json', 'print JSON');

verb(
  'invite',
  'for administrators: a setup code for one machine; list or revoke machines',
  async () => (await import('./verbs/invite.ts')).invite,
)
  .argument('[verb]', 'list or revoke; none makes a code')
  .argument('[machine]', 'the machine to revoke')
  .requiredOption('--env <name>', 'environment, e.g. dev or prod')
  .option('--expires <time>', 'how long the code can be used: 30m, 24h, 7d', '24h')
  .option('--name <words>', 'words for the machine, such as "front desk"')
  .option('--aws-profile <name>', 'AWS profile of an administrator')
  .option('--region <name>', 'AWS region')
  .option('--json', 'print JSON');

verb(
  'doctor',
  'checks machine, browser, ffmpeg, identity and each permission, with a fix for each failure',
  async () => (await import('./verbs/doctor.ts')).doctor,
).option('--json', 'print JSON');

verb(
  'exec',
  'runs one script here, without Step Functions',
  async () => (await import('./verbs/exec.ts')).exec,
)
  .argument('<script.json>', 'the script, or - for standard input')
  .option('--level <level>', 'recording level: NONE, ERROR, INFO, DEBUG or TRACE')
  .option('--var <name=value>', 'a variable; may be given again', collect, [])
  .option('--vars <file.json>', 'variables as a JSON object')
  .option('--profile <name>', 'browser profile')
  .option('--headed', 'show the browser window')
  .option('--out <folder>', 'keep the evidence in this folder')
  .option('--upload', 'upload the evidence to the configured bucket too')
  .addOption(logLevel().default('warn'));

verb(
  'validate',
  'says every problem of scripts, with JSON path, line and column',
  async () => (await import('./verbs/validate.ts')).validate,
)
  .argument('<script.json...>', 'scripts to check')
  .option('--json', 'print JSON');

verb(
  'profiles',
  'list, create, tag, clone or delete browser profiles, or sign in to one',
  async () => (await import('./verbs/profiles.ts')).profiles,
)
  .argument('[verb]', 'list, create, tag, clone, delete or sign-in', 'list')
  .argument('[name]', 'the profile')
  .argument('[more...]', 'tags, or the name of the clone')
  .option('--url <url>', 'page to open for sign-in')
  .option('--json', 'print JSON');

verb(
  'runs',
  'list runs, show one with its steps and artifacts, or cancel one',
  async () => (await import('./verbs/runs.ts')).runs,
)
  .argument('[verb]', 'list, show or cancel; a run id alone is short for show', 'list')
  .argument('[run-id]', 'the run')
  .option('--state <state>', 'only runs in this state')
  .option('--limit <n>', 'at most this many', '20')
  .option('--json', 'print JSON');

verb(
  'uploads',
  'list uploads that are not done, or try the failed ones again',
  async () => (await import('./verbs/uploads.ts')).uploads,
)
  .option('--all', 'also those that are done')
  .option('--retry', 'try waiting and failed ones again now')
  .option('--json', 'print JSON');

verb(
  'config',
  'show each setting with its source, or set one',
  async () => (await import('./verbs/config.ts')).config,
)
  .argument('[verb]', 'show, get or set', 'show')
  .argument('[key]', 'e.g. recording.default_level')
  .argument('[value]', 'the new value')
  .option('--json', 'print JSON');

verb(
  'status',
  'what the agent on this machine is doing',
  async () => (await import('./verbs/control.ts')).status,
).option('--json', 'print JSON');
verb('pause', 'take no new tasks until resume', async () => (await import('./verbs/control.ts')).pause);
verb(
  'resume',
  'take tasks again; with a run id: the person is done, the run goes on',
  async () => (await import('./verbs/control.ts')).resume,
).argument('[run-id]', 'a run that waits for a person');
verb(
  'drain',
  'finish the tasks at hand, then end the agent',
  async () => (await import('./verbs/control.ts')).drain,
);

verb(
  'audit',
  'who did what, and whether that record is as it was written',
  async () => (await import('./verbs/audit.ts')).audit,
)
  .argument('[verb]', 'list or verify', 'list')
  .option('--limit <n>', 'at most this many, the newest first', '50')
  .option('--before <row>', 'only rows before this one')
  .option('--action <name>', 'only this action, e.g. settings.change')
  .option('--target <target>', 'only what was done to this, e.g. profile/portal')
  .option('--head <rows:hash>', 'verify: a head that must be in the log; may be given again', collect, [])
  .option('--manifest <file>', 'verify: a manifest whose head must be in the log; again as well', collect, [])
  .option('--json', 'print JSON');

verb(
  'keys',
  'list, create or revoke keys of the local API',
  async () => (await import('./verbs/keys.ts')).keys,
)
  .argument('[verb]', 'list, create or revoke', 'list')
  .argument('[name]', 'what the new key is for, or the id of the key to revoke')
  .option('--scope <scope...>', 'read, run, operate or admin', ['read'])
  .option('--tier <tier>', 'basic, standard or premium', 'basic')
  .option('--expires <time>', 'RFC 3339 time, or a number of days such as 30d')
  .option('--json', 'print JSON');

verb(
  'app',
  'where the page of the app is, for a browser on this machine',
  async () => (await import('./verbs/app.ts')).app,
).option('--json', 'print JSON');

verb(
  'live',
  'where VNC clients watch the newest run, and their password',
  async () => (await import('./verbs/live.ts')).live,
)
  .argument('[what]', 'show, or password: that alone, e.g. for a script', 'show')
  .option('--json', 'print JSON');

verb(
  'sandbox',
  'the built-in AWS stand-in alone, until stopped',
  async () => (await import('./verbs/sandbox.ts')).sandbox,
)
  .option('--port <n>', 'port on loopback; 0 picks a free one', '4599')
  .option('--env <name>', 'create the resources of this environment')
  .option('--memory', 'keep nothing after the end')
  .option('--portal', 'start the demo portal too')
  .option('--json', 'print JSON');

verb(
  'demo',
  'the main job on the sandbox, shown step by step',
  async () => (await import('./verbs/demo.ts')).demo,
).option('--json', 'print JSON');

verb(
  'import',
  'takes over settings, profiles and scripts of the earlier local-browser-agent',
  async () => (await import('./verbs/import.ts')).importVerb,
)
  .argument('<folder...>', 'folders with its config.yaml, browser-profiles or scripts')
  .option('--dry-run', 'only say what would be taken over')
  .option('--json', 'print JSON');

await main();

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  // The spelling of the earlier program: `local-browser-agent --setup --env E`.
  if (argv[0] === '--setup') argv[0] = 'setup';
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (thrown) {
    process.exitCode = exitCodeOf(thrown);
  }
  // A poll that is still open must not keep a process alive that has nothing left to do.
  await new Promise((resolve) => process.stdout.write('', resolve));
  process.exit();
}

function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof CommanderError) {
    const asked = ['commander.help', 'commander.helpDisplayed', 'commander.version'];
    return asked.includes(thrown.code) ? 0 : 2;
  }
  if (thrown instanceof WrongUse) {
    note(`error: ${thrown.message}`);
    return 2;
  }
  if (thrown instanceof Failed) {
    if (thrown.message) note(thrown.message);
    return 1;
  }
  note(thrown instanceof AgentError ? `${thrown.errorName}: ${thrown.message}` : messageOf(thrown));
  if (!(thrown instanceof AgentError) && process.env['LBA_DEBUG']) note(String((thrown as Error).stack));
  return 1;
}

function verb(name: string, description: string, load: () => Promise<Verb>): Command {
  const command = program
    .command(name)
    .description(description)
    .option('--home <folder>', 'data directory (default: LBA_HOME, else the folder for application data)');
  command.action(async (...given: unknown[]) => {
    const self = given.at(-1) as Command;
    const options = { home: defaultHome(), ...(self.opts() as object) };
    await (
      await load()
    )(options as never, self.args);
  });
  return command;
}

function logLevel(): Option {
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
  return new Option('--log-level <level>', 'how much is logged').choices(levels);
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
