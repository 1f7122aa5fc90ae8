/**
 * A workflow author with nothing but the AWS command line: everything is made with it on the sandbox, the
 * agent does the task, and the evidence is fetched with it. Two programs that know nothing of each other.
 */
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../agent/base/words.ts';
import { cli, start, type RunningCli } from '../fixtures/cli.ts';
import { childrenOf, makeHome, removeHome } from '../fixtures/home.ts';

/** Debian's is version 2; others on the path may be older. */
const AWS = ['/usr/bin/aws', 'aws'].find((path) => spawnSync(path, ['--version']).status === 0);
if (AWS === undefined) console.warn('the test with the AWS command line is skipped: aws is not installed');

/** A Python program that starts on a busy machine; in milliseconds. */
const AWS_TIMEOUT_MS = 60_000;
const BUCKET = 'evidence-of-the-author';
const ROLE = 'arn:aws:iam::000000000000:role/author';

describe.skipIf(AWS === undefined)('with the AWS command line alone', { timeout: 180_000 }, () => {
  let home: string;
  let sandbox: RunningCli;
  let env: Record<string, string>;
  let endpoint: string;
  let portal: string;

  beforeAll(async () => {
    home = makeHome('aws-cli');
    sandbox = start(['sandbox', '--port', '0', '--memory', '--portal', '--json', '--home', home]);
    await sandbox.said(/^\}$/m);
    const said = JSON.parse(sandbox.stdout()) as { url: string; env: Record<string, string>; portal: string };
    ({ url: endpoint, env, portal } = said);
  });

  afterAll(async () => {
    try {
      await sandbox.end('SIGTERM');
    } finally {
      removeHome(home);
    }
  });

  /** One `aws` command, e.g. `s3api head-object`, with its options by name; its JSON, if it gives any. */
  async function aws<T = JsonObject>(command: string, options: Record<string, string> = {}): Promise<T> {
    const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const args = [...command.split(' '), ...given, '--endpoint-url', endpoint, '--output', 'json'];
    const { stdout } = await promisify(execFile)(AWS ?? '', args, {
      timeout: AWS_TIMEOUT_MS,
      env: { PATH: process.env['PATH'], HOME: home, AWS_PAGER: '', ...env },
    });
    return (stdout.trim().startsWith('{') ? JSON.parse(stdout) : {}) as T;
  }

  test('an author sets up, starts an execution, and fetches its result and evidence', async () => {
    expect(await aws('sts get-caller-identity')).toMatchObject({ Account: '000000000000' });
    const { activityArn } = await aws<{ activityArn: string }>('stepfunctions create-activity', {
      name: 'author-activity',
    });
    await aws('s3api create-bucket', { bucket: BUCKET });
    for (const [name, value] of Object.entries({ 'activity-arn': activityArn, 's3-bucket': BUCKET })) {
      await aws('ssm put-parameter', { name: `/browser-agent/author/${name}`, type: 'String', value });
    }
    const secret = {
      AWS_ACCESS_KEY_ID: env['AWS_ACCESS_KEY_ID'],
      AWS_SECRET_ACCESS_KEY: env['AWS_SECRET_ACCESS_KEY'],
      AWS_DEFAULT_REGION: env['AWS_REGION'],
      ACTIVITY_ARN: activityArn,
      S3_BUCKET: BUCKET,
    };
    await aws('secretsmanager create-secret', {
      name: 'browser-agent-credentials-author',
      'secret-string': JSON.stringify(secret),
    });
    const definition = join(home, 'machine.json');
    writeFileSync(definition, JSON.stringify(machineOf(activityArn)));
    const { stateMachineArn } = await aws<{ stateMachineArn: string }>('stepfunctions create-state-machine', {
      name: 'author-machine',
      'role-arn': ROLE,
      definition: `file://${definition}`,
    });
    const input = JSON.stringify({
      name: 'Read the heading',
      recording_level: 'DEBUG',
      starting_page: `${portal}/login`,
      steps: [{ action: 'extract_dom', name: 'Heading', extractions: [{ name: 'heading', selector: 'h1' }] }],
    });
    const { executionArn } = await aws<{ executionArn: string }>('stepfunctions start-execution', {
      'state-machine-arn': stateMachineArn,
      input,
    });

    // The agent's side: setup in the same shell, then one task with what setup stored.
    expect(await cli(['setup', '--env', 'author', '--yes', '--home', home], { env })).toMatchObject({
      code: 0,
    });
    const ran = await cli(['run', '--once', '--home', home], { env: { AWS_ENDPOINT_URL: endpoint } });
    expect(ran).toMatchObject({ code: 0, stdout: '' });
    expect(await childrenOf(home)).toEqual([]);

    const execution = await aws<Record<string, string>>('stepfunctions describe-execution', {
      'execution-arn': executionArn,
    });
    expect(execution['status']).toBe('SUCCEEDED');
    const output = JSON.parse(execution['output'] ?? '') as { heading: string; manifest: string };
    expect(output.heading).toBe('Sign in');
    const { events } = await aws<{ events: { type: string }[] }>('stepfunctions get-execution-history', {
      'execution-arn': executionArn,
    });
    const types = events.map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining(['ActivityStarted', 'ActivitySucceeded', 'ExecutionSucceeded']),
    );

    const prefix = output.manifest.slice(`s3://${BUCKET}/`.length, -'manifest.json'.length);
    expect(prefix).toMatch(/^browser-sessions\/[0-9a-f-]{36}\/$/);
    const { Contents: objects } = await aws<{ Contents: { Key: string }[] }>('s3api list-objects-v2', {
      bucket: BUCKET,
      prefix,
    });
    const fetched = join(home, 'fetched');
    await aws(`s3 cp --recursive --quiet s3://${BUCKET}/${prefix} ${fetched}`);
    const manifest = JSON.parse(readFileSync(join(fetched, 'manifest.json'), 'utf8')) as {
      recording: { level: string };
      artifacts: { key: string; size_bytes: number; sha256: string; uploaded: boolean }[];
    };
    expect(manifest.recording.level).toBe('DEBUG');
    const promised = manifest.artifacts.filter(({ uploaded }) => uploaded);
    expect(new Set(objects.map(({ Key }) => Key.slice(prefix.length)))).toEqual(
      new Set([...promised.map(({ key }) => key), 'manifest.json']),
    );
    for (const { key, size_bytes: sizeBytes, sha256 } of promised) {
      const bytes = readFileSync(join(fetched, key));
      const seen = createHash('sha256').update(bytes).digest('hex');
      expect({ key, sizeBytes: bytes.length, sha256: seen }).toEqual({ key, sizeBytes, sha256 });
    }
    expect(await aws('s3api head-object', { bucket: BUCKET, key: `${prefix}manifest.json` })).toMatchObject({
      ContentType: 'application/json',
      Metadata: { level: 'DEBUG', 'script-name': 'Read the heading', 'run-id': prefix.split('/')[1] },
    });
  });

  test('a failed execution shows its error, and a cause that is JSON', async () => {
    const { stateMachines } = await aws<{ stateMachines: { stateMachineArn: string }[] }>(
      'stepfunctions list-state-machines',
    );
    const { executionArn } = await aws<{ executionArn: string }>('stepfunctions start-execution', {
      'state-machine-arn': stateMachines[0]?.stateMachineArn ?? '',
      input: '{"name": "Nothing to do"}',
    });
    await cli(['run', '--once', '--home', home], { env: { AWS_ENDPOINT_URL: endpoint } });
    const execution = await aws<Record<string, string>>('stepfunctions describe-execution', {
      'execution-arn': executionArn,
    });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'BrowserAgent.InvalidScript' });
    expect(JSON.parse(execution['cause'] ?? '')).toMatchObject({
      run_id: expect.any(String),
      message: expect.stringContaining('"steps" is missing'),
    });
  });
});

function machineOf(activityArn: string): object {
  const state = {
    Type: 'Task',
    Resource: activityArn,
    HeartbeatSeconds: 60,
    TimeoutSeconds: 300,
    ResultSelector: { 'heading.$': '$.data.Heading.heading', 'manifest.$': '$.recording.manifest_s3_uri' },
    End: true,
  };
  return { StartAt: 'Browser', States: { Browser: state } };
}
