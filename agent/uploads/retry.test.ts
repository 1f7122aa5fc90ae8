import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AwsFailureKind } from '../aws/failure-kinds.ts';
import { BACKOFF, backoffMs } from './retry.ts';

const kinds = Object.keys(BACKOFF) as AwsFailureKind[];

test('a wait lies between half and all of the doubled first wait, and never above the most', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (kind, failures, random) => {
        const { firstMs, mostMs } = BACKOFF[kind];
        const nominal = Math.min(mostMs, firstMs * 2 ** (failures - 1));
        const waitMs = backoffMs(kind, failures, random);
        expect(waitMs).toBeGreaterThanOrEqual(Math.floor(nominal / 2));
        expect(waitMs).toBeLessThanOrEqual(nominal);
      },
    ),
  );
});
