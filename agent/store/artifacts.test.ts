import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRuns } from '../../test/support/run-rows.ts';
import { ArtifactRepository, type NewArtifactRow } from './artifacts.ts';
import { openDatabase, type Database } from './database.ts';

let db: Database;
let artifacts: ArtifactRepository;

beforeEach(() => {
  db = openDatabase(':memory:');
  artifacts = new ArtifactRepository(db);
  createRuns(db, ['r1', 'r2']);
});

afterEach(() => {
  db.close();
});

const file = (key: string, more: Partial<NewArtifactRow> = {}): NewArtifactRow => ({
  kind: 'screenshot',
  key,
  path: `/runs/r1/${key}`,
  contentType: 'image/png',
  sizeBytes: 2,
  sha256: 'x',
  upload: true,
  keep: false,
  masked: 3,
  now: 1,
  ...more,
});

test('the files of a run are listed in the order in which they were written', () => {
  artifacts.addArtifact('r1', file('b.png', { stepNumber: 4 }));
  artifacts.addArtifact('r1', file('a.png'));
  expect(artifacts.artifacts('r1')).toMatchObject([
    { key: 'b.png', upload: 1, keep: 0, masked: 3, step_number: 4 },
    { key: 'a.png', step_number: null },
  ]);
  expect(artifacts.artifacts('r2')).toEqual([]);
});

test('a file is found only under its own run', () => {
  artifacts.addArtifact('r1', file('a.png'));
  const id = artifacts.artifacts('r1')[0]!.artifact_id;
  expect(artifacts.artifact('r1', id)).toMatchObject({ key: 'a.png' });
  expect(artifacts.artifact('r2', id)).toBeUndefined();
});
