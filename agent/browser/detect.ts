import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AgentError } from '../base/errors.ts';
import {
  CHANNELS,
  channelPaths,
  CHROME_FOR_TESTING,
  chromiumPaths,
  fetchedFolder,
  onPath,
  playwrightFolder,
  thisMachine,
  type Machine,
} from './browser-paths.ts';

/** A browser that can be driven on this machine. */
export interface FoundBrowser {
  /** Playwright's name for an installed Chrome or Edge; null for the others. */
  channel: string | null;
  executablePath: string;
  name: string;
  /** e.g. `141.0.7390.54`; null where it could not be read. */
  version: string | null;
  source: 'installed' | 'playwright' | 'fetched' | 'system' | 'configured';
}

export interface BrowserChoice {
  channel?: string;
  executablePath?: string;
}

/** `--version` answers within a second, also on a cold disk; a hung one must not hold up a listing. */
const VERSION_TIMEOUT_MS = 5_000;

/**
 * All browsers that can be driven, in order of preference: installed Chrome or Edge, Playwright's Chromium, one
 * that the agent fetched, the system's.
 */
export async function findBrowsers(machine: Machine = thisMachine()): Promise<FoundBrowser[]> {
  const found = [
    ...installedChannels(machine),
    ...(await playwrightChromium(machine)),
    ...fetchedChrome(machine),
    ...systemChromium(machine),
  ];
  return Promise.all(
    found.map(async (browser) => Object.assign(browser, { version: await versionOf(browser, machine) })),
  );
}

/**
 * The browser to start. A configured channel or path is taken as it is or refused, never replaced by
 * another. Does not ask for the version, which would cost a process start.
 *
 * @throws AgentError BrowserUnavailable, saying what to install or correct
 */
export async function chooseBrowser(
  choice: BrowserChoice = {},
  machine: Machine = thisMachine(),
): Promise<FoundBrowser> {
  if (choice.executablePath !== undefined) {
    if (isExecutable(choice.executablePath)) {
      const { executablePath } = choice;
      return { channel: null, executablePath, name: 'Browser', version: null, source: 'configured' };
    }
    throw new AgentError(
      'BrowserAgent.BrowserUnavailable',
      `browser.executable_path is ${choice.executablePath}, but there is no program that can be started. Correct the setting, or remove it to let the agent find a browser.`,
    );
  }
  const wanted = choice.channel;
  const installed = installedChannels(machine);
  if (wanted !== undefined && wanted !== 'chromium') {
    const match = installed.find((browser) => browser.channel === wanted);
    if (match) return match;
    throw new AgentError(
      'BrowserAgent.BrowserUnavailable',
      `browser.channel is ${wanted}, but it is not installed. ${channelAdvice(installed)}`,
    );
  }
  const first =
    (wanted === undefined ? installed[0] : undefined) ??
    (await playwrightChromium(machine))[0] ??
    fetchedChrome(machine)[0] ??
    systemChromium(machine)[0];
  if (first) return first;
  throw new AgentError('BrowserAgent.BrowserUnavailable', `No browser was found. ${installAdvice(machine)}`);
}

/** What a person does to get a browser. */
export function installAdvice(machine: Machine = thisMachine()): string {
  if (machine.platform === 'linux') {
    return 'Run: sudo apt-get install chromium (Debian; other distributions have a package of the same kind), or: npx playwright install --with-deps chromium';
  }
  return 'Install Google Chrome or Microsoft Edge, or run: npx playwright install chromium';
}

/** Path of an ffmpeg program: one on the PATH, else Playwright's own; or null: runs go on without video then. */
export function findFfmpeg(machine: Machine = thisMachine()): string | null {
  const candidates = [...onPath('ffmpeg', machine), ...playwrightFfmpegs(machine)];
  return candidates.find(isExecutable) ?? null;
}

/** Where `playwright install ffmpeg` puts it, newest first. */
function playwrightFfmpegs(machine: Machine): string[] {
  const folder = playwrightFolder(machine);
  return newestFirst(folder)
    .filter((name) => name.startsWith('ffmpeg-'))
    .flatMap((name) =>
      ['ffmpeg-linux', 'ffmpeg-mac', 'ffmpeg-win64.exe'].map((file) => join(folder, name, file)),
    );
}

function installedChannels(machine: Machine): FoundBrowser[] {
  return CHANNELS.flatMap((channel): FoundBrowser[] => {
    const executablePath = channelPaths(channel, machine).find(isExecutable);
    if (executablePath === undefined) return [];
    return [
      { channel: channel.channel, executablePath, name: channel.name, version: null, source: 'installed' },
    ];
  });
}

/** What install.ts fetched, newest first. */
function fetchedChrome(machine: Machine): FoundBrowser[] {
  const folder = join(fetchedFolder(machine), 'chrome');
  return newestFirst(folder)
    .flatMap((name) => (CHROME_FOR_TESTING[machine.platform] ?? []).map((path) => join(folder, name, path)))
    .filter(isExecutable)
    .map((executablePath) => ({
      channel: null,
      executablePath,
      name: 'Chrome for Testing',
      version: null,
      source: 'fetched' as const,
    }));
}

/** Folders in a folder, by the versions in their names. */
function newestFirst(folder: string): string[] {
  try {
    return readdirSync(folder).sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  } catch {
    return [];
  }
}

async function playwrightChromium(machine: Machine): Promise<FoundBrowser[]> {
  if (!hasPlaywrightChromium(machine)) return [];
  // Imported late: it takes a quarter of a second, and most machines have another browser.
  const { chromium } = await import('playwright');
  const executablePath = chromium.executablePath();
  if (!existsSync(executablePath)) return [];
  return [
    { channel: null, executablePath, name: "Playwright's Chromium", version: null, source: 'playwright' },
  ];
}

/** Whether a look through Playwright is worth its while. */
function hasPlaywrightChromium(machine: Machine): boolean {
  // "0" is Playwright's word for a folder inside its package.
  if (machine.env['PLAYWRIGHT_BROWSERS_PATH'] === '0') return true;
  try {
    return readdirSync(playwrightFolder(machine)).some((name) => name.startsWith('chromium-'));
  } catch {
    return false;
  }
}

function systemChromium(machine: Machine): FoundBrowser[] {
  const executablePath = chromiumPaths(machine).find(isExecutable);
  if (executablePath === undefined) return [];
  return [{ channel: null, executablePath, name: 'Chromium', version: null, source: 'system' }];
}

function channelAdvice(installed: FoundBrowser[]): string {
  const names = [...installed.map((browser) => browser.channel), 'chromium'].join(', ');
  return `Install it, or set browser.channel to one of: ${names}.`;
}

/** On Windows `chrome.exe --version` opens a window: there the version is the name of a folder beside it. */
async function versionOf(browser: FoundBrowser, machine: Machine): Promise<string | null> {
  try {
    if (machine.platform === 'win32') {
      const versions = readdirSync(dirname(browser.executablePath)).filter((name) =>
        /^\d+(\.\d+){3}$/.test(name),
      );
      return versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1) ?? null;
    }
    const { stdout } = await promisify(execFile)(browser.executablePath, ['--version'], {
      timeout: VERSION_TIMEOUT_MS,
    });
    return /\d+(\.\d+){3}/.exec(stdout)?.[0] ?? null;
  } catch {
    return null;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
