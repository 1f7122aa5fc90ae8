import { describe, expect, test } from 'vitest';
import { decideRestart } from './restart-policy.ts';

describe('an agent that ended by itself', () => {
  test('is started again, each time later', () => {
    expect(decideRestart([0])).toEqual({ restart: true, pauseMs: 500 });
    expect(decideRestart([0, 1_000])).toEqual({ restart: true, pauseMs: 1_000 });
    expect(decideRestart([0, 1_000, 3_000])).toEqual({ restart: true, pauseMs: 2_000 });
  });

  test('is left alone after the sixth end in ten minutes', () => {
    expect(decideRestart([0, 1, 2, 3, 4])).toEqual({ restart: true, pauseMs: 8_000 });
    expect(decideRestart([0, 1, 2, 3, 4, 5])).toEqual({ restart: false });
  });

  test('is trusted again after ten quiet minutes', () => {
    expect(decideRestart([0, 1, 2, 3, 4, 10 * 60_000 + 5])).toEqual({ restart: true, pauseMs: 500 });
  });
});
