import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventBus, type AgentEvent } from '../base/events.ts';
import { silentLogger } from '../base/log.ts';
import { createClients, type AwsClients } from '../aws/clients.ts';
import { ServiceUnavailable } from '../aws/resilience.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { UploadStore, type NewUpload } from '../store/uploads.ts';
import { startFaultyS3, type FaultyS3 } from '../../test/fixtures/faulty-s3.ts';
import { HeldClock } from '../../test/fixtures/held-clock.ts';
import { artifactMetadata } from './metadata.ts';
import { UploadQueue } from './queue.ts';

const BUCKET = 'recordings';
const RUN = 'run-1';

let folder: string;
let server: FaultyS3;
let clients: AwsClients;
let s3: S3Client;
let db: Database;
let store: UploadStore;
let events: EventBus;
let seen: AgentEvent[];
let clock: HeldClock;
let queues: UploadQueue[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lba-uploads-'));
  server = await startFaultyS3();
  server.createBucket(BUCKET);
  clients = createClients({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    env: {},
  });
  s3 = await clients.s3();
  db = openDatabase(join(folder, 'agent.db'));
  store = new UploadStore(db);
  events = new EventBus(silentLogger);
  seen = [];
  events.on('test', (event) => seen.push(event));
  clock = new HeldClock();
  queues = [];
});

afterEach(async () => {
  await Promise.all(queues.map((queue) => queue.stop({ deadlineMs: 0 })));
  clients.destroy();
  await server.close();
  db.close();
  rmSync(folder, { recursive: true });
});

function newQueue(
  options: { mostAtOnce?: { small: number; large: number }; onlyRun?: string; skipBuckets?: string[] } = {},
): UploadQueue {
  const queue = new UploadQueue({
    store,
    s3: () => clients.s3(),
    events,
    log: silentLogger,
    clock,
    random: () => 1, // the whole nominal wait
    ...options,
  });
  queues.push(queue);
  return queue;
}

function file(name: string, bytes: Buffer | string, more: Partial<NewUpload> = {}): NewUpload {
  const path = join(folder, name);
  const content = Buffer.from(bytes);
  writeFileSync(path, content);
  return {
    runId: RUN,
    path,
    bucket: BUCKET,
    key: `browser-sessions/${RUN}/${name}`,
    contentType: 'text/plain',
    metadata: {},
    sizeBytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    ...more,
  };
}

function nextEvent(type: AgentEvent['type'], count = 1): Promise<void> {
  return new Promise((resolve) => {
    let left = count - seen.filter((event) => event.type === type).length;
    if (left <= 0) {
      resolve();
      return;
    }
    const off = events.on('test', (event) => {
      if (event.type === type) left -= 1;
      if (left > 0) return;
      off();
      resolve();
    });
  });
}

async function body(key: string): Promise<Buffer> {
  const object = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return Buffer.from(await object.Body!.transformToByteArray());
}

const puts = () => server.requests.filter(({ method }) => method === 'PUT');
const removed = (multipartId: string) =>
  server.requests.some(
    ({ method, path }) => method === 'DELETE' && path.includes(encodeURIComponent(multipartId)),
  );

test('while S3 is not asked, nothing counts as an attempt; when it is again, everything goes', async () => {
  const retryAt = clock.now() + 30_000;
  const health = { service: 's3', state: 'open', since: 0, lastError: 'x', failures: 5, retryAt } as const;
  const queue = new UploadQueue({
    store,
    s3: async () => {
      if (clock.now() < retryAt) throw new ServiceUnavailable(health, 'server');
      return clients.s3();
    },
    events,
    log: silentLogger,
    clock,
  });
  queues.push(queue);
  queue.start();
  queue.enqueue(file('a.txt', 'a'));
  queue.enqueue(file('b.txt', 'b'));
  await expect.poll(() => queue.status().held).toMatchObject([{ bucket: BUCKET, retryAt, kind: 'server' }]);
  await expect.poll(() => queue.status().inFlight).toBe(0);
  expect(store.list({ runId: RUN, limit: 9 }).map(({ attempts }) => attempts)).toEqual([0, 0]);
  expect(seen).toEqual([]);
  await expect
    .poll(() => {
      clock.advance(31_000);
      return queue.status().done;
    })
    .toBe(2);
  expect(queue.status().held).toEqual([]);
});

describe('an upload', () => {
  test('arrives with content type, metadata and the recorded SHA-256 as its checksum', async () => {
    const queue = newQueue();
    const upload = file('page.html', '<p>done</p>', {
      contentType: 'text/html; charset=utf-8',
      metadata: artifactMetadata({
        runId: RUN,
        taskId: 'task-1',
        scriptName: 'Prüfung 確認',
        level: 'INFO',
        agent: 'desk',
      }),
    });
    queue.enqueue(upload);
    queue.start();
    expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toEqual({ pending: 0, done: 1, failed: 0 });

    const head = await s3.send(
      new HeadObjectCommand({ Bucket: BUCKET, Key: upload.key, ChecksumMode: 'ENABLED' }),
    );
    expect(head.ContentType).toBe('text/html; charset=utf-8');
    expect(head.Metadata).toMatchObject({
      'run-id': RUN,
      'task-id': 'task-1',
      level: 'INFO',
      agent: 'desk',
    });
    expect(head.Metadata?.['script-name']).toMatch(/^=\?UTF-8\?B\?/);
    expect(puts()[0]?.headers['x-amz-checksum-sha256']).toBe(
      Buffer.from(upload.sha256, 'hex').toString('base64'),
    );
    expect(seen).toContainEqual({
      type: 'upload.finished',
      runId: RUN,
      key: upload.key,
      sizeBytes: upload.sizeBytes,
    });
  });

  test('of a large file goes in parts, each with a checksum, and arrives whole', async () => {
    const bytes = randomBytes(12 * 1024 * 1024 + 7);
    const queue = newQueue();
    const upload = file('video.webm', bytes, { contentType: 'video/webm' });
    queue.enqueue(upload);
    queue.start();
    expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ done: 1 });

    const parts = puts();
    expect(parts).toHaveLength(3);
    for (const part of parts) expect(part.headers['x-amz-checksum-sha256']).toBeTruthy();
    expect((await body(upload.key)).equals(bytes)).toBe(true);
    expect(store.list({ limit: 1 })[0]?.multipart_id).toBeNull();
  });

  test('of an empty file arrives', async () => {
    const queue = newQueue();
    const upload = file('empty.txt', '');
    queue.enqueue(upload);
    queue.start();
    expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ done: 1 });
    expect(await body(upload.key)).toHaveLength(0);
  });

  test('removes its file afterwards when asked to, and only then', async () => {
    const queue = newQueue();
    const gone = file('gone.txt', 'gone', { removeAfter: true });
    const kept = file('kept.txt', 'kept');
    queue.enqueue(gone);
    queue.enqueue(kept);
    queue.start();
    await queue.settle(RUN, { deadlineMs: 60_000 });
    await queue.stop({ deadlineMs: 10_000 });
    expect(existsSync(gone.path)).toBe(false);
    expect(existsSync(kept.path)).toBe(true);
  });

  test('of the same bytes twice is sent once; of other bytes it is sent again', async () => {
    const queue = newQueue();
    queue.enqueue(file('a.txt', 'one'));
    queue.start();
    await queue.settle(RUN, { deadlineMs: 60_000 });
    queue.enqueue(file('a.txt', 'one'));
    await queue.settle(RUN, { deadlineMs: 60_000 });
    expect(puts()).toHaveLength(1);
    queue.enqueue(file('a.txt', 'two'));
    await queue.settle(RUN, { deadlineMs: 60_000 });
    expect((await body(`browser-sessions/${RUN}/a.txt`)).toString()).toBe('two');
  });
});

describe('the order', () => {
  test('is by priority, then by age; never more at once than allowed', async () => {
    const started: string[] = [];
    const release = Promise.withResolvers<void>();
    server.fault = ({ method, path }) => {
      if (method !== 'PUT') return undefined;
      started.push(path.split('/').at(-1)!.split('?')[0]!);
      return started.length <= 2 ? release.promise : undefined;
    };
    const queue = newQueue({ mostAtOnce: { small: 2, large: 2 } });
    for (const name of ['a', 'b', 'c']) queue.enqueue(file(name, name));
    queue.enqueue(file('urgent', 'urgent', { priority: 10 }));
    queue.start();
    await expect.poll(() => started).toHaveLength(2);
    expect(started.toSorted()).toEqual(['a', 'urgent']);
    expect(queue.status().inFlight).toBe(2);
    release.resolve();
    await queue.settle(RUN, { deadlineMs: 60_000 });
    expect(started.slice(2).toSorted()).toEqual(['b', 'c']);
  });

  test('lets small files pass large ones that are on their way', async () => {
    const release = Promise.withResolvers<void>();
    server.fault = ({ method, path }) =>
      method === 'PUT' && path.includes('large') ? release.promise : undefined;
    const queue = newQueue();
    for (let n = 0; n < 5; n += 1) {
      queue.enqueue(file(`large-${n}`, Buffer.alloc(1_100_000, n), { priority: 10 }));
    }
    for (let n = 0; n < 10; n += 1) queue.enqueue(file(`small-${n}`, String(n), { runId: 'run-2' }));
    queue.start();
    expect(await queue.settle('run-2', { deadlineMs: 60_000 })).toMatchObject({ done: 10 });
    expect(queue.status().inFlight).toBe(3);
    release.resolve();
    expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ done: 5 });
  });

  test('of a queue for one run leaves the others to the agent', async () => {
    const queue = newQueue({ onlyRun: 'run-2' });
    queue.enqueue(file('mine', 'mine', { runId: 'run-2' }));
    queue.enqueue(file('other', 'other'));
    queue.start();
    expect(await queue.settle('run-2', { deadlineMs: 60_000 })).toMatchObject({ done: 1 });
    expect(store.counts(RUN)).toEqual({ pending: 1, done: 0, failed: 0 });
  });

  test('leaves out what is meant for a bucket that is not this agent’s now; it can be taken back', async () => {
    const queue = newQueue({ skipBuckets: ['elsewhere'] });
    queue.enqueue(file('there', 'there', { bucket: 'elsewhere', runId: 'run-2', priority: 9 }));
    queue.enqueue(file('here', 'here'));
    queue.start();
    expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ done: 1 });
    expect(server.requests.filter(({ path }) => path.includes('elsewhere'))).toEqual([]);
    expect(store.pendingBuckets()).toEqual(['elsewhere']);
    expect(store.forget('elsewhere')).toBe(1);
    expect(store.counts('run-2')).toEqual({ pending: 0, done: 0, failed: 0 });
  });
});

describe('a failure', () => {
  test('access denied is shown as what it is, tried again slowly, and never given up', async () => {
    server.fault = ({ method }) => (method === 'PUT' ? { status: 403, code: 'AccessDenied' } : undefined);
    const queue = newQueue();
    const upload = file('a.txt', 'a');
    queue.enqueue(upload);
    queue.start();
    for (let attempt = 1; attempt <= 12; attempt += 1) {
      await nextEvent('upload.failed', attempt);
      clock.advance(1_800_000);
    }
    const [row] = store.list({ limit: 1 });
    expect(row?.state).toBe('pending');
    expect(row?.last_error).toContain('AccessDenied');
    expect(row?.last_error).toContain('s3:PutObject');
    expect(seen.find((event) => event.type === 'upload.failed')).toMatchObject({
      attempt: 1,
      retryAt: 1_800_000_000_000 + 60_000,
    });

    server.fault = () => undefined;
    queue.retry();
    await nextEvent('upload.finished');
    expect((await body(upload.key)).toString()).toBe('a');
  });

  test('no such bucket is said, kept, and does not hold another bucket', async () => {
    const queue = newQueue();
    queue.enqueue(file('a.txt', 'a', { bucket: 'nowhere' }));
    queue.enqueue(file('b.txt', 'b'));
    queue.start();
    await Promise.all([nextEvent('upload.failed'), nextEvent('upload.finished')]);
    const failed = seen.find((event) => event.type === 'upload.failed');
    expect(failed).toMatchObject({ message: expect.stringContaining('NoSuchBucket') as string });
    expect(store.counts()).toEqual({ pending: 1, done: 1, failed: 0 });
  });

  test('access denied and no such bucket outlive a restart, and end by themselves once a person has mended it', async () => {
    server.fault = ({ method }) => (method === 'PUT' ? { status: 403, code: 'AccessDenied' } : undefined);
    const first = newQueue();
    const denied = file('denied.txt', 'd');
    const homeless = file('homeless.txt', 'h', { bucket: 'later' });
    first.enqueue(denied);
    first.start();
    await nextEvent('upload.failed', 1);
    server.fault = () => undefined;
    first.enqueue(homeless);
    await nextEvent('upload.failed', 2);
    await first.stop({ deadlineMs: 0 });

    server.fault = ({ method, path }) =>
      method === 'PUT' && path.includes('denied') ? { status: 403, code: 'AccessDenied' } : undefined;
    const second = newQueue();
    second.start();
    await nextEvent('upload.failed', 4);
    const reasons = store.list({ state: 'pending', limit: 9 }).map((row) => row.last_error);
    // What `status` and GET /health say.
    expect(second.status().lastError).toBe(reasons[0]);
    expect(reasons).toEqual([
      expect.stringContaining('NoSuchBucket'),
      expect.stringContaining('AccessDenied'),
    ]);
    server.fault = () => undefined;
    server.createBucket('later');
    await expect.poll(() => second.status()).toMatchObject({ pending: 2, inFlight: 0, held: [] });
    clock.advance(120_000); // the second wait of each
    await nextEvent('upload.finished', 2);
    expect(store.counts()).toEqual({ pending: 0, done: 2, failed: 0 });
    expect(second.status().lastError).toBeNull();
    expect((await body(denied.key)).toString()).toBe('d');
  });

  test('asked to slow down, it probes with one file and goes on with half as many at once', async () => {
    server.fault = ({ method }) => (method === 'PUT' ? { status: 503, code: 'SlowDown' } : undefined);
    const queue = newQueue();
    for (let n = 0; n < 20; n += 1) queue.enqueue(file(`${n}.txt`, String(n)));
    queue.start();
    await nextEvent('upload.failed', 8);
    await expect.poll(() => queue.status().inFlight).toBe(0);
    expect(queue.status().held).toMatchObject([{ bucket: BUCKET, kind: 'throttled' }]);
    const probe = Promise.withResolvers<void>();
    const others = Promise.withResolvers<void>();
    const before = puts().length;
    server.fault = ({ method }) => {
      if (method !== 'PUT') return undefined;
      return puts().length === before + 1 ? probe.promise : others.promise;
    };
    clock.advance(2_000);
    await expect.poll(() => puts().length).toBe(before + 1);
    expect(queue.status().inFlight).toBe(1);
    probe.resolve();
    await expect.poll(() => queue.status().inFlight).toBe(5); // 8 halved, and one for the probe
    others.resolve();
    expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ done: 20 });
  });

  test('of one part ends the attempt; the next goes on with the parts that arrived', async () => {
    let isFailing = true;
    server.fault = ({ method, path }) => {
      if (method !== 'PUT' || !path.includes('partNumber=2') || !isFailing) return undefined;
      isFailing = false;
      return { status: 500, code: 'InternalError' };
    };
    const bytes = randomBytes(22 * 1024 * 1024);
    const queue = newQueue();
    const upload = file('video.webm', bytes);
    queue.enqueue(upload);
    queue.start();
    await nextEvent('upload.failed');
    clock.advance(1_000);
    expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ done: 1 });
    expect((await body(upload.key)).equals(bytes)).toBe(true);
    expect(puts().filter(({ path }) => path.includes('partNumber=1&'))).toHaveLength(1);
    expect(puts().filter(({ path }) => path.includes('partNumber=2&'))).toHaveLength(2);
    expect(server.requests.filter(({ method }) => method === 'DELETE')).toEqual([]);
  });

  test('without network one upload probes, the others wait; once it is back all go', async () => {
    let attempts = 0;
    server.fault = ({ method }) => {
      if (method !== 'PUT') return undefined;
      attempts += 1;
      return 'cut';
    };
    const queue = newQueue({ mostAtOnce: { small: 1, large: 1 } });
    for (let n = 0; n < 20; n += 1) queue.enqueue(file(`${n}.txt`, String(n)));
    queue.start();
    // Six hours offline: far fewer attempts than files times retries.
    for (let failures = 1; failures <= 40; failures += 1) {
      await nextEvent('upload.failed', failures);
      expect(queue.status().held).toMatchObject([{ bucket: BUCKET, kind: 'offline' }]);
      clock.advance(300_000);
    }
    expect(attempts).toBeLessThanOrEqual(42);
    expect(store.counts()).toEqual({ pending: 20, done: 0, failed: 0 });

    server.fault = () => undefined;
    clock.advance(300_000);
    await nextEvent('upload.finished', 20);
    expect(store.counts()).toEqual({ pending: 0, done: 20, failed: 0 });
    expect(queue.status().held).toEqual([]);
  });

  test('of the service is tried again after a second, doubling', async () => {
    let left = 3;
    server.fault = ({ method }) => {
      if (method !== 'PUT' || left === 0) return undefined;
      left -= 1;
      return { status: 500, code: 'InternalError' };
    };
    const queue = newQueue();
    queue.enqueue(file('a.txt', 'a'));
    queue.start();
    for (const [index, waitMs] of [1_000, 2_000, 4_000].entries()) {
      await nextEvent('upload.failed', index + 1);
      const failed = seen.filter((event) => event.type === 'upload.failed')[index];
      expect(failed).toMatchObject({ retryAt: clock.now() + waitMs });
      clock.advance(waitMs);
    }
    await nextEvent('upload.finished');
  });

  test('a file that is gone is final, reported, and can be revived', async () => {
    const queue = newQueue();
    const upload = file('a.txt', 'a');
    rmSync(upload.path);
    queue.enqueue(upload);
    queue.start();
    expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toEqual({ pending: 0, done: 0, failed: 1 });
    expect(seen).toContainEqual(
      expect.objectContaining({
        type: 'upload.failed',
        retryAt: 0,
        message: expect.stringContaining('does not exist any more') as string,
      }),
    );
    file('a.txt', 'a');
    expect(queue.retry({ failed: true })).toBe(1);
    expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ done: 1 });
  });

  test.each([
    ['small', 1_000],
    ['large', 9 * 1024 * 1024],
  ])('a %s file changed after it was recorded is never passed off as the recorded one', async (_, size) => {
    const queue = newQueue();
    const upload = file('a.bin', Buffer.alloc(size, 1));
    writeFileSync(upload.path, Buffer.alloc(size, 2));
    queue.enqueue(upload);
    queue.start();
    expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ failed: 1 });
    expect(store.list({ limit: 1 })[0]?.last_error).toContain('changed after it was recorded');
    await expect(body(upload.key)).rejects.toThrow('The specified key does not exist');
  });
});

describe('settle', () => {
  test('returns at once when the next attempt waits for a person, whatever the deadline, and says why', async () => {
    server.fault = ({ method }) => (method === 'PUT' ? { status: 403, code: 'AccessDenied' } : undefined);
    const queue = newQueue();
    queue.enqueue(file('a.txt', 'a'));
    queue.start();
    // The held clock never moves: only the early return ends this.
    expect(await queue.settle(RUN, { deadlineMs: 600_000 })).toEqual({ pending: 1, done: 0, failed: 0 });
    expect(queue.lastError(RUN)).toMatch(/s3:PutObject/);
    expect(queue.lastError('another-run')).toBeNull();
  });

  test('ends at its deadline and on abort with what is still on the way', async () => {
    const release = Promise.withResolvers<void>();
    server.fault = ({ method }) => (method === 'PUT' ? release.promise : undefined);
    const queue = newQueue();
    queue.enqueue(file('a.txt', 'a'));
    queue.start();
    await expect.poll(() => puts().length).toBe(1);
    const settled = queue.settle(RUN, { deadlineMs: 5_000 });
    clock.advance(5_000);
    expect(await settled).toMatchObject({ pending: 1 });
    expect(await queue.settle(RUN, { deadlineMs: 5_000, signal: AbortSignal.abort() })).toMatchObject({
      pending: 1,
    });
    release.resolve();
    expect(await queue.settle(RUN, { deadlineMs: 5_000 })).toMatchObject({ done: 1 });
  });
});

describe('stop and start', () => {
  test('break off what is on the way at the deadline and go on with it after the restart', async () => {
    const never = Promise.withResolvers<void>();
    server.fault = ({ method }) => (method === 'PUT' ? never.promise : undefined);
    const first = newQueue();
    const upload = file('a.txt', 'a');
    first.enqueue(upload);
    first.start();
    await expect.poll(() => puts().length).toBe(1);
    await first.stop({ deadlineMs: 0 });
    expect(store.counts()).toMatchObject({ pending: 1 });
    server.fault = () => undefined;
    const second = newQueue();
    second.start();
    expect(await second.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ done: 1 });
    never.reject(new Error('over'));
    expect((await body(upload.key)).toString()).toBe('a');
  });

  test('remove the parts that a killed process left behind', async () => {
    const dead = file('video.webm', randomBytes(9 * 1024 * 1024));
    store.enqueue(dead, clock.now());
    // What a process that was killed between two parts leaves: a claimed row with its multipart id.
    const [row] = store.claim({
      now: clock.now(),
      leaseUntil: clock.now() + 120_000,
      skipBuckets: [],
      skipIds: [],
      small: 1,
      large: 1,
      most: 1,
    });
    const { CreateMultipartUploadCommand } = await import('@aws-sdk/client-s3');
    const made = await s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: dead.key }));
    store.setMultipart(row!.upload_id, made.UploadId!);

    const queue = newQueue();
    queue.start();
    expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ done: 1 });
    expect(removed(made.UploadId!)).toBe(true);
  });

  describe('of a large file that was broken off', () => {
    const bytes = randomBytes(12 * 1024 * 1024);
    const partsSent = () =>
      puts().flatMap(
        ({ path }) => /partNumber=(\d+)&uploadId=([^&]+)/.exec(path)?.slice(1, 3).join(' of ') ?? [],
      );

    /** Parts 1 and 3 arrive, part 2 does not. @returns the id of the multipart upload */
    async function breakOff(upload: NewUpload): Promise<string> {
      server.fault = ({ path }) => (path.includes('partNumber=2') ? never.promise : undefined);
      const never = Promise.withResolvers<void>();
      never.promise.catch(() => undefined);
      const first = newQueue();
      first.enqueue(upload);
      first.start();
      const [row] = store.list({ limit: 1 });
      await expect.poll(() => store.parts(row!).map(({ number }) => number)).toEqual([1, 3]);
      await first.stop({ deadlineMs: 0 });
      never.reject(new Error('over'));
      server.fault = () => undefined;
      server.requests.length = 0;
      return store.get(row!.upload_id)!.multipart_id!;
    }

    test('sends only the missing part', async () => {
      const upload = file('video.webm', bytes);
      const id = await breakOff(upload);
      const queue = newQueue();
      queue.start();
      expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ done: 1 });
      expect(partsSent()).toEqual([`2 of ${encodeURIComponent(id)}`]);
      expect((await body(upload.key)).equals(bytes)).toBe(true);
      expect(store.parts(store.list({ limit: 1 })[0]!)).toEqual([]);
    });

    test('begins anew when S3 has forgotten it', async () => {
      const upload = file('video.webm', bytes);
      const id = await breakOff(upload);
      await s3.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: upload.key, UploadId: id }));
      const queue = newQueue();
      queue.start();
      expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ done: 1 });
      expect(partsSent().filter((part) => !part.endsWith(encodeURIComponent(id)))).toHaveLength(3);
      expect((await body(upload.key)).equals(bytes)).toBe(true);
    });

    test('removes its parts when other bytes take its place', async () => {
      const id = await breakOff(file('video.webm', bytes));
      const other = randomBytes(12 * 1024 * 1024);
      const upload = file('video.webm', other);
      const queue = newQueue();
      queue.enqueue(upload);
      queue.start();
      expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ done: 1 });
      expect((await body(upload.key)).equals(other)).toBe(true);
      expect(removed(id)).toBe(true);
    });

    test('removes its parts when the file is gone', async () => {
      const upload = file('video.webm', bytes);
      const id = await breakOff(upload);
      rmSync(upload.path);
      const queue = newQueue();
      queue.start();
      expect(await queue.settle(RUN, { deadlineMs: 60_000 })).toMatchObject({ failed: 1 });
      expect(removed(id)).toBe(true);
    });
  });

  test('two processes on one database do not send one file twice', async () => {
    const release = Promise.withResolvers<void>();
    server.fault = ({ method }) => (method === 'PUT' ? release.promise : undefined);
    const agent = newQueue();
    agent.start();
    const other = newQueue({ onlyRun: RUN });
    other.enqueue(file('a.txt', 'a'));
    other.start();
    await expect.poll(() => puts().length).toBe(1);
    // Longer than a lease: it is held by renewing it.
    for (let passedMs = 0; passedMs < 300_000; passedMs += 31_000) {
      clock.advance(31_000);
      await new Promise(setImmediate); // both loops look again
    }
    expect(agent.status().inFlight + other.status().inFlight).toBe(1);
    release.resolve();
    await other.settle(RUN, { deadlineMs: 60_000 });
    await agent.stop({ deadlineMs: 60_000 });
    expect(puts()).toHaveLength(1);
  });
});
