import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { oldestNode } from '../../test/fixtures/oldest-node.ts';
import type { Actor } from '../base/actor.ts';
import { AUDIT_COLUMNS } from '../store/audit.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { RunStore } from '../store/runs.ts';
import { hashOf, parseHead } from './chain.ts';
import { AuditLog, knownHeads, type KnownHead } from './index.ts';

const by: Actor = { kind: 'cli', id: 'ann', from: 'pid 7' };

let folder: string;
let file: string;
let db: Database;
let audit: AuditLog;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lba-audit-'));
  file = join(folder, 'agent.db');
  db = openDatabase(file);
  audit = new AuditLog({ db });
});

afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Rows of every kind that there is, text beyond ASCII included. */
function fill(count = 6): void {
  for (let n = 1; n <= count; n += 1) {
    audit.append({
      by: n % 2 === 0 ? by : { kind: 'task', id: `täsk ${n} 漢字 🙂`, from: 'step-functions' },
      action: 'run.start',
      target: `run/${n}`,
      result: n % 3 === 0 ? 'failed' : 'ok',
      details: n === 4 ? {} : { script: `Wöchentlich ${n}`, nested: { n, list: [1, null, true] } },
    });
  }
}

/** What somebody does who has the file, and takes the triggers out of the way first. */
function tamper<T>(work: (raw: SqliteDatabase.Database) => T): T {
  const raw = new SqliteDatabase(file);
  try {
    for (const name of ['audit_no_update', 'audit_no_delete', 'audit_in_order']) {
      raw.exec(`DROP TRIGGER IF EXISTS ${name}`);
    }
    return work(raw);
  } finally {
    raw.close();
  }
}

const verify = (heads: KnownHead[] = []) => audit.verify(heads);

describe('the chain', () => {
  test('starts at the genesis value, and each row goes on where the last one ended', () => {
    expect(audit.head()).toBe(`0:${'0'.repeat(64)}`);
    expect(verify()).toEqual({ ok: true, rows: 0, head: `0:${'0'.repeat(64)}`, headsCompared: 0 });
    const first = audit.append({ by, action: 'agent.pause', target: 'agent' });
    expect(first).toMatch(/^1:[0-9a-f]{64}$/);
    expect(audit.head()).toBe(first);
    fill();
    expect(verify()).toEqual({ ok: true, rows: 7, head: audit.head(), headsCompared: 0 });
  });

  test('has the hash that the documented form gives, whatever the columns hold', () => {
    const row = {
      seq: 1,
      at: 1_700_000_000_000,
      actor_kind: 'cli',
      actor_id: 'änn',
      origin: 'pid 7',
      action: 'agent.pause',
      target: 'agent',
      result: 'ok',
      details: '{}',
      prev_hash: '0'.repeat(64),
    };
    // Made with: printf 'local-browser-agent audit 1\n1:1\n13:1700000000000\n3:cli\n4:änn\n…' | sha256sum
    expect(hashOf(row)).toBe('964dcd6b6659449d5be0663f29426fa3e3b614fd8981af3748e9a77b83f16d22');
    expect(hashOf({ ...row, actor_id: 'a', origin: 'bc' })).not.toBe(
      hashOf({ ...row, actor_id: 'ab', origin: 'c' }),
    );
  });

  test('is one chain also when several processes write at once', async () => {
    const program = `
      const { openDatabase } = await import(${JSON.stringify(new URL('../store/database.ts', import.meta.url))});
      const { AuditLog } = await import(${JSON.stringify(new URL('log.ts', import.meta.url))});
      const audit = new AuditLog({ db: openDatabase(${JSON.stringify(file)}) });
      for (let n = 0; n < 20; n += 1)
        audit.append({ by: { kind: 'system', id: 'x', from: 'pid' }, action: 'a.b', target: 't/' + n });`;
    const run = promisify(execFile);
    await Promise.all([1, 2, 3].map(() => run(process.execPath, ['--input-type=module', '--eval', program])));
    expect(verify()).toMatchObject({ ok: true, rows: 60 });
  });
});

describe('the table', () => {
  test.each([
    ['an update', `UPDATE audit SET target = 'x' WHERE seq = 2`],
    ['a delete', 'DELETE FROM audit WHERE seq = 6'],
    [
      'a replacement',
      `INSERT OR REPLACE INTO audit SELECT seq, at, actor_kind, 'x', origin, action, target, result, details, prev_hash, hash FROM audit WHERE seq = 6`,
    ],
    [
      'a row that leaves a gap',
      `INSERT INTO audit SELECT seq + 2, at, actor_kind, actor_id, origin, action, target, result, details, prev_hash, hash FROM audit WHERE seq = 6`,
    ],
    [
      'a row that does not go on where the last one ended',
      `INSERT INTO audit SELECT seq + 1, at, actor_kind, actor_id, origin, action, target, result, details, prev_hash, hash FROM audit WHERE seq = 6`,
    ],
  ])('refuses %s', (_what, sql) => {
    fill();
    const before = audit.head();
    expect(() => db.exec(sql)).toThrow(/append-only/);
    expect(verify()).toMatchObject({ ok: true, rows: 6, head: before });
  });
});

describe('verification', () => {
  test('finds any one byte that is changed in any column of any row', () => {
    fill();
    tamper((raw) => {
      const columns = AUDIT_COLUMNS.map((name) => `CAST(CAST(${name} AS TEXT) AS BLOB) AS ${name}`).join(
        ', ',
      );
      const rows = raw.prepare(`SELECT ${columns} FROM audit ORDER BY audit.seq`).all() as Record<
        string,
        Buffer
      >[];
      fc.assert(
        fc.property(
          fc.nat({ max: rows.length - 1 }),
          fc.constantFrom(...AUDIT_COLUMNS.filter((name) => name !== 'seq' && name !== 'at')),
          fc.nat(),
          fc.integer({ min: 1, max: 255 }),
          (index, column, position, flip) => {
            const before = rows[index]![column]!;
            const changed = Buffer.from(before);
            const at = position % changed.length;
            changed[at] = changed[at]! ^ flip;
            const set = raw.prepare(`UPDATE audit SET ${column} = CAST(? AS TEXT) WHERE seq = ?`);
            set.run(changed, index + 1);
            const found = verify();
            set.run(before, index + 1);
            expect(found).toMatchObject({ ok: false, firstBadRow: index + 1 });
          },
        ),
        { numRuns: 400 },
      );
      expect(verify()).toMatchObject({ ok: true });
    });
  });

  test('finds any one bit that is changed in a number', () => {
    fill();
    tamper((raw) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 6 }),
          fc.constantFrom('seq', 'at'),
          fc.nat({ max: 62 }),
          (seq, column, bit) => {
            raw.exec('SAVEPOINT before');
            try {
              const value = raw
                .prepare(`SELECT ${column} FROM audit WHERE seq = ?`)
                .safeIntegers()
                .pluck()
                .get(seq);
              raw
                .prepare(`UPDATE OR IGNORE audit SET ${column} = ? WHERE seq = ?`)
                .run((value as bigint) ^ (1n << BigInt(bit)), seq);
              const taken = raw.prepare('SELECT changes()').pluck().get() === 0;
              // Seen from this connection, where the change is: nothing is committed.
              const found = new AuditLog({ db: raw }).verify();
              expect(found.ok).toBe(taken);
            } finally {
              raw.exec('ROLLBACK TO before');
            }
          },
        ),
        { numRuns: 200 },
      );
    });
  });

  test('finds a row that is missing in the middle, and says which', () => {
    fill();
    tamper((raw) => raw.exec('DELETE FROM audit WHERE seq = 3'));
    expect(verify()).toEqual({
      ok: false,
      firstBadRow: 3,
      why: 'row 3 is missing: row 4 comes in its place',
    });
  });

  test('finds rows that were numbered anew after one was taken out', () => {
    fill();
    tamper((raw) =>
      raw.exec('DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3;'),
    );
    expect(verify()).toMatchObject({ ok: false, firstBadRow: 3 });
  });

  test('finds two rows that changed places', () => {
    fill();
    tamper((raw) =>
      raw.exec(
        'UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 99;',
      ),
    );
    expect(verify()).toMatchObject({ ok: false, firstBadRow: 2 });
  });

  test('finds a cut-off end, and a log written anew, by any head that is known elsewhere', () => {
    fill();
    const heads = [{ head: audit.head(), source: 'the manifest of run 1' }];
    expect(verify(heads)).toMatchObject({ ok: true, headsCompared: 1 });
    tamper((raw) => raw.exec('DELETE FROM audit WHERE seq > 4'));
    expect(verify()).toMatchObject({ ok: true, rows: 4 });
    expect(verify(heads)).toEqual({
      ok: false,
      firstBadRow: 5,
      why: 'the end of the log is gone: the manifest of run 1 knows 6 rows, there are 4',
    });
    fill();
    expect(verify()).toMatchObject({ ok: true, rows: 10 });
    expect(verify(heads)).toMatchObject({ ok: false, firstBadRow: 6, why: /rewritten.*manifest of run 1/ });
  });

  test('takes nothing for a head that is none', () => {
    expect(parseHead('6:abc')).toBeUndefined();
    expect(verify([{ head: 'six', source: '--head six' }])).toMatchObject({ ok: false, why: /--head six/ });
  });
});

describe('known heads', () => {
  test('are those of run records and of manifests on this machine; what is no manifest is passed over', () => {
    const runs = new RunStore(db);
    runs.create({
      runId: 'r1',
      taskId: null,
      scriptName: 's',
      script: '{}',
      level: { level: 'NONE', reason: '' },
      profile: null,
      owner: { pid: 1, started: 'boot' },
      now: 1,
    });
    fill(2);
    runs.setAuditHead('r1', audit.head());
    const manifest = (runId: string, content: string): void => {
      mkdirSync(join(folder, 'runs', runId), { recursive: true });
      writeFileSync(join(folder, 'runs', runId, 'manifest.json'), content);
    };
    manifest('r2', JSON.stringify({ more: { audit_head: audit.head() } }));
    manifest('r3', '{"half');
    manifest('r4', '{}');
    manifest('r5', JSON.stringify({ more: { audit_head: '2:[masked]' } }));
    expect(knownHeads(runs, join(folder, 'runs'))).toEqual([
      { head: audit.head(), source: 'the record of run r1' },
      { head: audit.head(), source: 'the manifest of run r2' },
    ]);
    expect(knownHeads(runs, join(folder, 'nothing'))).toHaveLength(1);
  });
});

describe('an entry', () => {
  test('is listed newest first, by page, action, target and actor', () => {
    fill();
    audit.append({ by, action: 'profile.delete', target: 'profile/portal', details: { n: 1 } });
    const seqs = (filter: Parameters<AuditLog['list']>[0]) => audit.list(filter).map(({ seq }) => seq);
    expect(seqs({ limit: 3 })).toEqual([7, 6, 5]);
    expect(seqs({ limit: 3, before: 5 })).toEqual([4, 3, 2]);
    expect(seqs({ limit: 9, action: 'profile.delete' })).toEqual([7]);
    expect(seqs({ limit: 9, target: 'run/3' })).toEqual([3]);
    expect(seqs({ limit: 9, actorId: 'ann' })).toEqual([7, 6, 4, 2]);
    expect(audit.list({ limit: 1 })[0]).toMatchObject({
      by,
      action: 'profile.delete',
      target: 'profile/portal',
      result: 'ok',
      details: { n: 1 },
    });
  });

  test('of something that failed says so, and the failure goes on', async () => {
    await expect(
      audit.around({ by, action: 'profile.delete', target: 'profile/x', details: { n: 1 } }, () => {
        throw new Error('no such profile');
      }),
    ).rejects.toThrow('no such profile');
    expect(audit.list({ limit: 1 })[0]).toMatchObject({
      result: 'failed',
      details: { n: 1, error: 'BrowserAgent.Internal', message: 'no such profile' },
    });
  });

  test('holds no credentials, and no more than fits a line', () => {
    audit.append({
      by,
      action: 'settings.change',
      target: 'setting/aws.endpoint',
      details: {
        value: 'https://ann:canary-1@example.com/?X-Amz-Signature=canary-2&a=b',
        api_key: 'canary-3',
        headers: { Authorization: 'canary-4' },
        note: 'Authorization: Bearer canary-5.aaaa',
        args: ['--proxy=http://canary-6:canary-7@proxy'],
        id: 'AKIACANARY8CANARY888',
      },
    });
    const written = JSON.stringify(db.prepare('SELECT * FROM audit').all());
    expect(written).not.toMatch(/canary/i);
    expect(written).toContain('example.com');
    audit.append({ by, action: 'a.b', target: 'x'.repeat(1_000), details: { long: 'y'.repeat(20_000) } });
    const [entry] = audit.list({ limit: 1 });
    expect(entry!.target).toHaveLength(300);
    expect(entry!.details).toEqual({ left_out: expect.stringMatching(/details of \d+ characters/) });
    audit.append({ by: { ...by, id: '\ud800' }, action: 'a.b', target: 't', details: { lone: '\udfff' } });
    expect(verify()).toMatchObject({ ok: true });
  });
});

test('the program in docs/audit.md comes to the same answer as ours', async () => {
  const docs = readFileSync(new URL('../../docs/audit.md', import.meta.url), 'utf8');
  const program = /```js\n([\s\S]*?)```/.exec(docs)?.[1];
  expect(program).toBeDefined();
  const script = join(folder, 'verify.mjs');
  writeFileSync(script, program!);
  fill();
  const run = promisify(execFile);
  const { path: oldest } = oldestNode();
  for (const node of [process.execPath, ...(oldest === null ? [] : [oldest])]) {
    const { stdout } = await run(node, [script, file]);
    expect(stdout.trim()).toBe(audit.head());
  }
  tamper((raw) => raw.exec(`UPDATE audit SET actor_id = 'Ann' WHERE seq = 4`));
  await expect(run(process.execPath, [script, file])).rejects.toThrow(/row 4/);
});
