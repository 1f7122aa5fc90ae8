import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  seedEnvironment,
  startSandbox,
  type Sandbox,
  type SeededEnvironment,
} from '../../agent/sandbox/index.ts';

const run = promisify(execFile);

/** The AWS command line, version 2 where there are several. */
const aws = findAws();
if (aws === null) console.log('skipped: the AWS command line (aws, version 2) is not installed');

describe.skipIf(aws === null)('the AWS command line', () => {
  let sandbox: Sandbox;
  let seeded: SeededEnvironment;
  let folder: string;
  beforeAll(async () => {
    sandbox = await startSandbox();
    seeded = await seedEnvironment(sandbox, { env: 'dev', parameters: { 'max-level': 'DEBUG' } });
    folder = await mkdtemp(join(tmpdir(), 'sandbox-cli-'));
  });
  afterAll(async () => {
    await sandbox.close();
    await rm(folder, { recursive: true });
  });

  /** Runs `aws` on the sandbox; its JSON, or its text where it prints none. */
  async function cli(...args: string[]): Promise<any> {
    const { stdout } = await run(aws!, ['--endpoint-url', sandbox.url, '--output', 'json', ...args], {
      env: { PATH: process.env['PATH'], HOME: folder, AWS_PAGER: '', ...sandbox.env },
    });
    try {
      return JSON.parse(stdout || 'null') as unknown;
    } catch {
      return stdout;
    }
  }

  it('knows who it is', async () => {
    expect(await cli('sts', 'get-caller-identity')).toMatchObject({ Account: '000000000000' });
  });

  it('reads the secret and the parameters of a seeded environment', async () => {
    const secret = await cli('secretsmanager', 'get-secret-value', '--secret-id', seeded.secretName);
    expect(JSON.parse(secret.SecretString)).toMatchObject({ S3_BUCKET: seeded.bucket });
    const parameters = await cli('ssm', 'get-parameters-by-path', '--path', '/browser-agent/dev');
    expect(parameters.Parameters.map((parameter: { Name: string }) => parameter.Name)).toEqual([
      '/browser-agent/dev/activity-arn',
      '/browser-agent/dev/max-level',
      '/browser-agent/dev/s3-bucket',
    ]);
  });

  it('copies files to S3 and back, also in parts', async () => {
    const source = join(folder, 'large.bin');
    const copy = join(folder, 'copy.bin');
    await writeFile(source, Buffer.alloc(9 * 1_048_576, 'evidence'));
    await cli('s3', 'cp', source, `s3://${seeded.bucket}/runs/large.bin`, '--no-progress');
    await cli('s3', 'cp', `s3://${seeded.bucket}/runs/large.bin`, copy, '--no-progress');
    expect((await readFile(copy)).equals(await readFile(source))).toBe(true);
    expect(String(await cli('s3', 'ls', `s3://${seeded.bucket}/runs/`))).toContain('large.bin');
  });

  it('starts an execution and does its task', async () => {
    const definition = {
      StartAt: 'Work',
      States: { Work: { Type: 'Task', Resource: seeded.activityArn, HeartbeatSeconds: 30, End: true } },
    };
    const { stateMachineArn } = await cli(
      'stepfunctions', 'create-state-machine', '--name', 'workflow',
      '--role-arn', seeded.roleArn, '--definition', JSON.stringify(definition),
    ); // prettier-ignore
    const { executionArn } = await cli(
      'stepfunctions', 'start-execution', '--state-machine-arn', stateMachineArn, '--input', '{"name":"x"}',
    ); // prettier-ignore
    const task = await cli('stepfunctions', 'get-activity-task', '--activity-arn', seeded.activityArn);
    expect(JSON.parse(task.input)).toEqual({ name: 'x' });
    await cli('stepfunctions', 'send-task-heartbeat', '--task-token', task.taskToken);
    await cli(
      'stepfunctions', 'send-task-success', '--task-token', task.taskToken, '--task-output', '{"ok":true}',
    ); // prettier-ignore
    await sandbox.executionEnded(executionArn);
    expect(await cli('stepfunctions', 'describe-execution', '--execution-arn', executionArn)).toMatchObject({
      status: 'SUCCEEDED',
      output: '{"ok":true}',
    });
    const history = await cli('stepfunctions', 'get-execution-history', '--execution-arn', executionArn);
    expect(history.events.map((event: { type: string }) => event.type)).toContain('ActivitySucceeded');
  });

  it('shows the services own error names', async () => {
    const failed = cli('stepfunctions', 'send-task-heartbeat', '--task-token', 'made up');
    await expect(failed).rejects.toThrow(/\(InvalidToken\) when calling the SendTaskHeartbeat operation/);
    const missing = cli('s3api', 'get-object', '--bucket', 'no-such-bucket', '--key', 'a', join(folder, 'a'));
    await expect(missing).rejects.toThrow(/\(NoSuchBucket\)/);
  });
});

function findAws(): string | null {
  for (const candidate of ['/usr/bin/aws', 'aws']) {
    try {
      const version = execFileSync(candidate, ['--version'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      if (version.startsWith('aws-cli/2')) return candidate;
    } catch {
      // Not there: the next one.
    }
  }
  return null;
}
