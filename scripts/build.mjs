/** Compiles agent/ to dist/ from nothing, so that a deleted source leaves nothing behind. */
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync('tsc -p tsconfig.build.json', { shell: true, stdio: 'inherit' });
if (status === 0) chmodSync('dist/agent/cli/main.js', 0o755);
process.exitCode = status ?? 1;
