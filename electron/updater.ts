/**
 * Updates of the app, behind an interface of one function. Off until an installed build names where its
 * updates are (`app-update.yml`, which electron-builder writes when `publish` is configured).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'electron';
import type { ShellLog } from './log.ts';

/** Soon after the start, then daily. */
const FIRST_LOOK_MS = 60_000;
const LOOK_MS = 24 * 60 * 60_000;
/** How often a machine that is busy is looked at again. */
const WAIT_MS = 60_000;

export interface Updates {
  stop(): void;
}

export interface UpdateOptions {
  app: App;
  log: ShellLog;
  /** Nothing at work, nothing on its way, nobody looking: only then is it installed at once. */
  isAtRest: () => boolean;
}

/** Null: this build has no place to look at. */
export function startUpdates(options: UpdateOptions): Updates | null {
  const { app, log } = options;
  const isConfigured = app.isPackaged && existsSync(join(process.resourcesPath, 'app-update.yml'));
  if (!isConfigured) return null;
  const timers = new Set<NodeJS.Timeout>();
  const later = (ms: number, work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  };
  const failed = (thrown: unknown): void => log.warn({ err: thrown }, 'looking for an update failed');
  const look = (): void => {
    check(options, (install) => installAtRest(install)).catch(failed);
    later(LOOK_MS, look);
  };
  const installAtRest = (install: () => void): void => {
    if (options.isAtRest()) install();
    else later(WAIT_MS, () => installAtRest(install));
  };
  later(FIRST_LOOK_MS, look);
  return {
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

/** The library is loaded only here: it is larger than the rest of the main process. */
async function check({ log }: UpdateOptions, onReady: (install: () => void) => void): Promise<void> {
  const { autoUpdater } = await import('electron-updater');
  autoUpdater.autoDownload = true;
  autoUpdater.autoInstallOnAppQuit = true;
  autoUpdater.allowDowngrade = false;
  autoUpdater.disableWebInstaller = true;
  autoUpdater.logger = null;
  autoUpdater.removeAllListeners('update-downloaded');
  autoUpdater.on('update-downloaded', ({ version }) => {
    log.info({ version }, 'an update is there; it is installed when nothing is at work');
    onReady(() => autoUpdater.quitAndInstall(true, true));
  });
  await autoUpdater.checkForUpdates();
}
