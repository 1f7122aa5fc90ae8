/** What installers are made of: electron-builder's own schema, and what must never be left out of them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const config = parse(read('electron-builder.yml')) as Record<string, Record<string, unknown>>;

describe('electron-builder.yml', () => {
  test('is as electron-builder documents it', () => {
    const schema = JSON.parse(read('node_modules/app-builder-lib/scheme.json')) as object;
    const ajv = new Ajv({ strict: false, allErrors: true, allowUnionTypes: true, logger: false });
    const validate = ajv.compile(schema);
    validate(config);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('every file that it names is there', () => {
    const { win, mac, linux } = config;
    const paths = [
      win!['icon'],
      mac!['icon'],
      linux!['icon'],
      mac!['entitlements'],
      mac!['entitlementsInherit'],
    ];
    for (const path of paths) expect(existsSync(join(root, String(path))), String(path)).toBe(true);
  });

  test('the app cannot be started as a plain Node, nor with another program in it', () => {
    expect(config['electronFuses']).toEqual({
      runAsNode: false,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      grantFileProtocolExtraPrivileges: false,
      enableCookieEncryption: true,
    });
    expect(config['asar']).toBe(true);
  });

  test('Windows: for one user, without an administrator, and what they have stays when it is removed', () => {
    expect(config['nsis']).toMatchObject({
      oneClick: true,
      perMachine: false,
      allowElevation: false,
      deleteAppDataOnUninstall: false,
    });
  });

  test('macOS: hardened runtime, with the two exceptions that it needs', () => {
    expect(config['mac']).toMatchObject({ hardenedRuntime: true });
    const keys = [...read('resources/entitlements/mac.plist').matchAll(/<key>(?<key>[^<]+)<\/key>/g)];
    expect(keys.map(({ groups }) => groups?.['key'])).toEqual([
      'com.apple.security.cs.allow-jit',
      'com.apple.security.cs.disable-library-validation',
    ]);
  });

  test('the link that opens a run is the one that the app answers', () => {
    expect(config['protocols']).toEqual([{ name: 'Local Browser Agent', schemes: ['local-browser-agent'] }]);
  });
});

describe('workflows', () => {
  const folder = '.github/workflows';
  test.each(readdirSync(join(root, folder)))('%s may do nothing that it does not say', (file) => {
    const { permissions, jobs } = parse(read(join(folder, file))) as {
      permissions: unknown;
      jobs: Record<string, { steps: { uses?: string; with?: Record<string, unknown> }[] }>;
    };
    expect(permissions).toEqual({ contents: 'read' });
    for (const { steps } of Object.values(jobs)) {
      const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
      expect(checkouts).toHaveLength(1);
      expect(checkouts[0]!.with).toEqual({ 'persist-credentials': false });
    }
  });
});
