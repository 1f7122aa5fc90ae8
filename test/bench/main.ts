/**
 * Measures what the docs claim. `npm run bench` does all of it; `npm run bench -- run-time storage` only
 * those parts. Machines are noisy: ratios within one run, medians of several. `-- soak` takes many minutes and is
 * done only when it is named; `--runs N` makes it shorter, and then it writes no table.
 */
import { parseArgs } from 'node:util';
import { benchApi } from './api.ts';
import { benchApp } from './app.ts';
import { benchEvents } from './events.ts';
import { benchFirstNavigation } from './first-navigation.ts';
import { benchIdle } from './idle.ts';
import { benchLive } from './live.ts';
import { benchProfileFile } from './profile-file.ts';
import { benchRunTime } from './run-time.ts';
import { benchRunsList } from './runs-list.ts';
import { benchRunsScroll } from './runs-scroll.ts';
import { benchSoak } from './soak.ts';
import { benchStorage } from './storage.ts';
import { benchUploads } from './uploads.ts';

const { values, positionals: asked } = parseArgs({
  options: { runs: { type: 'string' } },
  allowPositionals: true,
});

const PARTS: Record<string, () => Promise<void>> = {
  'run-time': () => benchRunTime(7),
  storage: benchStorage,
  'first-navigation': () => benchFirstNavigation(7),
  idle: benchIdle,
  api: benchApi,
  app: benchApp,
  events: benchEvents,
  live: benchLive,
  'profile-file': benchProfileFile,
  'runs-list': benchRunsList,
  'runs-scroll': benchRunsScroll,
  uploads: benchUploads,
};
/** Only when they are named. */
const LONG_PARTS: typeof PARTS = {
  soak: async () => benchSoak(values.runs === undefined ? undefined : Number(values.runs)),
};

for (const name of asked.length > 0 ? asked : Object.keys(PARTS)) {
  const part = PARTS[name] ?? LONG_PARTS[name];
  if (!part) {
    console.error(
      `there is no part ${name}; there are: ${Object.keys({ ...PARTS, ...LONG_PARTS }).join(', ')}`,
    );
    process.exit(2);
  }
  await part();
}
process.exit();
