import { settingDefinitions } from './definitions.ts';
import type { Settings } from './schema.ts';

/**
 * The settings as an object that reads each value when it is asked for. Whoever keeps the object, or a group of
 * it, therefore never holds an old value.
 */
export function liveView(read: () => Settings): Settings {
  const groups: Record<string, Record<string, unknown>> = {};
  for (const { key, group } of settingDefinitions) {
    const name = key.slice(group.length + 1);
    Object.defineProperty((groups[group] ??= {}), name, {
      enumerable: true,
      get: () => (read() as Record<string, Record<string, unknown>>)[group]![name],
    });
  }
  for (const group of Object.values(groups)) Object.freeze(group);
  return Object.freeze(groups) as Settings;
}
