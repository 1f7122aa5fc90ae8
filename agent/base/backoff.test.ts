import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs, fullBackoffMs } from './backoff.ts';

const backoff = { firstMs: 500, mostMs: 8_000 };

test('the full wait doubles with each failure up to its bound', () => {
  expect([1, 2, 3, 4, 5, 6, 1_000].map((failures) => fullBackoffMs(backoff, failures))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000,
  ]);
});

test('a wait lies between half and all of the full wait', () => {
  fc.assert(
    fc.property(
      fc.record({
        firstMs: fc.integer({ min: 1, max: 60_000 }),
        mostMs: fc.integer({ min: 1, max: 3_600_000 }),
      }),
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (of, failures, random) => {
        const fullMs = fullBackoffMs(of, failures);
        const waitMs = backoffMs(of, failures, random);
        expect(waitMs).toBeGreaterThanOrEqual(Math.floor(fullMs / 2));
        expect(waitMs).toBeLessThanOrEqual(fullMs);
        expect(fullMs).toBeLessThanOrEqual(of.mostMs);
      },
    ),
  );
});
