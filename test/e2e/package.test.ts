/** The app as it is packaged for this platform, started from where a package lies. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentOf, ask } from '../fixtures/electron-app.ts';
import { electronRuntime } from '../fixtures/electron-runtime.ts';
import { cleanUp, mainPage, makeHome, missingForElectron, startApp } from '../fixtures/electron.ts';

/** Some 300 MB are copied. */
const PACKAGE_MS = 240_000;
const ROOT = join(import.meta.dirname, '..', '..');

const missing = process.platform === 'linux' ? missingForElectron() : 'its program is looked for on Linux';
if (missing !== null) console.warn(`the package is not tested: ${missing}`);

describe.skipIf(missing !== null)('npm run package', () => {
  let out: string;

  beforeAll(async () => {
    const runtime = electronRuntime();
    if ('missing' in runtime) throw new Error(runtime.missing);
    out = await mkdtemp(join(tmpdir(), 'lba-package-'));
    await promisify(execFile)(process.execPath, ['scripts/package.mjs', '--out', out], {
      cwd: ROOT,
      env: { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: dirname(runtime.path) },
      timeout: PACKAGE_MS,
    });
  }, PACKAGE_MS);
  afterAll(async () => {
    await cleanUp();
    await rm(out, { recursive: true, force: true });
  });

  test('makes a program that opens the setup and has an agent of its own', async () => {
    const folder = join(out, 'linux-unpacked');
    const started = await startApp({ home: await makeHome(), program: join(folder, 'local-browser-agent') });
    const page = await mainPage(started);
    await expect.poll(() => page.evaluate(() => window.location.href)).toContain('lba://app/#/setup');
    const agent = await agentOf(page);
    expect(await ask(agent, '/version')).toMatchObject({ name: 'local-browser-agent' });
    // Its picture codecs and its database are in the package, and work there.
    expect(await ask(agent, '/runs')).toMatchObject({ items: [] });
    const isPackaged = await started.app.evaluate(({ app }) => app.isPackaged);
    expect(isPackaged).toBe(true);
  });

  test('holds nothing that is for developers', () => {
    const app = join(out, 'linux-unpacked', 'resources', 'app');
    const needed = ['dist/agent/desktop.js', 'dist/electron/preload.cjs', 'dist/renderer/index.html'];
    for (const path of needed) expect(existsSync(join(app, path)), path).toBe(true);
    for (const path of [
      'test',
      'agent',
      'node_modules/react',
      'node_modules/vitest',
      'resources/aws/template.ts',
    ]) {
      expect(existsSync(join(app, path)), path).toBe(false);
    }
  });
});
