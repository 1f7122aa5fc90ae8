import { openAgent, serve, type Agent } from '../../agent.ts';
import { drop } from '../../base/drop.ts';
import { openLogFile } from '../../base/log-file.ts';
import { createLogger } from '../../base/log.ts';
import { homePaths } from '../../base/paths.ts';
import { loadConfig } from '../../config/load.ts';
import { Failed, type VerbOptions } from '../main-types.ts';
import { note } from '../output.ts';

interface RunOptions extends VerbOptions {
  once?: boolean;
  env?: string;
  awsProfile?: string;
  activityArn?: string;
  bucket?: string;
  logLevel?: string;
}

const MB = 1_000_000;

/** The agent, headless, until it is drained or stopped. */
export async function run(options: RunOptions): Promise<void> {
  const { home } = options;
  const flags = {
    'aws.env': options.env,
    'aws.profile': options.awsProfile,
    'aws.activity_arn': options.activityArn,
    'aws.s3_bucket': options.bucket,
    'log.level': options.logLevel,
  };
  const { log: wanted } = loadConfig({ home, env: process.env, flags }).settings;
  const file = wanted.file
    ? openLogFile({
        path: homePaths(home).logFile,
        maxSizeBytes: Math.round(wanted.max_size_mb * MB),
        maxFiles: wanted.max_files,
        onProblem: note,
      })
    : null;
  const log = createLogger({ level: wanted.level, file });
  try {
    await work(await openAgent({ home, env: process.env, log, flags }), options);
  } finally {
    await file?.close();
  }
}

async function work(agent: Agent, options: RunOptions): Promise<void> {
  const { log } = agent;
  try {
    const serving = await serve(agent, { once: options.once === true });
    const { settings } = agent.config;
    log.info(
      { activity: settings.aws.activity_arn, bucket: settings.aws.s3_bucket, identity: agent.identity },
      'the agent is at work; SIGTERM or Ctrl+C drains, a second one stops at once',
    );
    let signals = 0;
    const onSignal = (signal: NodeJS.Signals): void => {
      signals += 1;
      const deadlineMs = signals === 1 ? settings.worker.drain_deadline_seconds * 1_000 : 0;
      log.info({ signal, deadlineMs }, signals === 1 ? 'draining' : 'stopping now');
      drop(serving.stop({ deadlineMs }), log, 'stopping');
    };
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
    const end = await serving.done;
    log.info(end, 'the agent has ended');
    if (end.reason === 'failed') throw new Failed(end.error?.message ?? 'the worker failed');
  } finally {
    await agent.close();
  }
}
