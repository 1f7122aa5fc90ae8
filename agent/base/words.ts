/** Recording levels, weakest first: each shows at least what the one before shows. */
export const RECORDING_LEVELS = ['NONE', 'ERROR', 'INFO', 'DEBUG', 'TRACE'] as const;
export type RecordingLevel = (typeof RECORDING_LEVELS)[number];

/** Whether `level` records at least what `least` records. */
export function atLeast(level: RecordingLevel, least: RecordingLevel): boolean {
  return RECORDING_LEVELS.indexOf(level) >= RECORDING_LEVELS.indexOf(least);
}

/** The level a run records at, and where it came from, e.g. `task input`, `capped by recording.max_level`. */
export interface ResolvedLevel {
  level: RecordingLevel;
  reason: string;
}

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };
