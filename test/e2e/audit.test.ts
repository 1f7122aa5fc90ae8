/** The audit log as a person meets it: what the verbs do is in it, a manifest names its head, and tampering is found. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startPortal } from '../../agent/sandbox/index.ts';
import { cli, type CliOptions, type CliResult } from '../fixtures/cli.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

let home: string;

beforeEach(() => {
  home = makeHome('audit');
});

afterEach(() => removeHome(home));

const verb = (args: string[], options?: CliOptions): Promise<CliResult> =>
  cli([...args, '--home', home], options);

interface Row {
  seq: number;
  by: { kind: string; id: string; from: string };
  action: string;
  target: string;
  result: string;
  details: Record<string, unknown>;
}

async function listed(): Promise<Row[]> {
  const { stdout } = await verb(['audit', 'list', '--json']);
  return (JSON.parse(stdout) as Row[]).toReversed();
}

test('what is changed on the command line is in the log, with who, what and how it ended; secrets are not', async () => {
  await verb(['config', 'set', 'recording.max_level', 'DEBUG']);
  await verb(['config', 'secret', 'portal'], { input: 'canary-value\n' });
  await verb(['profiles', 'create', 'portal', 'finance']);
  await verb(['profiles', 'delete', 'portal']);
  await verb(['profiles', 'delete', 'nobody']);
  const rows = await listed();
  expect(rows.map(({ action, target, result }) => [action, target, result])).toEqual([
    ['settings.change', 'setting/recording.max_level', 'ok'],
    ['secret.set', 'secret/portal', 'ok'],
    ['profile.create', 'profile/portal', 'ok'],
    ['profile.delete', 'profile/portal', 'ok'],
    ['profile.delete', 'profile/nobody', 'failed'],
  ]);
  for (const { by } of rows) {
    expect(by).toMatchObject({ kind: 'cli', from: expect.stringMatching(/^pid \d+$/) });
    expect(by.id).not.toBe('');
  }
  expect(rows[0]!.details).toEqual({ value: 'DEBUG' });
  expect(rows[4]!.details).toMatchObject({ error: 'BrowserAgent.ProfileNotFound' });
  expect(JSON.stringify(rows)).not.toContain('canary-value');
  const table = await verb(['audit', '--target', 'profile/portal']);
  expect(table.stdout.split('\n')[0]).toMatch(/ROW +WHEN +WHO +FROM +DID +TO +RESULT +DETAILS/);
  expect(table.stdout).toMatch(/profile\.create +profile\/portal +ok +tags=\["finance"\]/);
  expect(table.stdout).not.toContain('settings.change');
});

test('a run is in the log, its manifest names the head, and verify says when the log is not as it was', async () => {
  const script = join(home, 'script.json');
  const portal = await startPortal();
  const steps = [{ action: 'navigate', url: `${portal.url}/health` }];
  writeFileSync(script, JSON.stringify({ name: 'Hello', steps }));
  const run = await verb(['exec', script]);
  await portal.close();
  expect(run).toMatchObject({ code: 0 });
  const runId = (JSON.parse(run.stdout) as { run_id: string }).run_id;
  const rows = await listed();
  expect(rows.map(({ action, target }) => `${action} ${target}`)).toEqual([
    `run.start run/${runId}`,
    `run.end run/${runId}`,
  ]);
  expect(rows[1]!.details).toMatchObject({ state: 'succeeded', level: 'INFO' });

  const manifest = join(home, 'runs', runId, 'manifest.json');
  const { more } = JSON.parse(readFileSync(manifest, 'utf8')) as { more: { audit_head: string } };
  expect(more.audit_head).toMatch(/^1:[0-9a-f]{64}$/);
  const sound = await verb(['audit', 'verify', '--json']);
  expect(sound.code).toBe(0);
  const { head, ...rest } = JSON.parse(sound.stdout) as { head: string };
  expect(rest).toEqual({ ok: true, rows: 2, headsCompared: 2 });
  expect(await verb(['audit', 'verify', '--head', head, '--manifest', manifest])).toMatchObject({
    code: 0,
    stdout: `2 rows, all as they were written; 4 known heads are among them.\nhead ${head}\n`,
  });

  const db = new SqliteDatabase(join(home, 'agent.db'));
  expect(() => db.exec('DELETE FROM audit')).toThrow(/append-only/);
  db.exec('DROP TRIGGER audit_no_delete; DROP TRIGGER audit_no_update');
  db.exec('DELETE FROM audit WHERE seq = 2; UPDATE runs SET audit_head = NULL');
  expect(await verb(['audit', 'verify'])).toMatchObject({ code: 0 });
  const elsewhere = join(home, 'elsewhere');
  mkdirSync(elsewhere);
  const later = join(elsewhere, 'manifest.json');
  writeFileSync(later, JSON.stringify({ more: { audit_head: head } }));
  const cut = await verb(['audit', 'verify', '--manifest', later]);
  expect(cut).toMatchObject({ code: 1, stdout: '' });
  expect(cut.stderr).toMatch(/broken at row 2: the end of the log is gone: the manifest .*knows 2 rows/);

  db.exec(`UPDATE audit SET actor_id = actor_id || 'x' WHERE seq = 1`);
  db.close();
  const changed = await verb(['audit', 'verify', '--json']);
  expect(changed.code).toBe(1);
  expect(JSON.parse(changed.stdout)).toMatchObject({ ok: false, firstBadRow: 1, why: /was changed/ });
});

test('what cannot be a head is refused', async () => {
  await verb(['config', 'set', 'recording.max_level', 'DEBUG']);
  expect(await verb(['audit', 'verify', '--head', '1:abc'])).toMatchObject({ code: 1 });
  expect(await verb(['audit', 'verify', '--manifest', join(home, 'none.json')])).toMatchObject({ code: 1 });
  writeFileSync(join(home, 'empty.json'), '{}');
  const { code, stderr } = await verb(['audit', 'verify', '--manifest', join(home, 'empty.json')]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/names no head/) });
});
