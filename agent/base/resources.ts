import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A folder below `resources/`, the same from source (`agent/…`) and from the build (`dist/agent/…`): the
 * nearest one going up from this file.
 */
export function resourceFolder(name: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'resources', name);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) {
      throw new Error(
        `There is no resources/${name} above ${fileURLToPath(import.meta.url)}: the installation is incomplete`,
      );
    }
  }
}
