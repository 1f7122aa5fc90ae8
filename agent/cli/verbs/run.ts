import { openAgent, serve } from '../../agent.ts';
import { drop } from '../../base/drop.ts';
import { createLogger } from '../../base/log.ts';
import { Failed, type VerbOptions } from '../main-types.ts';

interface RunOptions extends VerbOptions {
  once?: boolean;
  env?: string;
  awsProfile?: string;
  activityArn?: string;
  bucket?: string;
  logLevel?: string;
}

/** The agent, headless, until it is drained or stopped. */
export async function run(options: RunOptions): Promise<void> {
  const log = createLogger({ level: options.logLevel ?? process.env['LBA_LOG_LEVEL'] ?? 'info' });
  const agent = await openAgent({
    home: options.home,
    env: process.env,
    log,
    flags: {
      'aws.env': options.env,
      'aws.profile': options.awsProfile,
      'aws.activity_arn': options.activityArn,
      'aws.s3_bucket': options.bucket,
    },
  });
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
