import { drop } from '../../base/drop.ts';
import { silentLogger } from '../../base/log.ts';
import { keepServing, type Life } from '../../serve-loop.ts';
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

/** The agent, headless, until it is drained or stopped. */
export async function run(options: RunOptions): Promise<void> {
  let life: Life | null = null;
  const loop = keepServing({
    home: options.home,
    env: process.env,
    flags: {
      'aws.env': options.env,
      'aws.profile': options.awsProfile,
      'aws.activity_arn': options.activityArn,
      'aws.s3_bucket': options.bucket,
      'log.level': options.logLevel,
    },
    once: options.once === true,
    onLogProblem: note,
    onReady: (ready) => {
      life = ready;
      const { config, identity, log } = ready.agent;
      const { aws } = config.settings;
      log.info(
        { activity: aws.activity_arn, bucket: aws.s3_bucket, identity },
        'the agent is at work; SIGTERM or Ctrl+C drains, a second one stops at once',
      );
    },
  });
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (!life) {
      // Nothing is at hand yet.
      drop(loop.stop({ deadlineMs: 0 }), silentLogger, 'stopping');
      return;
    }
    const { log, config } = life.agent;
    const deadlineMs = signals === 1 ? config.settings.worker.drain_deadline_seconds * 1_000 : 0;
    log.info({ signal, deadlineMs }, signals === 1 ? 'draining' : 'stopping now');
    drop(loop.stop({ deadlineMs }), log, 'stopping');
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  const end = await loop.done;
  if (end.reason === 'failed') throw new Failed(end.error?.message ?? 'the worker failed');
}
