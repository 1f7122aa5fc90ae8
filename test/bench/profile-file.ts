/**
 * Peak memory of exporting and importing profile files: a small one, 1 GB of honest data, and bombs. Each in a
 * process of its own, without a browser. Needs 4 GB of disk for a moment.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readArchive, writeArchive } from '../../agent/browser/profile-archive.ts';
import { bomb, BOMB_PART_BYTES, notes, PASSPHRASE, sealed, zipOf } from '../fixtures/profile-file.ts';
import { writeTable } from './docs-table.ts';

const MB = 1_000_000;
const HONEST_MB = 1_000;
/** Size of a LevelDB table. */
const TABLE_MB = 2;
/** More than the peak of a small file, which scrypt decides, memory may not grow with the size of a file. */
const GOAL_MB = 100;
const BOMB_PARTS = 37;

interface Job {
  kind: 'export' | 'import';
  file: string;
  dir: string;
  scratch: string;
}

interface Outcome {
  peakMb: number;
  seconds: number;
  /** Empty when it succeeded. */
  refused: string;
  fileMb: number;
}

export async function benchProfileFile(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lba-bench-profile-'));
  try {
    const rows: { what: string; outcome: Outcome }[] = [];
    const measure = async (what: string, kind: Job['kind'], file: string, dir: string): Promise<void> => {
      const outcome = await inProcess({ kind, file, dir, scratch: join(folder, 'plain') });
      rows.push({ what, outcome });
      rmSync(join(folder, 'plain'), { force: true });
      if (kind === 'import') rmSync(dir, { recursive: true, force: true });
    };
    const imported = join(folder, 'imported');

    const small = join(folder, 'small.lbaprofile');
    writeProfile(join(folder, 'small'), TABLE_MB);
    await measure(`export of ${TABLE_MB} MB`, 'export', small, join(folder, 'small'));
    await measure(`import of ${TABLE_MB} MB`, 'import', small, imported);

    const large = join(folder, 'large.lbaprofile');
    writeProfile(join(folder, 'large'), HONEST_MB);
    await measure(`export of ${HONEST_MB} MB`, 'export', large, join(folder, 'large'));
    rmSync(join(folder, 'large'), { recursive: true });
    await measure(`import of ${HONEST_MB} MB`, 'import', large, imported);
    rmSync(large);

    const name = 'files/Default/LocalStorage';
    const deflated = bomb(BOMB_PARTS);
    for (const [what, size] of [
      ['2.5 GB of zeros', BOMB_PARTS * BOMB_PART_BYTES],
      ['the same, that claims to be 50 MB', 50 * MB],
    ] as const) {
      const file = join(folder, 'bomb.lbaprofile');
      writeFileSync(file, sealed(zipOf([...notes(), { name, deflated, claims: { size } }])));
      await measure(`import of ${what}`, 'import', file, imported);
      rmSync(file);
    }

    const table = [
      '| | file, MB | seconds | peak memory of the process, MB | |',
      '|---|---:|---:|---:|---|',
      ...rows.map(
        ({ what, outcome: { peakMb, seconds, refused, fileMb } }) =>
          `| ${what} | ${fileMb.toFixed(1)} | ${seconds.toFixed(1)} | ${peakMb.toFixed(0)} | ${refused === '' ? 'done' : 'refused'} |`,
      ),
    ].join('\n');
    console.log(`\nProfile files\n${table}`);
    writeTable('profile-file', table, 'profile-files.md');
    const usual = Math.max(rows[0]!.outcome.peakMb, rows[1]!.outcome.peakMb);
    if (rows.some(({ outcome }) => outcome.peakMb > usual + GOAL_MB)) {
      console.log('ABOVE THE GOAL');
      process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A user data directory with tables of IndexedDB, half noise and half text, as sites have it. */
function writeProfile(dir: string, megabytes: number): void {
  const tables = join(dir, 'Default', 'IndexedDB', 'https_portal.example_0.indexeddb.leveldb');
  mkdirSync(tables, { recursive: true });
  const half = (TABLE_MB * MB) / 2;
  for (let n = 0; n < megabytes / TABLE_MB; n += 1) {
    const text = Buffer.alloc(half, `{"order": ${n}, "customer": "somebody", "state": "open"}`);
    writeFileSync(
      join(tables, `${String(n).padStart(6, '0')}.ldb`),
      Buffer.concat([randomBytes(half), text]),
    );
  }
}

async function inProcess(job: Job): Promise<Outcome> {
  const child = fork(fileURLToPath(import.meta.url));
  child.send(job);
  const [outcome] = (await once(child, 'message')) as [Outcome];
  child.disconnect();
  await once(child, 'exit');
  return outcome;
}

async function work({ kind, file, dir, scratch }: Job): Promise<Outcome> {
  const started = performance.now();
  let refused = '';
  try {
    const maxBytes = 2_000 * MB;
    if (kind === 'export') {
      const texts = Object.fromEntries(notes().map(({ name, data }) => [name, String(data)]));
      await writeArchive(file, { dir, notes: texts, passphrase: PASSPHRASE, maxBytes });
    } else {
      mkdirSync(dir);
      await readArchive(file, { dir, scratch, passphrase: PASSPHRASE, maxBytes });
    }
  } catch (thrown) {
    refused = String(thrown);
  }
  // Kilobytes on every platform (libuv).
  const peakMb = (process.resourceUsage().maxRSS * 1_024) / MB;
  return {
    peakMb,
    seconds: (performance.now() - started) / 1_000,
    refused,
    fileMb: statSync(file).size / MB,
  };
}

if (process.send) {
  process.once('message', (job: Job) => {
    work(job).then(
      (outcome) => process.send!(outcome),
      (thrown: unknown) => {
        throw thrown;
      },
    );
  });
  process.once('disconnect', () => process.exit());
}
