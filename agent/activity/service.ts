/**
 * The four Step Functions calls of an activity worker, as a small port and over the AWS SDK.
 *
 * Every call is one HTTP request: the SDK's own retries are switched off for these commands, whatever the
 * client is set to, because each caller here has a better answer than sending again blindly:
 * - GetActivityTask: a poll sent again while the first is still open on the service's side can have a task
 *   handed to the first one, where nobody listens. The poll loop waits and counts instead.
 * - SendTaskHeartbeat: the lease has a timer and a deadline of its own; a call that retries inside itself
 *   would outlast both.
 * - SendTaskSuccess, SendTaskFailure: after a lost answer the second attempt is told that the token is
 *   closed. Only the outbox, which knows of the first attempt, can tell that from a task that was taken away.
 */
import type { SFNClient } from '@aws-sdk/client-sfn';

/** A task as GetActivityTask hands it over. */
export interface ActivityTask {
  /** Secret: with it and the right to call SendTask*, anybody can answer for us. Never logged. */
  token: string;
  /** JSON text, as the state machine made it. */
  input: string;
}

export interface ActivityService {
  /**
   * One long poll, up to 60 s. There is no way to abort it, on purpose: the service may have handed a task
   * to it already. Nothing within 60 s is `null`.
   */
  getActivityTask(request: { activityArn: string; workerName: string }): Promise<ActivityTask | null>;
  sendTaskHeartbeat(token: string, signal: AbortSignal): Promise<void>;
  sendTaskSuccess(token: string, output: string, signal: AbortSignal): Promise<void>;
  sendTaskFailure(
    token: string,
    failure: { error: string; cause: string },
    signal: AbortSignal,
  ): Promise<void>;
}

/** Made by createClients() of agent/aws, each on first use. */
export interface SfnClients {
  /**
   * For polls: its socket timeout must be above 65 s (the service holds a poll for 60 s) and its connections
   * its own, so that open polls never make a heartbeat wait.
   */
  sfnPoll(): Promise<SFNClient>;
  /** For everything else. */
  sfn(): Promise<SFNClient>;
}

export function sfnActivityService(clients: SfnClients): ActivityService {
  // Loaded with the first call: commands that never talk to Step Functions do not pay for the SDK.
  const sdk = () => import('@aws-sdk/client-sfn');
  return {
    async getActivityTask(request) {
      const [client, { GetActivityTaskCommand }] = await Promise.all([clients.sfnPoll(), sdk()]);
      const { taskToken, input } = await client.send(once(new GetActivityTaskCommand(request)));
      return taskToken ? { token: taskToken, input: input ?? '' } : null;
    },
    async sendTaskHeartbeat(taskToken, abortSignal) {
      const [client, { SendTaskHeartbeatCommand }] = await Promise.all([clients.sfn(), sdk()]);
      await client.send(once(new SendTaskHeartbeatCommand({ taskToken })), { abortSignal });
    },
    async sendTaskSuccess(taskToken, output, abortSignal) {
      const [client, { SendTaskSuccessCommand }] = await Promise.all([clients.sfn(), sdk()]);
      await client.send(once(new SendTaskSuccessCommand({ taskToken, output })), { abortSignal });
    },
    async sendTaskFailure(taskToken, { error, cause }, abortSignal) {
      const [client, { SendTaskFailureCommand }] = await Promise.all([clients.sfn(), sdk()]);
      await client.send(once(new SendTaskFailureCommand({ taskToken, error, cause })), { abortSignal });
    },
  };
}

/** The limits that Step Functions puts on `workerName`: 1 to 80 characters, without blanks and most signs. */
const WORKER_NAME_MAX_CHARS = 80;

/** A name that GetActivityTask accepts, made of any text. */
export function toWorkerName(text: string): string {
  const clean = text
    .normalize('NFKD')
    .replaceAll(/[^\w.@+=-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return clean.slice(0, WORKER_NAME_MAX_CHARS) || 'local-browser-agent';
}

interface OneAttempt {
  name: string;
  step: 'finalizeRequest';
  priority: 'high';
  override: true;
}

/** Takes the place of the SDK's middleware of the same name, step and priority (@smithy/core/retry). */
const ONE_ATTEMPT: OneAttempt = {
  name: 'retryMiddleware',
  step: 'finalizeRequest',
  priority: 'high',
  override: true,
};

type Next = (args: { input: object; request: unknown }) => Promise<{ response: unknown; output: object }>;

function once<C extends { middlewareStack: { add(middleware: never, options: OneAttempt): void } }>(
  command: C,
): C {
  const passThrough = (next: Next): Next => next;
  command.middlewareStack.add(passThrough as never, ONE_ATTEMPT);
  return command;
}
