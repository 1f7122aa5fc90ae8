import { existsSync } from 'node:fs';
import { homePaths } from '../../base/paths.ts';
import { chooseBrowser, findFfmpeg } from '../../browser/detect.ts';
import { doctor as examine, type ExtraCheck } from '../../config/doctor.ts';
import { loadConfig } from '../../config/load.ts';
import type { Settings } from '../../config/schema.ts';
import { FileVault } from '../../config/vault.ts';
import { openDatabase } from '../../store/database.ts';
import { Failed, type VerbOptions } from '../main-types.ts';
import { formatRows, note, print, printJson } from '../output.ts';

/** Everything an agent needs, checked for real; exit code 1 when something fails. */
export async function doctor(options: VerbOptions): Promise<void> {
  const { database } = homePaths(options.home);
  const db = existsSync(database) ? openDatabase(database) : undefined;
  try {
    const config = loadConfig({ home: options.home, env: process.env, ...(db ? { db } : {}) });
    const checks = await examine({
      config,
      env: process.env,
      vault: new FileVault(options.home),
      ...(db ? { db } : {}),
      extra: machineChecks(config.settings),
      onCheck: (check) => {
        if (options.json !== true && process.stderr.isTTY) note(`… ${check.title}`);
      },
    });
    if (options.json === true) printJson(checks);
    else {
      const marks = { ok: '✓', warn: '!', fail: '✗', skip: '–' };
      print(
        formatRows(checks, [
          { title: '', value: (check) => marks[check.status] },
          { title: 'check', value: (check) => check.title },
          { title: 'result', value: (check) => check.detail },
        ]),
      );
      const fixes = checks.filter((check) => check.fix !== '');
      if (fixes.length > 0)
        print(`\nTo do:\n${fixes.map((check) => `  ${check.title}: ${check.fix}`).join('\n')}`);
    }
    const failed = checks.filter((check) => check.status === 'fail').length;
    if (failed > 0) throw new Failed(`${failed} of ${checks.length} checks failed`);
  } finally {
    db?.close();
  }
}

function machineChecks(settings: Settings): ExtraCheck[] {
  const { channel, executable_path: executablePath } = settings.browser;
  return [
    {
      id: 'browser',
      title: 'Browser',
      run: async () => {
        const browser = await chooseBrowser({
          ...(channel === null ? {} : { channel }),
          ...(executablePath === null ? {} : { executablePath }),
        });
        return {
          status: 'ok',
          detail: `${browser.name} ${browser.version ?? ''} at ${browser.executablePath}`,
        };
      },
    },
    {
      id: 'ffmpeg',
      title: 'ffmpeg',
      run: async () => {
        const ffmpeg = findFfmpeg();
        if (ffmpeg !== null) return { status: 'ok', detail: ffmpeg };
        return {
          status: 'warn',
          detail: 'not found: runs have no video',
          fix: 'install ffmpeg (Debian: apt-get install ffmpeg; macOS: brew install ffmpeg; Windows: winget install ffmpeg), or run: npx playwright install ffmpeg',
        };
      },
    },
  ];
}
