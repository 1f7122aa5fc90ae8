import { expect, test } from 'vitest';
import { RECORDING_LEVELS } from '../base/words.ts';
import { estimateLevels, type RunSizes } from './level-words.ts';

const run = (level: RunSizes['level'], bytes: RunSizes['bytes'], failed = false): RunSizes => ({
  level,
  failed,
  bytes,
});

test('a machine that has not done anything is told what is usual', () => {
  const estimates = estimateLevels([], { count: 0, days: 0 });
  expect(RECORDING_LEVELS.map((level) => estimates[level].bytesPerSession)).toEqual([
    0, 1_000_000, 600_000, 20_000_000, 59_000_000,
  ]);
  expect(estimates.TRACE).toMatchObject({ from: 'default', sessionsPerMonth: 440 });
  expect(estimates.TRACE.dollarsPerMonth).toBeCloseTo(0.556, 2);
});

test('its own runs count for what they recorded and for less, never for more', () => {
  const bytes = { manifest: 10, final_screenshot: 90, key_screenshot: 400, video: 5_000 };
  const estimates = estimateLevels(
    Array.from({ length: 5 }, () => run('DEBUG', bytes)),
    { count: 5, days: 30 },
  );
  expect(estimates.INFO).toMatchObject({ from: 'runs', bytesPerSession: 100, sessionsPerMonth: 5 });
  expect(estimates.DEBUG).toMatchObject({ from: 'runs', bytesPerSession: 500 });
  expect(estimates.TRACE).toMatchObject({ from: 'default' });
  expect(estimates.NONE).toMatchObject({ bytesPerMonth: 0 });
});

test('one run out of the ordinary does not make the estimate; of failures each counts', () => {
  const runs = [
    ...Array.from({ length: 8 }, () => run('INFO', { manifest: 100 })),
    run('INFO', { manifest: 100_000 }),
    run('INFO', { manifest: 100, failure_screenshot: 1_900 }, true),
  ];
  const estimates = estimateLevels(runs, { count: 10, days: 30 });
  expect(estimates.INFO.bytesPerSession).toBe(100);
  expect(estimates.ERROR.bytesPerSession).toBe(200);
});

test('a busy first day is not taken for a month of them', () => {
  const runs = Array.from({ length: 14 }, () => run('INFO', {}));
  expect(estimateLevels(runs, { count: 14, days: 0.5 }).INFO.sessionsPerMonth).toBe(60);
});
