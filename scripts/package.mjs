/**
 * The app as people install it: unpacked for this platform, or with `--installers` what electron-builder.yml
 * says for it (Windows: NSIS; macOS: dmg and zip; Linux: AppImage and deb).
 *
 *   node scripts/package.mjs [--installers] [--publish] [--out FOLDER]
 *
 * Installers have the Electron that electron-builder downloads; what is unpacked has the one of this checkout
 * (electron.ts), which may be an older one on a closed network. ELECTRON_OVERRIDE_DIST_PATH, a folder with an
 * unpacked one, is for both. One that is too old for the agent is for trying the package only: the agent then
 * needs a Node of its own, which reads no archive, so the package has none, and none of the switches that ask
 * for one.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'electron-builder';
import { electronRuntime, howToGetElectron } from './electron.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: flags } = parseArgs({
  options: {
    installers: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    out: { type: 'string', default: 'dist/packages' },
  },
});
/** The first Electron whose Node (22.18) runs the agent. */
const LEAST_ELECTRON = 38;

const made = await build(optionsOf()).catch(sayWhy);
for (const path of made) console.log(path);
console.log(`package: done, in ${flags.out}`);

function optionsOf() {
  return {
    projectDir: root,
    publish: flags.publish ? 'always' : 'never',
    dir: !flags.installers,
    config: {
      extends: join(root, 'electron-builder.yml'),
      directories: { output: flags.out },
      ...given(),
    },
  };
}

/** @returns {never} */
function sayWhy(thrown) {
  const isNetwork = /^(ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN)/.test(thrown.code ?? '');
  fail(isNetwork ? `${thrown.message}\n${howToGetElectron()}` : (thrown.stack ?? String(thrown)));
}

/** What is other than the file says, with an Electron that is here. */
function given() {
  if (flags.installers && !process.env.ELECTRON_OVERRIDE_DIST_PATH) return {};
  const electron = electronRuntime({ download: true });
  if ('missing' in electron) fail(electron.missing);
  const dist = electron.folder;
  const versionFile = join(dist, 'version');
  if (!existsSync(versionFile)) {
    fail(`${dist} holds no whole Electron: there is no file "version" in it (ELECTRON_OVERRIDE_DIST_PATH)`);
  }
  const electronVersion = readFileSync(versionFile, 'utf8').trim().replace(/^v/, '');
  const settings = { electronDist: dist, electronVersion, afterExtract: withoutItsOwnApp };
  if (Number(electronVersion.split('.')[0]) >= LEAST_ELECTRON) return settings;
  console.warn(
    `Electron ${electronVersion} is for trying the package only: no archive, no switches of Electron.`,
  );
  return { ...settings, asar: false, electronFuses: null };
}

/** @returns {never} */
function fail(text) {
  process.stderr.write(`package: ${text}\n`);
  process.exit(1);
}

/** What stood in the given folder as an app must not run instead of ours. */
async function withoutItsOwnApp({ appOutDir }) {
  for (const name of ['app', 'app.asar', 'default_app.asar']) {
    rmSync(join(appOutDir, 'resources', name), { recursive: true, force: true });
  }
}
