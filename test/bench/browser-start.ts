/**
 * How long a run waits for its browser: `node test/bench/browser-start.ts [rounds]`. Medians in
 * milliseconds, as JSON on standard output.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLogger } from '../../agent/base/log.ts';
import { homePaths } from '../../agent/base/paths.ts';
import { launchBrowser } from '../../agent/browser/launch.ts';
import { Processes } from '../../agent/browser/processes.ts';
import type { BrowserSession } from '../../agent/browser/session.ts';
import { TemporaryFolders } from '../../agent/browser/temporary.ts';
import { WarmBrowser } from '../../agent/browser/warm.ts';
import { openDatabase } from '../../agent/store/database.ts';
import { ProcessRepository } from '../../agent/store/processes.ts';

/** Longer than the kept browser waits before it makes the next spare page. */
const REFILLED_AFTER_MS = 2_000;

const rounds = Number(process.argv[2] ?? 7);
const home = mkdtempSync(join(tmpdir(), 'lba-bench-'));
const paths = homePaths(home);
const db = openDatabase(paths.database);
const log = silentLogger;
const processes = await Processes.open({ repository: new ProcessRepository(db), home, log });
const temporary = new TemporaryFolders(paths.temporary, processes, log);
const times = new Map<string, number[]>();

async function timed<T>(name: string, action: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await action();
  times.set(name, [...(times.get(name) ?? []), performance.now() - start]);
  return result;
}

async function round(name: string, open: () => Promise<BrowserSession>, heldMs = 0): Promise<void> {
  const session = await timed(`${name}: page ready`, open);
  await timed(`${name}: first navigation`, () => session.page().goto('data:text/html,<p>x'));
  await delay(heldMs);
  await timed(`${name}: close`, () => session.close());
}

try {
  const profileDir = join(paths.profiles, 'bench');
  for (let index = 0; index < rounds; index += 1) {
    await round('profile, cold', () =>
      launchBrowser({ profileDir, headless: true, temporary, processes, log }),
    );
  }
  const warm = new WarmBrowser({ temporary, processes, log });
  await timed('kept browser: warming up', () => warm.start());
  for (let index = 0; index < rounds; index += 1) {
    await round('kept browser, spare page', () => warm.session(), REFILLED_AFTER_MS);
    await round('kept browser, other options', () =>
      warm.session({ locale: `de-${index % 2 ? 'CH' : 'AT'}` }),
    );
    // What was asked for last lies ready next: back to the usual.
    await (await warm.session()).close();
    await delay(REFILLED_AFTER_MS);
  }
  await warm.close();
  await timed('reapOrphans with nothing to do', () => processes.reapOrphans());
} finally {
  await processes.endAll();
  db.close();
  rmSync(home, { recursive: true, force: true });
}

const medians = [...times].map(([name, list]) => {
  const sorted = list.toSorted((a, b) => a - b);
  return [name, { median: Math.round(sorted[sorted.length >> 1] ?? 0), n: list.length }] as const;
});
process.stdout.write(`${JSON.stringify(Object.fromEntries(medians), null, 2)}\n`);
