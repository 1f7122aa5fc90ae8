/** Which files the result of a task names, and that they are where it says: real browser, S3 of the sandbox. */
import { statSync } from 'node:fs';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPortal, startSandbox, type Portal, type Sandbox } from '../../agent/sandbox/index.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';
import { startMainJob, type MainJob } from '../fixtures/main-job.ts';

/** Polls end soon, so that closing the agent does not wait a minute; in milliseconds. */
const POLL_MS = 1_000;

interface Picture {
  name: string;
  success?: boolean;
  path?: string;
  s3_uri?: string;
  size_bytes: number;
}
interface Result {
  screenshots: Picture[];
  verification_screenshots: Picture[];
  step_results: { name: string; s3_uri?: string; size_bytes: number }[];
}

let home: string;
let sandbox: Sandbox;
let portal: Portal;
let job: MainJob;
let s3: S3Client;

beforeAll(async () => {
  home = makeHome('result-files');
  sandbox = await startSandbox({ pollMs: POLL_MS });
  portal = await startPortal();
  job = await startMainJob({
    sandbox,
    home,
    env: 'files',
    variables: { LBA_RECORDING_WAIT_FOR_UPLOADS: 'true' },
  });
  s3 = new S3Client({
    region: sandbox.region,
    endpoint: sandbox.url,
    forcePathStyle: true,
    credentials: {
      accessKeyId: job.seeded.accessKey.accessKeyId,
      secretAccessKey: job.seeded.accessKey.secretAccessKey,
    },
  });
});

afterAll(async () => {
  await job.close();
  s3.destroy();
  await portal.close();
  await sandbox.close();
  removeHome(home);
});

async function run(level: string): Promise<Result> {
  const { output } = await job.task({
    name: 'Files',
    recording_level: level,
    abort_on_error: false,
    on_failure: 'return',
    starting_page: `${portal.url}/login`,
    steps: [
      { action: 'assert', name: 'Asks for a name', condition: { element_visible: '#username' } },
      {
        action: 'assert',
        name: 'Has orders',
        condition: { type: 'element_exists', selector: '#orders', timeout: 0 },
        timeout: 100,
      },
      { action: 'screenshot', name: 'Page', full_page: false },
      {
        action: 'download',
        name: 'Note',
        trigger: {
          action: 'execute_js',
          script:
            "const a = document.createElement('a'); a.href = 'data:text/plain,hello'; a.download = 'note.txt'; document.body.append(a); a.click();",
        },
      },
      {
        action: 'validate_profile',
        name: 'Still there',
        mode: 'runtime',
        ui_condition: { element_visible: '#username' },
      },
    ],
  });
  return output as unknown as Result;
}

/** Bytes of the object behind an S3 URI. */
async function sizeOf(uri: string | undefined): Promise<number | undefined> {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri ?? '') ?? [];
  const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
  return head.ContentLength;
}

test('the result names the pictures of verifications, of screenshot steps and what was downloaded, and they are in S3', async () => {
  const result = await run('INFO');
  expect(result.verification_screenshots).toMatchObject([
    { step: 2, name: 'Asks for a name', success: true },
    { step: 3, name: 'Has orders', success: false },
    { step: 6, name: 'Still there', success: true },
  ]);
  expect(result.screenshots).toMatchObject([{ step: 4, name: 'Page' }]);
  const note = result.step_results.find((step) => step.name === 'Note');
  for (const file of [...result.verification_screenshots, ...result.screenshots, note]) {
    expect(await sizeOf(file?.s3_uri)).toBe(file?.size_bytes);
  }
});

test('what the level keeps on this machine has a path there and no address in S3', async () => {
  const result = await run('NONE');
  expect(result.verification_screenshots).toHaveLength(3);
  for (const picture of result.verification_screenshots) {
    expect(picture.s3_uri).toBeUndefined();
    expect(statSync(picture.path ?? '').size).toBe(picture.size_bytes);
  }
  expect(JSON.stringify(result)).not.toContain('s3://');
});
