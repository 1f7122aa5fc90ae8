import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyReply } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database } from '../store/database.ts';
import { KeptAnswers } from './kept-answers.ts';

let folder: string;
let db: Database;
let made: number;
let kept: KeptAnswers;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lba-kept-'));
  db = openDatabase(join(folder, 'agent.db'));
  db.exec('CREATE TABLE things (name TEXT)');
  made = 0;
  kept = new KeptAnswers(db);
});

afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What goes out for the key. */
function sent(key: string, padding = ''): string {
  let text = '';
  const reply = { type: () => reply, send: (body: string) => ((text = body), reply) };
  kept.send(reply as unknown as FastifyReply, key, () => {
    made += 1;
    const { count } = db.prepare('SELECT count(*) AS count FROM things').get() as { count: number };
    return { key, count, padding };
  });
  return text;
}

test('an answer is made once while nothing changes', () => {
  expect(sent('a')).toBe(sent('a'));
  sent('b');
  expect(made).toBe(2);
});

test('a write of this process, and one of another, makes it anew', () => {
  sent('a');
  db.prepare('INSERT INTO things VALUES (?)').run('mine');
  expect(JSON.parse(sent('a'))).toMatchObject({ count: 1 });
  const other = openDatabase(join(folder, 'agent.db'));
  other.prepare('INSERT INTO things VALUES (?)').run('theirs');
  other.close();
  expect(JSON.parse(sent('a'))).toMatchObject({ count: 2 });
});

test('only so many, and none that is large, are kept', () => {
  for (let number = 0; number < 200; number += 1) sent(String(number));
  sent('199');
  expect(made).toBe(201);
  made = 0;
  db.prepare('INSERT INTO things VALUES (?)').run('new');
  sent('large', 'x'.repeat(200_000));
  sent('large', 'x'.repeat(200_000));
  expect(made).toBe(2);
});
