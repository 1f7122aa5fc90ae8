import { constants } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { AgentError } from '../base/errors.ts';

/**
 * What a copy of a user data directory does without: caches, which Chrome makes anew (a site's own storage,
 * service workers included, is kept), and the marks of the
 * browser that has the original open. Names as found in a directory of Chromium 156.
 */
export const LEFT_OUT: ReadonlySet<string> = new Set([
  'SingletonLock',
  'SingletonSocket',
  'SingletonCookie',
  'lockfile',
  'LOCK',
  'DevToolsActivePort',
  'RunningChromeVersion',
  'lba-owner.json',
  'Cache',
  'Code Cache',
  'GPUCache',
  'DawnCache',
  'DawnGraphiteCache',
  'DawnWebGPUCache',
  'GrShaderCache',
  'GraphiteDawnCache',
  'ShaderCache',
  'component_crx_cache',
  'extensions_crx_cache',
  'optimization_guide_model_store',
  'Crashpad',
  'Crash Reports',
  'BrowserMetrics',
  'BrowserMetrics-spare.pma',
  'Safe Browsing',
  'segmentation_platform',
]);

/** Copies a profile's user data directory, by reference where the file system can. Other users may not read it. */
export async function copyUserDataDir(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  try {
    await cp(from, to, {
      recursive: true,
      filter: (source) => !LEFT_OUT.has(basename(source)) || source === from,
      mode: constants.COPYFILE_FICLONE,
      preserveTimestamps: true,
    });
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
    // On Windows Chrome opens its cookies so that nobody else can.
    const open = code === 'EBUSY' || code === 'EPERM';
    throw new AgentError(
      open ? 'BrowserAgent.ProfileBusy' : 'BrowserAgent.BrowserUnavailable',
      open
        ? `The profile directory ${from} cannot be copied while a browser has it open. Wait for that run to end, or give parallel runs profiles of their own.`
        : `The profile directory ${from} could not be copied (${code}). Check the free disk space and the permissions.`,
      { cause: thrown },
    );
  }
}
