import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClients, type AwsClients } from '../../agent/aws/clients.ts';
import { EventBus } from '../../agent/base/events.ts';
import { silentLogger } from '../../agent/base/log.ts';
import { openDatabase, type Database } from '../../agent/store/database.ts';
import { UploadStore } from '../../agent/store/uploads.ts';
import { UploadQueue } from '../../agent/uploads/queue.ts';
import { startFaultyS3, type FaultyS3 } from '../fixtures/faulty-s3.ts';

const BUCKET = 'recordings';

let folder: string;
let server: FaultyS3;
let clients: AwsClients;
let db: Database;
let child: ChildProcess | undefined;
let queue: UploadQueue | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lba-killed-'));
  server = await startFaultyS3();
  server.createBucket(BUCKET);
  clients = createClients({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    env: {},
  });
  db = openDatabase(join(folder, 'agent.db'));
});

afterEach(async () => {
  child?.kill('SIGKILL');
  await queue?.stop({ deadlineMs: 0 });
  clients.destroy();
  await server.close();
  db.close();
  rmSync(folder, { recursive: true });
});

test('an agent killed amid a large and a small upload finishes both after its restart, and sends no part twice', async () => {
  const files = { 'video.webm': randomBytes(12 * 1024 * 1024), 'page.html': randomBytes(5_000) };
  const store = new UploadStore(db);
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    store.enqueue(
      {
        runId: 'run',
        path,
        bucket: BUCKET,
        key: name,
        contentType: 'application/octet-stream',
        metadata: {},
        sizeBytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      },
      Date.now(),
    );
  }
  // The second part and the small file are never answered.
  const held = { part: false, small: false };
  const never = Promise.withResolvers<void>();
  server.fault = ({ method, path }) => {
    if (method !== 'PUT') return undefined;
    const second = path.includes('partNumber=2');
    const small = path.includes('page.html');
    held.part ||= second;
    held.small ||= small;
    return second || small ? never.promise : undefined;
  };
  const script = fileURLToPath(new URL('../fixtures/upload-child.ts', import.meta.url));
  child = spawn(process.execPath, [script, join(folder, 'agent.db'), server.url], { stdio: 'inherit' });
  await expect.poll(() => held, { timeout: 30_000 }).toEqual({ part: true, small: true });
  const video = () => store.list({ limit: 10 }).find(({ key }) => key === 'video.webm')!;
  await expect.poll(() => store.parts(video()).map(({ number }) => number)).toEqual([1, 3]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  never.reject(new Error('the client is dead'));

  server.fault = () => undefined;
  queue = new UploadQueue({
    store,
    s3: () => clients.s3(),
    events: new EventBus(silentLogger),
    log: silentLogger,
  });
  queue.start();
  expect(await queue.settle('run', { deadlineMs: 30_000 })).toEqual({ pending: 0, done: 2, failed: 0 });

  const s3 = await clients.s3();
  for (const [name, bytes] of Object.entries(files)) {
    const object = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: name }));
    expect(bytes.equals(await object.Body!.transformToByteArray())).toBe(true);
  }
  const parts = server.requests.filter(
    ({ method, path }) => method === 'PUT' && path.includes('partNumber='),
  );
  const numbers = parts.map(({ path }) => Number(/partNumber=(\d+)/.exec(path)![1]));
  expect(numbers.toSorted((a, b) => a - b)).toEqual([1, 2, 2, 3]);
  expect(new Set(parts.map(({ path }) => /uploadId=([^&]+)/.exec(path)![1])).size).toBe(1);
});
