import { AgentError } from '../base/errors.ts';
import { atLeast, RECORDING_LEVELS, type RecordingLevel, type ResolvedLevel } from '../base/words.ts';

/** Everything that may name a level, strongest first, and the owner's cap. */
export interface LevelSources {
  /** `RECORDING_LEVEL_OVERRIDE` of the environment. */
  env?: RecordingLevel | null;
  /** `recording_level` of the task input. */
  taskLevel?: RecordingLevel | null;
  /** Where it was asked for, when that was not the task input. */
  taskLevelReason?: string;
  /** `session.recording_level` of the script. */
  scriptLevel?: RecordingLevel | null;
  /** `recording.level_by_agent`; names are compared exactly. */
  byAgent?: Record<string, RecordingLevel>;
  /** `recording.level_by_env`. */
  byEnv?: Record<string, RecordingLevel>;
  /** `recording.default_level`: the dropdown. */
  default?: RecordingLevel | null;
  /** `recording.max_level`: the machine owner's cap. */
  max?: RecordingLevel | null;
  agent?: string | null;
  envName?: string | null;
}

/** The level of a run whom nobody told one. */
export const FALLBACK_LEVEL: RecordingLevel = 'INFO';

/** The level a run records at, and why, in words a person understands. */
export function resolveLevel(sources: LevelSources): ResolvedLevel {
  const asked = askedLevel(sources);
  const max = sources.max;
  if (!max || atLeast(max, asked.level)) return asked;
  return {
    level: max,
    reason: `capped at ${max} by recording.max_level of this machine; ${asked.level} was asked for: ${asked.reason}`,
  };
}

/** A level as a person or another program writes it; undefined and empty mean that none is named. */
export function parseLevel(text: string | undefined | null, where: string): RecordingLevel | undefined {
  if (text === undefined || text === null || text.trim() === '') return undefined;
  const name = text.trim().toUpperCase();
  const level = RECORDING_LEVELS.find((level) => level === name);
  if (level) return level;
  throw new AgentError(
    'BrowserAgent.InvalidInput',
    `${where} is "${text}", which is no recording level. Use one of ${RECORDING_LEVELS.join(', ')}.`,
  );
}

function askedLevel(sources: LevelSources): ResolvedLevel {
  const { agent, envName } = sources;
  const ofAgent = agent ? own(sources.byAgent, agent) : undefined;
  const ofEnv = envName ? own(sources.byEnv, envName) : undefined;
  const candidates: [RecordingLevel | null | undefined, string][] = [
    [sources.env, 'RECORDING_LEVEL_OVERRIDE in the environment of the agent'],
    [sources.taskLevel, sources.taskLevelReason ?? 'recording_level of the task input'],
    [sources.scriptLevel, 'session.recording_level of the script'],
    [ofAgent, `recording.level_by_agent for agent "${agent}"`],
    [ofEnv, `recording.level_by_env for environment "${envName}"`],
    [sources.default, 'recording.default_level of this machine'],
  ];
  for (const [level, reason] of candidates) if (level) return { level, reason };
  return { level: FALLBACK_LEVEL, reason: 'nobody named a level' };
}

/** A name that comes from a task must not find `constructor` and the like. */
function own(table: Record<string, RecordingLevel> | undefined, name: string): RecordingLevel | undefined {
  return table && Object.hasOwn(table, name) ? table[name] : undefined;
}
