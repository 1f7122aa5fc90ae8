import { expect, test } from 'vitest';
import { BucketHolds } from './bucket-holds.ts';

const offline = { kind: 'offline', message: 'no network' } as const;
const afterSeconds = (failures: number): number => failures * 1_000;

test('uploads that fail together hold the bucket once', () => {
  const holds = new BucketHolds();
  expect(holds.fail('b', offline, afterSeconds)).toEqual({ retryAt: 1_000, isNews: true });
  expect(holds.fail('b', offline, afterSeconds)).toEqual({ retryAt: 1_000, isNews: false });
  expect(holds.closed(999)).toEqual(['b']);
  expect(holds.closed(1_000)).toEqual([]);
});

test('a probe keeps the bucket closed for others, and its failure counts', () => {
  const holds = new BucketHolds();
  holds.fail('b', offline, afterSeconds);
  const end = holds.probe('b');
  expect(holds.closed(5_000)).toEqual(['b']);
  expect(holds.firstTry()).toBe(0);
  expect(holds.nextEnd(0)).toBe(Infinity);
  expect(holds.fail('b', offline, afterSeconds)).toEqual({ retryAt: 2_000, isNews: true });
  end();
  expect(holds.nextEnd(0)).toBe(2_000);
});

test('a bucket that answered is free, and the next failure counts from one', () => {
  const holds = new BucketHolds();
  holds.fail('b', offline, afterSeconds);
  expect([holds.release('b'), holds.release('b'), holds.isEmpty]).toEqual([true, false, true]);
  holds.probe('b')();
  expect(holds.fail('b', offline, afterSeconds)).toEqual({ retryAt: 1_000, isNews: true });
});

test('a refusal of the circuit breaker moves the time and is no failure of its own', () => {
  const holds = new BucketHolds();
  holds.fail('b', offline, afterSeconds);
  holds.refuse('b', { ...offline, retryAt: 9_000 });
  expect(holds.list()).toEqual([{ bucket: 'b', ...offline, retryAt: 9_000 }]);
  holds.probe('b');
  expect(holds.fail('b', offline, afterSeconds).retryAt).toBe(2_000);
});
