import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { EventBus, type AgentEvent } from '../base/events.ts';
import { silentLogger } from '../base/log.ts';
import type { UploadRow } from '../store/uploads.ts';
import { Arrivals } from './arrivals.ts';

let folder: string;
let seen: AgentEvent[];
let notes: string[][];
let arrivals: Arrivals;
/** What the database answers: the rows that no other process has noted. */
let accepted: (rows: readonly UploadRow[]) => UploadRow[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lba-arrivals-'));
  [seen, notes] = [[], []];
  accepted = (rows) => [...rows];
  const events = new EventBus(silentLogger);
  events.on('test', (event) => seen.push(event));
  arrivals = new Arrivals({
    store: {
      done: (rows: readonly UploadRow[]) => {
        notes.push(rows.map(({ key }) => key));
        return accepted(rows);
      },
    },
    events,
    log: silentLogger,
    clock: systemClock,
    onNoted: () => undefined,
  });
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function row(key: string): UploadRow {
  const path = join(folder, key);
  writeFileSync(path, 'x');
  return { run_id: 'r1', key, path, size_bytes: 1, remove_after: 1 } as unknown as UploadRow;
}

test('uploads that arrive together are noted in one write, and then their files go', async () => {
  arrivals.add(row('a'));
  arrivals.noteSoon();
  arrivals.add(row('b'));
  arrivals.noteSoon();
  expect(notes).toEqual([]);
  await expect.poll(() => notes).toEqual([['a', 'b']]);
  await arrivals.flush();
  expect([existsSync(join(folder, 'a')), existsSync(join(folder, 'b'))]).toEqual([false, false]);
  expect(seen).toMatchObject([{ type: 'upload.finished', key: 'a' }, { key: 'b' }]);
});

test('a file stays, and nothing is reported, when the database did not take the note', async () => {
  accepted = () => [];
  arrivals.add(row('a'));
  await arrivals.flush();
  expect(existsSync(join(folder, 'a'))).toBe(true);
  expect(seen).toEqual([]);
});
