/**
 * `npm start`: opens the desktop app from this checkout, built first where something changed since.
 * What stands behind `--` goes to the app, e.g. `npm start -- --hidden`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { electronRuntime } from './electron.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = ['agent', 'electron', 'renderer'];
const BUILT = ['dist/electron/main.cjs', 'dist/renderer/index.html', 'dist/agent/desktop.js'];

const electron = electronRuntime({ download: true });
if ('missing' in electron) {
  fail(`${electron.missing}\nWithout a window the agent runs all the same: npx local-browser-agent run`);
}
if (electron.isOlder) {
  say('the Electron that is shipped cannot be downloaded here; this is an older one, only to try the app');
}
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
const app = spawn(electron.path, [...asRoot, root, ...process.argv.slice(2)], { stdio: 'inherit' });
app.on('error', (error) => fail(`${electron.path} cannot be started: ${error.message}`));
app.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));

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
