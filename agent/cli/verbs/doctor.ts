import { existsSync } from 'node:fs';
import { homePaths } from '../../base/paths.ts';
import { doctor as examine } from '../../config/doctor.ts';
import { loadConfig } from '../../config/load.ts';
import { openFileVault } from '../../config/vault.ts';
import { machineChecks } from '../../setup/machine-checks.ts';
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
      vault: openFileVault(options.home, process.env),
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
