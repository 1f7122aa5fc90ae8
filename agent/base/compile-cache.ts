import { mkdirSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { homePaths } from './paths.ts';

/** Until what a start loads has been loaded, in milliseconds. */
const LOADED_MS = 5_000;

/**
 * Keeps what V8 makes of this program's files in the data directory, for the next start. Call it before
 * anything large is loaded. Where it cannot be kept the start only takes longer.
 */
export function keepCompiledCode(home: string): void {
  const { compiled } = homePaths(home);
  try {
    // It is run as code.
    mkdirSync(compiled, { recursive: true, mode: 0o700 });
  } catch {
    return;
  }
  enableCompileCache(compiled);
  // It is written when the process ends by itself; many are ended by the machine going down.
  setTimeout(() => flushCompileCache(), LOADED_MS).unref();
}
