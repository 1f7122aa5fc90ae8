/** A sandbox with real SDK clients on it, and a worker in a few words; closed when its tests are over. */
import {
  CreateActivityCommand,
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetActivityTaskCommand,
  GetExecutionHistoryCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  type DescribeExecutionCommandOutput,
} from '@aws-sdk/client-sfn';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../agent/sandbox/index.ts';

export const ROLE_ARN = 'arn:aws:iam::000000000000:role/workflow';

export interface Worker {
  taskToken: string;
  input: unknown;
  succeed(output: unknown): Promise<void>;
  fail(error?: string, cause?: string): Promise<void>;
}

export interface SandboxFixture {
  sandbox: Sandbox;
  sfn: SFNClient;
  clientConfig: ReturnType<typeof clientConfig>;
  /** A new activity; its name is unique. */
  activity(): Promise<string>;
  /** Starts an execution of a definition; the machine is made for it. */
  start(definition: object, input?: unknown): Promise<string>;
  /** Takes the next task of an activity. */
  take(activityArn: string): Promise<Worker>;
  /** Waits for an execution's end. */
  result(executionArn: string): Promise<DescribeExecutionCommandOutput>;
  eventTypes(executionArn: string): Promise<string[]>;
  close(): Promise<void>;
}

export function clientConfig(sandbox: Sandbox) {
  return {
    endpoint: sandbox.url,
    region: sandbox.region,
    credentials: {
      accessKeyId: sandbox.env['AWS_ACCESS_KEY_ID']!,
      secretAccessKey: sandbox.env['AWS_SECRET_ACCESS_KEY']!,
    },
    maxAttempts: 1,
  };
}

let counter = 0;

export async function sandboxFixture(options: SandboxOptions = {}): Promise<SandboxFixture> {
  const sandbox = await startSandbox(options);
  const config = clientConfig(sandbox);
  const sfn = new SFNClient(config);
  const unique = (prefix: string): string => `${prefix}-${(counter += 1)}`;
  return {
    sandbox,
    sfn,
    clientConfig: config,
    activity: async () => {
      const { activityArn } = await sfn.send(new CreateActivityCommand({ name: unique('activity') }));
      return activityArn!;
    },
    start: async (definition, input = {}) => {
      const { stateMachineArn } = await sfn.send(
        new CreateStateMachineCommand({
          name: unique('machine'),
          definition: JSON.stringify(definition),
          roleArn: ROLE_ARN,
        }),
      );
      const { executionArn } = await sfn.send(
        new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
      );
      return executionArn!;
    },
    take: async (activityArn) => {
      const task = await sfn.send(new GetActivityTaskCommand({ activityArn, workerName: 'worker' }));
      const { taskToken } = task;
      return {
        taskToken: taskToken!,
        input: JSON.parse(task.input ?? 'null') as unknown,
        succeed: async (output) => {
          await sfn.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) }));
        },
        fail: async (error, cause) => {
          await sfn.send(new SendTaskFailureCommand({ taskToken, error, cause }));
        },
      };
    },
    result: async (executionArn) => {
      await sandbox.executionEnded(executionArn);
      return sfn.send(new DescribeExecutionCommand({ executionArn }));
    },
    eventTypes: async (executionArn) => {
      const { events } = await sfn.send(new GetExecutionHistoryCommand({ executionArn }));
      return (events ?? []).map((event) => String(event.type));
    },
    close: async () => {
      sfn.destroy();
      await sandbox.close();
    },
  };
}

/** The error a command answers. */
export async function errorOf(
  promise: Promise<unknown>,
): Promise<{ name: string; message: string; status: number | undefined }> {
  try {
    await promise;
  } catch (thrown) {
    const error = thrown as Error & { $metadata?: { httpStatusCode?: number } };
    return { name: error.name, message: error.message, status: error.$metadata?.httpStatusCode };
  }
  throw new Error('Expected an error, got a result');
}
