/** Bundles agent/, renderer/ and electron/ to dist/ from nothing, so that a deleted source leaves nothing behind. */
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const steps = [
  'vite build agent --logLevel warn',
  'vite build renderer --logLevel warn',
  'vite build electron --logLevel warn',
  'vite build electron --logLevel warn --mode preload',
];
const failed = steps.find((step) => spawnSync(step, { shell: true, stdio: 'inherit' }).status !== 0);
if (failed === undefined) chmodSync('dist/agent/cli/main.js', 0o755);
else process.exitCode = 1;
