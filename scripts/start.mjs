/**
 * `npm start`: opens the desktop app from this checkout, built first where something changed since.
 * What stands behind `--` goes to the app, e.g. `npm start -- --hidden`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = ['agent', 'electron', 'renderer'];
const BUILT = ['dist/electron/main.cjs', 'dist/renderer/index.html', 'dist/agent/desktop.js'];

const electron = findElectron();
if (isStale()) {
  say('building');
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}
if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
  fail(
    'There is no display for a window. On a desktop, start it in a terminal of that desktop; without one:\n  xvfb-run -a npm start          a window that nobody sees, e.g. for tests\n  npx local-browser-agent run    the agent without a window; "npx local-browser-agent app" shows the address of its page',
  );
}
// As root Chromium's sandbox cannot start; nobody should use the app as root but a container does.
const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const app = spawn(electron, [...asRoot, root, ...process.argv.slice(2)], { stdio: 'inherit' });
app.on('error', (error) => fail(`${electron} cannot be started: ${error.message}`));
app.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));

/** The runtime of the `electron` package; it downloads it at its first use, which some networks do not allow. */
function findElectron() {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  const own = join(root, 'node_modules', 'electron');
  if (override) {
    const path = join(
      override,
      { win32: 'electron.exe', darwin: 'Electron.app/Contents/MacOS/Electron' }[process.platform] ??
        'electron',
    );
    if (existsSync(path)) return path;
    fail(`ELECTRON_OVERRIDE_DIST_PATH is set, but there is no ${path}.`);
  }
  if (!existsSync(own)) fail('The dependencies are not installed. Run: npm ci');
  const downloaded = () => {
    const pathFile = join(own, 'path.txt');
    const path = existsSync(pathFile) ? join(own, 'dist', readFileSync(pathFile, 'utf8')) : '';
    return path !== '' && existsSync(path) ? path : undefined;
  };
  const found = downloaded();
  if (found) return found;
  say('downloading Electron, once');
  spawnSync(process.execPath, [join(own, 'install.js')], { cwd: root, stdio: 'inherit' });
  const { version } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'));
  return (
    downloaded() ??
    fail(
      `Electron ${version} could not be downloaded from github.com. Either\n  - set HTTPS_PROXY, or ELECTRON_MIRROR to a mirror that this network reaches, and run npm start again; or\n  - download electron-v${version}-${process.platform}-${process.arch}.zip on another machine (github.com/electron/electron/releases), unpack it, and run:\n      ELECTRON_OVERRIDE_DIST_PATH=/where/it/is npm start\nWithout a window the agent runs all the same: npx local-browser-agent run`,
    )
  );
}

/** Whether a source is newer than what was built, or nothing was. */
function isStale() {
  const built = BUILT.map((path) => join(root, path));
  if (!built.every((path) => existsSync(path))) return true;
  const oldest = Math.min(...built.map((path) => statSync(path).mtimeMs));
  return SOURCES.some((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).some(
      (entry) =>
        entry.isFile() &&
        !entry.name.includes('.test.') &&
        statSync(join(entry.parentPath, entry.name)).mtimeMs > oldest,
    ),
  );
}

function say(text) {
  process.stderr.write(`start: ${text}\n`);
}

/** @returns {never} */
function fail(text) {
  say(text);
  process.exit(1);
}
