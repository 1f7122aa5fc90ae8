/**
 * Fetches a browser for machines that have none: Chrome for Testing, of the version that this Playwright is made
 * for. In this process, because the installed app cannot start its own program as a plain Node, which
 * Playwright's installer would need.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AgentError, messageOf } from '../base/errors.ts';
import { readJsonFile } from '../base/json.ts';
import { fetchedFolder, thisMachine, type Machine } from './browser-paths.ts';
import { installAdvice } from './detect.ts';

export interface InstallProgress {
  /** 0 to 100, of the download. */
  percent: number;
  /** For a person, e.g. `Downloading Chrome 159: 34 of 170 MB`. */
  words: string;
}

export interface InstallBrowserOptions {
  onProgress?: (progress: InstallProgress) => void;
  /** Where archives are, instead of Google's own place: a mirror within a closed network. */
  baseUrl?: string;
  machine?: Machine;
}

export interface InstalledBrowser {
  version: string;
  executablePath: string;
}

const browsersSchema = z.object({
  browsers: z.array(z.object({ name: z.string(), browserVersion: z.string().optional() })),
});

/**
 * Takes some 170 MB from the network, unless that version is there already.
 *
 * @throws AgentError BrowserAgent.BrowserUnavailable when it cannot be fetched or unpacked, saying what to do
 */
export async function installBrowser({
  onProgress,
  baseUrl,
  machine = thisMachine(),
}: InstallBrowserOptions = {}): Promise<InstalledBrowser> {
  const version = playwrightsChrome();
  const [major = version] = version.split('.');
  let told = -1;
  const tell = (percent: number, words: string): void => {
    if (percent === told) return;
    told = percent;
    onProgress?.({ percent, words });
  };
  tell(0, `Asking for Chrome ${major}`);
  try {
    const { Browser, install } = await import('@puppeteer/browsers');
    const { executablePath } = await install({
      browser: Browser.CHROME,
      buildId: version,
      cacheDir: fetchedFolder(machine),
      ...(baseUrl === undefined ? {} : { baseUrl }),
      downloadProgressCallback: (bytes, totalBytes) => {
        // The last percent is for unpacking.
        const percent = totalBytes > 0 ? Math.floor((bytes / totalBytes) * 99) : 0;
        const of = `${Math.round(bytes / 1e6)} of ${Math.round(totalBytes / 1e6)} MB`;
        tell(
          percent,
          bytes < totalBytes ? `Downloading Chrome ${major}: ${of}` : `Unpacking Chrome ${major}`,
        );
      },
    });
    tell(100, `Chrome ${major} is installed`);
    return { version, executablePath };
  } catch (thrown) {
    throw new AgentError(
      'BrowserAgent.BrowserUnavailable',
      `Chrome ${version} could not be fetched: ${messageOf(thrown)}. Is this machine allowed to reach storage.googleapis.com? Otherwise: ${installAdvice(machine)}`,
      { cause: thrown },
    );
  }
}

function playwrightsChrome(): string {
  const folder = dirname(createRequire(import.meta.url).resolve('playwright-core/package.json'));
  const { browsers } = readJsonFile(join(folder, 'browsers.json'), browsersSchema);
  const version = browsers.find(({ name }) => name === 'chromium')?.browserVersion;
  if (version === undefined) throw new Error('playwright-core/browsers.json names no Chromium');
  return version;
}
