/**
 * "Try it without AWS": a sandbox inside the agent (`sandbox.enabled`), with everything that one environment
 * has. The agent then speaks to nothing else, whatever its environment variables say.
 */
import type { ClientOptions } from '../aws/clients.ts';
import { namesInAws } from '../aws/arn.ts';
import type { Logger } from '../base/log.ts';
import type { JsonObject } from '../base/words.ts';
import type { LoadOptions } from '../config/load.ts';
import type { UploadStore } from '../store/uploads.ts';

/** Name of the environment in it. */
export const SANDBOX_ENVIRONMENT = 'sandbox';

/** The account that the sandbox says it is; no real one has this number. */
const SANDBOX_ACCOUNT = '000000000000';

/** A bucket of that name in AWS would be somebody else's: evidence for the sandbox must never go there. */
const SANDBOX_BUCKET = namesInAws.bucket(SANDBOX_ENVIRONMENT, SANDBOX_ACCOUNT);

/** As short as a person waits for a restart gladly: the agent ends only when its open poll has. */
const POLL_MS = 2_000;

/** Of the sample; a run in the browser takes some seconds. */
const TASK_TIMEOUT_SECONDS = 600;
const TASK_HEARTBEAT_SECONDS = 60;

export const SANDBOX_WORDS =
  'This agent works on a stand-in for AWS inside itself. Nothing goes to AWS, and what is in it is gone when the agent stops or restarts; the history on this machine stays.';

export interface OwnSandbox {
  url: string;
  /** What it decides of the configuration. */
  given: NonNullable<LoadOptions['given']>;
  /** How its services are reached. */
  clients: ClientOptions;
  /** Hands this input to the agent through its sample state machine. */
  startExecution(input: JsonObject): Promise<{ executionArn: string }>;
  close(): Promise<void>;
}

/** The modules of the sandbox are loaded here alone: an agent that works on AWS does not carry them. */
export async function openOwnSandbox({ log }: { log: Logger }): Promise<OwnSandbox> {
  const { seedEnvironment, startSandbox } = await import('../sandbox/index.ts');
  const sandbox = await startSandbox({
    pollMs: POLL_MS,
    accountId: SANDBOX_ACCOUNT,
    log: log.child({ part: 'sandbox' }),
  });
  try {
    const seeded = await seedEnvironment(sandbox, { env: SANDBOX_ENVIRONMENT });
    const { stateMachineArn } = await sandbox.call('states', 'CreateStateMachine', {
      name: 'sample',
      roleArn: seeded.roleArn,
      definition: JSON.stringify(sampleDefinition(seeded.activityArn)),
    });
    return {
      url: sandbox.url,
      given: {
        source: 'the built-in sandbox (sandbox.enabled)',
        values: {
          'aws.env': SANDBOX_ENVIRONMENT,
          'aws.profile': null,
          'aws.endpoint': sandbox.url,
          'aws.region': sandbox.region,
          'aws.activity_arn': seeded.activityArn,
          'aws.s3_bucket': seeded.bucket,
        },
      },
      // No variable of this process has a say: AWS_ENDPOINT_URL and the like may name the real thing.
      clients: { region: sandbox.region, endpoint: sandbox.url, credentials: seeded.accessKey, env: {} },
      startExecution: async (input) => {
        const started = await sandbox.call('states', 'StartExecution', {
          stateMachineArn,
          input: JSON.stringify(input),
        });
        return { executionArn: String(started['executionArn']) };
      },
      close: () => sandbox.close(),
    };
  } catch (thrown) {
    await sandbox.close();
    throw thrown;
  }
}

/**
 * The buckets that this agent must not upload to: with a sandbox every bucket in AWS, without one the sandbox's.
 *
 * @param isAlone false when another process may have this data directory open, and with it the sandbox: then
 * the uploads that wait for the sandbox stay in the queue; otherwise the sandbox is gone, and they are dropped
 */
export function foreignBuckets(
  store: Pick<UploadStore, 'pendingBuckets' | 'forget'>,
  { sandbox, isAlone }: { sandbox: OwnSandbox | null; isAlone: boolean },
): readonly string[] {
  if (sandbox) return store.pendingBuckets().filter((bucket) => bucket !== SANDBOX_BUCKET);
  if (isAlone) store.forget(SANDBOX_BUCKET);
  return [SANDBOX_BUCKET];
}

function sampleDefinition(activityArn: string): JsonObject {
  return {
    Comment: 'One task of the agent, as a state machine of your own has it.',
    StartAt: 'Browser',
    States: {
      Browser: {
        Type: 'Task',
        Resource: activityArn,
        TimeoutSeconds: TASK_TIMEOUT_SECONDS,
        HeartbeatSeconds: TASK_HEARTBEAT_SECONDS,
        End: true,
      },
    },
  };
}
