import { readFileSync } from 'node:fs';

/** Of this program, from its package.json: two levels up from source, three from the build. */
export function programVersion(): string {
  for (const up of ['../../', '../../../']) {
    try {
      const text = readFileSync(new URL(`${up}package.json`, import.meta.url), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // The other one, then.
    }
  }
  return '0.0.0';
}
