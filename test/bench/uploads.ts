/**
 * What the upload queue moves, beside `aws s3 cp` to the same endpoint in the same rounds: many small files
 * and a large one, directly and with every answer 30 ms late, as over a network; and how fast a queue of
 * ten thousand files is found again at a start. Writes the table of docs/reliability.md.
 */
import { execFile, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClients, type AwsCredentials } from '../../agent/aws/clients.ts';
import { EventBus } from '../../agent/base/events.ts';
import { silentLogger } from '../../agent/base/log.ts';
import { openDatabase } from '../../agent/store/database.ts';
import { UploadStore } from '../../agent/store/uploads.ts';
import { UploadQueue } from '../../agent/uploads/queue.ts';
import { writeTable } from './docs-table.ts';
import { LATE_MS, startLate } from './late-answers.ts';
import { median } from './stage.ts';
import { withSurroundings, type Surroundings } from './surroundings.ts';

const ROUNDS = 3;
const SMALL = { count: 200, bytes: 100_000 };
const LARGE = { count: 1, bytes: 60_000_000 };
const QUEUED = 10_000;
const GOAL = { smallRatio: 2.5, largeRatio: 1.6, lateSmallMbPerSecond: 50, recoveryMs: 1_000 };
/** An upload of all that takes longer has failed. */
const PATIENCE_MS = 120_000;
/** Debian's is version 2; others on the path may be older. */
const AWS = ['/usr/bin/aws', 'aws'].find((path) => spawnSync(path, ['--version']).status === 0);

interface Case {
  name: string;
  files: typeof SMALL;
  endpoint: string;
}

export async function benchUploads(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lba-bench-'));
  try {
    await withSurroundings(async (around) => {
      const endpoint = around.env['AWS_ENDPOINT_URL'];
      if (!endpoint) throw new Error('the sandbox names no endpoint');
      const late = await startLate(endpoint);
      try {
        await compare(folder, around, [
          { name: `${SMALL.count} files of 100 KB`, files: SMALL, endpoint },
          { name: 'one of 60 MB', files: LARGE, endpoint },
          {
            name: `${SMALL.count} files of 100 KB, answers ${LATE_MS} ms late`,
            files: SMALL,
            endpoint: late.url,
          },
          { name: `one of 60 MB, answers ${LATE_MS} ms late`, files: LARGE, endpoint: late.url },
        ]);
      } finally {
        late.close();
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(folder: string, around: Surroundings, cases: Case[]): Promise<void> {
  if (AWS === undefined) console.log('aws is not installed: nothing to compare with');
  const rows: { name: string; ours: number; theirs: number | null }[] = [];
  for (const one of cases) {
    const source = join(folder, `${one.files.bytes}`);
    const files = makeFiles(source, one.files);
    const megabytes = (one.files.count * one.files.bytes) / 1e6;
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(megabytes / (await uploadAll(folder, around, one.endpoint, files)));
      if (AWS !== undefined) theirs.push(megabytes / (await copyAll(AWS, source, around, one.endpoint)));
    }
    rows.push({ name: one.name, ours: median(ours), theirs: theirs.length > 0 ? median(theirs) : null });
  }
  const recoveryMs = await recovery(folder);
  const table = [
    '| what | MB/s | `aws s3 cp`, MB/s | times as fast |',
    '|---|---:|---:|---:|',
    ...rows.map(
      ({ name, ours, theirs }) =>
        `| ${name} | ${ours.toFixed(0)} | ${theirs?.toFixed(0) ?? 'not run'} | ${theirs === null ? '' : (ours / theirs).toFixed(1)} |`,
    ),
    `| first upload of a queue of ${QUEUED.toLocaleString('en')} found again, ms | ${recoveryMs.toFixed(0)} | | |`,
  ].join('\n');
  console.log(
    `\nUploads (goal: ${GOAL.smallRatio} and ${GOAL.largeRatio} times the command line, ${GOAL.lateSmallMbPerSecond} MB/s for small files with late answers, recovery below ${GOAL.recoveryMs} ms)\n${table}`,
  );
  writeTable('uploads', table, 'reliability.md');
  const [small, large, lateSmall] = rows;
  const missed = [
    ratio(small) < GOAL.smallRatio && 'small files',
    ratio(large) < GOAL.largeRatio && 'the large file',
    (lateSmall?.ours ?? 0) < GOAL.lateSmallMbPerSecond && 'small files with late answers',
    recoveryMs >= GOAL.recoveryMs && 'recovery',
  ].filter((name) => name !== false);
  if (missed.length === 0) return;
  console.log(`BELOW THE GOAL: ${missed.join(', ')}`);
  process.exitCode = 1;
}

/** Not compared counts as reached: that it was not is in the table. */
function ratio(row: { ours: number; theirs: number | null } | undefined): number {
  return row?.theirs ? row.ours / row.theirs : Infinity;
}

interface File {
  name: string;
  path: string;
  sha256: string;
  sizeBytes: number;
}

function makeFiles(folder: string, { count, bytes }: typeof SMALL): File[] {
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: count }, (_, index) => {
    const content = randomBytes(bytes);
    const name = `file-${index}.bin`;
    writeFileSync(join(folder, name), content);
    return {
      name,
      path: join(folder, name),
      sha256: createHash('sha256').update(content).digest('hex'),
      sizeBytes: bytes,
    };
  });
}

/** Queue and client as the agent has them. @returns seconds from the start until all is in the bucket */
async function uploadAll(
  folder: string,
  around: Surroundings,
  endpoint: string,
  files: File[],
): Promise<number> {
  const home = mkdtempSync(join(folder, 'queue-'));
  const db = openDatabase(join(home, 'agent.db'));
  const store = new UploadStore(db);
  const clients = createClients({ ...credentials(around), endpoint, env: {} });
  const queue = new UploadQueue({
    store,
    s3: () => clients.s3(),
    events: new EventBus(silentLogger),
    log: silentLogger,
  });
  try {
    for (const { name, path, sha256, sizeBytes } of files) {
      const object = { bucket: around.seeded.bucket, key: `ours/${name}` };
      const file = { path, sha256, sizeBytes, contentType: 'application/octet-stream', metadata: {} };
      store.enqueue({ runId: 'bench', ...object, ...file }, Date.now());
    }
    // As in an agent that has uploaded before: the SDK's program is loaded.
    await clients.s3();
    const begin = performance.now();
    queue.start();
    const counts = await queue.settle('bench', { deadlineMs: PATIENCE_MS });
    if (counts.pending > 0 || counts.failed > 0)
      throw new Error(`not uploaded: ${JSON.stringify(queue.status())}`);
    return (performance.now() - begin) / 1_000;
  } finally {
    await queue.stop({ deadlineMs: 0 });
    clients.destroy();
    db.close();
  }
}

/** @returns seconds, without those that the program takes to start */
async function copyAll(aws: string, source: string, around: Surroundings, endpoint: string): Promise<number> {
  const run = async (args: string[]): Promise<number> => {
    const begin = performance.now();
    await promisify(execFile)(aws, args, { env: { ...process.env, ...around.env, AWS_PAGER: '' } });
    return (performance.now() - begin) / 1_000;
  };
  const target = `s3://${around.seeded.bucket}/theirs/`;
  const all = await run(['s3', 'cp', source, target, '--recursive', '--quiet', '--endpoint-url', endpoint]);
  return all - (await run(['s3', 'ls', `${target}nothing-`, '--endpoint-url', endpoint]).catch(() => 0));
}

function credentials({ env }: Surroundings): { region: string; credentials: AwsCredentials } {
  return {
    region: env['AWS_REGION'] ?? 'us-east-1',
    credentials: {
      accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  };
}

/** @returns milliseconds from opening the database to the first file that is due */
async function recovery(folder: string): Promise<number> {
  const file = join(mkdtempSync(join(folder, 'recovery-')), 'agent.db');
  const db = openDatabase(file);
  const store = new UploadStore(db);
  db.transaction(() => {
    for (let index = 0; index < QUEUED; index += 1) {
      const name = `file-${index}.bin`;
      const object = { bucket: 'recordings', key: name, contentType: 'image/png', metadata: {} };
      const content = { path: join(folder, name), sizeBytes: 1, sha256: '0'.repeat(64) };
      store.enqueue({ runId: `run-${index % 100}`, ...object, ...content }, Date.now());
    }
  })();
  db.close();
  const begin = performance.now();
  const again = openDatabase(file);
  const { promise: first, resolve } = Promise.withResolvers<void>();
  const queue = new UploadQueue({
    store: new UploadStore(again),
    s3: async () => {
      resolve();
      throw new Error('this was all');
    },
    events: new EventBus(silentLogger),
    log: silentLogger,
  });
  queue.start();
  await first;
  const tookMs = performance.now() - begin;
  await queue.stop({ deadlineMs: 0 });
  again.close();
  return tookMs;
}
