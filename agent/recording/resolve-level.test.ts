import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atLeast, RECORDING_LEVELS } from '../base/words.ts';
import { parseLevel, resolveLevel, type LevelSources } from './resolve-level.ts';

const ALL: LevelSources = {
  env: 'TRACE',
  taskLevel: 'DEBUG',
  scriptLevel: 'ERROR',
  byAgent: { billing: 'NONE' },
  byEnv: { prod: 'INFO' },
  default: 'TRACE',
  agent: 'billing',
  envName: 'prod',
};

describe('resolveLevel', () => {
  test('the strongest source wins, in the order of the design, and is named', () => {
    const order: [keyof LevelSources, string, string][] = [
      ['env', 'TRACE', 'RECORDING_LEVEL_OVERRIDE in the environment of the agent'],
      ['taskLevel', 'DEBUG', 'recording_level of the task input'],
      ['scriptLevel', 'ERROR', 'session.recording_level of the script'],
      ['byAgent', 'NONE', 'recording.level_by_agent for agent "billing"'],
      ['byEnv', 'INFO', 'recording.level_by_env for environment "prod"'],
      ['default', 'TRACE', 'recording.default_level of this machine'],
    ];
    const sources = { ...ALL };
    for (const [key, level, reason] of order) {
      expect(resolveLevel(sources)).toEqual({ level, reason });
      delete sources[key];
    }
    expect(resolveLevel(sources)).toEqual({ level: 'INFO', reason: 'nobody named a level' });
  });

  test('a run without agent or environment name does not look into their tables', () => {
    expect(resolveLevel({ byAgent: { a: 'TRACE' }, byEnv: { a: 'TRACE' } }).level).toBe('INFO');
  });

  test('an agent named like a property of every object finds no level', () => {
    expect(resolveLevel({ byAgent: {}, agent: 'constructor', default: 'ERROR' }).level).toBe('ERROR');
  });

  test('the owner of the machine caps whatever was asked for, and the reason says what it was', () => {
    expect(resolveLevel({ taskLevel: 'TRACE', max: 'ERROR' })).toEqual({
      level: 'ERROR',
      reason:
        'capped at ERROR by recording.max_level of this machine; TRACE was asked for: recording_level of the task input',
    });
    expect(resolveLevel({ taskLevel: 'ERROR', max: 'TRACE' }).level).toBe('ERROR');
  });

  test('no combination of sources passes the cap', () => {
    const level = fc.option(fc.constantFrom(...RECORDING_LEVELS));
    const max = fc.constantFrom(...RECORDING_LEVELS);
    fc.assert(
      fc.property(level, level, level, level, max, (env, taskLevel, scriptLevel, fallback, max) =>
        atLeast(max, resolveLevel({ env, taskLevel, scriptLevel, default: fallback, max }).level),
      ),
    );
  });
});

describe('parseLevel', () => {
  test('is not particular about case and space', () => {
    expect(parseLevel(' debug ', 'x')).toBe('DEBUG');
  });

  test.each([undefined, null, '', '  '])('%o names no level', (text) => {
    expect(parseLevel(text, 'x')).toBeUndefined();
  });

  test('says what is wrong, where, and what would be right', () => {
    expect(() => parseLevel('LOUD', 'RECORDING_LEVEL_OVERRIDE')).toThrow(
      'RECORDING_LEVEL_OVERRIDE is "LOUD", which is no recording level. Use one of NONE, ERROR, INFO, DEBUG, TRACE.',
    );
  });
});
