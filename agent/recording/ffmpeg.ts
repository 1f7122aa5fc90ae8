import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface FfmpegSearch {
  /** `recording.ffmpeg_path` of the settings; wins, and is not replaced by another when it is wrong. */
  configured?: string | null;
  env?: NodeJS.ProcessEnv;
  platform?: NodeJS.Platform;
  home?: string;
}

/** An ffmpeg to make videos with: the configured one, one on the PATH, Playwright's own; null: none. */
export function findFfmpeg(search: FfmpegSearch = {}): string | null {
  const { configured, env = process.env, platform = process.platform, home = homedir() } = search;
  if (configured) return isExecutable(configured) ? configured : null;
  const name = platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  for (const folder of (env['PATH'] ?? env['Path'] ?? '').split(delimiter)) {
    if (folder !== '' && isExecutable(join(folder, name))) return join(folder, name);
  }
  return ofPlaywright(playwrightFolder(env, platform, home), platform);
}

/** Where Playwright keeps what it downloads (playwright.dev/docs/browsers). */
function playwrightFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform, home: string): string {
  const chosen = env['PLAYWRIGHT_BROWSERS_PATH'];
  if (chosen && chosen !== '0') return chosen;
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'ms-playwright');
  if (platform === 'win32') {
    return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'ms-playwright');
  }
  return join(env['XDG_CACHE_HOME'] ?? join(home, '.cache'), 'ms-playwright');
}

function ofPlaywright(folder: string, platform: NodeJS.Platform): string | null {
  const names: Partial<Record<NodeJS.Platform, string>> = {
    win32: 'ffmpeg-win64.exe',
    darwin: 'ffmpeg-mac',
  };
  const binary = names[platform] ?? 'ffmpeg-linux';
  let versions: string[];
  try {
    versions = readdirSync(folder).filter((entry) => /^ffmpeg-\d+$/.test(entry));
  } catch {
    return null;
  }
  versions.sort((a, b) => Number(b.slice(7)) - Number(a.slice(7)));
  return versions.map((version) => join(folder, version, binary)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
