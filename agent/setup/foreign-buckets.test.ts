import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database } from '../store/database.ts';
import { UploadStore } from '../store/uploads.ts';
import { foreignBuckets, type OwnSandbox } from './own-sandbox.ts';

const sandbox = {} as OwnSandbox;
let db: Database;
let store: UploadStore;
let sandboxBucket: string;

beforeEach(() => {
  db = openDatabase(':memory:');
  store = new UploadStore(db);
  [sandboxBucket = ''] = foreignBuckets(store, { sandbox: null, isAlone: false });
  for (const bucket of [sandboxBucket, 'ours']) {
    store.enqueue(
      {
        runId: 'r1',
        path: `/x/${bucket}`,
        bucket,
        key: 'k',
        contentType: 'text/plain',
        metadata: {},
        sizeBytes: 1,
        sha256: '0',
      },
      1,
    );
  }
});

afterEach(() => {
  db.close();
});

test('an agent with a sandbox uploads nothing to AWS', () => {
  expect(foreignBuckets(store, { sandbox, isAlone: true })).toEqual(['ours']);
  expect(store.pendingBuckets()).toHaveLength(2);
});

test('an agent without a sandbox drops what waits for one', () => {
  expect(foreignBuckets(store, { sandbox: null, isAlone: true })).toEqual([sandboxBucket]);
  expect(store.pendingBuckets()).toEqual(['ours']);
});

test('beside another process, which may have the sandbox, its uploads stay in the queue', () => {
  expect(foreignBuckets(store, { sandbox: null, isAlone: false })).toEqual([sandboxBucket]);
  expect(store.pendingBuckets()).toHaveLength(2);
});
