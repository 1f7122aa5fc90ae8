import { expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import { SMALL_MAX_BYTES, UploadStore } from './uploads.ts';

const claimed = { now: 10, leaseUntil: 100, skipBuckets: [], skipIds: [], small: 9, large: 9, most: 9 };

function storeWith(...files: { key: string; sizeBytes: number; priority?: number }[]): UploadStore {
  const store = new UploadStore(openDatabase(':memory:'));
  for (const one of files) {
    const file = { path: `/${one.key}`, contentType: 'text/plain', metadata: {}, sha256: '0'.repeat(64) };
    store.enqueue({ runId: 'run-1', bucket: 'b', ...file, ...one }, 1);
  }
  return store;
}

test('a claim is by priority over small and large together, within the limit of each', () => {
  const store = storeWith(
    { key: 'small', sizeBytes: SMALL_MAX_BYTES },
    { key: 'large', sizeBytes: SMALL_MAX_BYTES + 1 },
    { key: 'urgent-large', sizeBytes: SMALL_MAX_BYTES + 1, priority: 5 },
    { key: 'urgent-small', sizeBytes: 0, priority: 9 },
  );
  const keys = store.claim({ ...claimed, large: 1 }).map(({ key }) => key);
  expect(keys).toEqual(['urgent-small', 'urgent-large', 'small']);
  expect(store.claim({ ...claimed, most: 1 }).map(({ key }) => key)).toEqual(['large']);
  expect(store.claim(claimed)).toEqual([]);
});

test('what is due next is told for small and large apart', () => {
  const store = storeWith({ key: 'large', sizeBytes: SMALL_MAX_BYTES + 1 });
  const all = { skipBuckets: [], skipIds: [] };
  expect(store.nextDue(all)).toBe(1);
  expect(store.nextDue({ ...all, only: 'large' })).toBe(1);
  expect(store.nextDue({ ...all, only: 'small' })).toBeUndefined();
});
