/** What the run engine works with: the services of an open agent, for all of its runs. */
import type { Clock } from '../base/clock.ts';
import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import type { HomePaths } from '../base/paths.ts';
import type { ProcessRegistry } from '../recording/types.ts';
import type { ReadVariable } from '../script/variables.ts';
import type { ProcessIdentity } from '../store/processes.ts';
import type { RunStore } from '../store/runs.ts';
import type { UploadQueue } from '../uploads/queue.ts';
import type { BrowserSource } from './browser-source.ts';
import type { HumanDesk } from './human-desk.ts';
import type { ScriptLibrary } from './script-library.ts';
import type { RunSettings } from './settings.ts';
import type { WatchableRuns } from './watchable.ts';

export interface RunEngineOptions {
  runs: RunStore;
  browsers: BrowserSource;
  /** Null: nothing is ever uploaded (`exec` without a bucket). */
  uploads: UploadQueue | null;
  library: ScriptLibrary;
  humans: HumanDesk;
  events: EventBus;
  clock: Clock;
  log: Logger;
  paths: HomePaths;
  /** This process, as the owner of its runs. */
  self: ProcessIdentity;
  ffmpegs: ProcessRegistry;
  ffmpeg: string | null;
  /** The value of `{{secret:NAME}}`. */
  secret: (name: string) => Promise<string>;
  /** The value of `{{env.NAME}}`, for names that the settings allow. */
  variable: ReadVariable;
  /** Called once at the start of each run. */
  settings: () => RunSettings;
  /** Runs that can be watched live are added here. */
  watchable?: WatchableRuns;
  /** The present head of the audit log, for the manifest. */
  auditHead?: () => string;
}
