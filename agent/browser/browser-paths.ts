import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';

/** What the paths depend on; comes in, so that each platform's can be looked at from any other. */
export interface Machine {
  platform: NodeJS.Platform;
  env: NodeJS.ProcessEnv;
  home: string;
}

export function thisMachine(): Machine {
  return { platform: process.platform, env: process.env, home: homedir() };
}

/** Browsers that Playwright knows as channels (https://playwright.dev/docs/browsers), in our order of preference. */
export const CHANNELS = [
  {
    channel: 'chrome',
    name: 'Google Chrome',
    linux: ['/opt/google/chrome/chrome'],
    darwin: ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'],
    win32: 'Google\\Chrome\\Application\\chrome.exe',
  },
  {
    channel: 'msedge',
    name: 'Microsoft Edge',
    linux: ['/opt/microsoft/msedge/msedge'],
    darwin: ['/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge'],
    win32: 'Microsoft\\Edge\\Application\\msedge.exe',
  },
] as const;

/** Where a channel's executable may be on this machine: the places in which Playwright looks, in its order. */
export function channelPaths(channel: (typeof CHANNELS)[number], machine: Machine): string[] {
  if (machine.platform === 'win32') {
    const { env } = machine;
    return [env['LOCALAPPDATA'], env['PROGRAMFILES'], env['PROGRAMFILES(X86)'], 'C:\\Program Files']
      .filter((folder) => folder !== undefined && folder !== '')
      .map((folder) => win32.join(folder ?? '', channel.win32));
  }
  if (machine.platform === 'darwin') {
    return channel.darwin.flatMap((path) => [path, posix.join(machine.home, path)]);
  }
  return [...channel.linux];
}

/** Names under which distributions put Chromium on the PATH. */
const CHROMIUM_COMMANDS = ['chromium', 'chromium-browser', 'ungoogled-chromium'];

/** Where the system's own Chromium may be. */
export function chromiumPaths(machine: Machine): string[] {
  if (machine.platform === 'win32') {
    const local = machine.env['LOCALAPPDATA'];
    return local === undefined ? [] : [win32.join(local, 'Chromium', 'Application', 'chrome.exe')];
  }
  if (machine.platform === 'darwin') return ['/Applications/Chromium.app/Contents/MacOS/Chromium'];
  return [...CHROMIUM_COMMANDS.flatMap((name) => onPath(name, machine)), '/snap/bin/chromium'];
}

/** Every place on the PATH where a command of this name could be. */
export function onPath(command: string, machine: Machine): string[] {
  const windows = machine.platform === 'win32';
  const folders = (machine.env['PATH'] ?? machine.env['Path'] ?? '').split(windows ? ';' : ':');
  const file = windows ? `${command}.exe` : command;
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => (windows ? win32.join(folder, file) : posix.join(folder, file)));
}

/** Where Playwright keeps the browsers that it installed. https://playwright.dev/docs/browsers#managing-browser-binaries */
export function playwrightFolder({ platform, env, home }: Machine): string {
  const configured = env['PLAYWRIGHT_BROWSERS_PATH'];
  if (configured !== undefined && configured !== '' && configured !== '0') return configured;
  if (platform === 'win32') {
    return win32.join(env['LOCALAPPDATA'] ?? win32.join(home, 'AppData', 'Local'), 'ms-playwright');
  }
  if (platform === 'darwin') return posix.join(home, 'Library', 'Caches', 'ms-playwright');
  return posix.join(env['XDG_CACHE_HOME'] ?? posix.join(home, '.cache'), 'ms-playwright');
}

/** Where the agent keeps the browsers that it fetched itself: with what else can be fetched again. */
export function fetchedFolder({ platform, env, home }: Machine): string {
  const parts = ['local-browser-agent', 'browsers'];
  if (platform === 'win32') {
    return win32.join(env['LOCALAPPDATA'] ?? win32.join(home, 'AppData', 'Local'), ...parts);
  }
  if (platform === 'darwin') return posix.join(home, 'Library', 'Caches', ...parts);
  return posix.join(env['XDG_CACHE_HOME'] ?? posix.join(home, '.cache'), ...parts);
}

/** The program in what Chrome for Testing's archives hold. https://github.com/GoogleChromeLabs/chrome-for-testing */
export const CHROME_FOR_TESTING: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['chrome-linux64/chrome'],
  win32: ['chrome-win64/chrome.exe'],
  darwin: ['arm64', 'x64'].map(
    (arch) => `chrome-mac-${arch}/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing`,
  ),
};

/** User data directories that belong to a person's own browser. Chrome 136 and later refuses to be automated there. */
export function defaultUserDataDirs(machine: Machine): string[] {
  const { env, home } = machine;
  if (machine.platform === 'win32') {
    const local = env['LOCALAPPDATA'] ?? win32.join(home, 'AppData', 'Local');
    return [
      ...['Chrome', 'Chrome Beta', 'Chrome Dev', 'Chrome SxS'].map((name) => ['Google', name]),
      ...['Edge', 'Edge Beta', 'Edge Dev', 'Edge SxS'].map((name) => ['Microsoft', name]),
      ['Chromium'],
    ].map((parts) => win32.join(local, ...parts, 'User Data'));
  }
  if (machine.platform === 'darwin') {
    const support = posix.join(home, 'Library', 'Application Support');
    return [
      ...['Chrome', 'Chrome Beta', 'Chrome Dev', 'Chrome Canary'].map((name) => posix.join('Google', name)),
      ...['Edge', 'Edge Beta', 'Edge Dev', 'Edge Canary'].map((name) => `Microsoft ${name}`),
      'Chromium',
    ].map((name) => posix.join(support, name));
  }
  const config = env['XDG_CONFIG_HOME'] ?? posix.join(home, '.config');
  return [
    'google-chrome',
    'google-chrome-beta',
    'google-chrome-unstable',
    'microsoft-edge',
    'microsoft-edge-beta',
    'microsoft-edge-dev',
    'chromium',
  ].map((name) => posix.join(config, name));
}
