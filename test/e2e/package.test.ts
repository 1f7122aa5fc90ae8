/** The app as it is packaged for this platform, started from where a package lies. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { agentOf, ask } from '../fixtures/electron-app.ts';
import { electronRuntime } from '../../scripts/electron.ts';
import {
  cleanUp,
  closeDisplay,
  mainPage,
  makeHome,
  missingForElectron,
  startApp,
} from '../fixtures/electron.ts';

/** Some 300 MB are copied. */
const PACKAGE_MS = 240_000;
/** A browser starts, maybe on a busy machine. */
const RUN_MS = 60_000;
const ROOT = join(import.meta.dirname, '..', '..');

const missing = process.platform === 'linux' ? missingForElectron() : 'its program is looked for on Linux';
if (missing !== null) console.warn(`the package is not tested: ${missing}`);

describe.skipIf(missing !== null)('npm run package', { timeout: 2 * RUN_MS }, () => {
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
  afterEach(cleanUp);
  afterAll(async () => {
    await closeDisplay();
    await rm(out, { recursive: true, force: true });
  });

  /** What the machine was asked to open, in the file manager or the person's browser. */
  async function startPackaged(): Promise<{ page: Page; opened: () => Promise<string>; config: string }> {
    const home = await makeHome();
    const desk = dirname(home);
    const config = join(desk, 'config');
    const openedFile = join(desk, 'opened');
    await writeFile(join(desk, 'xdg-open'), `#!/bin/sh\nprintf '%s' "$1" > '${openedFile}'\n`, {
      mode: 0o755,
    });
    const started = await startApp({
      home,
      program: join(out, 'linux-unpacked', 'local-browser-agent'),
      env: { PATH: `${desk}:${process.env['PATH']}`, XDG_CONFIG_HOME: config },
    });
    const isPackaged = await started.app.evaluate(({ app }) => app.isPackaged);
    expect(isPackaged).toBe(true);
    return {
      page: await mainPage(started),
      opened: () => readFile(openedFile, 'utf8').catch(() => ''),
      config,
    };
  }

  test('makes a program that opens the setup and has an agent of its own', async () => {
    const { page } = await startPackaged();
    await expect.poll(() => page.evaluate(() => window.location.href)).toContain('lba://app/#/setup');
    const agent = await agentOf(page);
    expect(await ask(agent, '/version')).toMatchObject({ name: 'local-browser-agent' });
    // Its picture codecs and its database are in the package, and work there.
    expect(await ask(agent, '/runs')).toMatchObject({ items: [] });
  });

  test('runs a script and opens the folder of the run', async () => {
    const { page, opened } = await startPackaged();
    const agent = await agentOf(page);
    const script = { name: 'Picture', steps: [{ action: 'screenshot', name: 'Picture' }] };
    const { run_id: runId } = await ask<{ run_id: string }>(agent, '/runs', { script });
    await expect
      .poll(async () => (await ask<{ state: string }>(agent, `/runs/${runId}`)).state, { timeout: RUN_MS })
      .toBe('succeeded');
    await page.evaluate((id) => {
      window.location.hash = `#/runs/${id}`;
    }, runId);
    await page.getByRole('button', { name: 'Open folder' }).click();
    await expect.poll(opened).toMatch(new RegExp(`runs/${runId}$`));
  });

  test('starts at login when the switch is on, hidden, and no more when it is off', async () => {
    const { page, config } = await startPackaged();
    const entry = join(config, 'autostart', 'local-browser-agent.desktop');
    await agentOf(page);
    await page.evaluate(() => {
      window.location.hash = '#/settings';
    });
    const toggle = page.getByRole('switch', { name: 'Start when I sign in to this computer' });
    await toggle.click();
    await expect
      .poll(() => readFile(entry, 'utf8').catch(() => ''))
      .toMatch(/^Exec="\/.*\/local-browser-agent" --hidden$/m);
    await expect.poll(() => toggle.isChecked()).toBe(true);
    await toggle.click();
    await expect.poll(() => existsSync(entry)).toBe(false);
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
