import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * A path below the `resources/` folder that is installed with the program. The same from source
 * (`agent/base/`) and from the build (`dist/agent/base/`).
 */
export function resourcePath(relative: string): string {
  const fromSource = fileURLToPath(new URL('../../resources/', import.meta.url));
  const folder = existsSync(fromSource)
    ? fromSource
    : fileURLToPath(new URL('../../../resources/', import.meta.url));
  return folder + relative;
}
