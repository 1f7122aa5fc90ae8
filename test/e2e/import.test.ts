/** `import` as an operator meets it: what the earlier program left, taken over by the command line. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { homePaths } from '../../agent/base/paths.ts';
import type { ImportReport } from '../../agent/import/index.ts';
import { AwsValuesStore } from '../../agent/store/aws-values.ts';
import { openDatabase } from '../../agent/store/database.ts';
import { cli, type CliResult } from '../fixtures/cli.ts';
import { LINEAR_SCRIPT, WORKFLOW_SCRIPT, writeEarlierProgram } from '../fixtures/earlier-program.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

let folder: string;
let old: string;
let home: string;

beforeEach(() => {
  folder = makeHome('import');
  old = join(folder, 'Local Browser Agent');
  home = join(folder, 'home');
  writeEarlierProgram(old);
  writeFileSync(join(folder, 'aws-config'), '[profile browser-agent]\nregion = eu-central-1\n');
});

afterEach(() => removeHome(folder));

const run = (...args: string[]): Promise<CliResult> =>
  cli([...args, '--home', home], { env: { AWS_CONFIG_FILE: join(folder, 'aws-config') } });

async function report(...args: string[]): Promise<ImportReport> {
  const { stdout } = await run('import', old, '--json', ...args);
  return JSON.parse(stdout) as ImportReport;
}

/** Every file with a digest of what is in it. */
function contents(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    files
      .filter((file) => statSync(join(dir, file)).isFile())
      .map((file) => [
        file,
        createHash('sha256')
          .update(readFileSync(join(dir, file)))
          .digest('hex'),
      ]),
  );
}

describe('import', () => {
  test('takes over what it can, names everything else, and leaves the earlier program as it is', async () => {
    const before = contents(old);
    const { code, stdout, stderr } = await run('import', old);
    expect(contents(old)).toEqual(before);
    // Two scripts are wrong.
    expect(code).toBe(1);
    expect(stdout).toMatch(/^✓ setting activity_arn → aws\.activity_arn \(.*config\.yaml:1:1\)/m);
    expect(stdout).toMatch(/^✗ script wrong\.json \(.*wrong\.json:5:33\): .*"A" is used twice/m);
    expect(stdout).toMatch(/^✗ script cut\.json \(.*cut\.json:4:1\): not JSON/m);
    expect(stdout).toMatch(/^\? file task\.json .*input of a task/m);
    expect(stdout).toMatch(/^\? profile gone .*is not there/m);
    expect(stdout).not.toContain('session-1.json');
    expect(stdout + stderr).not.toContain('canary');
    expect(stderr).toMatch(/taken over: 11, .* for you to do: 4, ✗ failed: 2/);

    const profiles = JSON.parse((await run('profiles', '--json')).stdout) as Record<string, unknown>[];
    expect(profiles).toMatchObject([
      {
        name: 'Supplier_portal',
        tags: ['supplier.example', 'authenticated'],
        description: 'Orders of the north Sign-in: code comes by text message',
        lastUsedAt: new Date('2025-11-02T17:30:00.000').getTime(),
      },
      { name: 'invoices', tags: ['supplier.example'], lastUsedAt: null },
    ]);
    const dir = profiles[0]!['dir'] as string;
    expect(readFileSync(join(dir, 'Default', 'Cookies'), 'utf8')).toBe('cookies of Supplier_portal');

    const scripts = join(home, 'scripts');
    expect(readdirSync(scripts)).toEqual(['01_orders.json', 'copy.json', 'workflows-01_orders.json']);
    const text = (file: string): unknown => JSON.parse(readFileSync(join(scripts, file), 'utf8'));
    expect(text('01_orders.json')).toEqual(LINEAR_SCRIPT);
    expect(text('workflows-01_orders.json')).toEqual(WORKFLOW_SCRIPT);
    expect((await run('config', 'get', 'aws.env')).stdout).toBe('prod\n');

    const audit = JSON.parse((await run('audit', '--json')).stdout) as { action: string; details: object }[];
    expect(audit[0]).toMatchObject({
      action: 'agent.import',
      result: 'failed',
      details: { taken: 11, failed: 2 },
    });
    expect(audit.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['settings.change', 'profile.create', 'script.store']),
    );
  });

  test('a dry run says the same and changes nothing, not even makes the data directory', async () => {
    const dry = await report('--dry-run');
    expect(existsSync(home)).toBe(false);
    const real = await report();
    expect({ ...dry, dry_run: false }).toEqual(real);
  });

  test('a second import does nothing new', async () => {
    const first = await report();
    const settings = readFileSync(join(home, 'settings.yaml'), 'utf8');
    const kept = contents(join(home, 'profiles'));
    const second = await report();
    expect(second.counts).toEqual({ ...first.counts, taken: 0, same: first.counts.taken });
    expect(readFileSync(join(home, 'settings.yaml'), 'utf8')).toBe(settings);
    expect(contents(join(home, 'profiles'))).toEqual(kept);
  });

  test('what is here already stays, and the report says so', async () => {
    mkdirSync(join(home, 'scripts'), { recursive: true });
    writeFileSync(join(home, 'settings.yaml'), 'aws:\n  profile: mine # ours\n');
    writeFileSync(join(home, 'scripts', 'copy.json'), '{"name":"mine","steps":[]}');
    await run('profiles', 'create', 'INVOICES', 'mine');
    const { items } = await report();
    const kept = items.filter(({ status }) => status === 'kept').map(({ what }) => what);
    expect(kept).toEqual(['aws_profile', 'invoices', 'copy.json']);
    expect(readFileSync(join(home, 'settings.yaml'), 'utf8')).toContain('profile: mine # ours');
    expect(readFileSync(join(home, 'scripts', 'copy.json'), 'utf8')).toContain('mine');
  });

  test('what was fetched from AWS is not overruled, nor its environment left for another', async () => {
    const db = openDatabase(homePaths(home).database);
    const value = 'arn:aws:states:eu-central-1:123456789012:activity:browser-remote-dev';
    const fetched = { key: 'aws.activity_arn', value, source: 'parameter', fetchedAt: 0 };
    new AwsValuesStore(db).replace('dev', [fetched]);
    db.close();
    const { items } = await report();
    expect(items[0]).toMatchObject({ what: 'activity_arn', status: 'kept' });
    expect((await run('config', 'get', 'aws.activity_arn')).stdout.trim()).toBe(value);
  });

  test('beside a settings.yaml that cannot be read nothing is done, and its line is said', async () => {
    mkdirSync(home);
    writeFileSync(join(home, 'settings.yaml'), 'aws: [\n');
    for (const args of [[], ['--dry-run']]) {
      const { code, stdout, stderr } = await run('import', old, ...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/settings\.yaml:2:1: error: not valid YAML.*nothing was imported/);
    }
    expect(existsSync(join(home, 'scripts'))).toBe(false);
  });

  test('finds the two folders of Windows, and a data directory that both programs share', async () => {
    const roaming = join(folder, 'Roaming');
    mkdirSync(roaming);
    writeFileSync(join(roaming, 'config.yaml'), readFileSync(join(old, 'config.yaml')));
    writeEarlierProgram(home);
    mkdirSync(join(home, 'scripts'));
    writeFileSync(join(home, 'scripts', 'ours.json'), JSON.stringify(LINEAR_SCRIPT));
    const { stdout } = await run('import', roaming, home, '--json');
    const { items, counts } = JSON.parse(stdout) as ImportReport;
    expect(counts.taken).toBe(11);
    expect(items.map(({ what }) => what)).not.toContain('ours.json');
  });

  test('a folder with nothing of it, or none at all, fails and says where to look', async () => {
    mkdirSync(join(folder, 'empty'));
    expect(await run('import', join(folder, 'empty'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('~/Library/Application Support') as string,
    });
    expect(await run('import', join(folder, 'nowhere'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is no folder') as string,
    });
  });
});
